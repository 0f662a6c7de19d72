//! A controller deleted the pod: scale-down, rollout, or clean-up.

use super::{Cause, Finding, kernel, quote, removal};
use crate::case::Case;
use crate::diagnosis::{Advice, Confidence, Verdict};

pub(super) const CAUSE: Cause = Cause { verdict: Verdict::ControllerDeleted, judge, advise };

fn judge(case: &Case<'_>) -> Finding {
    if !removal::applies(case) {
        return Finding::Absent;
    }
    let collected = || removal::disrupted_by(case, &["DeletionByPodGC"], "the pod garbage collector deleted the pod");
    let proof = match removal::deleted_by_controller(case).filter(|_| removal::is_deleted(case)) {
        Some(event) => Some(quote::event(&event, "its controller says that it deleted the pod")),
        None => collected(),
    };
    let Some(proof) = proof else { return Finding::Absent };
    let forced = removal::forced(case);
    let summary = format!("The pod was deleted by its controller (scale-down, rollout or clean-up){forced}.");
    let proofs = [proof].into_iter().chain(removal::job_failed(case)).collect();
    let found = removal::found(case, Confidence::Proven, summary, proofs);
    // What the garbage collector finds without a node, nobody saw end.
    match case.reason() {
        Some("ContainerStatusUnknown") => found.oom_kill(kernel::oom_kill(case, None)).into(),
        _ => found.into(),
    }
}

fn advise(case: &Case<'_>) -> Vec<Advice> {
    removal::end_in_time(case, "a longer grace period makes rollouts slower")
}
