//! The highest of the last so many steps, in constant time a step.

use std::collections::VecDeque;

/// A moving maximum.
#[derive(Debug, Clone, Default)]
pub(super) struct Highest {
    /// Steps and values, each lower than the one before: what may still become the highest.
    stairs: VecDeque<(usize, f64)>,
}

impl Highest {
    pub(super) fn observe(&mut self, step: usize, value: f64) {
        while self.stairs.back().is_some_and(|(_, back)| *back <= value) {
            self.stairs.pop_back();
        }
        self.stairs.push_back((step, value));
    }

    /// The highest of the last `length` steps up to `last`, the last that was observed; 0 of none.
    pub(super) fn of_last(&mut self, length: usize, last: usize) -> f64 {
        while self.stairs.front().is_some_and(|(step, _)| step + length <= last) {
            self.stairs.pop_front();
        }
        self.stairs.front().map_or(0.0, |(_, value)| *value)
    }
}
