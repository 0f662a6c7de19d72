//! Shapes that do not grow without end: steps, teeth, spikes, peaks at the start, and lives between restarts.

use std::ops::Range;

use super::floors::{Floors, median, quantile};
use crate::size::MISSING;

/// Fewer cells have no shape.
pub(super) const CELLS_LEAST: usize = 20;

/// What falls by half and stays there for so many cells was started anew.
const RESTART_CELLS: usize = 3;

/// The life that counts: the last one where it is a third of the history or more, else the longest.
pub(super) fn life(floors: &Floors) -> Range<usize> {
    let count = floors.len();
    let mut cuts = vec![0];
    for cell in RESTART_CELLS..count {
        let before = median(&floors.high[cell - RESTART_CELLS..cell]);
        let after = &floors.high[cell..(cell + RESTART_CELLS).min(count)];
        if after.iter().all(|high| *high < before / 2.0) && cell - cuts[cuts.len() - 1] >= RESTART_CELLS {
            cuts.push(cell);
        }
    }
    cuts.push(count);
    let lives = || cuts.windows(2).map(|two| two[0]..two[1]);
    let last = lives().next_back().unwrap_or(0..count);
    let longest = lives().max_by_key(ExactSizeIterator::len).unwrap_or(0..count);
    let chosen = if last.len() * 3 >= count { last } else { longest };
    if chosen.len() >= CELLS_LEAST { chosen } else { 0..count }
}

/// The most was needed in the first twentieth, and never again three quarters of it.
pub(super) fn starts_high(floors: &Floors) -> bool {
    let start = (floors.len() / 20).max(1);
    let highest = |cells: &[f64]| cells.iter().copied().fold(0.0, f64::max);
    highest(&floors.high[start..]) < highest(&floors.high[..start]) * 0.75
}

/// A change from one level to another.
pub(super) struct Step {
    /// The first cell of the new level.
    pub(super) at: usize,
    /// The level before.
    pub(super) before: f64,
    /// The level after.
    pub(super) after: f64,
}

/// One moment that explains nearly all of how the floor differs from its mean.
pub(super) fn step(floors: &Floors) -> Option<Step> {
    let low = &floors.low;
    let (count, least) = (low.len(), low.len() / 10 + 1);
    let total: f64 = low.iter().sum();
    let mean = total / count as f64;
    let all: f64 = low.iter().map(|value| (value - mean).powi(2)).sum();
    let mut sum = 0.0;
    let mut best: Option<(f64, usize)> = None;
    for (cell, value) in low.iter().enumerate() {
        if cell >= least && cell + least <= count {
            let (left, right) = (cell as f64, (count - cell) as f64);
            // What two means explain more than one.
            let between = left * (sum / left - mean).powi(2) + right * ((total - sum) / right - mean).powi(2);
            if best.is_none_or(|(most, _)| between > most) {
                best = Some((between, cell));
            }
        }
        sum += value;
    }
    let (explained, at) = best?;
    let (before, after) = (median(&low[..at]), median(&low[at..]));
    let large = (after - before).abs() >= 0.15 * before.min(after).max(1.0);
    // What a line explains as well is a slope.
    (large && explained >= 0.85 * all && explained > by_a_line(low, mean)).then_some(Step { at, before, after })
}

/// How much of the squares a straight line explains.
fn by_a_line(values: &[f64], mean: f64) -> f64 {
    let middle = (values.len() - 1) as f64 / 2.0;
    let (mut both, mut along) = (0.0, 0.0);
    for (cell, value) in values.iter().enumerate() {
        let place = cell as f64 - middle;
        both += place * (value - mean);
        along += place * place;
    }
    if along > 0.0 { both * both / along } else { 0.0 }
}

/// How often it rose and fell by a fifth of its level; none for fewer than four times.
pub(super) fn teeth(floors: &Floors) -> Option<usize> {
    let level = median(&floors.high);
    let swing = 0.2 * level.max(1.0);
    let (mut rising, mut turn, mut falls) = (true, floors.low[0], 0_usize);
    for (low, high) in floors.low.iter().zip(&floors.high) {
        if rising {
            turn = turn.max(*high);
            if turn - low >= swing {
                (rising, turn, falls) = (false, *low, falls + 1);
            }
        } else {
            turn = turn.min(*low);
            if high - turn >= swing {
                (rising, turn) = (true, *high);
            }
        }
    }
    // A spike now and then is no tooth: the ceiling of most cells belongs to one.
    let usual = quantile(&floors.high, 0.75) - quantile(&floors.low, 0.25);
    (falls >= 4 && usual >= swing / 2.0).then_some(falls)
}

/// The cell of a peak that is far above what is usual, and rare: of the cells, or of the samples where each cell is long
/// enough to hold a peak.
pub(super) fn spike(floors: &Floors, samples: &[u64]) -> Option<usize> {
    let level = median(&floors.high);
    let (at, peak) = floors.high.iter().copied().enumerate().max_by(|a, b| a.1.total_cmp(&b.1))?;
    let halfway = f64::midpoint(level, peak);
    let above = floors.high.iter().filter(|high| **high > halfway).count();
    let known = || samples.iter().filter(|used| **used != MISSING);
    let rare = || known().filter(|used| **used as f64 > halfway).count() * 10 <= known().count();
    (peak > level * 1.5 && (above * 10 <= floors.len() || rare())).then_some(at)
}
