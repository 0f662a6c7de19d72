//! KRR 1.8, strategy `simple` with `--use-oomkill-data`, applied daily by its Enforcer.

use super::{DAY, MIB, Policy, differs, window};

/// `--history_duration`: 336 hours.
const HISTORY: usize = 14 * DAY;
/// `--memory_buffer_percentage`.
const MARGIN: f64 = 1.15;
/// `--oom_memory_buffer_percentage`.
const MARGIN_AFTER_KILL: f64 = 1.25;
/// `--mem-min`.
const FLOOR: f64 = 100.0 * MIB;
/// The Enforcer's `UPDATE_THRESHOLD`.
const TOLERANCE: f64 = 0.2;

/// KRR.
#[derive(Debug, Default)]
pub(super) struct Krr {
    window: window::Highest,
    last: usize,
    limit: Option<f64>,
    /// The highest limit at which it was killed, and when last.
    killed: Option<(f64, usize)>,
}

impl Policy for Krr {
    fn killed(&mut self, step: usize, _seen: f64) {
        let before = self.killed.filter(|(_, at)| step - at < HISTORY).map_or(0.0, |(limit, _)| limit);
        self.killed = Some((before.max(self.limit()), step));
    }

    fn observe(&mut self, step: usize, peak: f64) {
        self.window.observe(step, peak);
        self.last = step;
    }

    fn decide(&mut self, step: usize) {
        if self.limit.is_some() && !step.is_multiple_of(DAY) {
            return;
        }
        let mut next = self.window.of_last(HISTORY, self.last) * MARGIN;
        if let Some((limit, _)) = self.killed.filter(|(_, at)| step - at < HISTORY) {
            next = next.max(limit * MARGIN_AFTER_KILL);
        }
        let next = ((next / MIB).ceil() * MIB).max(FLOOR);
        if self.limit.is_none_or(|limit| differs(limit, next, TOLERANCE)) {
            self.limit = Some(next);
        }
    }

    fn under(&mut self, limit: f64) {
        self.limit = Some(limit);
    }

    fn limit(&self) -> f64 {
        self.limit.unwrap_or_default()
    }
}
