//! The pod never ran: refused by the kubelet, the scheduler or a quota for a reason other than memory.

use super::{
    Cause, Finding, Found, Proof, advice, quote,
    refusal::{self, Lack},
    removal::{self, Short},
};
use crate::case::Case;
use crate::diagnosis::{Advice, Confidence, Verdict};

pub(super) const CAUSE: Cause = Cause { verdict: Verdict::AdmissionRejectedOther, judge, advise };

/// Pod reasons by which the kubelet refuses (pkg/kubelet/lifecycle/predicate.go and the admit handlers, v1.37).
const REFUSALS: [&str; 15] = [
    "UnexpectedAdmissionError",
    "OutOfcpu",
    "OutOfpods",
    "OutOfephemeral-storage",
    "NodeAffinity",
    "NodeName",
    "NodePorts",
    "NodeSelectorMismatching",
    "HostPortConflict",
    "TopologyAffinityError",
    "SMTAlignmentError",
    "AppArmor",
    "SysctlForbidden",
    "PodOSSelectorNodeLabelDoesNotMatch",
    "ProcMount",
];

fn judge(case: &Case<'_>) -> Finding {
    if let Some((event, false)) = refusal::unmade(case) {
        let summary = format!(
            "No pod of {} was made: the API server refused it, and names no quota or range of memory. Nothing was killed.",
            refusal::workload(event.it)
        );
        let proof = quote::event(&event, "the API server refused the pod");
        return Found::new(Confidence::Proven, summary, vec![proof]).into();
    }
    if let Some((event, Lack::Mixed)) = refusal::unschedulable(case) {
        let says = "no node fits, for several reasons, memory among them; none is known that lacks memory alone";
        let summary = "The pod never ran: no node fits it, and memory is not all that they lack. Nothing was killed.";
        return Found::new(Confidence::Likely, summary, vec![quote::event(&event, says)]).into();
    }
    let Some(proof) = refused(case) else { return Finding::Absent };
    let summary = "The pod never ran: it was refused, and not for memory. Nothing was killed.";
    Found::new(Confidence::Proven, summary, vec![proof]).into()
}

fn refused(case: &Case<'_>) -> Option<Proof> {
    if refusal::for_memory(case).is_some() || case.pod?.pod.node.is_some() && case.death.is_some() {
        return None;
    }
    let pod = case.pod_spec()?;
    if pod.reason.as_deref().is_some_and(|reason| REFUSALS.contains(&reason) || reason.starts_with("OutOf")) {
        return quote::pod_reason(case, "the kubelet refused the pod");
    }
    if let Some((message, proof)) = removal::eviction(case)
        && removal::short_of(&message) == Some(Short::Refused)
    {
        return Some(Proof {
            says: "the kubelet refused the pod: the node already had a pressure condition".into(),
            ..proof
        });
    }
    let (event, _) = refusal::unschedulable(case)?;
    Some(quote::event(&event, "the scheduler found no node for it"))
}

fn advise(_: &Case<'_>) -> Vec<Advice> {
    vec![advice::advice("do what the message names", "the pod was refused before anything of it ran", "none")]
}
