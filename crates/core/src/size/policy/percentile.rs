//! The rule of most guides: limit = p99 of a week + 25 %, raised by a kill for a week.

use std::collections::VecDeque;

use super::super::backtest::quantile;
use super::{DAY, MIB, Policy, bumped, differs};

/// Days that are looked at, and that a kill is remembered.
const WEEK: usize = 7 * DAY;
const FLOOR: f64 = 50.0 * MIB;
const TOLERANCE: f64 = 0.1;

/// p99 x 1.25.
#[derive(Debug, Default)]
pub(super) struct Percentile {
    week: VecDeque<f64>,
    limit: Option<f64>,
    /// What a kill raised the limit to, and when.
    raised: Option<(f64, usize)>,
}

impl Policy for Percentile {
    fn killed(&mut self, step: usize, _seen: f64) {
        let raised = bumped(self.limit());
        self.limit = Some(raised);
        self.raised = Some((raised, step));
    }

    fn observe(&mut self, _step: usize, peak: f64) {
        if self.week.len() == WEEK {
            self.week.pop_front();
        }
        self.week.push_back(peak);
    }

    fn decide(&mut self, step: usize) {
        if self.limit.is_some() && !step.is_multiple_of(DAY) {
            return;
        }
        let mut week: Vec<f64> = self.week.iter().copied().collect();
        let mut next = quantile(&mut week, 0.99) * 1.25;
        if let Some((raised, _)) = self.raised.filter(|(_, at)| step - at < WEEK) {
            next = next.max(raised);
        }
        let next = next.max(FLOOR);
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
