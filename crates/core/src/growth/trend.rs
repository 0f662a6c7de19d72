//! Whether floors rise, and rise without end.
//!
//! Four questions, each of which a different healthy shape answers with no: the pace of each third (a warm-up slows
//! down), the order of eight blocks (noise has none), whether each block's floor is left for good (a sawtooth and a day's
//! wave come back), and whether today is above the same hour of yesterday.

use super::floors::{Floors, median};
use crate::size::rank::{at_rank, at_ranks};

/// Fewer cells tell no trend.
const CELLS_LEAST: usize = 20;

/// Blocks that are compared with each other.
const BLOCKS: usize = 8;

/// A leak grows by at least this share of what it began with; less is noise, whatever its order.
const GROWTH_LEAST: f64 = 0.05;

/// Where there is no yesterday, the morning of a day's wave and a program that warms up rise like a leak. Such growth
/// must be as much as this, and as even as [`SHORT_PACE_LEAST`]. Of parts of 3 to 20 h of the healthy traces three in a
/// thousand then pass, and fifteen to twenty in a thousand without either.
pub(super) const SHORT_GROWTH_LEAST: f64 = 0.2;

/// Of the 28 pairs of blocks so many more rise than fall.
const ORDER_LEAST: i32 = 16;

/// And of what rose and came to rest, whose end has no order.
const SETTLED_ORDER_LEAST: i32 = 12;

/// No third grows at less than this share of the whole's pace.
const PACE_LEAST: f64 = 0.35;

/// And where there is no yesterday at less than this.
const SHORT_PACE_LEAST: f64 = 0.5;

/// And where it only may be growth, at less than this.
const RISING_PACE_LEAST: f64 = 0.1;

/// And no faster in its middle than in its faster end, by so much: a wave's slope from its bottom to its top is twice as
/// steep there, a leak's is not.
const BULGE_MOST: f64 = 1.4;

/// Growth of at least [`SHORT_GROWTH_LEAST`] may go back within a day where nearly every moment is above the same of
/// yesterday, and so much of a day's wave was compared: the wave hides the steps between blocks.
const DAYS_NEARLY_ALL: f64 = 0.99;
const COMPARED_LEAST: f64 = 0.9 * DAY;

/// Of 7 steps between blocks so many are never undone.
const KEPT_LEAST: usize = 6;

/// And of what may be growth, or came to rest.
const SETTLED_KEPT_LEAST: usize = 4;

/// Of the cells that have a yesterday so many are above it.
const DAYS_LEAST: f64 = 0.9;

/// So wide, as a share of the slope, is the interval of a trend in smoothed floors at most.
const SURE: f64 = 0.3;

/// What fills slows down: a bend explains at least so much of how its floor differs from a line. The noise of a leak and
/// its days bend one way as often as the other, and do not explain so much.
const BEND_LEAST: f64 = 2.0 / 3.0;

/// And its last third grows at no more than this share of its first.
const SLOWER_MOST: f64 = 2.0 / 3.0;

/// Seconds of a day.
pub(super) const DAY: f64 = crate::units::DAY as f64;

/// The slope of floors: bytes a second.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Trend {
    /// The median over all pairs of floors.
    pub(super) slope: f64,
    /// The ends of its 95 % interval.
    pub(super) interval: (f64, f64),
    /// What it adds over the whole, as a share of what it began with.
    pub(super) growth: f64,
    /// The least pace of a third, as a share of the whole's.
    pub(super) slowest_third: f64,
    /// The pace of the middle third, as a share of the faster of the others.
    pub(super) bulge: f64,
    /// The pace of the last third, as a share of the first's.
    pub(super) last_to_first: f64,
    /// Of how the floor differs from a line, the share that a bend explains; negative where it bends upwards.
    pub(super) bend: f64,
    /// Pairs of blocks that rise, less those that fall.
    pub(super) order: i32,
    /// Steps between blocks that are never undone.
    pub(super) kept: usize,
    /// Of the cells that have a yesterday, the share above it; none where there is no day.
    pub(super) above_yesterday: Option<f64>,
    /// Seconds that have a yesterday.
    pub(super) compared: f64,
}

impl Trend {
    /// Of floors that rise in some order. `None` where they do not, so that none of what is asked of a trend holds, and of
    /// too few.
    pub(super) fn of(floors: &Floors) -> Option<Self> {
        let floors = settled(floors)?;
        let count = floors.len();
        let part = |of: usize, number: usize| number * count / of..(number + 1) * count / of;
        let blocks: Vec<f64> = (0..BLOCKS).map(|it| median(&floors.low[part(BLOCKS, it)])).collect();
        let pairs = (0..BLOCKS).flat_map(|a| (a + 1..BLOCKS).map(move |b| (a, b)));
        let order = pairs.map(|(a, b)| i32::from(blocks[b] > blocks[a]) - i32::from(blocks[b] < blocks[a])).sum();
        let kept = kept(&(0..BLOCKS).map(|it| least(&floors.low[part(BLOCKS, it)])).collect::<Vec<_>>());
        let above_yesterday = above_yesterday(&floors);
        // Slopes between all pairs would be most of the work of judging a history.
        let keeps = kept >= SETTLED_KEPT_LEAST || above_yesterday.is_some_and(|share| share >= DAYS_NEARLY_ALL);
        if order < SETTLED_ORDER_LEAST || !keeps {
            return None;
        }
        let (slope, interval) = theil_sen_between(&floors.at, &floors.low);
        let span = floors.at[count - 1] - floors.at[0];
        let began = median(&floors.low[..(count / BLOCKS).max(1)]).max(1.0);
        let thirds = [0, 1, 2].map(|it| theil_sen(&floors.at[part(3, it)], &floors.low[part(3, it)]));
        let pace = |third: f64| if slope > 0.0 { third / slope } else { 0.0 };
        Some(Self {
            slope,
            interval,
            growth: slope * span / began,
            slowest_third: thirds.iter().map(|third| pace(*third)).fold(f64::INFINITY, f64::min),
            bulge: thirds[1] / thirds[0].max(thirds[2]).max(slope * 1e-3).max(f64::MIN_POSITIVE),
            last_to_first: if thirds[0] > 0.0 { thirds[2] / thirds[0] } else { 1.0 },
            bend: bend(&floors.at, &floors.low),
            order,
            kept,
            above_yesterday,
            compared: span - DAY,
        })
    }

    /// It rises without end.
    pub(super) fn is_endless(self) -> bool {
        match self.above_yesterday {
            Some(share) => share >= DAYS_LEAST && (self.rises(GROWTH_LEAST, PACE_LEAST) || self.rises_by_days(share)),
            None => self.rises(SHORT_GROWTH_LEAST, SHORT_PACE_LEAST) && self.bulge <= BULGE_MOST,
        }
    }

    /// It rises without end, and at no plainly slower pace towards it.
    pub(super) fn leaks(self) -> bool {
        self.is_endless() && !self.slows()
    }

    /// It rises ever more slowly, and plainly so. The intervals of two slopes cannot tell: neighbouring floors are alike,
    /// so that those of real leaks are often apart.
    pub(super) fn slows(self) -> bool {
        self.bend >= BEND_LEAST && self.last_to_first <= SLOWER_MOST
    }

    /// It rises as a leak does, but so would the morning of a day's wave, or a busier day than the one before.
    pub(super) fn may_be_endless(self) -> bool {
        match self.above_yesterday {
            Some(share) => {
                share >= DAYS_LEAST
                    && self.growth >= SHORT_GROWTH_LEAST
                    && self.order >= ORDER_LEAST
                    && self.kept >= SETTLED_KEPT_LEAST
            }
            None => self.rises(GROWTH_LEAST, PACE_LEAST),
        }
    }

    /// Its interval is narrow: floors that were smoothed hide how much they vary.
    pub(super) fn is_sure(self) -> bool {
        self.interval.1 - self.interval.0 <= self.slope * SURE
    }

    /// The same of the end of a history that is so long in all: seconds. Where the end has no day of its own, the days
    /// before tell that its rise is no morning's.
    pub(super) fn is_endless_since(self, whole: f64) -> bool {
        match self.above_yesterday {
            Some(_) => self.is_endless() && self.growth >= SHORT_GROWTH_LEAST,
            None => whole >= 2.0 * DAY && self.is_endless(),
        }
    }

    /// It rises to the end, and much, and not at one moment alone.
    pub(super) fn is_rising(self) -> bool {
        self.growth >= SHORT_GROWTH_LEAST
            && self.order >= ORDER_LEAST
            && self.kept >= SETTLED_KEPT_LEAST
            && self.slowest_third >= RISING_PACE_LEAST
            && self.last_to_first >= PACE_LEAST
    }

    fn rises_by_days(self, share: f64) -> bool {
        share >= DAYS_NEARLY_ALL
            && self.compared >= COMPARED_LEAST
            && self.growth >= SHORT_GROWTH_LEAST
            && self.slowest_third >= PACE_LEAST
            && self.order >= ORDER_LEAST
    }

    fn rises(self, growth: f64, pace: f64) -> bool {
        self.growth >= growth && self.slowest_third >= pace && self.order >= ORDER_LEAST && self.kept >= KEPT_LEAST
    }

    /// It rose, and came to rest.
    pub(super) fn settles(self) -> bool {
        self.growth >= 0.1
            && self.order >= SETTLED_ORDER_LEAST
            && self.last_to_first <= 0.25
            && self.kept >= SETTLED_KEPT_LEAST
    }
}

/// Floors without their first twentieth: a program that starts is no trend. `None` of too few.
fn settled(floors: &Floors) -> Option<Floors> {
    let floors = floors.skip((floors.len() / 20).max(1));
    (floors.len() >= CELLS_LEAST).then_some(floors)
}

/// The slope of floors, whether they rise or not: bytes a second. `None` of too few.
pub(super) fn slope(floors: &Floors) -> Option<f64> {
    settled(floors).map(|floors| theil_sen(&floors.at, &floors.low))
}

/// The median of the slopes between all pairs (Theil, Sen).
pub(super) fn theil_sen(at: &[f64], value: &[f64]) -> f64 {
    let slopes = slopes(at, value);
    at_rank(&slopes, slopes.len() / 2).map_or(0.0, of_key)
}

/// The same, and its 95 % interval by Kendall's variance.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "ranks among the pairs")]
fn theil_sen_between(at: &[f64], value: &[f64]) -> (f64, (f64, f64)) {
    let slopes = slopes(at, value);
    let (pairs, n) = (slopes.len() as f64, at.len() as f64);
    let spread = 1.96 * (n * (n - 1.0) * (2.0 * n + 5.0) / 18.0).sqrt();
    let ranks = |count: usize| {
        let rank = |rank: f64| (rank.max(0.0) as usize).min(count - 1);
        [rank(f64::midpoint(pairs, -spread)), count / 2, rank(f64::midpoint(pairs, spread))]
    };
    at_ranks(&[&slopes], ranks).map_or((0.0, (0.0, 0.0)), |keys| {
        let [low, slope, high] = keys.map(of_key);
        (slope, (low, high))
    })
}

/// The slopes between all pairs, as keys.
fn slopes(at: &[f64], value: &[f64]) -> Vec<u64> {
    let mut slopes = Vec::with_capacity(at.len() * at.len().saturating_sub(1) / 2);
    for (first, (from, began)) in at.iter().zip(value).enumerate() {
        let later = at[first + 1..].iter().zip(&value[first + 1..]);
        slopes.extend(later.map(|(to, ended)| key((ended - began) / (to - from))));
    }
    slopes
}

/// A whole number for a number, in the same order (that of [`f64::total_cmp`]): those are ranked without comparing.
fn key(number: f64) -> u64 {
    let bits = number.to_bits();
    if bits >> 63 == 0 { bits | 1 << 63 } else { !bits }
}

/// The number of a key.
fn of_key(key: u64) -> f64 {
    f64::from_bits(if key >> 63 == 1 { key & !(1 << 63) } else { !key })
}

/// Of the squares that a straight line leaves, the share that a parabola explains; negative where it opens upwards.
fn bend(at: &[f64], value: &[f64]) -> f64 {
    let count = at.len();
    let mean = |of: &dyn Fn(usize) -> f64| (0..count).map(of).sum::<f64>() / count as f64;
    let (middle, level) = (mean(&|cell| at[cell]), mean(&|cell| value[cell]));
    // Of about 1, so that their powers are, too.
    let width = (at[count - 1] - at[0]).max(1.0);
    let x = |cell: usize| (at[cell] - middle) / width;
    let y = |cell: usize| value[cell] - level;
    let square = mean(&|cell| x(cell).powi(2));
    let skew = mean(&|cell| x(cell).powi(3)) / square;
    let slope = mean(&|cell| x(cell) * y(cell)) / square;
    let left = mean(&|cell| (y(cell) - slope * x(cell)).powi(2));
    // The part of the parabola that is no line.
    let curve = |cell: usize| x(cell).powi(2) - square - skew * x(cell);
    let (both, along) = (mean(&|cell| curve(cell) * y(cell)), mean(&|cell| curve(cell).powi(2)));
    if left > 0.0 && along > 0.0 { -both.signum() * both * both / along / left } else { 0.0 }
}

fn least(values: &[f64]) -> f64 {
    values.iter().copied().fold(f64::INFINITY, f64::min)
}

/// How often a block's floor lies below everything that comes after it.
fn kept(floors: &[f64]) -> usize {
    let mut future = f64::INFINITY;
    let from_here: Vec<f64> = floors
        .iter()
        .rev()
        .map(|floor| {
            future = future.min(*floor);
            future
        })
        .collect();
    from_here.windows(2).filter(|two| two[0] > two[1]).count()
}

/// Today against the same time of yesterday, between cells.
fn above_yesterday(floors: &Floors) -> Option<f64> {
    let (first, last) = (*floors.at.first()?, *floors.at.last()?);
    // An hour or two of a second day would tell nothing.
    if last - first <= DAY + 7_200.0 {
        return None;
    }
    let (mut above, mut all, mut before) = (0_u32, 0_u32, 0);
    for (at, low) in floors.at.iter().zip(&floors.low) {
        let then = at - DAY;
        if then < first {
            continue;
        }
        while before + 1 < floors.len() && floors.at[before + 1] <= then {
            before += 1;
        }
        let after = (before + 1).min(floors.len() - 1);
        let width = (floors.at[after] - floors.at[before]).max(1.0);
        let share = ((then - floors.at[before]) / width).clamp(0.0, 1.0);
        let yesterday = floors.low[before] + (floors.low[after] - floors.low[before]) * share;
        all += 1;
        above += u32::from(*low > yesterday);
    }
    (all > 0).then(|| f64::from(above) / f64::from(all))
}
