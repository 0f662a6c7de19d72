//! How a container's deaths repeat, and who died with it.

use jiff::Timestamp;

use crate::case::Case;
use crate::diagnosis::{Pattern, PatternKind};
use crate::fact::{State, Termination};

/// Lifetimes are equal within this part of each other, or this many seconds: statuses have whole seconds at both ends.
const EQUAL_PART: f64 = 0.1;
const EQUAL_SECONDS: f64 = 2.0;

/// Of lives shorter than this a difference of [`EQUAL_SECONDS`] tells nothing: neither equal nor another.
const TOO_SHORT: f64 = 4.0 * EQUAL_SECONDS;

/// The pattern of a case among all cases.
pub(super) fn of(case: &Case<'_>, all: &[Case<'_>]) -> Pattern {
    let lives = lives(case);
    Pattern { deaths: deaths(case), kind: kind(&lives), seconds_to_death: lives, together: together(case, all) }
}

fn deaths(case: &Case<'_>) -> u32 {
    let Some(status) = case.status() else {
        let engine = case.engine.and_then(|engine| engine.it.restart_count).unwrap_or(0);
        return engine.saturating_add(u32::from(case.death.as_ref().is_some_and(|death| death.current)));
    };
    let restarts = status.restart_count.unwrap_or(0);
    match status.state {
        Some(State::Running { .. }) | None => restarts,
        // The life that ended well after the one that is diagnosed did not die.
        Some(State::Terminated(_)) if case.death.as_ref().is_some_and(|death| !death.current) => restarts,
        Some(State::Terminated(_)) => restarts.saturating_add(1),
        // Waiting to be started again: the life with the last number has ended too.
        Some(State::Waiting { .. }) => restarts.saturating_add(u32::from(status.last.is_some())),
    }
}

/// Lifetimes of the ends that the status keeps: the last one and, where it is not running, the one before. An end of
/// another kind than the one that is diagnosed makes no pattern with it.
fn lives(case: &Case<'_>) -> Vec<f64> {
    let mut spans: Vec<(Timestamp, Timestamp)> = Vec::new();
    if let Some(status) = case.status() {
        let current = match &status.state {
            Some(State::Terminated(end)) => Some(end),
            _ => None,
        };
        let alike = |end: &&Termination| case.exit_code().is_none_or(|code| end.exit_code == Some(code));
        for end in [status.last.as_ref(), current].into_iter().flatten().filter(alike) {
            spans.extend(end.started.zip(end.finished));
        }
    } else {
        spans.extend(case.started().zip(case.finished()));
    }
    spans
        .into_iter()
        .map(|(started, finished)| finished.duration_since(started).as_secs_f64())
        .filter(|seconds| *seconds >= 0.0)
        .collect()
}

fn kind(lives: &[f64]) -> PatternKind {
    if lives.len() < 2 {
        return PatternKind::Single;
    }
    let equal = |one: f64, other: f64| (one - other).abs() <= EQUAL_SECONDS.max(EQUAL_PART * one.max(other));
    let pairs = || lives.windows(2).map(|pair| (pair[0], pair[1]));
    let unclear =
        |one: f64, other: f64| (0.5..=EQUAL_SECONDS).contains(&(one - other).abs()) && one.max(other) < TOO_SHORT;
    if pairs().any(|(one, other)| unclear(one, other)) {
        return PatternKind::Single;
    }
    if pairs().all(|(one, other)| equal(one, other)) {
        PatternKind::Constant
    } else if pairs().all(|(one, other)| other < one) {
        PatternKind::Shrinking
    } else if pairs().all(|(one, other)| other > one) {
        PatternKind::Growing
    } else {
        PatternKind::Irregular
    }
}

/// Other pods of the node that ended in the same minute: a sign that the node, not one pod, was in trouble.
fn together(case: &Case<'_>, all: &[Case<'_>]) -> Vec<String> {
    let (Some(at), Some(node)) = (case.finished(), case.pod_spec().and_then(|pod| pod.node.as_deref())) else {
        return Vec::new();
    };
    let mut names: Vec<String> = all
        .iter()
        .filter(|other| other.pod.is_some() && !same_pod(case, other))
        .filter(|other| other.pod_spec().and_then(|pod| pod.node.as_deref()) == Some(node))
        .filter(|other| other.exit_code() != Some(0))
        .filter(|other| other.finished().is_some_and(|then| then.duration_since(at).abs().as_secs() < 60))
        .filter_map(|other| {
            let pod = other.pod_spec()?;
            Some(match pod.namespace.as_deref() {
                Some(namespace) => format!("{namespace}/{}", pod.name.as_deref()?),
                None => pod.name.clone()?,
            })
        })
        .collect();
    names.sort();
    names.dedup();
    names
}

fn same_pod(one: &Case<'_>, other: &Case<'_>) -> bool {
    match (one.pod, other.pod) {
        (Some(one), Some(other)) => std::ptr::eq(one, other),
        _ => false,
    }
}
