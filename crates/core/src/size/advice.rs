//! What to do besides setting a number.

use super::censor::Cut;
use super::document::{Advice, Observed, Setting};
use super::judged::Judged;
use super::observed::percentile;
use super::workload::Workload;
use crate::growth::Class;
use crate::units::{self, Bytes};

/// A replica whose 99th percentile is so much higher than the others' median (in percent) is an outlier.
const OUTLIER_PERCENT: u64 = 200;

/// Advice for a workload, the most useful first.
pub(super) fn advise(
    workload: &Workload,
    judged: &Judged,
    cut: Option<Cut>,
    observed: &Observed,
    proposed: Option<&Setting>,
) -> Vec<Advice> {
    let mut advice = Vec::new();
    match judged.class {
        Class::Leak => leak(judged, &mut advice),
        Class::Spike => spike(workload, observed, &mut advice),
        Class::Cache => advice.push(told(
            "look whether the page cache or a tmpfs is needed before raising the limit",
            "page cache is given back under pressure and kills nobody; files in a tmpfs or an emptyDir of medium Memory \
             are charged until they are deleted",
        )),
        Class::StartUpPeak => advice.push(told(
            "look whether the start can be made smaller: caches filled at once, a bundle unpacked, a parallel warm-up",
            "the limit must hold a peak that is needed for minutes only",
        )),
        Class::Step => advice.push(told(
            "compare the versions before and after the step",
            "the level changed at one moment, as a deploy or a change of configuration does",
        )),
        Class::TooLittleData if super::autoscaler::knows(workload).is_some() => advice.push(told(
            "size it by a history as well: oomph size --prometheus URL, or --trace FILE",
            "a leak shows in a history alone, and a limit that is made from peaks would feed it",
        )),
        Class::TooLittleData => advice.push(told(
            "let it run on, and size it again",
            "a day shows its daily rhythm, seven days how often a limit would be met",
        )),
        _ => {}
    }
    if cut.is_some() && proposed.is_some() {
        advice.push(told(
            "size it again after some time under the new limit",
            "the history was cut off by the old one, so that the new one is a step and not a measurement",
        ));
    }
    advice.extend(outliers(workload));
    advice
}

fn told(what: impl Into<String>, why: impl Into<String>) -> Advice {
    Advice { what: what.into(), why: why.into() }
}

fn leak(judged: &Judged, advice: &mut Vec<Advice>) {
    let place = match judged.growing.as_deref() {
        Some("heap" | "jvm-heap" | "v8-heap" | "go-heap" | "pymalloc") => {
            "take two heap dumps or profiles an hour apart and compare them".to_owned()
        }
        Some("gap" | "malloc" | "anonymous") => {
            "look at native memory: buffers, libraries, threads; oomph inspect --diff 5m names the part that grows"
                .into()
        }
        Some("cache" | "tmpfs" | "shared-memory") => {
            "look for files that grow in a tmpfs or an emptyDir of medium Memory; page cache alone is no leak".into()
        }
        Some("replica") => format!(
            "look at {} alone, and compare its work with that of the other replicas",
            judged.replica.as_deref().filter(|it| !it.is_empty()).unwrap_or("the replica that grows")
        ),
        _ => "find the part that grows: oomph inspect --diff 5m names it".into(),
    };
    let why = match (judged.slope, judged.seconds_to_limit) {
        (Some(slope), Some(seconds)) => {
            format!("it grows by {} a day and reaches its limit in {}", amount(slope.per_day), time(seconds))
        }
        (Some(slope), None) => format!("it grows by {} a day", amount(slope.per_day)),
        _ => "more memory only delays the kill".into(),
    };
    advice.push(told(place, why));
    advice.push(told(
        "rule out an allocator that keeps what was freed: try MALLOC_ARENA_MAX=2, or jemalloc",
        "glibc's malloc keeps freed memory per arena, and its growth looks like a leak until all arenas are full",
    ));
}

fn amount(bytes: i64) -> String {
    let sign = if bytes < 0 { "-" } else { "" };
    format!("{sign}{}", Bytes(bytes.unsigned_abs()))
}

/// A time in the unit that fits: `40 s`, `25 min`, `7 h`, `3.4 d`, `30 d`.
pub fn time(seconds: u64) -> String {
    const DAY: u64 = units::DAY.unsigned_abs();
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7_200 => format!("{} min", seconds / 60),
        7_200..172_800 => format!("{} h", seconds / 3600),
        172_800..864_000 => format!("{}.{} d", seconds / DAY, seconds % DAY / (DAY / 10)),
        _ => format!("{} d", seconds / DAY),
    }
}

fn spike(workload: &Workload, observed: &Observed, advice: &mut Vec<Advice>) {
    let (Some(usual), Some(most)) = (observed.p50_bytes, observed.max_bytes) else { return };
    let what = if workload.is_runs() {
        "work in smaller batches, or stream what is read whole"
    } else {
        "scale out where the peaks follow load, or bound the work that is done at one time"
    };
    // The median of a run's seconds is not that of its moments, by which its class was judged.
    let rest = if workload.runs.is_empty() {
        format!("and {usual} are used most of the time: a limit for the peak is mostly unused")
    } else {
        "and a limit for it is mostly unused".to_owned()
    };
    advice.push(told(what, format!("the peak of {most} is short, {rest}")));
}

/// Replicas that need far more than the others: on a DaemonSet the busy nodes.
fn outliers(workload: &Workload) -> Option<Advice> {
    if workload.replicas.len() < 4 || workload.is_runs() {
        return None;
    }
    let of = |replica: &super::History| percentile(&[&replica.used], 990);
    let high: Vec<(&str, u64)> =
        workload.replicas.iter().filter_map(|it| Some((it.subject.replica.as_str(), of(it)?.0))).collect();
    let usual = percentile(&[&high.iter().map(|(_, p99)| *p99).collect::<Vec<_>>()], 500)?;
    let outliers: Vec<_> =
        high.iter().filter(|(_, p99)| *p99 > usual.0 / 100 * OUTLIER_PERCENT && *p99 > usual.0 + (64 << 20)).collect();
    // Where a quarter differs, it is no outlier but two kinds of load.
    if outliers.is_empty() || outliers.len() * 4 > high.len() {
        return None;
    }
    let most = outliers.iter().map(|(_, p99)| *p99).max().unwrap_or(0);
    let mut names: Vec<&str> = outliers.iter().map(|(name, _)| *name).filter(|name| !name.is_empty()).take(3).collect();
    names.sort_unstable();
    let whose = if workload.subject.kind == "DaemonSet" {
        "give busy nodes a DaemonSet of their own"
    } else {
        "spread the load evenly"
    };
    Some(told(
        whose,
        format!(
            "{} of {} replicas ({}) need up to {}, the others {usual}; one limit for all is set by the few",
            outliers.len(),
            high.len(),
            if names.is_empty() { "unnamed".to_owned() } else { names.join(", ") },
            Bytes(most)
        ),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::size::{History, Subject};

    #[test]
    fn a_busy_node_is_named() {
        let one = |replica: &str, used: u64| History {
            subject: Subject { replica: replica.into(), ..Subject::default() },
            at: (0..10).collect(),
            used: vec![used << 20; 10],
            ..History::default()
        };
        let mut replicas: Vec<_> = (0..9).map(|it| one(&format!("node-{it}"), 100)).collect();
        let subject = Subject { kind: "DaemonSet".into(), ..Subject::default() };
        let even = Workload { subject: subject.clone(), replicas: replicas.clone(), ..Workload::default() };
        assert_eq!(outliers(&even), None);
        replicas.push(one("node-busy", 900));
        let it = outliers(&Workload { subject, replicas, ..Workload::default() }).unwrap();
        assert!(it.why.contains("node-busy") && it.what.contains("DaemonSet"), "{it:?}");
    }

    #[test]
    fn a_time_is_told_in_the_unit_that_fits() {
        assert_eq!([40, 1500, 25_200, 300_000, 2_600_000].map(time), ["40 s", "25 min", "7 h", "3.4 d", "30 d"]);
    }
}
