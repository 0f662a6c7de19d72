//! The days of a workload's replicas, looked through once for all who ask for their ends.

use std::ops::Range;

use super::history::History;
use super::rank::Ends;
use super::workload::Workload;
use crate::units::Bytes;

/// The days of all replicas.
#[derive(Debug)]
pub struct Days<'w> {
    pub(super) replicas: Vec<Replica<'w>>,
}

/// One replica, and its days in their order.
#[derive(Debug)]
pub(super) struct Replica<'w> {
    pub(super) history: &'w History,
    stretches: Vec<Stretch>,
}

/// Samples of one day, one after the other: all of that day but where time goes back.
#[derive(Debug)]
pub(super) struct Stretch {
    /// Number of the day.
    pub(super) day: i64,
    pub(super) rows: Range<usize>,
    /// The ends of what was used.
    pub(super) ends: Ends,
}

impl<'w> Days<'w> {
    /// Of a workload.
    pub fn of(workload: &'w Workload) -> Self {
        Self { replicas: workload.replicas.iter().map(Replica::of).collect() }
    }

    /// The ends of all that was used.
    pub(super) fn ends(&self) -> Ends {
        self.replicas.iter().fold(Ends::NONE, |ends, replica| ends.and(replica.ends()))
    }

    /// The most that a replica used.
    pub fn peak(&self) -> Option<Bytes> {
        self.ends().both().map(|(_, most)| Bytes(most))
    }
}

impl<'w> Replica<'w> {
    fn of(history: &'w History) -> Self {
        let stretch =
            |(day, rows): (i64, Range<usize>)| Stretch { day, ends: Ends::of(&history.used[rows.clone()]), rows };
        let mut stretches: Vec<Stretch> = history.days().map(stretch).collect();
        stretches.sort_by_key(|it| it.day);
        Self { history, stretches }
    }

    /// The stretches of each day.
    pub(super) fn days(&self) -> impl Iterator<Item = &[Stretch]> {
        self.stretches.chunk_by(|a, b| a.day == b.day)
    }

    /// The ends of all that was used.
    pub(super) fn ends(&self) -> Ends {
        together(&self.stretches)
    }
}

/// The ends of some stretches.
pub(super) fn together(stretches: &[Stretch]) -> Ends {
    stretches.iter().fold(Ends::NONE, |ends, it| ends.and(it.ends))
}
