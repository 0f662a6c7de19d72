//! Whether a history was cut off by its limit: what is at the limit tells that more was wanted, not how much.

use super::history::MISSING;
use super::workload::Workload;
use crate::units::Bytes;

/// A sample so near to its limit (in thousandths) was stopped by it: the kernel takes page cache back and charges in
/// batches of 64 pages a CPU, so that a container at its limit is seen a little below it.
const AT_THE_LIMIT: u64 = 980;

/// A trace whose samples exceed their limits more often than once in so many is of something that no limit bounds.
const UNBOUNDED: usize = 1000;

/// How a history was cut off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cut {
    /// The highest limit that it met.
    pub at: Bytes,
    /// Kills at that limit or a lower one.
    pub kills: u64,
    /// Samples that were at their limit.
    pub samples: u64,
}

/// How a workload was cut off by its limit; none where it ever used more than the limit at which it was stopped: with
/// more room it has shown what it wants.
pub fn cut(workload: &Workload) -> Option<Cut> {
    if workload.replicas.iter().all(|replica| replica.limit.is_empty() && replica.kills.is_empty()) {
        return None;
    }
    let (mut samples, mut over, mut total, mut at, mut free) = (0_u64, 0, 0, None::<Bytes>, Bytes(0));
    let mut kills = 0;
    for replica in &workload.replicas {
        for (index, used) in replica.used.iter().enumerate().filter(|(_, used)| **used != MISSING) {
            total += 1;
            let limit = replica.limit_at(index).filter(|limit| limit.0 > 0);
            match limit {
                Some(limit) if *used > limit.0 => over += 1,
                // Page cache at the limit is given back: it cuts nothing off.
                Some(limit) if replica.own_at(index).is_some_and(|own| !is_at(own, limit)) => {}
                Some(limit) if is_at(*used, limit) => {
                    samples += 1;
                    at = at.max(Some(limit));
                }
                _ => free = free.max(Bytes(*used)),
            }
        }
        for kill in &replica.kills {
            kills += 1;
            // A limit that nobody tells was at least what was used last.
            let before = replica.points().take_while(|(at, _)| *at <= kill.at).last().map(|(_, used)| Bytes(used));
            at = at.max(replica.limit_of_kill(kill).or(before));
        }
    }
    let at = at?;
    let unbounded = over * UNBOUNDED > total;
    (!unbounded && free <= at).then_some(Cut { at, kills, samples })
}

fn is_at(used: u64, limit: Bytes) -> bool {
    u128::from(used) * 1000 >= u128::from(limit.0) * u128::from(AT_THE_LIMIT)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::size::{History, Kill};

    fn of(used: &[u64], limit: &[u64], kills: Vec<Kill>) -> Option<Cut> {
        let at = (0..used.len()).map(|index| i64::try_from(index).unwrap() * 60).collect();
        let history = History { at, used: used.to_vec(), limit: limit.to_vec(), kills, ..History::default() };
        cut(&Workload { replicas: vec![history], ..Workload::default() })
    }

    #[test]
    fn a_history_at_its_limit_is_cut_off() {
        assert_eq!(of(&[400, 995, 300], &[1000; 3], vec![]), Some(Cut { at: Bytes(1000), kills: 0, samples: 1 }));
        assert_eq!(of(&[400, 900, 300], &[1000; 3], vec![]), None);
        assert_eq!(of(&[400, 900, 300], &[], vec![]), None);
    }

    #[test]
    fn page_cache_at_the_limit_cuts_nothing_off() {
        let of = |cache: u64| {
            let (used, limit) = (vec![995], vec![1000]);
            let history = History { at: vec![0], used, limit, cache: vec![cache], ..History::default() };
            cut(&Workload { replicas: vec![history], ..Workload::default() })
        };
        assert_eq!((of(800), of(5).map(|it| it.samples)), (None, Some(1)));
    }

    #[test]
    fn a_kill_between_two_samples_cuts_off_too() {
        let killed = |limit| of(&[400, 700, 100], &[1000; 3], vec![Kill { at: 65, limit }]);
        assert_eq!(killed(None), Some(Cut { at: Bytes(1000), kills: 1, samples: 0 }));
        assert_eq!(killed(Some(Bytes(900))), Some(Cut { at: Bytes(900), kills: 1, samples: 0 }));
        assert_eq!(of(&[400, 700, 100], &[], vec![Kill { at: 65, limit: None }]).map(|it| it.at), Some(Bytes(700)));
    }

    #[test]
    fn what_used_more_under_a_higher_limit_has_shown_what_it_wants() {
        assert_eq!(of(&[995, 1400, 1300], &[1000, 2000, 2000], vec![Kill { at: 10, limit: None }]), None);
    }

    #[test]
    fn samples_over_a_limit_are_of_something_that_it_does_not_bound() {
        assert_eq!(of(&[995, 1400, 1300], &[1000; 3], vec![]), None);
    }
}
