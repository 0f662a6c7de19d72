//! The limit as a named policy sets it, for those who ask for a peer's number instead of ours: the same models that the
//! back-test replays.

use super::backtest::Grid;
use super::history::{History, STEP};
use super::limit::Amount;
use super::policy::{HOUR, Known};
use super::vpa::Recommender;
use super::workload::Workload;
use crate::units::Bytes;

/// What the policy would set for the workload now; the request is to be the same, as in the back-test.
pub(super) fn limit_by(workload: &Workload, known: Known) -> Amount {
    let (bytes, of) = if known.of_vpa {
        (by_vpa(&workload.replicas), "one histogram of all replicas")
    } else {
        let of_each = workload.replicas.iter().map(|replica| by_policy(replica, known));
        (of_each.fold(0.0, f64::max), "the replica that needs most")
    };
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "an amount is neither negative nor so large"
    )]
    let bytes = Bytes(bytes.ceil() as u64);
    let whose = if workload.replicas.len() > 1 { format!(", of {of}") } else { String::new() };
    Amount { bytes, because: vec![format!("limit: as the policy {} sets it{whose} ({})", known.name, known.what)] }
}

/// The exact recommender with the samples as they are, in the order in which it would have seen them. A kill counts from
/// the limit at which it happened, as if the request were as large.
fn by_vpa(replicas: &[History]) -> f64 {
    let mut events: Vec<(i64, usize, i64, bool)> = Vec::new();
    let whole = |bytes: u64| i64::try_from(bytes).unwrap_or(i64::MAX);
    for (number, replica) in replicas.iter().enumerate() {
        // What uses nothing is not reported to it (see the policy).
        events
            .extend(replica.points().filter(|(_, used)| *used > 0).map(|(at, used)| (at, number, whole(used), false)));
        let killed = |kill| Some(whole(replica.limit_of_kill(kill)?.0));
        events.extend(replica.kills.iter().filter_map(|kill| Some((kill.at, number, killed(kill)?, true))));
    }
    events.sort_by_key(|(at, ..)| *at);
    let mut recommender = Recommender::default();
    for (at, replica, bytes, killed) in events {
        if killed {
            recommender.killed(replica, at, bytes);
        } else {
            recommender.used(replica, at, bytes);
        }
    }
    recommender.recommend(1).target as f64
}

/// A policy that has seen the whole history, and decides now. From the first kill on it decides every hour, as it would
/// have; what it raises then starts from the limit at which the container died.
fn by_policy(history: &History, known: Known) -> f64 {
    let grid = Grid::new(history);
    let Some(first) = history.points().next().map(|(at, _)| at) else { return 0.0 };
    let mut kills = history.kills.iter().filter_map(|kill| {
        let step = usize::try_from((kill.at - first).max(0) / STEP).ok()?;
        Some((step, history.limit_of_kill(kill)?.0 as f64))
    });
    let mut next = kills.next();
    let mut policy = (known.start)(&grid.steps);
    let mut decides = false;
    for (step, peak) in grid.steps.iter().enumerate() {
        while let Some((_, limit)) = next.filter(|(at, _)| *at <= step) {
            policy.under(limit);
            policy.killed(step, peak.min(limit));
            decides = true;
            next = kills.next();
        }
        policy.observe(step, *peak);
        if decides && step.is_multiple_of(HOUR) {
            policy.decide(step);
        }
    }
    policy.decide(grid.steps.len());
    policy.limit()
}

#[cfg(test)]
mod tests {
    use super::super::policy::{POLICIES, named};
    use super::*;
    use crate::size::Kill;
    use crate::units::DAY;

    fn history(used: impl Fn(usize) -> u64, kills: Vec<Kill>) -> History {
        let number = 3 * 288;
        let at = (0..number).map(|step| 1_700_000_000 + i64::try_from(step).unwrap() * STEP).collect();
        History { at, used: (0..number).map(used).collect(), kills, ..History::default() }
    }

    fn limits(workload: &Workload) -> Vec<(&'static str, Bytes)> {
        let known = POLICIES.iter().filter(|known| known.name != "oracle");
        known.map(|known| (known.name, limit_by(workload, *known).bytes)).collect()
    }

    #[test]
    fn every_policy_gives_what_is_always_used_some_room() {
        let workload = Workload { replicas: vec![history(|_| 1 << 30, Vec::new())], ..Workload::default() };
        for (name, limit) in limits(&workload) {
            assert!(limit > Bytes::mib(1100) && limit < Bytes::mib(1500), "{name}: {limit}");
        }
    }

    #[test]
    fn a_kill_raises_what_every_policy_but_the_highest_ever_sets() {
        let quiet = Workload { replicas: vec![history(|_| 500 << 20, Vec::new())], ..Workload::default() };
        let kill = Kill { at: 1_700_000_000 + 2 * DAY, limit: Some(Bytes::mib(1000)) };
        let killed = Workload { replicas: vec![history(|_| 500 << 20, vec![kill])], ..Workload::default() };
        for ((name, before), (_, after)) in limits(&quiet).into_iter().zip(limits(&killed)) {
            // Those of Autopilot do not remember what a kill has proven.
            assert!(after > before || name.starts_with("autopilot"), "{name}: {before} then {after}");
        }
    }

    #[test]
    fn one_death_among_many_replicas_is_lost_in_the_vpa_s_histogram() {
        let vpa = named("vpa").unwrap();
        let of = |replicas: usize| {
            let kill = Kill { at: 1_700_000_000 + 2 * DAY + 7200, limit: Some(Bytes::mib(1000)) };
            let quiet = history(|_| 500 << 20, Vec::new());
            let died = History { kills: vec![kill], ..quiet.clone() };
            let replicas = std::iter::repeat_n(quiet, replicas - 1).chain([died]).collect();
            limit_by(&Workload { replicas, ..Workload::default() }, vpa).bytes
        };
        assert!(of(1) > Bytes::mib(1200), "{}", of(1));
        assert!(of(12) < Bytes::mib(700), "{}", of(12));
    }
}
