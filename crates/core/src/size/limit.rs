//! The limit: from the peaks of the history, never below what a kill has proven too low, and as the user wishes.

use super::censor::Cut;
use super::risk::Tail;
use super::wishes::Wishes;
use super::workload::Workload;
use crate::budget::{limit_for_peak, margin};
use crate::units::{Bytes, DAY};

/// An amount of memory, with a sentence for each step that led to it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Amount {
    /// How much.
    pub bytes: Bytes,
    /// Why.
    pub because: Vec<String>,
}

impl Amount {
    /// Raises the amount where it is lower.
    pub fn raise(&mut self, to: Bytes, because: impl FnOnce() -> String) {
        if to > self.bytes {
            self.bytes = to;
            self.because.push(because());
        }
    }
}

/// After a kill the limit rises at least to so much of the one that was too low, in percent, and by at least
/// [`BUMP_LEAST`]: what the VPA adds to a request (`oom-bump-up-ratio`, `oom-min-bump-up-bytes`, recommender 1.8), here
/// counted from the limit at which it died.
const BUMP_PERCENT: u64 = 120;

/// See [`BUMP_PERCENT`].
const BUMP_LEAST: Bytes = Bytes::mib(100);

/// A kill that nothing followed for so long proves nothing about today: seconds of 28 days.
const PROVEN_QUIET: i64 = 28 * DAY;

/// The limit that a kill asks for.
pub fn above(limit: Bytes) -> Bytes {
    // A container of a few MiB is not given a hundred more than it had, but as much again.
    let least = BUMP_LEAST.0.min(limit.0);
    Bytes((limit.0 / 100).saturating_mul(BUMP_PERCENT).max(limit.0.saturating_add(least)))
}

/// The limit of a workload without regard to wishes: what its highest peak asks for, raised over every limit at which it was
/// stopped.
pub fn from_peaks(workload: &Workload, peak: Bytes, cut: Option<Cut>) -> Amount {
    let room = margin(peak, Bytes(0));
    let mut amount = Amount {
        bytes: limit_for_peak(peak, Bytes(0), Bytes(0)),
        because: vec![format!("limit: the highest peak of {peak}, start-up included, and a margin of {room}")],
    };
    if let Some(died) = killed_at(workload) {
        amount.raise(above(died), || format!("limit: it was killed at a limit of {died}, so that is too low"));
    }
    if let Some(cut) = cut {
        amount.raise(above(cut.at), || {
            format!(
                "limit: the history was cut off at {}: how much it would have used is not known, and the limit grows by a \
                 step",
                cut.at
            )
        });
    }
    amount
}

/// The same where it is page cache or tmpfs that fills the limit, and nothing was killed: page cache takes whatever there
/// is, so that more of it is no need. It is not told apart from tmpfs, so that less may be too little.
pub fn of_cache(mut amount: Amount, workload: &Workload) -> Amount {
    let now = workload.limit().filter(|now| workload.kills() == 0 && *now < amount.bytes);
    if let Some(now) = now {
        amount.bytes = now;
        amount
            .because
            .push(format!("limit: {now} as it is: page cache takes what a limit leaves it, and kills nobody"));
    }
    amount
}

/// The highest limit at which any replica was killed, counted for the workload whatever the number of its replicas;
/// forgotten after 28 quiet days.
fn killed_at(workload: &Workload) -> Option<Bytes> {
    let end = workload.replicas.iter().filter_map(|it| it.at.last().copied()).max()?;
    let kills = || workload.replicas.iter().flat_map(|it| it.kills.iter().map(move |kill| (it, kill)));
    let last = kills().map(|(_, kill)| kill.at).max()?;
    if end.saturating_sub(last) > PROVEN_QUIET {
        return None;
    }
    kills().filter_map(|(it, kill)| it.limit_of_kill(kill)).max()
}

/// An amount as the user wishes it: for a risk, with headroom, between bounds, rounded.
pub fn as_wished(mut amount: Amount, wishes: &Wishes, tail: Option<&Tail>) -> Amount {
    if let Some(kills) = wishes.risk {
        match tail {
            Some(tail) => amount.raise(tail.limit_for(kills), || {
                format!("limit: raised until no more than {kills} kills a month are expected")
            }),
            None => amount.because.push("limit: fewer than seven days were seen, too few to aim at a risk".into()),
        }
    }
    if wishes.headroom > 0 {
        amount.bytes = crate::budget::scaled(amount.bytes, 100 + u64::from(wishes.headroom), 100);
        amount.because.push(format!("limit: {} % of headroom, as asked for", wishes.headroom));
    }
    amount.bytes = wishes.rounded(amount.bytes);
    if let Some(least) = wishes.least {
        amount.raise(least, || format!("limit: {least} is the least that was asked for"));
    }
    if let Some(most) = wishes.most.filter(|most| *most < amount.bytes) {
        amount.because.push(format!("limit: {} would be needed; {most} is the most that was allowed", amount.bytes));
        amount.bytes = most;
    }
    amount
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::size::days::Days;
    use crate::size::{History, Kill};

    fn killed(at: i64, replicas: usize) -> Workload {
        let quiet =
            History { at: (0..60).map(|it| it * DAY).collect(), used: vec![100 << 20; 60], ..History::default() };
        let died = History { kills: vec![Kill { at: at * DAY, limit: Some(Bytes::mib(1000)) }], ..quiet.clone() };
        Workload { replicas: std::iter::repeat_n(quiet, replicas - 1).chain([died]).collect(), ..Workload::default() }
    }

    fn limit_of(workload: &Workload, cut: Option<Cut>) -> Amount {
        from_peaks(workload, Days::of(workload).peak().unwrap_or_default(), cut)
    }

    #[test]
    fn a_kill_of_one_replica_in_fifty_raises_the_limit_of_all() {
        assert_eq!(limit_of(&killed(50, 50), None).bytes, Bytes::mib(1200));
        assert_eq!(limit_of(&killed(50, 1), None).bytes, Bytes::mib(1200));
    }

    #[test]
    fn a_kill_is_forgotten_after_proven_quiet() {
        assert_eq!(limit_of(&killed(20, 1), None).bytes, Bytes::mib(164));
    }

    #[test]
    fn a_history_that_was_cut_off_asks_for_more_than_its_limit() {
        let workload = killed(20, 1);
        let cut = Cut { at: Bytes::mib(500), kills: 0, samples: 3 };
        let amount = limit_of(&workload, Some(cut));
        assert_eq!(amount.bytes, Bytes::mib(600));
        assert!(amount.because[1].contains("cut off"), "{:?}", amount.because);
        assert_eq!(above(Bytes::mib(10)), Bytes::mib(20));
    }

    #[test]
    fn wishes_bound_round_and_add() {
        let amount = || Amount { bytes: Bytes::mib(100), because: Vec::new() };
        let of = |wishes: Wishes| as_wished(amount(), &wishes, None).bytes;
        assert_eq!(of(Wishes { headroom: 20, ..Wishes::default() }), Bytes::mib(120));
        assert_eq!(of(Wishes { round: Bytes::mib(64), ..Wishes::default() }), Bytes::mib(128));
        assert_eq!(of(Wishes { least: Some(Bytes::mib(256)), ..Wishes::default() }), Bytes::mib(256));
        let most = as_wished(amount(), &Wishes { most: Some(Bytes::mib(64)), ..Wishes::default() }, None);
        assert_eq!(most.bytes, Bytes::mib(64));
        assert!(most.because[0].contains("would be needed"));
    }
}
