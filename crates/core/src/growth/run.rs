//! One short run: growth within minutes.

use super::{Class, Judgement};
use crate::units::Bytes;

/// Fewer points tell nothing.
const POINTS_LEAST: usize = 20;

/// Shorter than this, growth is a program that starts: milliseconds.
const LEAK_LEAST: u64 = 60_000;

/// 2^47: milliseconds of 4,000 years, and bytes of 128 TiB.
const MOST: u64 = 1 << 47;

/// Judges the unreclaimable memory of one run, points of (milliseconds since the start, bytes). `cache` is how much of
/// the peak was page cache; `limit` where there was one; `unseen` is the kernel's own peak where no point came near it.
///
/// One run is short: a leak is said only where growth went on at an even pace for at least a minute through the last
/// quarter, and a start-up peak only where nothing later comes near it.
pub fn of_run(points: &[(u64, Bytes)], limit: Option<Bytes>, cache: Bytes, unseen: Option<Bytes>) -> Judgement {
    let told = Judgement::new;
    // A file may say anything; no clock and no machine goes as far as this.
    let points: Vec<(u64, Bytes)> =
        points.iter().map(|(at, bytes)| ((*at).min(MOST), Bytes(bytes.0.min(MOST)))).collect();
    let limit = limit.map(|limit| Bytes(limit.0.min(MOST)));
    let cache = Bytes(cache.0.min(MOST));
    let (Some(first), Some(last)) = (points.first(), points.last()) else {
        return told(Class::TooLittleData, "nothing was sampled".into());
    };
    let span = last.0.saturating_sub(first.0);
    if points.len() < POINTS_LEAST {
        let samples = if points.len() == 1 { "1 sample".to_owned() } else { format!("{} samples", points.len()) };
        let span = if span >= 1000 { format!("{} s", span / 1000) } else { format!("{span} ms") };
        return told(Class::TooLittleData, format!("{samples} in {span}"));
    }
    let peak = points.iter().map(|(_, bytes)| *bytes).max().unwrap_or_default();
    if cache.0 > peak.0.saturating_mul(2) && limit.is_some_and(|limit| cache.0 + peak.0 > limit.0 / 10 * 9) {
        return told(Class::Cache, format!("{cache} of page cache beside {peak} of the program's own"));
    }
    let even = evenly(&points);
    let quarter = |number: usize| median(even[EVEN / 4 * number..EVEN / 4 * (number + 1)].to_vec());
    let quarters = [quarter(0), quarter(1), quarter(2), quarter(3)];
    let level = Bytes(median(even.clone()));
    // Even growth: each quarter adds at least half of what the one before added.
    let steps: Vec<u64> = quarters.windows(2).map(|two| two[1].saturating_sub(two[0])).collect();
    let grows = steps.iter().all(|step| *step > peak.0 / 50) && steps[2] >= steps[1] / 2 && steps[1] >= steps[0] / 2;
    if grows && span >= LEAK_LEAST {
        let pace = Bytes(quarters[3].saturating_sub(quarters[0]).saturating_mul(60_000) / (span / 4 * 3).max(1));
        return told(Class::Leak, format!("it grew by {pace} a minute, evenly through all four quarters of the run"));
    }
    if grows {
        return told(
            Class::TooLittleData,
            format!(
                "it grew to the end, and {} s are too short to tell a leak from a program that starts",
                span / 1000
            ),
        );
    }
    if let Some(unseen) = unseen.filter(|unseen| unseen.0 > peak.0.saturating_mul(3) / 2) {
        return told(
            Class::Spike,
            format!("the kernel counted a peak of {unseen} between two samples; the highest of these is {peak}"),
        );
    }
    if let Some(teeth) = teeth(&points, &even) {
        return told(Class::Sawtooth, format!("it rose and fell {teeth} times, up to {peak}"));
    }
    let later = points.iter().filter(|(at, _)| *at > first.0 + span / 4).map(|(_, bytes)| *bytes).max();
    let later = later.unwrap_or_default();
    if later.0 < peak.0 / 4 * 3 {
        return told(Class::StartUpPeak, format!("{peak} were needed in the first quarter, at most {later} later"));
    }
    if peak.0 > level.0.saturating_mul(3) / 2 && last.1.0 > peak.0 / 4 * 3 {
        return told(
            Class::TooLittleData,
            format!("it was still near its peak of {peak} at the end: whether it would have come down is not known"),
        );
    }
    if peak.0 > level.0.saturating_mul(3) / 2 {
        return told(Class::Spike, format!("the peak of {peak} is far above the usual {level}"));
    }
    if limit.is_some_and(|limit| peak.0 > limit.0 / 10 * 9) {
        return told(
            Class::LimitTooLow,
            format!("it stayed near {level}, and its peak of {peak} leaves no room below the limit"),
        );
    }
    if steps[0] > peak.0 / 10 && steps[2] <= steps[0] / 4 {
        return told(Class::WarmUp, format!("it grew to {} and stayed there", Bytes(quarters[3])));
    }
    told(Class::Steady, format!("it stayed near {level}"))
}

/// Fewer teeth are no saw.
const TEETH_LEAST: usize = 3;

/// How often it fell by a third of its peak and rose again; none for fewer than three times, and where most of the time
/// lies outside of the teeth: those are spikes.
fn teeth(points: &[(u64, Bytes)], even: &[u64]) -> Option<usize> {
    let swing = points.iter().map(|(_, bytes)| bytes.0).max()? / 3;
    let (mut rising, mut turn, mut falls) = (true, 0_u64, 0_usize);
    for (_, Bytes(bytes)) in points {
        turn = if rising { turn.max(*bytes) } else { turn.min(*bytes) };
        if turn.abs_diff(*bytes) >= swing.max(1) {
            falls += usize::from(rising);
            (rising, turn) = (!rising, *bytes);
        }
    }
    let mut sorted = even.to_vec();
    sorted.sort_unstable();
    let usual = sorted[sorted.len() / 4 * 3].saturating_sub(sorted[sorted.len() / 4]);
    (falls >= TEETH_LEAST && usual >= swing / 2).then_some(falls)
}

/// Moments that a run is judged at.
const EVEN: usize = 400;

/// The run at even moments: samples come oftener near the limit, and not at all while the machine is busy, which must not
/// bend what is judged. Between two samples lies a straight line.
fn evenly(points: &[(u64, Bytes)]) -> Vec<u64> {
    let (Some(first), Some(last)) = (points.first(), points.last()) else { return vec![0; EVEN] };
    let span = last.0.saturating_sub(first.0);
    let at_moment = |moment: usize| {
        let at = first.0 + span * moment as u64 / (EVEN as u64 - 1);
        let next = points.partition_point(|(when, _)| *when < at);
        let (to, high) = points.get(next).copied().unwrap_or(*last);
        let (from, low) = next.checked_sub(1).map_or(*first, |before| points[before]);
        let length = u128::from(to.saturating_sub(from)).max(1);
        let part = u128::from(at.saturating_sub(from)).min(length);
        let mixed = (u128::from(low.0) * (length - part) + u128::from(high.0) * part) / length;
        u64::try_from(mixed).unwrap_or(u64::MAX)
    };
    (0..EVEN).map(at_moment).collect()
}

fn median(mut values: Vec<u64>) -> u64 {
    values.sort_unstable();
    values.get(values.len() / 2).copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn class(shape: impl Fn(u64) -> u64, seconds: u64, limit: u64) -> Class {
        let points: Vec<_> = (0..seconds * 2).map(|at| (at * 500, Bytes::mib(shape(at / 2)))).collect();
        of_run(&points, Some(Bytes::mib(limit)), Bytes(0), None).class
    }

    #[test]
    fn shapes_are_told_apart() {
        assert_eq!(class(|at| 20 + at, 120, 200), Class::Leak);
        assert_eq!(class(|at| 20 + at * 4, 20, 200), Class::TooLittleData);
        assert_eq!(class(|at| if at < 10 { 150 } else { 60 }, 100, 200), Class::StartUpPeak);
        assert_eq!(class(|at| if at == 70 { 150 } else { 60 }, 100, 200), Class::Spike);
        assert_eq!(class(|at| if at < 80 { 40 } else { 40 + (at - 80) * 5 }, 100, 200), Class::TooLittleData);
        assert_eq!(class(|at| if at < 20 { 20 + at * 4 } else { 100 }, 100, 200), Class::WarmUp);
        assert_eq!(class(|_| 95, 100, 100), Class::LimitTooLow);
        assert_eq!(class(|_| 50, 100, 100), Class::Steady);
        assert_eq!(class(|_| 50, 2, 100), Class::TooLittleData);
    }

    #[test]
    fn teeth_are_neither_spikes_nor_a_peak_at_the_start() {
        for seconds in [20, 27, 75] {
            assert_eq!(class(|at| at % 6 * 10, seconds, 300), Class::Sawtooth, "{seconds} s");
        }
        assert_ne!(class(|at| if at % 30 == 20 { 150 } else { 60 }, 100, 200), Class::Sawtooth);
    }

    #[test]
    fn what_the_kernel_alone_saw_is_a_spike() {
        let points: Vec<_> = (0..30).map(|at| (at * 100, Bytes::mib(4))).collect();
        let of = |unseen| of_run(&points, Some(Bytes::mib(100)), Bytes(0), unseen);
        let spike = of(Some(Bytes::mib(44)));
        assert_eq!((spike.class, of(None).class), (Class::Spike, Class::Steady));
        assert!(spike.because.contains("a peak of 44 MiB between two samples"), "{}", spike.because);
    }

    #[test]
    fn what_it_grew_to_is_where_it_stayed() {
        let points: Vec<_> = (0..40).map(|at| (at * 100, Bytes::mib((at + 2).min(22)))).collect();
        let it = of_run(&points, Some(Bytes::mib(100)), Bytes(0), None);
        assert_eq!((it.class, it.because.as_str()), (Class::WarmUp, "it grew to 22 MiB and stayed there"));
    }

    #[test]
    fn page_cache_at_the_limit_is_called_so() {
        let points: Vec<_> = (0..100).map(|at| (at * 500, Bytes::mib(10))).collect();
        assert_eq!(of_run(&points, Some(Bytes::mib(100)), Bytes::mib(88), None).class, Class::Cache);
    }

    #[test]
    fn samples_that_come_oftener_near_the_limit_do_not_hide_a_leak() {
        let mut points: Vec<_> =
            (0..68_u64).filter(|at| !(8..18).contains(at)).map(|at| (at * 1000, Bytes::mib(5 + at * 5 / 2))).collect();
        points.extend((0..900).map(|at| (68_000 + at * 2, Bytes::mib(174))));
        assert_eq!(of_run(&points, Some(Bytes::mib(175)), Bytes(0), None).class, Class::Leak);
    }

    proptest! {
        #[test]
        fn no_history_panics(points in prop::collection::vec((any::<u64>(), any::<u64>().prop_map(Bytes)), 0..60), limit: Option<u64>, cache in 0..u64::MAX / 4) {
            of_run(&points, limit.map(|limit| Bytes(limit / 4)), Bytes(cache), None);
        }
    }
}
