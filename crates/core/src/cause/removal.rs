//! What took the pod away, as far as several causes share it.

use jiff::{SignedDuration, Timestamp};

use super::stop::{is_deleted, stopping};
use super::{Finding, Found, Proof, job, kernel, killing, quote, stop};
use crate::case::{Case, Seen};
use crate::diagnosis::Confidence;
use crate::fact::{Condition, Event};

/// The clocks of a node and of the API server differ by less.
pub(super) const SKEW: SignedDuration = SignedDuration::from_secs(15);

/// The end that is diagnosed can be the pod's: it is the container's present state or none is known, and the OOM
/// killer did not end the main process before.
pub(super) fn applies(case: &Case<'_>) -> bool {
    let present = case.death.as_ref().is_none_or(|death| death.current || death.termination.finished.is_none());
    let killed = killing::of_main(case);
    case.pod.is_some() && present && !killed && !ended_before(case)
}

/// The container had ended before anybody set out to remove its pod.
fn ended_before(case: &Case<'_>) -> bool {
    let pod = case.pod_spec();
    // The API sets the moment at which the grace period will be over.
    let grace = SignedDuration::from_secs(pod.and_then(|pod| pod.deletion_grace_seconds).unwrap_or(30));
    let deleted = pod.and_then(|pod| pod.deletion).and_then(|end| end.checked_sub(grace).ok());
    let disrupted = disruption(case).and_then(|condition| condition.since);
    let stopped = stopping(case).and_then(|event| event.it.first.or(event.it.last));
    let begun = [deleted, disrupted, stopped].into_iter().flatten().min();
    case.finished().zip(begun).is_some_and(|(finished, begun)| {
        begun.duration_since(finished) > SKEW || stopped.is_none() && job::finished_between(case, finished, begun)
    })
}

/// The pod's `DisruptionTarget` condition (Kubernetes 1.26), where it is true.
pub(super) fn disruption<'a>(case: &Case<'a>) -> Option<&'a Condition> {
    let conditions = &case.pod_spec()?.conditions;
    conditions.iter().find(|condition| condition.kind == "DisruptionTarget" && condition.status == "True")
}

/// What began at this moment did not end it: it had ended before.
pub(super) fn is_after_the_end(case: &Case<'_>, at: Option<Timestamp>) -> bool {
    case.finished().zip(at).is_some_and(|(finished, at)| at.duration_since(finished) > SKEW)
}

/// The same, where it is not of a time after the end.
fn disruption_of_the_end<'a>(case: &Case<'a>) -> Option<&'a Condition> {
    disruption(case).filter(|condition| !is_after_the_end(case, condition.since))
}

/// The condition names a taint that came after the end: the reason that it had is overwritten, though not its moment,
/// which the API keeps while a condition stays true.
fn was_overwritten(case: &Case<'_>, condition: &Condition) -> bool {
    let marked = case.events.iter().filter(|event| event.it.reason == "TaintManagerEviction");
    let mut marked = marked.map(|event| event.it.first.or(event.it.last)).peekable();
    let by_taint = condition.reason.as_deref() == Some("DeletionByTaintManager");
    by_taint && marked.peek().is_some() && marked.all(|at| is_after_the_end(case, at))
}

/// The pod is being removed by a disruption that is not named: a describe text shows of a condition no more than that it
/// is true.
pub(super) fn unnamed_disruption(case: &Case<'_>) -> Option<Proof> {
    let condition = disruption_of_the_end(case)?;
    let says = match condition.reason {
        None => "the pod has the condition DisruptionTarget, whose reason is not shown here",
        Some(_) if was_overwritten(case, condition) => {
            "the pod had the condition DisruptionTarget; a taint that came after the end overwrote its reason"
        }
        Some(_) => return None,
    };
    disruption_proof(case, condition, says).filter(|_| applies(case) && is_deleted(case))
}

/// The condition as evidence.
pub(super) fn disruption_proof(case: &Case<'_>, condition: &Condition, says: impl Into<String>) -> Option<Proof> {
    let view = case.pod?;
    let position = view.pod.conditions.iter().position(|known| std::ptr::eq(known, condition))?;
    Some(Proof {
        says: says.into(),
        from: view.from.join(&format!("/status/conditions/{position}")),
        excerpt: quote::cut(
            format!(
                "DisruptionTarget: {}: {}",
                condition.reason.as_deref().unwrap_or(&condition.status),
                condition.message.as_deref().unwrap_or_default()
            )
            .trim_end_matches(": "),
            240,
        ),
    })
}

/// A disruption with one of these reasons, as evidence.
pub(super) fn disrupted_by(case: &Case<'_>, reasons: &[&str], says: &str) -> Option<Proof> {
    let condition = disruption_of_the_end(case).filter(|condition| !was_overwritten(case, condition))?;
    reasons.contains(&condition.reason.as_deref()?).then(|| disruption_proof(case, condition, says)).flatten()
}

/// The kubelet's eviction: its message, and the proof.
pub(super) fn eviction(case: &Case<'_>) -> Option<(String, Proof)> {
    let pod = case.pod_spec()?;
    if pod.reason.as_deref() == Some("Evicted") {
        let message = pod.message.clone().unwrap_or_default();
        let event = evicted_event(case).map(|event| event.it.message.clone());
        let message = if message.is_empty() { event.unwrap_or_default() } else { message };
        return Some((message, quote::pod_reason(case, "the kubelet evicted the pod")?));
    }
    if let Some(condition) = disruption_of_the_end(case)
        && condition.reason.as_deref() == Some("TerminationByKubelet")
        && condition.message.as_deref().is_some_and(|message| message.contains("low on resource"))
    {
        let message = condition.message.clone().unwrap_or_default();
        return Some((message, disruption_proof(case, condition, "the kubelet evicted the pod")?));
    }
    let event = evicted_event(case)?;
    Some((event.it.message.clone(), quote::event(&event, "the kubelet evicted the pod")))
}

fn evicted_event<'a>(case: &Case<'a>) -> Option<Seen<'a, Event>> {
    let by_kubelet = |event: &&Seen<'a, Event>| {
        event.it.reason == "Evicted" && event.it.component.as_deref().is_none_or(|component| component == "kubelet")
    };
    case.events.iter().find(by_kubelet).copied()
}

/// What an eviction message says was short (pkg/kubelet/eviction/helpers.go, v1.37, and its older spellings).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Short {
    /// Node memory.
    Memory,
    /// Node disk or inodes.
    Disk,
    /// Node process ids.
    Pids,
    /// The pod's own ephemeral-storage limit.
    EphemeralLimit,
    /// Nothing: the pod was refused on a node that already had a pressure condition.
    Refused,
}

/// Reads an eviction message.
pub(super) fn short_of(message: &str) -> Option<Short> {
    let own = [
        "exceeds the total limit of containers",
        "local ephemeral storage limit",
        "Usage of EmptyDir volume",
        "ephemeral local storage usage exceeds",
        "ephemeral-storage usage exceeds",
    ];
    if message.contains("The node had condition") {
        return Some(Short::Refused);
    }
    if own.iter().any(|words| message.contains(words)) {
        return Some(Short::EphemeralLimit);
    }
    let resource = message.split_once("low on resource:").map_or(message, |(_, rest)| rest);
    let resource = resource.split_once(". ").map_or(resource, |(first, _)| first).to_ascii_lowercase();
    match resource.as_str() {
        text if text.contains("memory") || text.contains("compute resources") => Some(Short::Memory),
        text if ["storage", "disk", "nodefs", "imagefs", "containerfs", "inode"]
            .iter()
            .any(|word| text.contains(word)) =>
        {
            Some(Short::Disk)
        }
        text if text.contains("pid") => Some(Short::Pids),
        _ => None,
    }
}

/// The container that an eviction message names as the consumer.
pub(crate) fn consumer(message: &str) -> Option<&str> {
    let rest = message.split_once("Container ")?.1;
    rest.split_once(" was using").map(|(name, _)| name)
}

/// A controller's event says that it deleted this pod: `Deleted pod: NAME`, `delete Pod NAME in StatefulSet ... successful`.
pub(super) fn deleted_by_controller<'a>(case: &Case<'a>) -> Option<Seen<'a, Event>> {
    let name = case.pod_spec()?.name.as_deref()?;
    case.index.events.with_reason("SuccessfulDelete").find(|event| names(&event.it.message, name))
}

pub(super) fn names(message: &str, name: &str) -> bool {
    message.split(|c: char| c.is_whitespace() || c == ':').any(|word| word == name)
}

/// The pod was taken away: the OOM killer had no part in it, unless something tells of a kill.
pub(super) fn found(
    case: &Case<'_>,
    confidence: Confidence,
    summary: impl Into<String>,
    mut proofs: Vec<Proof>,
) -> Found {
    proofs.extend(quote::termination(case));
    proofs.extend(stop::slow_hook(case).map(|event| quote::event(&event, "its preStop hook had not ended by then")));
    let mut summary = summary.into();
    // The removal ended it; what the kernel did before may be why.
    if let Some((sentence, kills)) = kernel::before(case) {
        summary = format!("{summary} {sentence}");
        proofs.extend(kills);
    }
    Found::new(confidence, summary, proofs).oom_kill(kernel::oom_kill(case, Some(false)))
}

/// The kubelet evicted the pod for want of this.
pub(super) fn evicted_for(case: &Case<'_>, short: Short, summary: &str) -> Finding {
    match eviction(case).filter(|_| applies(case)) {
        Some((message, proof)) if short_of(&message) == Some(short) => {
            found(case, Confidence::Proven, summary, vec![proof]).into()
        }
        _ => Finding::Absent,
    }
}
