//! Autopilot's moving-window recommenders (Rzadca and others, EuroSys 2020, section 3.2.1): the highest of a window, and
//! a percentile of a histogram weighted by load. The margin is the middle of the paper's 10 to 15 %; its reaction to a
//! kill is not described there and taken to be the VPA's, which grew out of it; so are the buckets.

use super::super::vpa::histogram::{BUCKETS, bucket_of, end_of};
use super::{DAY, MIB, Policy, bumped, differs, window};

/// The margin.
const MARGIN: f64 = 1.12;
/// No container is given less.
const FLOOR: f64 = 50.0 * MIB;
/// A limit is left alone where it is as near as this.
const TOLERANCE: f64 = 0.02;

/// The limit, and the statistic of the decision before: the higher of two is used.
#[derive(Debug, Default)]
struct Setting {
    limit: Option<f64>,
    before: f64,
}

impl Setting {
    fn decide(&mut self, statistic: f64) {
        let now = statistic * MARGIN;
        let next = now.max(self.before).max(FLOOR);
        self.before = now;
        if self.limit.is_none_or(|limit| differs(limit, next, TOLERANCE)) {
            self.limit = Some(next);
        }
    }

    fn killed(&mut self) {
        self.limit = self.limit.map(bumped);
    }
}

/// `S_max`: the highest of 7 days.
#[derive(Debug, Default)]
pub(super) struct Highest {
    window: window::Highest,
    last: usize,
    setting: Setting,
}

impl Policy for Highest {
    fn killed(&mut self, _step: usize, _seen: f64) {
        self.setting.killed();
    }

    fn observe(&mut self, step: usize, peak: f64) {
        self.window.observe(step, peak);
        self.last = step;
    }

    fn decide(&mut self, _step: usize) {
        let highest = self.window.of_last(7 * DAY, self.last);
        self.setting.decide(end_of(bucket_of(highest)));
    }

    fn under(&mut self, limit: f64) {
        self.setting.limit = Some(limit);
    }

    fn limit(&self) -> f64 {
        self.setting.limit.unwrap_or_default()
    }
}

/// `S_p98`: the 98th percentile of load, which counts a sample by its size, with a half-life of 48 hours.
#[derive(Debug)]
pub(super) struct LoadWeighted {
    loads: Vec<f64>,
    /// The weight of a sample now; it grows instead of all older ones shrinking.
    weight: f64,
    setting: Setting,
}

impl Default for LoadWeighted {
    fn default() -> Self {
        Self { loads: vec![0.0; BUCKETS], weight: 1.0, setting: Setting::default() }
    }
}

impl Policy for LoadWeighted {
    fn killed(&mut self, _step: usize, _seen: f64) {
        self.setting.killed();
    }

    fn observe(&mut self, _step: usize, peak: f64) {
        self.weight *= (1.0 / (2 * DAY) as f64).exp2();
        if self.weight > 1e100 {
            self.loads.iter_mut().for_each(|load| *load /= self.weight);
            self.weight = 1.0;
        }
        let bucket = bucket_of(peak);
        self.loads[bucket] += self.weight * end_of(bucket);
    }

    fn decide(&mut self, _step: usize) {
        let wanted = 0.98 * self.loads.iter().sum::<f64>();
        let mut sum = 0.0;
        let reached = self.loads.iter().position(|load| {
            sum += load;
            sum >= wanted
        });
        self.setting.decide(end_of(reached.unwrap_or(BUCKETS - 1)));
    }

    fn under(&mut self, limit: f64) {
        self.setting.limit = Some(limit);
    }

    fn limit(&self) -> f64 {
        self.setting.limit.unwrap_or_default()
    }
}
