//! The rule of most guides: limit = p99 of a week + 25 %, raised by a kill for a week.

use std::collections::VecDeque;

use super::super::backtest::quantile;
use super::raised::{Raised, WEEK};
use super::{MIB, Policy};

const FLOOR: f64 = 50.0 * MIB;

/// p99 x 1.25.
#[derive(Debug, Default)]
pub(super) struct Percentile {
    week: VecDeque<f64>,
    raised: Raised,
}

impl Policy for Percentile {
    fn killed(&mut self, step: usize, _seen: f64) {
        self.raised.killed(step);
    }

    fn observe(&mut self, _step: usize, peak: f64) {
        if self.week.len() == WEEK {
            self.week.pop_front();
        }
        self.week.push_back(peak);
    }

    fn decide(&mut self, step: usize) {
        if !self.raised.is_due(step) {
            return;
        }
        let mut week: Vec<f64> = self.week.iter().copied().collect();
        let next = quantile(&mut week, 0.99) * 1.25;
        self.raised.decide(step, next, FLOOR);
    }

    fn under(&mut self, limit: f64) {
        self.raised.under(limit);
    }

    fn limit(&self) -> f64 {
        self.raised.limit()
    }
}
