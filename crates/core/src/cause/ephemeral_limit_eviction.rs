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

fn advise(_: &Case<'_>) -> Vec<Advice> {
    vec![advice::advice(
        "find what it writes (logs, caches, emptyDir) and raise or keep that limit on purpose",
        "the limit counts logs, the writable layer and emptyDirs together",
        "a higher limit can fill the node's disk",
    )]
}
