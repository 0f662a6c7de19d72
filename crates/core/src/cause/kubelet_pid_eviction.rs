//! The kubelet evicted the pod because the node was low on process ids.

use super::{
    Cause, Finding, Found, advice, kernel,
    removal::{self, Short},
};
use crate::case::Case;
use crate::diagnosis::{Advice, Confidence, Verdict};

pub(super) const CAUSE: Cause = Cause { verdict: Verdict::KubeletPidEviction, judge, advise };

fn judge(case: &Case<'_>) -> Finding {
    if !removal::applies(case) {
        return Finding::Absent;
    }
    let Some((message, proof)) = removal::eviction(case) else { return Finding::Absent };
    if removal::short_of(&message) != Some(Short::Pids) {
        return Finding::Absent;
    }
    Found::new(
        Confidence::Proven,
        "The kubelet evicted the pod: the node was low on process ids, not on memory.",
        removal::with_termination(case, vec![proof]),
    )
    .oom_kill(kernel::oom_kill(case, Some(false)))
    .into()
}

fn advise(_: &Case<'_>) -> Vec<Advice> {
    vec![advice::advice(
        "set podPidsLimit in the kubelet configuration and look for a process that forks without end",
        "every thread takes a process id of the node",
        "a pod at its limit can start no thread",
    )]
}
