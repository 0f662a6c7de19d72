//! Ours: keep the highest past peak for as long as keeping it costs less than a kill.
//!
//! Remembering a peak costs memory: the difference to the next lower one, for every hour that it has not come back.
//! Forgetting it costs a kill when it does. So an old peak is forgotten when its difference times its age exceeds what a
//! kill is worth, in byte-hours: small containers remember long and large ones are tight, which spends a fleet's memory
//! where it prevents most kills. There is one number to choose, [`KILL`]: the risk.

use std::collections::VecDeque;

use super::{HOUR, MIB, Policy};

const GIB: f64 = 1024.0 * MIB;

/// What a kill is worth, in byte-hours: 1 GiB for about five days. Larger keeps peaks longer.
///
/// This and the numbers below were chosen together on one month of 448 virtual machines, for the fewest kills at a mean
/// limit of 3.5 GiB and 0.3 changes a day. Over five parts of the machines the kills per 1,000 container-days then lie
/// between 50 and 65.
const KILL: f64 = 113.0 * GIB;
/// An age counts a little more than in proportion: the longer a peak has not come back, the less likely it will.
const AGE_POWER: f64 = 1.1;
/// No peak is forgotten before so many hours: most come back within a working day.
const YOUNGEST: usize = 8;
/// What was needed at the same hours of so many days is kept whatever it costs: nightly jobs and office hours.
const DAYS: usize = 4;
/// From an hour before to so many hours ahead counts as the same: the limit is there before the job is, and does not
/// change back and forth.
const AHEAD: usize = 10;
/// Room above the highest peak, the same for all: what is above a large container's peak is worth no more than what is
/// above a small one's.
const ROOM: f64 = 340.0 * MIB;
/// But never more than this share of the peak,
const ROOM_SHARE: f64 = 0.30;
/// and never less than this: what the smallest suddenly need more (a compiler, threads, a burst of requests) is no share
/// of what they have.
const ROOM_LEAST: f64 = 100.0 * MIB;
/// After a kill: the limit grows by half. How much more was wanted is not known, and a second kill costs as much.
const AFTER_KILL: f64 = 1.5;
/// And by no less than this.
const AFTER_KILL_LEAST: f64 = 300.0 * MIB;
/// What a kill proved is kept until it has cost about as much as another kill: in byte-hours.
const PROVEN: f64 = 100.0 * GIB;
/// A limit rises when it is too low by this share, and falls when it is too high by [`FALL`] or [`FALL_BYTES`].
const RISE: f64 = 0.08;
const FALL: f64 = 0.5;
const FALL_BYTES: f64 = 1200.0 * MIB;
const HOURS_A_DAY: usize = 24;

/// Our policy.
#[derive(Debug, Default)]
pub(super) struct Oomph {
    /// Hours and their peaks, each lower than the one before: what may still become the highest.
    stairs: VecDeque<(usize, f64)>,
    /// The peak of every hour of the last days, the oldest first.
    hours: VecDeque<f64>,
    /// The highest since the last decision.
    current: f64,
    hour: usize,
    limit: Option<f64>,
    /// What a kill raised the limit to, and the step.
    proven: Option<(f64, usize)>,
}

impl Oomph {
    /// The highest peak that is still worth its memory.
    fn peak(&mut self) -> f64 {
        while let Some((hour, peak)) = self.stairs.front().copied() {
            let next = self.stairs.get(1).map_or(self.current, |(_, next)| next.max(self.current));
            let age = self.hour - hour;
            let forgotten = peak <= next || (age > YOUNGEST && (peak - next) * (age as f64).powf(AGE_POWER) > KILL);
            if !forgotten {
                return peak.max(self.current);
            }
            self.stairs.pop_front();
        }
        self.current
    }

    /// The highest peak at these hours of the last days.
    fn season(&self) -> f64 {
        let known = self.hours.len();
        let ago = |day: usize| day * HOURS_A_DAY;
        (1..=DAYS)
            .flat_map(|day| ago(day) - AHEAD..=ago(day) + 1)
            .filter_map(|back| self.hours.get(known.checked_sub(back)?).copied())
            .fold(0.0, f64::max)
    }
}

impl Policy for Oomph {
    fn killed(&mut self, step: usize, _seen: f64) {
        let limit = self.limit();
        let raised = (limit * AFTER_KILL).max(limit + AFTER_KILL_LEAST);
        self.limit = Some(raised);
        self.proven = Some((raised, step));
    }

    fn observe(&mut self, step: usize, peak: f64) {
        self.current = self.current.max(peak);
        // The hour ends with its last step, whether or not a decision follows.
        if step.is_multiple_of(HOUR) && self.limit.is_none() {
            self.close_hour();
        }
    }

    fn decide(&mut self, step: usize) {
        let peak = self.peak().max(self.season());
        let mut wanted = peak + (ROOM_SHARE * peak).clamp(ROOM_LEAST, ROOM);
        if let Some((proven, since)) = self.proven {
            let cost = (proven - wanted) * ((step - since) as f64 / HOUR as f64);
            if cost > PROVEN {
                self.proven = None;
            } else {
                wanted = wanted.max(proven);
            }
        }
        let apply = self
            .limit
            .is_none_or(|limit| wanted > limit * (1.0 + RISE) || limit - wanted > (FALL * limit).min(FALL_BYTES));
        if apply {
            self.limit = Some(wanted);
        }
        self.close_hour();
    }

    fn under(&mut self, limit: f64) {
        self.limit = Some(limit);
    }

    fn limit(&self) -> f64 {
        self.limit.unwrap_or_default()
    }
}

impl Oomph {
    fn close_hour(&mut self) {
        while self.stairs.back().is_some_and(|(_, back)| *back <= self.current) {
            self.stairs.pop_back();
        }
        self.stairs.push_back((self.hour, self.current));
        self.hours.push_back(self.current);
        if self.hours.len() > DAYS * HOURS_A_DAY + 1 {
            self.hours.pop_front();
        }
        self.hour += 1;
        self.current = 0.0;
    }
}
