//! A limit that is reconsidered once a day, and that a kill raises for a week: what Crane and the rule of most guides
//! share.

use super::{DAY, bumped, differs};

/// Days that are looked at, and that a kill is remembered.
pub(super) const WEEK: usize = 7 * DAY;

/// A limit is changed only where it differs by more than this share.
const TOLERANCE: f64 = 0.1;

/// The limit in force, and what a kill raised it to.
#[derive(Debug, Default)]
pub(super) struct Raised {
    limit: Option<f64>,
    /// What the last kill raised the limit to, and when.
    by_kill: Option<(f64, usize)>,
}

impl Raised {
    /// The container was killed in this step.
    pub(super) fn killed(&mut self, step: usize) {
        let raised = bumped(self.limit());
        self.limit = Some(raised);
        self.by_kill = Some((raised, step));
    }

    /// It is the hour to decide in: the first one, and one each day.
    pub(super) fn is_due(&self, step: usize) -> bool {
        self.limit.is_none() || step.is_multiple_of(DAY)
    }

    /// Takes `wanted`, and no less than a kill of the last week asks for, nor than `floor`.
    pub(super) fn decide(&mut self, step: usize, wanted: f64, floor: f64) {
        let by_kill = self.by_kill.filter(|(_, at)| step - at < WEEK).map_or(0.0, |(raised, _)| raised);
        let next = wanted.max(by_kill).max(floor);
        if self.limit.is_none_or(|limit| differs(limit, next, TOLERANCE)) {
            self.limit = Some(next);
        }
    }

    /// The limit in force is this, whoever set it.
    pub(super) fn under(&mut self, limit: f64) {
        self.limit = Some(limit);
    }

    /// The limit in force.
    pub(super) fn limit(&self) -> f64 {
        self.limit.unwrap_or_default()
    }
}
