//! Many lives, each of which grows to its end: what a leak looks like where it is killed, or restarted, again and again.
//! Over weeks such a history is all teeth, and its floor does not rise; a limit that is too low looks the same but for
//! what happens between two kills.

use std::cell::LazyCell;

use super::floors::{Floors, median};
use super::history::{growing, pace, span, whole};
use super::trend::{DAY, Trend};
use super::{Class, Growing, Judgement, Slope};
use crate::diagnosis::Confidence;
use crate::size::rank::at_rank;
use crate::size::{History, MISSING};

/// So many lives must have grown.
const LIVES_LEAST: usize = 3;

/// Of those that are long enough to tell, in percent.
const GROWN_PERCENT: usize = 80;

/// A life that ended with a kill tells from this on: seconds. What starts, fills a cache or loads its data may grow evenly
/// for less.
const KILLED_LEAST: i64 = 2 * 3_600;

/// One that ended with a fall by half, which a garbage collector makes as well: seconds.
const FALLEN_LEAST: i64 = 6 * 3_600;

/// Samples on either side of a fall: three, of which the middle one counts before it and the highest after it.
const SIDE: usize = 3;

/// A smaller fall than by half ends a life from this share on, where it is so many times what samples usually differ by
/// from one to the next.
const FALL: f64 = 0.15;
const NOISE: f64 = 8.0;

/// Of a long history the last so many lives are looked at.
const LIVES_MOST: usize = 60;

/// One life: the first and the last moment, and whether it was ended by a kill.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Life {
    from: i64,
    to: i64,
    killed: bool,
}

impl Life {
    /// How long it was; clocks may say anything.
    fn seconds(&self) -> i64 {
        self.to.saturating_sub(self.from)
    }
}

/// A leak, where nearly every life of three or more grows evenly to its end.
pub(super) fn leak(history: &History, limit: Option<u64>) -> Option<Judgement> {
    let lives = lives(history);
    let least = |life: &Life| if life.killed { KILLED_LEAST } else { FALLEN_LEAST };
    let mut long: Vec<Life> = lives.into_iter().filter(|life| life.seconds() >= least(life)).collect();
    long.drain(..long.len().saturating_sub(LIVES_MOST));
    if long.len() < LIVES_LEAST {
        return None;
    }
    let grown: Vec<(Life, Floors, Trend)> = long
        .iter()
        .filter_map(|life| {
            let floors = Floors::of(history, &history.used, life.from, life.to);
            let trend = Trend::of(&floors).filter(|trend| trend.is_endless())?;
            Some((*life, floors, trend))
        })
        .collect();
    if grown.len() < LIVES_LEAST || grown.len() * 100 < long.len() * GROWN_PERCENT {
        return None;
    }
    let slopes: Vec<f64> = grown.iter().map(|(_, _, trend)| trend.slope).collect();
    let slope = median(&slopes);
    let (life, floors, trend) = grown.last()?;
    let growing = growing(history, floors, life.from, life.to, trend.slope);
    if growing == Some(Growing::Cache) {
        return None;
    }
    let killed = grown.iter().filter(|(life, ..)| life.killed).count();
    let ended = if killed * 2 > grown.len() { "killed" } else { "started anew" };
    let ends = slopes.iter().copied().fold((f64::INFINITY, 0.0_f64), |(low, high), it| (low.min(it), high.max(it)));
    let now = history.used.iter().rev().find(|used| **used != MISSING).map_or(0.0, |used| *used as f64);
    let to_limit = limit.map(|limit| ((limit as f64 - now).max(0.0) / slope).min(1e15));
    let lengths: Vec<f64> = grown.iter().map(|(life, ..)| life.seconds() as f64).collect();
    let because = format!(
        "{} of {} times it grew evenly by {} until it was {ended}, after {}, and began again where it had begun before",
        grown.len(),
        long.len(),
        pace(slope),
        span(median(&lengths))
    );
    let per_day = |slope: f64| whole(slope * DAY);
    Some(Judgement {
        confidence: if ended == "killed" { Confidence::Likely } else { Confidence::Possible },
        growing,
        slope: Some(Slope { per_day: per_day(slope), low: per_day(ends.0), high: per_day(ends.1) }),
        seconds_to_limit: to_limit.map(|seconds| whole(seconds).unsigned_abs()),
        ..Judgement::new(Class::Leak, because)
    })
}

/// What lives look like that are too short to tell a leak from a start: nearly every one grew evenly until it was killed.
pub(super) fn between_kills(history: &History) -> Option<String> {
    let killed: Vec<Life> = lives(history).into_iter().filter(|life| life.killed).collect();
    let long: Vec<&Life> = killed.iter().rev().take(LIVES_MOST).collect();
    let is_even = |life: &&&Life| {
        let points: Vec<(i64, u64)> = history.points().filter(|(at, _)| (life.from..=life.to).contains(at)).collect();
        let third = points.len() / 3;
        if third == 0 {
            return false;
        }
        let level = |part: usize| {
            median(&points[part * third..(part + 1) * third].iter().map(|it| it.1 as f64).collect::<Vec<_>>())
        };
        let (first, second, last) = (level(0), level(1), level(2));
        second - first >= (last - first) * 0.25
            && last - second >= (last - first) * 0.25
            && last >= first * (1.0 + FALL)
    };
    let grown = long.iter().filter(is_even).count();
    (grown >= LIVES_LEAST && grown * 100 >= long.len() * GROWN_PERCENT).then(|| {
        format!(
            "{grown} of {} times it grew evenly until it was killed: a leak would, and so would a start that needs more",
            long.len()
        )
    })
}

/// The lives between kills and falls.
fn lives(history: &History) -> Vec<Life> {
    let (moments, used) = history.known();
    let (Some(from), Some(to)) = (moments.first().copied(), moments.last().copied()) else { return Vec::new() };
    // When a life ended, and whether by a kill.
    let mut ends: Vec<(i64, bool)> = history.kills.iter().map(|kill| (kill.at, true)).collect();
    let noise = LazyCell::new(|| noise(&moments, &used));
    for (sides, at) in used.windows(2 * SIDE).zip(&moments[SIDE.min(moments.len())..]) {
        let (a, b, c) = (sides[0], sides[1], sides[2]);
        // Nearly all are done with this: the middle one of three is no more than the larger of two, and an eighth is less than
        // a fall.
        let most = b.max(c);
        if sides[3] >= most - most / 8 {
            continue;
        }
        // The middle one of three.
        let before = a.min(b).max(a.max(b).min(c)) as f64;
        let after = sides[3].max(sides[4]).max(sides[5]) as f64;
        let falls = || after < before / 2.0 || before - after > *noise;
        if after < before * (1.0 - FALL) && falls() {
            ends.push((*at, false));
        }
    }
    ends.sort_unstable_by_key(|(at, killed)| (*at, !killed));
    let mut lives: Vec<Life> = Vec::new();
    let mut start = from;
    for (at, killed) in ends.into_iter().filter(|(at, _)| (from..=to).contains(at)) {
        // The sample at the moment of a kill is of the next life, or of the one that ends: it belongs to neither.
        let end = moments[..moments.partition_point(|moment| *moment < at)].last().map_or(start, |moment| *moment);
        let next = moments.get(moments.partition_point(|moment| *moment <= at)).map_or(to, |moment| *moment);
        if end > start {
            lives.push(Life { from: start, to: end, killed });
        }
        start = if killed { next } else { at };
    }
    // The last one goes on, and may have just begun: it is judged as the others are.
    if to > start {
        lives.push(Life { from: start, to, killed: false });
    }
    lives
}

/// By how much a fall must be more than what samples usually differ by from one moment to the next.
fn noise(moments: &[i64], used: &[u64]) -> f64 {
    let mut steps = Vec::with_capacity(used.len());
    for (moments, used) in moments.windows(2).zip(used.windows(2)) {
        if moments[0] < moments[1] {
            steps.push(used[0].abs_diff(used[1]));
        }
    }
    at_rank(&steps, steps.len() / 2).map_or(0.0, |median| median as f64 * NOISE)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::growth::of_history;
    use crate::size::Kill;
    use crate::units::Bytes;

    const STEP: i64 = 300;

    /// Days of five-minute samples in MiB by the hour, killed at these hours under a limit of 512 MiB.
    fn history(days: i64, killed_every: Option<i64>, used: impl Fn(f64) -> f64) -> History {
        let at: Vec<i64> = (0..days * 288).map(|step| step * STEP).collect();
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "bytes")]
        let used = at.iter().map(|at| (used(*at as f64 / 3600.0).min(511.0) * 1_048_576.0) as u64).collect();
        let hours = killed_every.map(|hours| (1..days * 24 / hours).map(move |life| life * hours * 3600));
        let kills = hours.into_iter().flatten().map(|at| Kill { at, limit: Some(Bytes::mib(512)) }).collect();
        History { limit: vec![512 << 20; at.len()], at, used, kills, ..History::default() }
    }

    #[test]
    fn a_leak_that_is_killed_every_twelve_hours_for_two_weeks_is_no_low_limit() {
        let it = of_history(&history(14, Some(12), |hour| 200.0 + 26.0 * (hour % 12.0)));
        assert_eq!((it.class, it.confidence), (Class::Leak, Confidence::Likely), "{}", it.because);
        let pace = it.slope.unwrap().per_day >> 20;
        assert!((615..635).contains(&pace), "{pace}");
        assert!(it.because.contains("until it was killed"), "{}", it.because);
    }

    #[test]
    fn a_leak_that_is_restarted_every_day_for_a_month_is_told() {
        let it = of_history(&history(30, None, |hour| 100.0 + 16.0 * (hour % 24.0)));
        assert_eq!((it.class, it.confidence), (Class::Leak, Confidence::Possible), "{}", it.because);
    }

    #[test]
    fn what_rises_to_its_limit_and_stays_there_until_it_is_killed_has_a_low_limit() {
        let it = of_history(&history(14, Some(12), |hour| 200.0 + 900.0 * (hour % 12.0).min(1.0)));
        assert_eq!(it.class, Class::LimitTooLow, "{}", it.because);
    }

    #[test]
    fn quick_teeth_are_no_lives() {
        let it = of_history(&history(14, None, |hour| 100.0 + 80.0 * (hour % 4.0)));
        assert_ne!(it.class, Class::Leak, "{}", it.because);
        assert!(lives(&History::default()).is_empty());
    }
}
