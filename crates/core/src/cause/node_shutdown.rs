//! The node was shut down, and the kubelet ended its pods first, or refused new ones; or a host under an engine.

use jiff::SignedDuration;

use super::{Cause, Finding, Found, Proof, advice, kernel, killing, quote, removal};
use crate::case::{Case, Seen};
use crate::diagnosis::{Advice, Confidence, Verdict};
use crate::fact::{NodeNote, NodeNoteKind, Pod};

pub(super) const CAUSE: Cause = Cause { verdict: Verdict::NodeShutdown, judge, advise };

/// How long before an end a line about the node's shutdown can be its reason: graceful shutdown takes minutes at most.
const SHUTTING_DOWN: SignedDuration = SignedDuration::from_mins(10);

const ENDED: &str = "the kubelet ended the pod because the node was shutting down";
const REFUSED: &str = "the kubelet refused the pod because the node was shutting down";

fn judge(case: &Case<'_>) -> Finding {
    if let Some(found) = rebooted(case) {
        return found.into();
    }
    if !removal::applies(case) {
        return Finding::Absent;
    }
    let refused = case.pod_spec().is_some_and(is_refused);
    match said_of_pod(case, if refused { REFUSED } else { ENDED }) {
        Some(proof) if refused => {
            let summary = "The pod never ran: its node was shutting down. Nothing was killed.";
            Found::new(Confidence::Proven, summary, vec![proof]).into()
        }
        Some(proof) => {
            let summary = "The node was shut down and the pod with it.";
            removal::found(case, Confidence::Proven, summary, vec![proof]).into()
        }
        None => {
            let Some(proof) = said_of_node(case) else { return Finding::Absent };
            let summary = format!("{} ended while its node was being shut down.", kernel::capital(&case.noun()));
            removal::found(case, Confidence::Likely, summary, vec![proof]).into()
        }
    }
}

/// The reason `NodeShutdown` is that of a pod that came too late; those that ran have `Terminated`, or `Shutdown` until
/// 1.21 (pkg/kubelet/nodeshutdown/nodeshutdown_manager.go, v1.22 to v1.36).
fn is_refused(pod: &Pod) -> bool {
    let says = |words: &str| pod.message.as_deref().is_some_and(|message| message.contains(words));
    pod.reason.as_deref() == Some("NodeShutdown") && !says("imminent node shutdown") && !says("evicting pods")
}

/// The pod's own reason, message or condition, or an event about it.
fn said_of_pod(case: &Case<'_>, says: &str) -> Option<Proof> {
    let of_shutdown = |text: Option<&str>| {
        let words = ["node shutdown", "node is shutting down", "Node is shutting"];
        text.is_some_and(|text| words.iter().any(|words| text.contains(words)))
    };
    let is_reason = |reason: Option<&str>| matches!(reason, Some("NodeShutdown" | "Shutdown"));
    let pod = case.pod_spec()?;
    if is_reason(pod.reason.as_deref()) || of_shutdown(pod.message.as_deref()) {
        return quote::pod_reason(case, says);
    }
    let condition = removal::disruption(case).filter(|condition| of_shutdown(condition.message.as_deref()));
    let by_event = || {
        let event = case.events.iter().find(|event| is_reason(Some(&event.it.reason)))?;
        Some(quote::event(event, says))
    };
    condition.and_then(|condition| removal::disruption_proof(case, condition, says)).or_else(by_event)
}

/// The kubelet's log says that the node shuts down, shortly before the end.
fn said_of_node(case: &Case<'_>) -> Option<Proof> {
    let shortly = |note: &&Seen<'_, NodeNote>| match (note.it.at, case.finished()) {
        (Some(at), Some(finished)) => (-SHUTTING_DOWN..=SignedDuration::ZERO).contains(&at.duration_since(finished)),
        _ => true,
    };
    let mut notes = case.notes.iter().filter(|note| note.it.kind == NodeNoteKind::Shutdown);
    Some(quote::note(notes.find(shortly)?, "the kubelet's log says that the node is being shut down"))
}

/// An engine's container that was started before the host's present boot and has not ended since: it went down with the
/// host. Nobody saw its end; whether a process of it had been killed before, only a log of that boot would tell.
fn rebooted(case: &Case<'_>) -> Option<Found> {
    let engine = case.engine.filter(|engine| engine.it.host_rebooted)?;
    if killing::of_main(case) {
        return None;
    }
    let status = engine.it.status.as_deref().unwrap_or("unknown");
    let started = engine.it.started.map(quote::time).unwrap_or_default();
    let proof = Proof {
        says: format!("it was started at {started}, before the host's present boot, which no process outlives"),
        from: engine.from.join("/State"),
        excerpt: format!("Status: {status}, StartedAt: {started}"),
    };
    let summary = format!("The host was rebooted while {} ran.", case.noun());
    let found = Found::new(Confidence::Proven, summary, vec![proof])
        .oom_kill(kernel::oom_kill(case, None))
        .missing("whether the kernel killed a process of it before", "journalctl -k -b -1 | oomph why --docker -f -");
    Some(found)
}

fn advise(_: &Case<'_>) -> Vec<Advice> {
    vec![advice::advice(
        "nothing in the pod is to be changed; see why the node went down (spot reclaim, upgrade, autoscaler)",
        "the exit code of a pod that is ended by a shutdown says nothing about its memory",
        "none",
    )]
}
