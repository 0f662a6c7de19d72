//! The kubelet evicted the pod because it wrote more than its own ephemeral-storage or emptyDir limit.

use super::{
    Cause, Finding, advice,
    removal::{self, Short},
};
use crate::case::Case;
use crate::diagnosis::{Advice, Verdict};

pub(super) const CAUSE: Cause = Cause { verdict: Verdict::EphemeralLimitEviction, judge, advise };

fn judge(case: &Case<'_>) -> Finding {
    removal::evicted_for(
        case,
        Short::EphemeralLimit,
        "The kubelet evicted the pod: it wrote more than its own storage limit allows.",
    )
}

fn advise(case: &Case<'_>) -> Vec<Advice> {
    if let Some(volume) = memory_volume(case) {
        return vec![advice::advice(
            format!("find what is written to {volume}, and raise or keep its sizeLimit on purpose"),
            "the volume is an emptyDir in memory: its files are charged to the containers that write them",
            "a larger one fills the container's memory limit",
        )];
    }
    vec![advice::advice(
        "find what it writes (logs, caches, emptyDir) and raise or keep that limit on purpose",
        "the limit counts logs, the writable layer and emptyDirs together",
        "a higher limit can fill the node's disk",
    )]
}

/// The emptyDir in memory that the eviction's message names (pkg/kubelet/eviction/helpers.go `emptyDirMessageFmt`, v1.37).
fn memory_volume<'a>(case: &Case<'a>) -> Option<&'a str> {
    let (message, _) = removal::eviction(case)?;
    let name = message.split_once("EmptyDir volume \"")?.1.split_once('"')?.0;
    case.pod_spec()?.tmpfs.iter().map(|tmpfs| tmpfs.volume.as_str()).find(|volume| *volume == name)
}
