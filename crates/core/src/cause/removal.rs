//! What took the pod away, as far as several causes share it.

use jiff::{SignedDuration, Timestamp};

use super::{Finding, Found, Proof, advice, kernel, killing, probe, quote};
use crate::case::{Case, Life, Seen};
use crate::diagnosis::{Advice, Confidence};
use crate::fact::{Condition, Event};

/// Clocks of status and events agree to the second.
pub(super) const SLACK: SignedDuration = SignedDuration::from_secs(2);

/// The clocks of a node and of the API server differ by less.
const SKEW: SignedDuration = SignedDuration::from_secs(15);

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
    case.finished().zip(begun).is_some_and(|(finished, begun)| begun.duration_since(finished) > SKEW)
}

/// The pod's `DisruptionTarget` condition (Kubernetes 1.26), where it is true.
pub(super) fn disruption<'a>(case: &Case<'a>) -> Option<&'a Condition> {
    let conditions = &case.pod_spec()?.conditions;
    conditions.iter().find(|condition| condition.kind == "DisruptionTarget" && condition.status == "True")
}

/// The pod is being removed by a disruption that is not named: a describe text shows of a condition no more than that it
/// is true.
pub(super) fn unnamed_disruption(case: &Case<'_>) -> Option<Proof> {
    let condition = disruption(case).filter(|condition| condition.reason.is_none())?;
    let says = "the pod has the condition DisruptionTarget, whose reason is not shown here";
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
    let condition = disruption(case)?;
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
    if let Some(condition) = disruption(case)
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

/// The kubelet's `Stopping container` event: the pod was being removed.
pub(super) fn stopping<'a>(case: &Case<'a>) -> Option<Seen<'a, Event>> {
    case.events
        .iter()
        .rev()
        .find(|event| event.it.reason == "Killing" && event.it.message.starts_with("Stopping container"))
        .copied()
}

/// The pod is being deleted, or is gone.
pub(super) fn is_deleted(case: &Case<'_>) -> bool {
    case.pod_spec().is_some_and(|pod| pod.deletion.is_some() || pod.terminating)
        || case.is_gone() && stopping(case).is_some()
}

/// What the container is given between SIGTERM and SIGKILL: what the deletion gives, else the probe that failed, else
/// the pod (pkg/kubelet/kuberuntime/kuberuntime_container.go `setTerminationGracePeriod`, v1.37).
fn grace(case: &Case<'_>, asked: Option<&Event>) -> SignedDuration {
    let pod = case.pod_spec();
    let of_probe = || {
        let message = asked.map(|event| event.message.as_str()).filter(|message| probe::is_probe_kill(message))?;
        let container = case.container?;
        let failed = if message.contains("startup probe") { container.startup } else { container.liveness };
        failed?.grace
    };
    let deletion = pod.and_then(|pod| pod.deletion_grace_seconds);
    let seconds = deletion.or_else(of_probe).or_else(|| pod?.grace_seconds).unwrap_or(30);
    SignedDuration::from_secs(seconds)
}

/// Whether the grace period ran out: asked to stop at a known moment, and ended by SIGKILL at least that much later.
pub(crate) fn grace_expired(case: &Case<'_>) -> Option<bool> {
    let code = case.exit_code()?;
    if code != 137 {
        return Some(false);
    }
    let finished = case.finished()?;
    let in_time = |at: &Timestamp| at.duration_since(finished) <= SLACK;
    let killing = case.events.iter().filter(|event| event.it.reason == "Killing");
    let asked = killing
        .filter_map(|event| Some((event.it.last.or(event.it.first).filter(in_time)?, event.it)))
        .max_by_key(|(at, _)| *at);
    let grace = grace(case, asked.map(|(_, event)| event));
    let deleted = || case.pod_spec()?.deletion.and_then(|end| end.checked_sub(grace).ok()).filter(in_time);
    let asked = asked.map(|(at, _)| at).or_else(deleted)?;
    Some(finished.duration_since(asked) >= grace.saturating_sub(SLACK))
}

/// A controller's event says that it deleted this pod: `Deleted pod: NAME`, `delete Pod NAME in StatefulSet ... successful`.
pub(super) fn deleted_by_controller<'a>(case: &Case<'a>) -> Option<Seen<'a, Event>> {
    let name = case.pod_spec()?.name.as_deref()?;
    let named = |message: &str| message.split(|c: char| c.is_whitespace() || c == ':').any(|word| word == name);
    case.index.events.with_reason("SuccessfulDelete").find(|event| named(&event.it.message))
}

/// The pod was taken away: the OOM killer had no part in it, unless something tells of a kill.
pub(super) fn found(
    case: &Case<'_>,
    confidence: Confidence,
    summary: impl Into<String>,
    mut proofs: Vec<Proof>,
) -> Found {
    proofs.extend(quote::termination(case));
    let mut summary = summary.into();
    // The removal ended it; what the kernel did before may be why.
    if let Some(killing) = killing::of(case).filter(|killing| killing.report.is_some()) {
        let reports = case.kills.iter().filter(|kill| matches!(kill.life, Life::This | Life::Unknown));
        let killed: Vec<_> = reports.filter(|kill| !kill.kill.victims.is_empty()).collect();
        let more = match killed.len() {
            0 | 1 => String::new(),
            reports => format!(", the last of {reports} such kills"),
        };
        summary = format!("{summary} Before, the kernel's OOM killer had killed {}{more}.", kernel::who(&killing));
        proofs.extend(killed.into_iter().map(quote::kill));
    }
    Found::new(confidence, summary, proofs).oom_kill(kernel::oom_kill(case, Some(false)))
}

/// The Job that owned the pod had failed: then its controller deletes the pods that still run.
pub(super) fn job_failed(case: &Case<'_>) -> Option<Proof> {
    let pod = case.pod_spec()?;
    let owner = pod.owner.as_ref().filter(|owner| owner.kind == "Job")?;
    let of_job = |event: &Seen<'_, Event>| {
        event.it.object.name.as_ref() == Some(&owner.name) && event.it.object.namespace == pod.namespace
    };
    let reasons = ["BackoffLimitExceeded", "DeadlineExceeded", "PodFailurePolicy"];
    let event = reasons.into_iter().flat_map(|reason| case.index.events.with_reason(reason)).find(of_job)?;
    Some(quote::event(&event, "its job had failed, and the pods of a failed job are deleted"))
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

/// How a deletion ended for a container that did not stop in time; empty where it did, or nothing tells.
pub(super) fn forced(case: &Case<'_>) -> &'static str {
    if grace_expired(case) == Some(true) { "; it did not stop within its grace period and was killed" } else { "" }
}

/// What to do about a container that did not stop in time: nothing where it did.
pub(super) fn end_in_time(case: &Case<'_>, risk: &str) -> Vec<Advice> {
    if grace_expired(case) != Some(true) {
        return Vec::new();
    }
    vec![advice::advice(
        "make the program end on SIGTERM, or give it a longer terminationGracePeriodSeconds",
        "it was killed because it still ran when its grace period ended",
        risk,
    )]
}
