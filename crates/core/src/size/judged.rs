//! The class of a workload, from its histories or its recordings.

use super::history::History;
use super::workload::Workload;
use crate::diagnosis::Confidence;
use crate::growth::{Class, Growing, Slope, of_replicas};
use crate::run;
use crate::units::{self, Bytes};

/// Seconds of a day.
const DAY: u128 = units::DAY.unsigned_abs() as u128;

/// What is said of a workload's memory.
#[derive(Debug, Clone, PartialEq)]
pub struct Judged {
    /// The class.
    pub class: Class,
    /// What it rests on.
    pub because: String,
    /// How sure it is.
    pub confidence: Confidence,
    /// Which part grows.
    pub growing: Option<String>,
    /// Which replica it is about, where others are judged otherwise.
    pub replica: Option<String>,
    /// How fast it grows: bytes a day.
    pub slope: Option<Slope>,
    /// Until the limit is reached.
    pub seconds_to_limit: Option<u64>,
}

/// Judges a workload.
pub fn judge(workload: &Workload) -> Judged {
    if workload.runs.is_empty() { of_histories(workload) } else { of_runs(workload) }
}

fn of_histories(workload: &Workload) -> Judged {
    let replicas: Vec<&History> = workload.replicas.iter().collect();
    let Some(it) = of_replicas(&replicas) else {
        return Judged {
            class: Class::TooLittleData,
            because: "nothing was sampled".into(),
            confidence: Confidence::Possible,
            growing: None,
            replica: None,
            slope: None,
            seconds_to_limit: None,
        };
    };
    // A leak has a pace, also where the judgement is too rough to give it an interval: of the replica that grows most.
    let rough = || {
        let paces = replicas.iter().filter_map(|history| Some((pace(history)?, to_limit(history))));
        paces.max_by_key(|(pace, _)| *pace)
    };
    let rough = if it.slope.is_none() && it.class == Class::Leak { rough() } else { None };
    Judged {
        class: it.class,
        because: it.because.clone(),
        confidence: it.confidence,
        growing: it.growing.map(|part| name(part).to_owned()),
        replica: it.replica.clone(),
        slope: it.slope.or(rough.map(|(pace, _)| even(pace))),
        seconds_to_limit: it.seconds_to_limit.or(rough.and_then(|(_, seconds)| seconds)),
    }
}

/// A pace whose interval is not known.
fn even(a_day: u64) -> Slope {
    let a_day = i64::try_from(a_day).unwrap_or(i64::MAX);
    Slope { per_day: a_day, low: a_day, high: a_day }
}

/// Seconds from the end of a growing history to its limit; none where it has no limit, or does not grow.
fn to_limit(history: &History) -> Option<u64> {
    let a_day = pace(history).filter(|pace| *pace > 0)?;
    let last = history.at.len().checked_sub(1)?;
    let limit = history.limit_at(last)?;
    let used = history.points().last()?.1;
    let seconds = u128::from(limit.0.saturating_sub(used)) * DAY / u128::from(a_day);
    Some(u64::try_from(seconds).unwrap_or(u64::MAX))
}

fn name(growing: Growing) -> &'static str {
    match growing {
        Growing::Heap => "heap",
        Growing::Gap => "gap",
        Growing::Anon => "anon",
        Growing::Cache => "cache",
        Growing::Replica => "replica",
    }
}

/// Of several runs the one that says most: a leak, a limit that is too low, then anything that could be told.
fn of_runs(workload: &Workload) -> Judged {
    let weight = |run: &run::Document| match run.class {
        Class::Leak => 3,
        Class::LimitTooLow => 2,
        Class::TooLittleData => 0,
        _ => 1,
    };
    let (index, run) = workload
        .runs
        .iter()
        .enumerate()
        .max_by_key(|(_, run)| weight(run))
        .expect("it is asked only where there are runs");
    let history = &workload.replicas[index];
    let grows = run.class == Class::Leak;
    let slope = if grows { pace(history).map(even) } else { None };
    Judged {
        class: run.class,
        because: run.class_evidence.clone(),
        // One run is short; a limit is proven too low by a kill at it.
        confidence: match run.class {
            Class::LimitTooLow if run.survived == Some(false) => Confidence::Proven,
            Class::Leak => Confidence::Likely,
            _ => Confidence::Possible,
        },
        growing: if grows { largest(run) } else { None },
        replica: None,
        slope,
        seconds_to_limit: if grows { to_limit(history) } else { None },
    }
}

/// The part of the peak that holds at least half of what the kernel cannot take back: in a leak, the one that grew.
fn largest(run: &run::Document) -> Option<String> {
    let peak = run.peak.as_ref()?;
    let mut kinds: std::collections::BTreeMap<_, u64> = std::collections::BTreeMap::new();
    for part in peak.parts.iter().filter(|part| !part.reclaimable) {
        *kinds.entry(part.kind).or_default() += part.bytes.0;
    }
    let (kind, bytes) = kinds.into_iter().max_by_key(|(_, bytes)| *bytes)?;
    (bytes >= peak.unreclaimable_bytes.0 / 2).then(|| kind.id().to_owned())
}

/// How fast a run grew from its first to its last quarter: bytes a day.
fn pace(history: &History) -> Option<u64> {
    let points: Vec<(i64, u64)> = history.points().collect();
    let quarter = points.len() / 4;
    let mean = |points: &[(i64, u64)]| {
        let number = i64::try_from(points.len()).ok().filter(|it| *it > 0)?;
        let at = points.iter().map(|(at, _)| i128::from(*at)).sum::<i128>() / i128::from(number);
        let used = points.iter().map(|(_, used)| u128::from(*used)).sum::<u128>() / u128::try_from(number).ok()?;
        Some((at, Bytes(u64::try_from(used).ok()?)))
    };
    let (from, low) = mean(points.get(..quarter)?)?;
    let (to, high) = mean(points.get(points.len() - quarter..)?)?;
    let seconds = u128::try_from(to - from).ok().filter(|it| *it > 0)?;
    u64::try_from(u128::from(high.0.checked_sub(low.0)?) * DAY / seconds).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pace_of_a_run_is_what_its_quarters_tell() {
        let history =
            History { at: (0..100).collect(), used: (0..100).map(|at| 50 + 10 * at).collect(), ..History::default() };
        assert_eq!(pace(&history), Some(10 * 86_400));
        assert_eq!(pace(&History::default()), None);
    }

    #[test]
    fn nothing_seen_is_too_little() {
        assert_eq!(judge(&Workload::default()).class, Class::TooLittleData);
    }
}
