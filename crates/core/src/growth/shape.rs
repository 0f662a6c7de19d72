//! Shapes that do not grow without end: steps, teeth, spikes, peaks at the start, and lives between restarts.

use std::ops::Range;

use super::floors::{Floors, median, middle, quantile};
use crate::size::MISSING;

/// Fewer cells have no shape.
pub(super) const CELLS_LEAST: usize = 20;

/// What falls and stays there for so many cells was started anew. What it falls from is the `middle` of as many.
const RESTART_CELLS: usize = 3;

/// A fall by half is a restart; a smaller one is from this share on where it is so many times what floors usually differ
/// by from one to the next.
const RESTART_FALL: f64 = 0.15;
const RESTART_NOISE: f64 = 8.0;

/// The lives between restarts, in cells.
pub(super) fn lives(floors: &Floors) -> Vec<Range<usize>> {
    let count = floors.len();
    let mut cuts = vec![0];
    let steps: Vec<f64> = floors.low.windows(2).map(|two| (two[1] - two[0]).abs()).collect();
    let noise = median(&steps) * RESTART_NOISE;
    for cell in RESTART_CELLS..count {
        let before = |of: &[f64]| middle(of[cell - 3], of[cell - 2], of[cell - 1]);
        let (high, low) = (before(&floors.high), before(&floors.low));
        let after = floors.high[cell..(cell + RESTART_CELLS).min(count)].iter().copied().fold(0.0, f64::max);
        let falls = after < high / 2.0 || (after < low * (1.0 - RESTART_FALL) && low - after > noise);
        if falls && cell - cuts[cuts.len() - 1] >= RESTART_CELLS {
            cuts.push(cell);
        }
    }
    cuts.push(count);
    // The cell in which a life ended holds a part of the next.
    let end = |cut: usize| if cut == count { cut } else { cut - 1 };
    cuts.windows(2).map(|two| two[0]..end(two[1])).collect()
}

/// The life that counts: the last one where it is a third of the history or more, else the longest.
pub(super) fn life(floors: &Floors) -> Range<usize> {
    let (lives, count) = (lives(floors), floors.len());
    let last = lives.last().cloned().unwrap_or(0..count);
    let longest = lives.into_iter().max_by_key(ExactSizeIterator::len).unwrap_or(0..count);
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
    let mean = low.iter().sum::<f64>() / low.len() as f64;
    let all: f64 = low.iter().map(|value| (value - mean).powi(2)).sum();
    let (explained, at) = split(floors)?;
    let (before, after) = (median(&low[..at]), median(&low[at..]));
    let large = (after - before).abs() >= 0.15 * before.min(after).max(1.0);
    // A level is flat: what goes on rising from the moment on is no step.
    let third = (low.len() - at) / 3;
    let drift = median(&low[low.len() - third.max(1)..]) - median(&low[at..at + third.max(1)]);
    let flat = drift <= 0.25 * (after - before).abs();
    // What a line explains as well is a slope.
    (large && flat && explained >= 0.85 * all && explained > by_a_line(low, mean)).then_some(Step { at, before, after })
}

/// The cell that parts the floor into the two levels that explain most of how it differs from its mean, and how much.
pub(super) fn split(floors: &Floors) -> Option<(f64, usize)> {
    let low = &floors.low;
    let (count, least) = (low.len(), low.len() / 10 + 1);
    let total: f64 = low.iter().sum();
    let mean = total / count as f64;
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
    best
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
