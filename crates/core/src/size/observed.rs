//! What was used: percentiles over all replicas, and what time they cover.

use jiff::Timestamp;

use super::days::Days;
use super::document::Observed;
use super::rank::{Ends, at_ranks_between};
use super::workload::Workload;
use crate::units::Bytes;

/// Seconds before this are no date, but a trace that counts from its own start: 1980.
const DATES_BEGIN: i64 = 315_532_800;

/// The percentiles of a workload.
pub fn observe(workload: &Workload, days: &Days<'_>) -> Observed {
    let used: Vec<&[u64]> = workload.replicas.iter().map(|it| it.used.as_slice()).collect();
    let (samples, [p50, p95, p99]) = percentiles(&used, days.ends(), [500, 950, 990]);
    let first = workload.replicas.iter().filter_map(|it| it.at.first()).min();
    let last = workload.replicas.iter().filter_map(|it| it.at.last()).max();
    // Without a history it is what the VPA has seen.
    let saved = workload.autoscaler.as_ref().and_then(|it| it.saved.as_ref());
    Observed {
        samples,
        max_bytes: days.peak().max(workload.unseen),
        p50_bytes: p50,
        p95_bytes: p95,
        p99_bytes: p99,
        from: first.copied().or(saved.and_then(|it| it.first_sample)).and_then(date),
        to: last.copied().or(saved.and_then(|it| it.last_sample)).and_then(date),
        step_seconds: step(workload),
        kills: workload.kills() as u64,
    }
}

/// The smallest value that so many thousandths of what was measured in `columns` do not exceed (nearest rank).
pub fn percentile(columns: &[&[u64]], thousandths: usize) -> Option<Bytes> {
    let ends = columns.iter().fold(Ends::NONE, |ends, column| ends.and(Ends::of(column)));
    percentile_between(columns, ends, thousandths)
}

/// The same, where the ends of all columns together are known.
pub(super) fn percentile_between(columns: &[&[u64]], ends: Ends, thousandths: usize) -> Option<Bytes> {
    percentiles(columns, ends, [thousandths]).1[0]
}

/// How many values were measured, and several of their percentiles, the lower ones first.
fn percentiles<const N: usize>(columns: &[&[u64]], ends: Ends, thousandths: [usize; N]) -> (u64, [Option<Bytes>; N]) {
    let mut measured = 0;
    let values = at_ranks_between(columns, ends, |number| {
        measured = number as u64;
        thousandths.map(|thousandths| (number * thousandths).div_ceil(1000).max(1) - 1)
    });
    (measured, values.map_or([None; N], |values| values.map(|value| Some(Bytes(value)))))
}

/// A moment as a date, where it is one.
pub fn date(seconds: i64) -> Option<Timestamp> {
    if seconds < DATES_BEGIN { None } else { Timestamp::from_second(seconds).ok() }
}

/// The median time between two samples of one replica.
fn step(workload: &Workload) -> Option<u64> {
    let steps = || workload.replicas.iter().map(|replica| replica.at.windows(2));
    let usual = steps().flatten().map(|two| two[1].abs_diff(two[0])).find(|step| *step > 0)?;
    let alike = steps().map(|steps| steps.filter(|two| two[1].wrapping_sub(two[0]).cast_unsigned() == usual).count());
    // What more than half of them are is the median, and most sources have one step, forwards.
    if alike.sum::<usize>() * 2 > steps().map(|steps| steps.len()).sum::<usize>() {
        return Some(usual);
    }
    // Samples of one moment have no time between them.
    let steps = steps().flatten().map(|two| two[1].abs_diff(two[0])).filter(|step| *step > 0);
    percentile(&[&steps.collect::<Vec<_>>()], 500).map(|step| step.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::size::{History, MISSING};

    fn observed(replicas: Vec<History>) -> Observed {
        let workload = Workload { replicas, ..Workload::default() };
        observe(&workload, &Days::of(&workload))
    }

    #[test]
    fn percentiles_are_over_all_replicas_and_count_what_was_measured() {
        let one = |used: Vec<u64>, from: i64| {
            let at = (0..used.len()).map(|index| from + 60 * i64::try_from(index).unwrap()).collect();
            History { at, used, ..History::default() }
        };
        let replicas = vec![one((1..=99).collect(), 1_700_000_000), one(vec![100, MISSING], 1_700_000_030)];
        let it = observed(replicas);
        assert_eq!(it.samples, 100);
        let of = [it.p50_bytes, it.p95_bytes, it.p99_bytes, it.max_bytes].map(|bytes| bytes.unwrap().0);
        assert_eq!(of, [50, 95, 99, 100]);
        assert_eq!(it.step_seconds, Some(60));
        assert_eq!(it.from, Some("2023-11-14T22:13:20Z".parse().unwrap()));
    }

    #[test]
    fn nothing_seen_is_null_and_a_count_of_seconds_is_no_date() {
        let it = observed(vec![History::default()]);
        assert_eq!(it, Observed::default());
        assert_eq!(date(300), None);
    }
}
