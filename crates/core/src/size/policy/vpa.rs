//! The VPA 1.8 with its defaults as one container sees it: the recommender ([`super::super::vpa`], exact), and the
//! updater's rules of when a recommendation is applied.

use super::super::history::STEP;
use super::super::vpa::Recommender;
use super::{DAY, Policy};

/// A limit inside the bounds is changed only so long after the last change: the updater's `podLifetimeUpdateThreshold`.
const LIFETIME: usize = DAY / 2;
/// And only where it differs so much: the updater's `pod-update-threshold`.
const TOLERANCE: f64 = 0.1;
/// Samples of CPU come once a minute (`--recommender-interval`), and confidence counts them.
const MINUTE: i64 = 60;

/// The VPA.
#[derive(Debug, Default)]
pub(super) struct Vpa {
    recommender: Recommender,
    limit: Option<f64>,
    changed: usize,
}

/// When a step begins; seconds.
fn at(step: usize) -> i64 {
    i64::try_from(step).unwrap_or(i64::MAX).saturating_mul(STEP)
}

#[expect(clippy::cast_possible_truncation, reason = "amounts of memory are far below the largest number")]
fn whole(bytes: f64) -> i64 {
    bytes as i64
}

impl Policy for Vpa {
    fn killed(&mut self, step: usize, _seen: f64) {
        let limit = self.limit();
        // The request is the limit.
        self.recommender.killed(0, at(step), whole(limit));
        let target = self.recommender.recommend(1).target as f64;
        if target.total_cmp(&limit).is_ne() {
            self.limit = Some(target.max(limit));
            self.changed = step;
        }
    }

    fn observe(&mut self, step: usize, peak: f64) {
        // metrics-server passes on no container without memory (its decode.go, `checkContainerMetrics`); to the
        // recommender a day that begins with 0 would be deaf to its end.
        if peak < 1.0 {
            return;
        }
        let from = at(step);
        (0..STEP / MINUTE).for_each(|minute| self.recommender.cpu(0, from + minute * MINUTE));
        self.recommender.used(0, from, whole(peak));
    }

    fn decide(&mut self, step: usize) {
        let it = self.recommender.recommend(1);
        let (target, lower, upper) = (it.target as f64, it.lower as f64, it.upper as f64);
        let apply = self.limit.is_none_or(|limit| {
            limit < lower
                || limit > upper
                || (step - self.changed >= LIFETIME && (target - limit).abs() / limit >= TOLERANCE)
        });
        if apply {
            self.limit = Some(target);
            self.changed = step;
        }
    }

    fn under(&mut self, limit: f64) {
        self.limit = Some(limit);
    }

    fn limit(&self) -> f64 {
        self.limit.unwrap_or_default()
    }
}
