//! The node was shut down, and the kubelet ended its pods first, or refused new ones; or a host under an engine.

use super::{Cause, Finding, Found, Proof, advice, kernel, killing, quote, removal};
use crate::case::Case;
use crate::diagnosis::{Advice, Confidence, Verdict};

pub(super) const CAUSE: Cause = Cause { verdict: Verdict::NodeShutdown, judge, advise };

fn judge(case: &Case<'_>) -> Finding {
    if let Some(found) = rebooted(case) {
        return found.into();
    }
    if !removal::applies(case) {
        return Finding::Absent;
    }
    let says = "the kubelet ended the pod because the node was shutting down";
    let shutdown = |text: Option<&str>| {
        text.is_some_and(|text| {
            text.contains("node shutdown")
                || text.contains("node is shutting down")
                || text.contains("Node is shutting")
        })
    };
    let Some(pod) = case.pod_spec() else { return Finding::Absent };
    let by_reason =
        matches!(pod.reason.as_deref(), Some("NodeShutdown" | "Shutdown")) || shutdown(pod.message.as_deref());
    let by_condition = || {
        let condition = removal::disruption(case).filter(|condition| shutdown(condition.message.as_deref()))?;
        removal::disruption_proof(case, condition, says)
    };
    let by_event = || {
        let event = case.events.iter().find(|event| matches!(event.it.reason.as_str(), "NodeShutdown" | "Shutdown"))?;
        Some(quote::event(event, says))
    };
    let by_note = || {
        let note = case.notes.iter().find(|note| note.it.kind == crate::fact::NodeNoteKind::Shutdown)?;
        Some(quote::note(note, says))
    };
    let proof =
        if by_reason { quote::pod_reason(case, says) } else { by_condition().or_else(by_event).or_else(by_note) };
    let Some(proof) = proof else { return Finding::Absent };
    Found::new(
        Confidence::Proven,
        "The node was shut down and the pod with it.",
        removal::with_termination(case, vec![proof]),
    )
    .oom_kill(kernel::oom_kill(case, Some(false)))
    .into()
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
