//! Growth that began inside of the history: what came before tells nothing of it, and hides it where it is long.

use super::floors::{Floors, median};
use super::history::{span, whole};
use super::shape::{self, CELLS_LEAST};
use super::trend::{Trend, theil_sen};
use crate::size::{History, observed};

/// Growth that began at a moment and goes on until the end.
#[derive(Debug, Clone)]
pub(super) struct Onset {
    /// When it began, on the clock of the history.
    pub(super) from: i64,
    /// The floors since.
    pub(super) floors: Floors,
    /// How they rise.
    pub(super) trend: Trend,
    /// It rises without end, and days prove it.
    pub(super) endless: bool,
}

impl Onset {
    /// `since 2026-11-20T08:00:00Z, over 3.2 days`.
    pub(super) fn since(&self) -> String {
        let lived = format!("over {}", span(self.floors.at.last().copied().unwrap_or(0.0)));
        match observed::date(self.from) {
            Some(date) => format!("since {date}, {lived}"),
            None => format!("at the end, {lived}"),
        }
    }
}

/// Cells that are smoothed into one, where the floor itself varies too much.
const SMOOTHED: usize = 4;

/// Before it began it rose at no more than this share of the pace.
const PACE_BEFORE_MOST: f64 = 0.6;

/// Growth since the floor began to rise: the likeliest beginning from which it rises without end, else from which it may.
pub(super) fn of(history: &History, whole: &Floors, to: i64) -> Option<Onset> {
    let mut found = None;
    for cell in beginnings(whole).into_iter().filter(|cell| ends_above(whole, *cell)) {
        let from = whole.moment(cell).saturating_sub(self::whole(whole.cell / 2.0));
        let floors = Floors::of(history, &history.used, from, to);
        let coarse = floors.coarser(SMOOTHED);
        for trend in [Trend::of(&floors), Trend::of(&coarse)].into_iter().flatten() {
            let endless = trend.is_endless_since(whole.at[whole.len() - 1] - whole.at[0]);
            let rises = endless || (found.is_none() && trend.is_rising());
            if !rises || !begins(whole, cell, trend) {
                continue;
            }
            let onset = Onset { from, floors: floors.clone(), trend, endless };
            if endless {
                return Some(onset);
            }
            found = Some(onset);
        }
    }
    found
}

/// It ends above all that it came to before: growth within known bounds is a wave.
fn ends_above(whole: &Floors, cell: usize) -> bool {
    let end = whole.len() - (whole.len() - cell).div_ceil(8).max(1);
    let now = median(&whole.low[end..]);
    whole.low[..cell].iter().all(|low| *low < now)
}

/// It rose less before: growth that slows down has not begun, it comes to its end.
fn begins(whole: &Floors, cell: usize, trend: Trend) -> bool {
    theil_sen(&whole.at[..cell], &whole.low[..cell]) <= trend.slope * PACE_BEFORE_MOST
}

/// Cells at which it may have begun, the likeliest first: where a level and a line meet, where a level ends, and the
/// eighths.
fn beginnings(whole: &Floors) -> Vec<usize> {
    let count = whole.len();
    let step = shape::split(whole).map(|(_, at)| at + 1);
    let likely = [knee(&whole.low)].into_iter().chain(step);
    let cells = likely.chain((1..8).map(|part| part * count / 8));
    cells.filter(|cell| *cell > 0 && cell + CELLS_LEAST / 2 <= count).collect()
}

/// The cell at which a level and a line that goes on from it meet, by least squares.
fn knee(low: &[f64]) -> usize {
    let count = low.len();
    let (mut best, mut least) = (0, f64::INFINITY);
    let total: f64 = low.iter().sum();
    let squares: f64 = low.iter().map(|it| it * it).sum();
    // Of the line after each cell: the sums of distance, its square, and its product with the value.
    let (mut along, mut along2, mut both) = (0.0, 0.0, 0.0);
    let mut after = 0.0;
    for cell in (0..count).rev() {
        // All later cells are one further away.
        let later = (count - 1 - cell) as f64;
        along2 += 2.0 * along + later;
        along += later;
        both += after;
        after += low[cell];
        let n = count as f64;
        let spread = along2 - along * along / n;
        if spread <= 0.0 {
            continue;
        }
        let slope = (both - along * total / n) / spread;
        let level = (total - slope * along) / n;
        let error = squares - level * total - slope * both;
        if error < least {
            (best, least) = (cell, error);
        }
    }
    best
}
