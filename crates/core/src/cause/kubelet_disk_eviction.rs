//! The kubelet evicted the pod because the node was low on disk or inodes.

use super::{
    Cause, Finding, Found, advice, kernel,
    removal::{self, Short},
};
use crate::case::Case;
use crate::diagnosis::{Advice, Confidence, Verdict};

pub(super) const CAUSE: Cause = Cause { verdict: Verdict::KubeletDiskEviction, judge, advise };

fn judge(case: &Case<'_>) -> Finding {
    if !removal::applies(case) {
        return Finding::Absent;
    }
    let Some((message, proof)) = removal::eviction(case) else { return Finding::Absent };
    if removal::short_of(&message) != Some(Short::Disk) {
        return Finding::Absent;
    }
    Found::new(
        Confidence::Proven,
        "The kubelet evicted the pod: the node was low on disk, not on memory.",
        removal::with_termination(case, vec![proof]),
    )
    .oom_kill(kernel::oom_kill(case, Some(false)))
    .into()
}

fn advise(_: &Case<'_>) -> Vec<Advice> {
    vec![advice::advice(
        "free disk on the node, or bound what its pods write with ephemeral-storage requests and limits",
        "container logs, writable layers and emptyDirs fill the node's file system",
        "a pod over its own limit is evicted alone",
    )]
}
