//! The back-test: what a policy would have done on a history that is known to its end.
//!
//! A history becomes a grid of five-minute maxima, gaps filled forward. After the warm-up the policy sets the limit, the
//! request with it, once an hour; a maximum above the limit is a kill, and what the policy sees of it ends at the limit.

mod document;
mod grid;

use super::policy::{DAY, HOUR, Known};

pub use document::{Document, Figures, SCHEMA, schema};
pub use grid::{Grid, quantile};

/// Warm-up where nothing else is asked for: steps of 7 days.
pub const WARM_UP: usize = 7 * DAY;

/// What a policy did, summed over containers.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Tally {
    /// Whole days after the warm-up.
    pub days: u64,
    /// Kills.
    pub kills: u64,
    /// Days with a kill.
    pub days_with_kills: u64,
    /// Times the limit changed.
    pub changes: u64,
    /// Sum over days of the mean limit; bytes.
    pub limits: f64,
    /// Sum over days of the slack: (mean limit - p95 of use) / mean limit, never below -1.
    pub slack: f64,
}

impl Tally {
    /// Both together.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            days: self.days + other.days,
            kills: self.kills + other.kills,
            days_with_kills: self.days_with_kills + other.days_with_kills,
            changes: self.changes + other.changes,
            limits: self.limits + other.limits,
            slack: self.slack + other.slack,
        }
    }
}

/// Runs a policy over one container. A history that ends within the warm-up gives no days.
pub fn replay(grid: &Grid, known: Known, warm_up: usize) -> Tally {
    let steps = &grid.steps;
    let mut tally = Tally::default();
    if steps.len() <= warm_up {
        return tally;
    }
    let mut policy = (known.start)(steps);
    for (step, peak) in steps[..warm_up].iter().enumerate() {
        policy.observe(step, *peak);
    }
    policy.decide(warm_up);
    let mut before = policy.limit();
    for (day, peaks) in steps[warm_up..].chunks(DAY).enumerate() {
        let first = warm_up + day * DAY;
        let (mut limits, mut kills) = (0.0, 0);
        for (step, peak) in (first..).zip(peaks) {
            let seen = peak.min(policy.limit());
            if *peak > policy.limit() {
                kills += 1;
                policy.killed(step, seen);
            }
            policy.observe(step, seen);
            if step.is_multiple_of(HOUR) {
                policy.decide(step);
            }
            let limit = policy.limit();
            if (limit - before).abs() > 1e-9 * before {
                tally.changes += 1;
                before = limit;
            }
            limits += limit;
        }
        tally.kills += kills;
        // A day that is not over is no day; its kills happened.
        if peaks.len() == DAY {
            let limit = limits / DAY as f64;
            let p95 = quantile(&mut peaks.to_vec(), 0.95);
            tally.days += 1;
            tally.days_with_kills += u64::from(kills > 0);
            tally.limits += limit;
            tally.slack += ((limit - p95) / limit).max(-1.0);
        }
    }
    tally
}
