//! From what was seen to a target and its bounds (`pkg/recommender/logic/estimator.go`, `recommender.go` of VPA 1.8.1).

use super::aggregate::Aggregate;
use super::amount;
use super::arithmetic::power;
use super::histogram::nanoseconds;
use crate::units::DAY;

/// `--recommendation-margin-fraction`.
const MARGIN: f64 = 0.15;
/// `--pod-recommendation-min-memory-mb`, which the containers of a pod share.
const POD_LEAST: i64 = 250 << 20;
/// `ConfidenceIntervalMemory`: a day of samples, one a minute, is a confidence of 1.
const SAMPLES_A_DAY: f64 = 24.0 * 60.0;

/// What the VPA recommends, before its policy caps it; bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Recommendation {
    /// The request.
    pub target: i64,
    /// A lower request is raised.
    pub lower: i64,
    /// A higher one is lowered.
    pub upper: i64,
}

impl Recommendation {
    pub(super) fn of(seen: &Aggregate, containers: u32) -> Self {
        let least = least(containers);
        let with_margin = |share: f64| {
            let base = amount(seen.peaks.percentile(share));
            base + amount(base as f64 * MARGIN)
        };
        let confidence = confidence(seen);
        let lower = power(1.0 + 0.001 / confidence, -2);
        let upper = power(1.0 + 1.0 / confidence, 1);
        Self {
            target: with_margin(0.9).max(least),
            lower: amount(with_margin(0.5) as f64 * lower).max(least),
            upper: amount(with_margin(0.95) as f64 * upper).max(least),
        }
    }
}

/// No container of a pod of so many is given less.
pub fn least(containers: u32) -> i64 {
    amount(POD_LEAST as f64 * (1.0 / f64::from(containers.max(1))))
}

/// Days of history, counted by the clock and by the samples of CPU: the fewer of both.
fn confidence(seen: &Aggregate) -> f64 {
    let lifespan = nanoseconds(seen.first, seen.last) / nanoseconds(0, DAY);
    lifespan.min(seen.samples as f64 / SAMPLES_A_DAY)
}
