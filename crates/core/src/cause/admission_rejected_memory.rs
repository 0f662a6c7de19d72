//! The pod never ran: its memory request did not fit the node, or no node.

use super::{
    Cause, Finding, Found, Proof, advice, quote,
    removal::{self, Short},
};
use crate::case::Case;
use crate::diagnosis::{Advice, Confidence, Verdict};

pub(super) const CAUSE: Cause = Cause { verdict: Verdict::AdmissionRejectedMemory, judge, advise };

fn judge(case: &Case<'_>) -> Finding {
    let Some(proof) = refused(case) else { return Finding::Absent };
    let summary = "The pod never ran: its memory request does not fit. Nothing was killed.";
    Found::new(Confidence::Proven, summary, vec![proof]).into()
}

/// The kubelet's OutOfmemory, an admission under memory pressure, or the scheduler's Insufficient memory.
pub(super) fn refused(case: &Case<'_>) -> Option<Proof> {
    if case.pod?.pod.node.is_some() && case.death.is_some() {
        return None;
    }
    let pod = case.pod_spec()?;
    if pod.reason.as_deref().is_some_and(|reason| reason.eq_ignore_ascii_case("OutOfmemory")) {
        return quote::pod_reason(
            case,
            "the kubelet refused the pod: its memory request does not fit what is left of the node",
        );
    }
    if let Some((message, proof)) = removal::eviction(case)
        && removal::short_of(&message) == Some(Short::Refused)
        && message.contains("MemoryPressure")
    {
        return Some(Proof {
            says: "the kubelet refused the pod: the node already had memory pressure".into(),
            ..proof
        });
    }
    let pending = pod.phase.as_deref().is_none_or(|phase| phase == "Pending") && pod.node.is_none();
    let event = case.events.iter().rev().find(|event| {
        let short = event.it.reason == "FailedScheduling" && event.it.message.contains("Insufficient memory");
        short && pending || event.it.reason.eq_ignore_ascii_case("OutOfmemory")
    })?;
    Some(quote::event(event, "no node has that much memory left to promise"))
}

fn advise(_: &Case<'_>) -> Vec<Advice> {
    vec![advice::advice(
        "lower the memory request to what the pod really uses, or give it a node with that much free",
        "scheduling and admission count requests, not use",
        "a request below the real use makes the pod the first to be evicted",
    )]
}
