//! Crane's resource recommender: p99 of a decaying histogram with linear buckets, and its protection after a kill.

use std::collections::VecDeque;

use super::{DAY, MIB, Policy, bumped, differs};

/// `--oom-history-length` and the history: 168 hours.
const WEEK: usize = 7 * DAY;
/// Half-life of a sample's weight: 48 hours.
const HALF_LIFE: f64 = (2 * DAY) as f64;
/// `mem-model-config` histogram bucket size.
const BUCKET: f64 = 100.0 * MIB;
const MARGIN: f64 = 1.15;
const TOLERANCE: f64 = 0.1;

/// Crane.
#[derive(Debug, Default)]
pub(super) struct Crane {
    /// Buckets of the week's samples.
    week: VecDeque<usize>,
    limit: Option<f64>,
    raised: Option<(f64, usize)>,
}

impl Policy for Crane {
    fn killed(&mut self, step: usize, _seen: f64) {
        let raised = bumped(self.limit());
        self.limit = Some(raised);
        self.raised = Some((raised, step));
    }

    fn observe(&mut self, _step: usize, peak: f64) {
        if self.week.len() == WEEK {
            self.week.pop_front();
        }
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a peak is not negative")]
        self.week.push_back((peak / BUCKET) as usize);
    }

    fn decide(&mut self, step: usize) {
        if self.limit.is_some() && !step.is_multiple_of(DAY) {
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
        let mut next = (reached.unwrap_or(weights.len() - 1) + 1) as f64 * BUCKET * MARGIN;
        if let Some((raised, _)) = self.raised.filter(|(_, at)| step - at < WEEK) {
            next = next.max(raised);
        }
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
