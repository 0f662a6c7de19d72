//! Histories of replicas become workloads: the same container of the same owner, with everything its replicas and runs
//! have seen.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Range;

use super::autoscaler::{Autoscaler, Set};
use super::history::{History, MISSING, Subject};
use super::rank::Ends;
use super::recorded::Recorded;
use crate::run;
use crate::units::{Bytes, DAY};

/// The container of a workload.
#[derive(Debug, Clone, Default)]
pub struct Workload {
    /// Whose; the replica is empty.
    pub subject: Subject,
    /// The histories of its replicas or runs, in the order in which they came.
    pub replicas: Vec<History>,
    /// What `oomph run` says of them, where they were recorded.
    pub runs: Vec<run::Document>,
    /// The highest of the kernel's own peaks that no sample came near.
    pub unseen: Option<Bytes>,
    /// What the cluster's autoscalers know of it.
    pub autoscaler: Option<Autoscaler>,
    /// What its pod template sets, where it was read.
    pub set: Option<Set>,
    /// Where in its pod template the container stands.
    pub stands: Stands,
}

/// Where in a pod template a container stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Stands {
    /// The template was not read.
    #[default]
    NotKnown,
    /// In `containers`.
    AmongContainers,
    /// In `initContainers`: a native sidecar.
    AmongInit,
    /// The template was read, and has no such container: it is gone, or injected as pods are made.
    Nowhere,
}

/// Groups histories by owner and container, in the order of names.
pub fn workloads(histories: Vec<History>, recorded: Vec<Recorded>) -> Vec<Workload> {
    let mut groups: BTreeMap<Subject, Workload> = BTreeMap::new();
    let recorded = recorded.into_iter().map(|it| (it.history, Some((it.run, it.unseen))));
    for (history, run) in histories.into_iter().map(|it| (it, None)).chain(recorded) {
        let subject = Subject { replica: String::new(), ..history.subject.clone() };
        let workload = groups
            .entry(subject)
            .or_insert_with_key(|subject| Workload { subject: subject.clone(), ..Workload::default() });
        workload.replicas.push(history);
        if let Some((run, unseen)) = run {
            workload.runs.push(run);
            workload.unseen = workload.unseen.max(unseen);
        }
    }
    groups.into_values().collect()
}

/// Owners whose replicas are runs that end by themselves.
pub const RUNS: [&str; 2] = ["CronJob", "Job"];

impl Workload {
    /// Its replicas are runs, one after the other.
    pub fn is_runs(&self) -> bool {
        RUNS.contains(&self.subject.kind.as_str())
    }

    /// The limit in force at the end: of the replica seen last; without one, what its pod template says.
    pub fn limit(&self) -> Option<Bytes> {
        let last = |replica: &History| {
            let at = replica.limit.iter().rposition(|limit| *limit != MISSING)?;
            Some((*replica.at.get(at)?, Bytes(replica.limit[at])))
        };
        let seen = self.replicas.iter().filter_map(last).max_by_key(|(at, limit)| (*at, *limit));
        seen.map(|(_, limit)| limit).or_else(|| self.set.as_ref()?.limit)
    }

    /// The request in force at the end: of the replica seen last, and of several the highest; without one, what its pod
    /// template says.
    pub fn request(&self) -> Option<Bytes> {
        let last = |replica: &History| Some((*replica.at.last()?, replica.request?));
        let seen = self.replicas.iter().filter_map(last).max();
        seen.map(|(_, request)| request).or_else(|| self.set.as_ref()?.request)
    }

    /// Kills for memory of all replicas.
    pub fn kills(&self) -> usize {
        self.replicas.iter().map(|replica| replica.kills.len()).sum()
    }
}

impl History {
    /// The moments at which something was used, with what.
    pub fn points(&self) -> impl Iterator<Item = (i64, u64)> + '_ {
        self.at.iter().copied().zip(self.used.iter().copied()).filter(|(_, used)| *used != MISSING)
    }

    /// The columns of [`Self::points`].
    pub(crate) fn known(&self) -> (Cow<'_, [i64]>, Cow<'_, [u64]>) {
        let rows = self.at.len().min(self.used.len());
        if !self.used[..rows].contains(&MISSING) {
            return (Cow::Borrowed(&self.at[..rows]), Cow::Borrowed(&self.used[..rows]));
        }
        let (at, used): (Vec<i64>, Vec<u64>) = self.points().unzip();
        (Cow::Owned(at), Cow::Owned(used))
    }

    /// Its days, one after the other: the number of the day, and its samples. A day is named twice only where time goes
    /// back.
    pub(super) fn days(&self) -> impl Iterator<Item = (i64, Range<usize>)> + '_ {
        stretches(&self.at, 0, DAY)
    }

    /// The limit in force at the sample `index`.
    pub fn limit_at(&self, index: usize) -> Option<Bytes> {
        self.limit.get(index).copied().filter(|limit| *limit != MISSING).map(Bytes)
    }

    /// The limit under which it was killed: told with the kill, or in force at the sample before.
    pub fn limit_of_kill(&self, kill: &super::Kill) -> Option<Bytes> {
        kill.limit.or_else(|| {
            let after = self.at.partition_point(|at| *at <= kill.at);
            (0..after).rev().find_map(|index| self.limit_at(index))
        })
    }

    /// What of a sample is not page cache or tmpfs, as far as the columns tell; none where they do not.
    pub fn own_at(&self, index: usize) -> Option<u64> {
        let known = |column: &[u64]| column.get(index).copied().filter(|value| *value != MISSING);
        let (used, rss) = (known(&self.used)?, known(&self.rss));
        // Anonymous memory alone does not tell: kernel memory and tmpfs are beside it. Of page cache a working set holds
        // a part, or none.
        let rest = used.checked_sub(known(&self.cache)?);
        Some(rest.max(rss)?.min(used))
    }

    /// The column of [`Self::own_at`].
    pub fn own(&self) -> Vec<u64> {
        (0..self.used.len()).map(|index| self.own_at(index).unwrap_or(MISSING)).collect()
    }

    /// The most that was used.
    pub fn peak(&self) -> Option<Bytes> {
        Ends::of(&self.used).both().map(|(_, most)| Bytes(most))
    }
}

/// The parts of `at`, one after the other, that lie in one stretch of `length` seconds, counted from `origin`: the number
/// of the stretch, and the rows. One is named twice only where time goes back.
pub(crate) fn stretches(at: &[i64], origin: i64, length: i64) -> impl Iterator<Item = (i64, Range<usize>)> + '_ {
    let mut next = 0;
    std::iter::from_fn(move || {
        let from = next;
        let number = at.get(from)?.saturating_sub(origin).div_euclid(length);
        // Clocks may say anything: a row is at least in its own stretch.
        let begins = number.wrapping_mul(length).wrapping_add(origin);
        let is_out = |at: &i64| at.wrapping_sub(begins).cast_unsigned() >= length.cast_unsigned();
        let later = &at[from + 1..];
        next = from + 1 + later.iter().position(is_out).unwrap_or(later.len());
        Some((number, from..next))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::size::Kill;

    fn history(name: &str, replica: &str, limit: &[u64]) -> History {
        let subject = Subject { name: name.into(), replica: replica.into(), ..Subject::default() };
        let at = (0..limit.len()).map(|index| i64::try_from(index).unwrap()).collect();
        History { subject, at, used: vec![5; limit.len()], limit: limit.to_vec(), ..History::default() }
    }

    #[test]
    fn replicas_of_one_owner_are_one_workload() {
        let all = workloads(vec![history("b", "1", &[]), history("a", "1", &[9]), history("b", "2", &[])], Vec::new());
        let names: Vec<_> = all.iter().map(|it| (it.subject.name.as_str(), it.replicas.len())).collect();
        assert_eq!(names, [("a", 1), ("b", 2)]);
        assert_eq!(all[0].limit(), Some(Bytes(9)));
        assert_eq!(all[1].limit(), None);
    }

    #[test]
    fn the_request_is_that_of_the_replica_seen_last() {
        let with = |replica: &str, seen: usize, request| History { request, ..history("a", replica, &vec![9; seen]) };
        let (old, new) = (with("1", 2, Some(Bytes(70))), with("2", 3, Some(Bytes(50))));
        let all = workloads(vec![new, old, with("3", 9, None)], Vec::new());
        assert_eq!((all[0].request(), Workload::default().request()), (Some(Bytes(50)), None));
    }

    #[test]
    fn the_limit_of_a_kill_is_the_one_in_force() {
        let it = history("a", "", &[7, 9, MISSING, 3]);
        assert_eq!(it.limit_of_kill(&Kill { at: 2, limit: None }), Some(Bytes(9)));
        assert_eq!(it.limit_of_kill(&Kill { at: 2, limit: Some(Bytes(4)) }), Some(Bytes(4)));
        assert_eq!(it.limit_of_kill(&Kill { at: -1, limit: None }), None);
    }
}
