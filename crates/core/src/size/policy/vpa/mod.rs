//! The VPA 1.8 with its defaults as one container sees it: the recommender's percentiles of daily peaks, its reaction to
//! a kill, and the updater's rules of when a recommendation is applied.

use super::{DAY, MIB, Policy};

pub(super) mod buckets;

/// `--recommendation-margin-fraction`.
const MARGIN: f64 = 1.15;
/// `--pod-recommendation-min-memory-mb`, of a pod with one container.
const FLOOR: f64 = 250.0 * MIB;
/// A limit inside the bounds is changed only so long after the last change: the updater's `podLifetimeUpdateThreshold`.
const LIFETIME: usize = DAY / 2;
/// And only where it differs so much: the updater's `pod-update-threshold`.
const TOLERANCE: f64 = 0.1;
/// Daily peaks that still weigh: at a half-life of a day the rest is below a billionth.
const DAYS: usize = 40;

/// The VPA.
#[derive(Debug, Default)]
pub(super) struct Vpa {
    /// Days and their peaks, the last of them under way.
    peaks: Vec<Peak>,
    samples: usize,
    limit: Option<f64>,
    changed: usize,
}

/// The peak of a day.
#[derive(Debug, Default, Clone, Copy)]
struct Peak {
    day: usize,
    /// The highest sample.
    seen: f64,
    /// The highest made up by a kill.
    made_up: f64,
}

/// A recommendation.
struct Recommendation {
    target: f64,
    lower: f64,
    upper: f64,
}

impl Vpa {
    fn recommend(&self) -> Recommendation {
        let newest = self.peaks.last().map_or(0, |peak| peak.day);
        let mut weighted: Vec<(usize, f64)> = self
            .peaks
            .iter()
            .rev()
            .take(DAYS + 1)
            .map(|peak| (buckets::of(peak.seen.max(peak.made_up)), (-((newest - peak.day) as f64)).exp2()))
            .collect();
        weighted.sort_by_key(|(bucket, _)| *bucket);
        let total: f64 = weighted.iter().map(|(_, weight)| weight).sum();
        let percentile = |share: f64| {
            let mut sum = 0.0;
            let reached = weighted.iter().find(|(_, weight)| {
                sum += weight;
                sum >= share * total - 1e-12
            });
            buckets::end(reached.or(weighted.last()).map_or(0, |(bucket, _)| *bucket)) * MARGIN
        };
        // Days of history, with a sample every minute.
        let confidence = (self.samples as f64 / DAY as f64).max(1e-6);
        Recommendation {
            target: percentile(0.9).max(FLOOR),
            lower: (percentile(0.5) * (1.0 + 0.001 / confidence).powi(-2)).max(FLOOR),
            upper: (percentile(0.95) * (1.0 + 1.0 / confidence)).max(FLOOR),
        }
    }
}

impl Policy for Vpa {
    fn killed(&mut self, step: usize, seen: f64) {
        let limit = self.limit();
        if let Some(peak) = self.peaks.last_mut() {
            let used = peak.seen.min(limit).max(limit).max(seen);
            peak.made_up = peak.made_up.max((used + 100.0 * MIB).max(used * 1.2));
        }
        let target = self.recommend().target;
        if target.total_cmp(&limit).is_ne() {
            self.limit = Some(target.max(limit));
            self.changed = step;
        }
    }

    fn observe(&mut self, step: usize, peak: f64) {
        let day = step / DAY;
        if self.peaks.last().is_none_or(|last| last.day != day) {
            self.peaks.push(Peak { day, ..Peak::default() });
        }
        if let Some(last) = self.peaks.last_mut() {
            last.seen = last.seen.max(peak);
        }
        self.samples += 1;
    }

    fn decide(&mut self, step: usize) {
        let Recommendation { target, lower, upper } = self.recommend();
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

    fn limit(&self) -> f64 {
        self.limit.unwrap_or_default()
    }
}
