//! A controller deleted the pod: scale-down, rollout, or clean-up.

use super::{Cause, Finding, job, kernel, quote, removal, stop};
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
        let event = job::deleted_with(case).filter(|_| stop::is_deleted(case))?;
        Some(quote::event(
            &event,
            "the CronJob says that it deleted the job, and the pods of a deleted job are deleted",
        ))
    };
    let said = by_itself().or_else(with_its_job).or_else(collected).map(|proof| (proof, Confidence::Proven));
    // Its controller does not say so here, and has the job's end as a reason.
    let for_its_job = || {
        let proof =
            job::deleted_for(case).or_else(|| job::expired(case)).filter(|_| removal::disruption(case).is_none())?;
        Some((proof, Confidence::Likely))
    };
    let Some((proof, confidence)) = said.or_else(for_its_job) else { return Finding::Absent };
    let forced = stop::forced(case);
    let summary = format!("The pod was deleted by its controller (scale-down, rollout or clean-up){forced}.");
    let ended = job::ended(case).map(|(_, proof)| proof).filter(|ended| *ended != proof);
    let proofs = [proof].into_iter().chain(ended).collect();
    let found = removal::found(case, confidence, summary, proofs);
    // What the garbage collector finds without a node, nobody saw end.
    match case.reason() {
        Some("ContainerStatusUnknown") => found.oom_kill(kernel::oom_kill(case, None)).into(),
        _ => found.into(),
    }
}

fn advise(case: &Case<'_>) -> Vec<Advice> {
    stop::end_in_time(case, "a longer grace period makes rollouts slower")
}
