//! The kubelet evicted the pod because the node was low on memory. The kernel killed nothing.

use super::{
    Cause, Finding, advice,
    removal::{self, Short},
};
use crate::case::Case;
use crate::diagnosis::{Advice, Verdict};

pub(super) const CAUSE: Cause = Cause { verdict: Verdict::KubeletMemoryEviction, judge, advise };

fn judge(case: &Case<'_>) -> Finding {
    if removal::applies(case) && removal::eviction(case).is_none() {
        return not_evicted(case);
    }
    removal::evicted_for(
        case,
        Short::Memory,
        "The kubelet evicted the pod: the node was low on memory. The kernel's OOM killer did nothing.",
    )
}

fn advise(_: &Case<'_>) -> Vec<Advice> {
    vec![advice::advice(
        "set the memory request to what the pod really uses",
        "the kubelet evicts first the pods that use more than they request, by how much (pkg/kubelet/eviction/helpers.go)",
        "fewer pods fit on the node",
    )]
}

/// An evicted pod is Failed; this one is not.
fn not_evicted(case: &Case<'_>) -> Finding {
    let running = case.pod_spec().is_some_and(|pod| pod.complete && pod.phase.as_deref() == Some("Running"));
    if running && case.death.is_some() {
        return Finding::RuledOut("the pod is still Running; an evicted pod is Failed".into());
    }
    Finding::Absent
}
