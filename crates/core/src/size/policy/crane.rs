//! Crane's resource recommender: p99 of a decaying histogram with linear buckets, and its protection after a kill.

use std::collections::VecDeque;

use super::raised::{Raised, WEEK};
use super::{DAY, MIB, Policy};

/// Half-life of a sample's weight: 48 hours.
const HALF_LIFE: f64 = (2 * DAY) as f64;
/// `mem-model-config` histogram bucket size.
const BUCKET: f64 = 100.0 * MIB;
const MARGIN: f64 = 1.15;

/// Crane; `--oom-history-length` and the history are the same week.
#[derive(Debug, Default)]
pub(super) struct Crane {
    /// Buckets of the week's samples.
    week: VecDeque<usize>,
    raised: Raised,
}

impl Policy for Crane {
    fn killed(&mut self, step: usize, _seen: f64) {
        self.raised.killed(step);
    }

    fn observe(&mut self, _step: usize, peak: f64) {
        if self.week.len() == WEEK {
            self.week.pop_front();
        }
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a peak is not negative")]
        self.week.push_back((peak / BUCKET) as usize);
    }

    fn decide(&mut self, step: usize) {
        if !self.raised.is_due(step) {
            return;
        }
        let mut weights = vec![0.0; self.week.iter().max().map_or(1, |last| last + 1)];
        for (age, bucket) in self.week.iter().rev().enumerate() {
            weights[*bucket] += (-(age as f64) / HALF_LIFE).exp2();
        }
        let wanted = 0.99 * weights.iter().sum::<f64>() - 1e-12;
        let mut sum = 0.0;
        let reached = weights.iter().position(|weight| {
            sum += weight;
            sum >= wanted
        });
        let next = (reached.unwrap_or(weights.len() - 1) + 1) as f64 * BUCKET * MARGIN;
        self.raised.decide(step, next, 0.0);
    }

    fn under(&mut self, limit: f64) {
        self.raised.under(limit);
    }

    fn limit(&self) -> f64 {
        self.raised.limit()
    }
}
