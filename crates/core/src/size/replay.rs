//! The user's own history again, under the limits that were in force and under the proposed one.

use std::collections::BTreeSet;

use super::days::{Days, Replica, Stretch, together};
use super::document::Replay;
use super::history::{MISSING, STEP};
use super::observed::{percentile, percentile_between};
use super::rank::Ends;
use super::workload::Workload;
use crate::units::Bytes;

/// Replays a workload that was not cut off by its old limit: one that was does not tell what a higher limit would have
/// met.
pub fn replay(workload: &Workload, days: &Days<'_>, proposed: Option<Bytes>) -> Replay {
    let (slack_pct_before, slack_pct_after) = slack(days, proposed);
    let limited = workload.replicas.iter().any(|it| it.limit.iter().any(|limit| *limit != MISSING));
    let killed = workload.kills() > 0;
    Replay {
        oom_kills_before: (limited || killed).then(|| kills(days, None)),
        oom_kills_after: proposed.map(|limit| kills(days, Some(limit))),
        slack_pct_before,
        slack_pct_after,
    }
}

/// Steps in which a replica was killed, or used more than the limit: `limit`, or the one in force. A container that was
/// killed starts anew: what is above a limit within one step is one kill, as in the back-test (`oomph size backtest`).
pub fn kills(days: &Days<'_>, limit: Option<Bytes>) -> u64 {
    days.replicas.iter().map(|it| kills_of(it, limit)).sum()
}

fn kills_of(replica: &Replica<'_>, limit: Option<Bytes>) -> u64 {
    let mut steps: BTreeSet<i64> = BTreeSet::new();
    let (history, ends) = (replica.history, replica.ends().both());
    if limit.is_none_or(|limit| ends.is_some_and(|(_, most)| most > limit.0)) {
        for (index, (at, used)) in history.at.iter().zip(&history.used).enumerate() {
            let limit = limit.or_else(|| history.limit_at(index));
            if *used != MISSING && limit.is_some_and(|limit| *used > limit.0) {
                steps.insert(at.div_euclid(STEP));
            }
        }
    }
    // A kill stands where the new limit is not above the old one.
    for kill in &history.kills {
        let old = history.limit_of_kill(kill);
        if limit.is_none_or(|limit| old.is_none_or(|old| limit <= old)) {
            steps.insert(kill.at.div_euclid(STEP));
        }
    }
    steps.len() as u64
}

/// The share of the limit that is unused beside the day's 95th percentile, in percent: the mean over the days of all
/// replicas. Under the limits in force, of days whose limit is known, and under the proposed one.
fn slack(days: &Days<'_>, proposed: Option<Bytes>) -> (Option<f64>, Option<f64>) {
    let (mut before, mut after) = (Mean::default(), Mean::default());
    for replica in &days.replicas {
        for day in replica.days() {
            let used: Vec<&[u64]> = day.iter().map(|it| &replica.history.used[it.rows.clone()]).collect();
            let Some(p95) = percentile_between(&used, together(day), 950) else { continue };
            if let Some(limit) = proposed {
                after.add(limit.0 as f64, p95);
            }
            if let Some((limit, p95)) = in_force(replica, day, p95) {
                before.add(limit, p95);
            }
        }
    }
    (before.percent(), after.percent())
}

/// The mean limit in force on a day, and the 95th percentile of what was used under it, where that of the whole day is
/// known; none of a day without a limit.
fn in_force(replica: &Replica<'_>, day: &[Stretch], p95: Bytes) -> Option<(f64, Bytes)> {
    let history = replica.history;
    if history.limit.is_empty() {
        return None;
    }
    let limits: Vec<&[u64]> = day.iter().filter_map(|it| history.limit.get(it.rows.clone())).collect();
    let known = limits.len() == day.len() && limits.iter().all(|it| Ends::of(it).is_whole());
    let mean = |sum: u128, number: usize| sum as f64 / number as f64;
    if known && together(day).is_whole() {
        let sum = limits.iter().flat_map(|it| it.iter()).map(|limit| u128::from(*limit)).sum();
        return Some((mean(sum, limits.iter().map(|it| it.len()).sum()), p95));
    }
    let under_limits = |index: &usize| history.used[*index] != MISSING && history.limit_at(*index).is_some();
    let under: Vec<usize> = day.iter().flat_map(|it| it.rows.clone()).filter(under_limits).collect();
    let sum = under.iter().map(|index| u128::from(history.limit[*index])).sum();
    let used: Vec<u64> = under.iter().map(|index| history.used[*index]).collect();
    Some((mean(sum, used.len()), percentile(&[&used], 950)?))
}

/// A mean over days.
#[derive(Default)]
struct Mean {
    sum: f64,
    days: u32,
}

impl Mean {
    fn add(&mut self, limit: f64, p95: Bytes) {
        if limit > 0.0 {
            self.sum += ((limit - p95.0 as f64) / limit).max(-1.0);
            self.days += 1;
        }
    }

    fn percent(&self) -> Option<f64> {
        (self.days > 0).then(|| (self.sum / f64::from(self.days) * 1000.0).round() / 10.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::size::{History, Kill};
    use proptest::prelude::*;

    fn workload(used: &[u64], limit: u64, kills: Vec<Kill>) -> Workload {
        let at = (0..used.len()).map(|index| i64::try_from(index).unwrap() * STEP).collect();
        let history = History { at, used: used.to_vec(), limit: vec![limit; used.len()], kills, ..History::default() };
        Workload { replicas: vec![history], ..Workload::default() }
    }

    #[test]
    fn what_is_above_a_limit_is_a_kill_each_slot() {
        let it = workload(&[5, 12, 13, 5, 25, 5], 10, Vec::new());
        let replay = replay(&it, &Days::of(&it), Some(Bytes(20)));
        assert_eq!((replay.oom_kills_before, replay.oom_kills_after), (Some(3), Some(1)));
    }

    #[test]
    fn a_kill_that_was_told_counts_once_and_goes_where_the_limit_is_above_it() {
        let it = workload(&[5, 12, 5], 10, vec![Kill { at: STEP + 7, limit: None }, Kill { at: 0, limit: None }]);
        let days = Days::of(&it);
        assert_eq!([None, Some(10), Some(12)].map(|limit| kills(&days, limit.map(Bytes))), [2, 2, 0]);
    }

    #[test]
    fn slack_is_what_the_95th_percentile_leaves() {
        let it = workload(&[50; 20], 100, Vec::new());
        assert_eq!(replay(&it, &Days::of(&it), Some(Bytes(80))).slack_pct_after, Some(37.5));
        assert_eq!(replay(&it, &Days::of(&it), None).slack_pct_before, Some(50.0));
    }

    proptest! {
        #[test]
        fn a_higher_limit_never_kills_more(used in prop::collection::vec(0_u64..100, 1..50), low in 1_u64..100, more in 0_u64..100) {
            let it = workload(&used, 50, vec![Kill { at: 3, limit: Some(Bytes(60)) }]);
            let days = Days::of(&it);
            prop_assert!(kills(&days, Some(Bytes(low + more))) <= kills(&days, Some(Bytes(low))));
        }
    }
}
