//! The kubelet evicted the pod because the node was low on memory. The kernel killed nothing.

use super::{
    Cause, Finding, Found, advice, kernel,
    removal::{self, Short},
};
use crate::case::Case;
use crate::diagnosis::{Advice, Confidence, Verdict};

pub(super) const CAUSE: Cause = Cause { verdict: Verdict::KubeletMemoryEviction, judge, advise };

fn judge(case: &Case<'_>) -> Finding {
    if !removal::applies(case) {
        return Finding::Absent;
    }
    let Some((message, proof)) = removal::eviction(case) else { return not_evicted(case) };
    if removal::short_of(&message) != Some(Short::Memory) {
        return Finding::Absent;
    }
    Found::new(
        Confidence::Proven,
        "The kubelet evicted the pod: the node was low on memory. The kernel's OOM killer did nothing.",
        removal::with_termination(case, vec![proof]),
    )
    .oom_kill(kernel::oom_kill(case, Some(false)))
    .into()
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
