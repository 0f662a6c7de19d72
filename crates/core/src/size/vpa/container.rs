//! One container of one replica: its peak of each day, and what a kill adds (`pkg/recommender/model/container.go` of VPA
//! 1.8.1).

use super::aggregate::Aggregate;
use super::amount;
use crate::units::DAY;

/// Seconds over which one peak counts (`--memory-aggregation-interval`).
const INTERVAL: i64 = DAY;
/// What a kill adds to what was used, at least (`--oom-min-bump-up-bytes`).
const BUMP_LEAST: i64 = 100 << 20;
/// And by which it multiplies it (`--oom-bump-up-ratio`).
const BUMP: f64 = 1.2;

/// A container of a replica.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Container {
    /// The last sample of CPU.
    cpu: Option<i64>,
    /// The highest sample of the running interval, and the highest that a kill made up.
    peak: i64,
    made_up: i64,
    /// The end of the running interval.
    end: Option<i64>,
    /// The last sample of memory.
    last: Option<i64>,
}

impl Container {
    /// A sample of CPU: only that it was taken counts here.
    pub(super) fn cpu(&mut self, at: i64, aggregate: &mut Aggregate) {
        if self.cpu.is_none_or(|last| at > last) {
            self.cpu = Some(at);
            aggregate.cpu(at);
        }
    }

    /// A sample of memory.
    pub(super) fn used(&mut self, at: i64, bytes: i64, aggregate: &mut Aggregate) {
        if self.last.is_none_or(|last| at >= last) {
            self.add(at, bytes, false, aggregate);
        }
    }

    /// A kill for memory, with the request in force.
    pub(super) fn killed(&mut self, at: i64, request: i64, aggregate: &mut Aggregate) {
        if self.last.is_some_and(|last| at < last.saturating_sub(INTERVAL)) {
            return;
        }
        // Not over what an earlier kill made up: kills in a row would drive one another up.
        let used = request.max(self.peak);
        self.add(at, used.saturating_add(BUMP_LEAST).max(amount(used as f64 * BUMP)), true, aggregate);
    }

    /// The peak that the running interval has in the histogram, and the interval's end.
    pub(super) fn under_way(&self) -> Option<(i64, i64)> {
        self.end.map(|end| (self.peak.max(self.made_up), end))
    }

    fn add(&mut self, at: i64, bytes: i64, made_up: bool, aggregate: &mut Aggregate) {
        if bytes < 0 {
            return;
        }
        self.last = Some(at);
        let end = *self.end.get_or_insert(at);
        if at < end {
            let before = self.peak.max(self.made_up);
            if before == 0 || bytes <= before {
                return;
            }
            aggregate.peaks.subtract(before as f64, end);
        } else {
            self.end = Some(end.saturating_add((at - end) / INTERVAL * INTERVAL + INTERVAL));
            (self.peak, self.made_up) = (0, 0);
        }
        aggregate.peaks.add(bytes as f64, self.end.unwrap_or(at));
        *(if made_up { &mut self.made_up } else { &mut self.peak }) = bytes;
    }
}
