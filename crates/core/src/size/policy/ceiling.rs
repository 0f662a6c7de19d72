//! The highest peak since the beginning, and a margin: the end of the road on which nothing is forgotten.

use super::{MIB, Policy, bumped};

/// Highest ever.
#[derive(Debug, Default)]
pub(super) struct Ceiling {
    highest: f64,
    limit: f64,
}

impl Policy for Ceiling {
    fn killed(&mut self, _step: usize, _seen: f64) {
        self.limit = bumped(self.limit);
    }

    fn observe(&mut self, _step: usize, peak: f64) {
        self.highest = self.highest.max(peak);
    }

    fn decide(&mut self, _step: usize) {
        self.limit = self.limit.max(self.highest * 1.15).max(50.0 * MIB);
    }

    fn under(&mut self, limit: f64) {
        self.limit = limit;
    }

    fn limit(&self) -> f64 {
        self.limit
    }
}
