//! The kubelet evicted the pod because the node was low on disk or inodes.

use super::{
    Cause, Finding, advice,
    removal::{self, Short},
};
use crate::case::Case;
use crate::diagnosis::{Advice, Verdict};

pub(super) const CAUSE: Cause = Cause { verdict: Verdict::KubeletDiskEviction, judge, advise };

fn judge(case: &Case<'_>) -> Finding {
    removal::evicted_for(case, Short::Disk, "The kubelet evicted the pod: the node was low on disk, not on memory.")
}

fn advise(_: &Case<'_>) -> Vec<Advice> {
    vec![advice::advice(
        "free disk on the node, or bound what its pods write with ephemeral-storage requests and limits",
        "container logs, writable layers and emptyDirs fill the node's file system",
        "a pod over its own limit is evicted alone",
    )]
}
