//! The kubelet evicted the pod because the node was low on process ids.

use super::{
    Cause, Finding, advice,
    removal::{self, Short},
};
use crate::case::Case;
use crate::diagnosis::{Advice, Verdict};

pub(super) const CAUSE: Cause = Cause { verdict: Verdict::KubeletPidEviction, judge, advise };

fn judge(case: &Case<'_>) -> Finding {
    removal::evicted_for(
        case,
        Short::Pids,
        "The kubelet evicted the pod: the node was low on process ids, not on memory.",
    )
}

fn advise(_: &Case<'_>) -> Vec<Advice> {
    vec![advice::advice(
        "set podPidsLimit in the kubelet configuration and look for a process that forks without end",
        "every thread takes a process id of the node",
        "a pod at its limit can start no thread",
    )]
}
