//! A history on a coarse grid: of each cell the lowest and the highest value. Whether memory grows shows in the floors,
//! which garbage collection and short work do not touch; what it may need shows in the ceilings.

use crate::size::History;
use crate::size::rank::Ends;
use crate::size::workload::stretches;

/// Cells of a grid: enough to tell a day's wave in a week, few enough to compare each with each.
pub(super) const CELLS: i64 = 192;

/// A cell is no shorter: seconds.
const SHORTEST: i64 = 60;

/// The cells that hold a value, in the order of time.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Floors {
    /// The middle of each cell: seconds since the first sample.
    pub(super) at: Vec<f64>,
    /// The lowest value in it: bytes.
    pub(super) low: Vec<f64>,
    /// The highest.
    pub(super) high: Vec<f64>,
    /// How long a cell is: seconds.
    pub(super) cell: f64,
    /// The moment that `at` counts from, on the clock of the history.
    pub(super) from: i64,
}

impl Floors {
    /// Of a column of a history, between two moments; empty where the column is.
    pub(super) fn of(history: &History, column: &[u64], from: i64, to: i64) -> Self {
        let span = to.saturating_sub(from).max(1);
        let cell = (span / CELLS).max(SHORTEST);
        let mut floors = Self { cell: cell as f64, from, ..Self::default() };
        let at = &history.at[..history.at.len().min(column.len())];
        let (begin, end) = (at.partition_point(|at| *at < from), at.partition_point(|at| *at <= to));
        let (Some(at), Some(column)) = (at.get(begin..end), column.get(begin..end)) else { return floors };
        for (number, rows) in stretches(at, from, cell) {
            if let Some((low, high)) = Ends::of(&column[rows]).both() {
                floors.at.push((number as f64 + 0.5) * floors.cell);
                floors.low.push(low as f64);
                floors.high.push(high as f64);
            }
        }
        floors
    }

    /// How many cells hold a value.
    pub(super) fn len(&self) -> usize {
        self.at.len()
    }

    /// Without the first `count` cells.
    pub(super) fn skip(&self, count: usize) -> Self {
        let count = count.min(self.len());
        Self {
            at: self.at[count..].to_vec(),
            low: self.low[count..].to_vec(),
            high: self.high[count..].to_vec(),
            ..*self
        }
    }

    /// So many cells in one, their mean: floors that vary from one to the next have a trend of their own.
    pub(super) fn coarser(&self, cells: usize) -> Self {
        let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
        let of = |values: &[f64]| -> Vec<f64> { values.chunks(cells).map(mean).collect() };
        let high = self.high.chunks(cells).map(|it| it.iter().copied().fold(0.0, f64::max)).collect();
        Self { at: of(&self.at), low: of(&self.low), high, cell: self.cell * cells as f64, ..*self }
    }

    /// The moment of a cell, on the clock of the history.
    #[expect(clippy::cast_possible_truncation, reason = "a moment within the history")]
    pub(super) fn moment(&self, cell: usize) -> i64 {
        self.from.saturating_add(self.at.get(cell).map_or(0, |at| *at as i64))
    }
}

/// The middle one of three.
pub(super) fn middle(a: f64, b: f64, c: f64) -> f64 {
    a.min(b).max(a.max(b).min(c))
}

/// The middle value; 0 of none.
pub(super) fn median(values: &[f64]) -> f64 {
    quantile(values, 0.5)
}

/// The value below which a share of all lies; 0 of none.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a rank among the values")]
pub(super) fn quantile(values: &[f64], share: f64) -> f64 {
    if values.is_empty() {
        return 0.0;
    }
    let mut values = values.to_vec();
    let rank = ((values.len() - 1) as f64 * share).round() as usize;
    *values.select_nth_unstable_by(rank, f64::total_cmp).1
}
