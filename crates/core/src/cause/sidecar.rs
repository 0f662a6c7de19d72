//! A sidecar's end with its pod.

use jiff::{SignedDuration, Timestamp};

use super::{Proof, job, quote, stop};
use crate::case::Case;
use crate::diagnosis::Confidence;
use crate::fact::{ContainerKind, Event, State};

/// What the kubelet takes beyond a grace period.
const REACTION: SignedDuration = SignedDuration::from_secs(10);

/// The kubelet stops a sidecar when the containers that it serves have ended; how it then ends does not count
/// (KEP-753). A SIGKILL is the kubelet's where the grace period had run out.
pub(super) fn stopped(case: &Case<'_>) -> Option<(Proof, Confidence)> {
    if case.is_gone() {
        return alone_of_the_gone(case);
    }
    let pod = case.pod_spec()?;
    let is_sidecar = case.container?.kind == ContainerKind::Sidecar;
    let is_over = matches!(pod.phase.as_deref(), Some("Succeeded" | "Failed"));
    if !is_sidecar || !is_over || !matches!(case.exit_code()?, 137 | 143) || !case.death.as_ref()?.current {
        return None;
    }
    let apps = pod.containers.iter().filter(|container| container.kind == ContainerKind::App);
    let ends: Option<Vec<Timestamp>> = apps
        .map(|container| match &container.status.as_ref()?.state {
            Some(State::Terminated(end)) => end.finished,
            _ => None,
        })
        .collect();
    let last = ends?.into_iter().max()?;
    let Some(event) = stop::stopping(case) else { return stopped_then(case, last) };
    let asked = event.it.last.or(event.it.first)?;
    let by_signal = case.exit_code() == Some(143) || stop::grace_expired(case) == Some(true);
    let in_order = last.duration_since(asked) <= stop::SLACK && asked.duration_since(case.finished()?) <= stop::SLACK;
    let says = "the kubelet stopped the sidecar after the pod's other containers had ended";
    (by_signal && in_order).then(|| (quote::event(&event, says), Confidence::Proven))
}

/// Of the containers of a pod that is gone it alone was stopped, and the Job completed right after: what was deleted would
/// have been stopped whole.
fn alone_of_the_gone(case: &Case<'_>) -> Option<(Proof, Confidence)> {
    let (pod, own) = (case.pod_spec()?, case.container?);
    let job = job::finish(case).filter(|job| job.well)?;
    let waited = job.at.duration_since(job::asked_of_the_gone(case)?);
    let of_another = |event: &Event| {
        let object = &event.object;
        let same = object.name == pod.name && (object.uid.is_none() || pod.uid.is_none() || object.uid == pod.uid);
        same && object.container.is_some() && object.container != own.name
    };
    let alone = !case.index.events.with_reason("Killing").any(|event| of_another(event.it));
    let others = pod.containers.len() > 1;
    let grace = SignedDuration::from_secs(30).saturating_add(REACTION);
    let says =
        "its job completed right after: the kubelet stops a sidecar alone when the pod's other containers have ended";
    let proof = Proof { says: says.into(), ..job.proof };
    (alone && others && (SignedDuration::ZERO..=grace).contains(&waited)).then_some((proof, Confidence::Likely))
}

/// No event is left: it ended when the kubelet's signals were due, SIGTERM at the end of the others and SIGKILL when the
/// grace period after it was over.
fn stopped_then(case: &Case<'_>, last: Timestamp) -> Option<(Proof, Confidence)> {
    let waited = case.finished()?.duration_since(last);
    let grace = SignedDuration::from_secs(case.pod_spec()?.grace_seconds.unwrap_or(30));
    let earliest = if case.exit_code() == Some(137) { grace } else { SignedDuration::ZERO };
    let window = earliest.saturating_sub(stop::SLACK)..=grace.saturating_add(REACTION);
    let view = case.pod?;
    let proof = Proof {
        says: "it is a sidecar, and ended when the kubelet stops those, after the pod's other containers".into(),
        from: view.from.join("/status/phase"),
        excerpt: format!("phase: {}", view.pod.phase.as_deref().unwrap_or_default()),
    };
    window.contains(&waited).then_some((proof, Confidence::Likely))
}
