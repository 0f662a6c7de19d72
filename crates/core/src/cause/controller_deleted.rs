//! A controller deleted the pod: scale-down, rollout, or clean-up.

use super::{Cause, Finding, kernel, quote, removal, stop};
use crate::case::Case;
use crate::diagnosis::{Advice, Confidence, Verdict};

pub(super) const CAUSE: Cause = Cause { verdict: Verdict::ControllerDeleted, judge, advise };

fn judge(case: &Case<'_>) -> Finding {
    if !removal::applies(case) {
        return Finding::Absent;
    }
    let collected = || removal::disrupted_by(case, &["DeletionByPodGC"], "the pod garbage collector deleted the pod");
    let by_itself = || {
        let event = removal::deleted_by_controller(case).filter(|_| stop::is_deleted(case))?;
        Some(quote::event(&event, "its controller says that it deleted the pod"))
    };
    let with_its_job = || {
        let event = removal::deleted_with_its_job(case).filter(|_| stop::is_deleted(case))?;
        Some(quote::event(
            &event,
            "the CronJob says that it deleted the job, and the pods of a deleted job are deleted",
        ))
    };
    let proof = by_itself().or_else(with_its_job).or_else(collected);
    let Some(proof) = proof else { return Finding::Absent };
    let forced = stop::forced(case);
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
    stop::end_in_time(case, "a longer grace period makes rollouts slower")
}
