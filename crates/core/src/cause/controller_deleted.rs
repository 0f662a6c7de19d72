//! A controller deleted the pod: scale-down, rollout, or clean-up.

use super::{Cause, Finding, Found, advice, kernel, quote, removal};
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
    let grace = match removal::grace_expired(case) {
        Some(true) => "; it did not stop within its grace period and was killed",
        _ => "",
    };
    let summary = format!("The pod was deleted by its controller (scale-down, rollout or clean-up){grace}.");
    Found::new(Confidence::Proven, summary, removal::with_termination(case, vec![proof]))
        .oom_kill(kernel::oom_kill(case, Some(false)))
        .into()
}

fn advise(case: &Case<'_>) -> Vec<Advice> {
    if removal::grace_expired(case) != Some(true) {
        return Vec::new();
    }
    vec![advice::advice(
        "make the program end on SIGTERM, or give it a longer terminationGracePeriodSeconds",
        "it was killed because it still ran when its grace period ended",
        "a longer grace period makes rollouts slower",
    )]
}
