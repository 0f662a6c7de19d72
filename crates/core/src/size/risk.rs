//! How often a limit will be met: the tail of the daily peaks, carried beyond what was seen.

use super::days::{Days, Replica, together};
use super::document::Risk;
use crate::units::Bytes;

/// Fewer days tell nothing about a month.
const DAYS_LEAST: usize = 7;

/// The tail begins where so large a share of the daily peaks lies below.
const BODY: usize = 700;

/// The daily peaks of a workload and their tail: beyond a threshold, exceedances fall off exponentially (a generalised
/// Pareto distribution of shape 0), with their own mean.
#[derive(Debug, Clone, PartialEq)]
pub struct Tail {
    /// Peaks of each day of each replica, rising.
    peaks: Vec<u64>,
    /// Where the tail begins.
    threshold: u64,
    /// Mean excess over the threshold, bytes.
    excess: f64,
    /// Replicas, each with its own days.
    replicas: f64,
}

impl Tail {
    /// The tail of a workload's daily peaks; none where fewer than seven days were seen.
    pub fn of(days: &Days<'_>) -> Option<Self> {
        let mut peaks = Vec::new();
        let mut dates = std::collections::BTreeSet::new();
        for day in days.replicas.iter().flat_map(Replica::days) {
            if let Some((_, peak)) = together(day).both() {
                dates.extend(day.first().map(|it| it.day));
                peaks.push(peak);
            }
        }
        if dates.len() < DAYS_LEAST {
            return None;
        }
        peaks.sort_unstable();
        let threshold = peaks[(peaks.len() * BODY / 1000).min(peaks.len() - 1)];
        let above: Vec<u64> = peaks.iter().filter(|peak| **peak > threshold).map(|peak| peak - threshold).collect();
        let excess = above.iter().sum::<u64>() as f64 / above.len().max(1) as f64;
        let replicas = peaks.len() as f64 / dates.len() as f64;
        Some(Self { peaks, threshold, excess, replicas })
    }

    /// Expected kills in 30 days under a limit, of all replicas that run at one time.
    pub fn kills_per_month(&self, limit: Bytes) -> f64 {
        let days = self.peaks.len() as f64;
        let over = self.peaks.len() - self.peaks.partition_point(|peak| *peak <= limit.0);
        let a_day = if limit.0 <= self.threshold {
            over as f64 / days
        } else {
            let tail = self.peaks.len() - self.peaks.partition_point(|peak| *peak <= self.threshold);
            let fading =
                if self.excess > 0.0 { (-((limit.0 - self.threshold) as f64) / self.excess).exp() } else { 0.0 };
            // What was seen counts also where it lies beyond the curve.
            (tail as f64 / days * fading).max(over as f64 / days)
        };
        a_day * 30.0 * self.replicas
    }

    /// The smallest limit under which no more than so many kills are expected in 30 days.
    pub fn limit_for(&self, kills_per_month: f64) -> Bytes {
        let (mut low, mut high) = (0_u64, self.peaks.last().copied().unwrap_or(0).max(1));
        while self.kills_per_month(Bytes(high)) > kills_per_month && high < 1 << 50 {
            high *= 2;
        }
        while high - low > 1 << 16 {
            let middle = low + (high - low) / 2;
            if self.kills_per_month(Bytes(middle)) > kills_per_month { low = middle } else { high = middle }
        }
        Bytes(high)
    }
}

/// The risk under the proposed and under the present limit.
pub fn risk(tail: Option<&Tail>, proposed: Option<Bytes>, present: Option<Bytes>) -> Risk {
    let of = |limit: Option<Bytes>| {
        let kills = tail?.kills_per_month(limit?);
        Some((kills * 1000.0).round() / 1000.0)
    };
    Risk { kills_per_month: of(proposed), kills_per_month_before: of(present) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::size::{History, Workload};
    use crate::units::DAY;
    use proptest::prelude::*;

    fn tail(peaks: &[u64]) -> Option<Tail> {
        let at = (0..peaks.len()).map(|index| i64::try_from(index).unwrap() * DAY).collect();
        let history = History { at, used: peaks.to_vec(), ..History::default() };
        Tail::of(&Days::of(&Workload { replicas: vec![history], ..Workload::default() }))
    }

    #[test]
    fn a_limit_inside_of_what_was_seen_is_met_as_often_as_it_was() {
        let it =
            tail(&[1 << 20, 2 << 20, 3 << 20, 4 << 20, 5 << 20, 6 << 20, 7 << 20, 8 << 20, 9 << 20, 10 << 20]).unwrap();
        assert!((it.kills_per_month(Bytes::mib(5)) - 15.0).abs() < 1e-9);
        let beyond = it.kills_per_month(Bytes::mib(14));
        assert!(beyond > 0.0 && beyond < 1.0, "{beyond}");
    }

    #[test]
    fn a_week_is_the_least() {
        assert_eq!(tail(&[1; 6]), None);
        assert!(tail(&[1; 7]).unwrap().kills_per_month(Bytes(2)) < 1e-9, "what never varies is never exceeded");
    }

    proptest! {
        #[test]
        fn the_limit_for_a_risk_has_that_risk(peaks in prop::collection::vec(1_u64 << 24..1 << 34, 7..40), kills in 0.01_f64..20.0) {
            let it = tail(&peaks).unwrap();
            let limit = it.limit_for(kills);
            prop_assert!(it.kills_per_month(limit) <= kills);
            prop_assert!(it.kills_per_month(Bytes(limit.0 - limit.0 / 100 - (1 << 17))) + 1e-9 >= kills.min(it.kills_per_month(Bytes(0))) * 0.5 || limit.0 < 1 << 20);
        }
    }
}
