//! The kubelet evicted the pod because it wrote more than its own ephemeral-storage or emptyDir limit.

use super::{
    Cause, Finding, Found, advice, kernel,
    removal::{self, Short},
};
use crate::case::Case;
use crate::diagnosis::{Advice, Confidence, Verdict};

pub(super) const CAUSE: Cause = Cause { verdict: Verdict::EphemeralLimitEviction, judge, advise };

fn judge(case: &Case<'_>) -> Finding {
    if !removal::applies(case) {
        return Finding::Absent;
    }
    let Some((message, proof)) = removal::eviction(case) else { return Finding::Absent };
    if removal::short_of(&message) != Some(Short::EphemeralLimit) {
        return Finding::Absent;
    }
    Found::new(
        Confidence::Proven,
        "The kubelet evicted the pod: it wrote more than its own storage limit allows.",
        removal::with_termination(case, vec![proof]),
    )
    .oom_kill(kernel::oom_kill(case, Some(false)))
    .into()
}

fn advise(_: &Case<'_>) -> Vec<Advice> {
    vec![advice::advice(
        "find what it writes (logs, caches, emptyDir) and raise or keep that limit on purpose",
        "the limit counts logs, the writable layer and emptyDirs together",
        "a higher limit can fill the node's disk",
    )]
}
