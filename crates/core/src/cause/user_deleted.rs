//! A person or client deleted the pod.

use super::{Cause, Finding, Proof, job, quote, removal, sidecar, stop};
use crate::case::Case;
use crate::diagnosis::{Advice, Confidence, Verdict};

pub(super) const CAUSE: Cause = Cause { verdict: Verdict::UserDeleted, judge, advise };

fn judge(case: &Case<'_>) -> Finding {
    if !removal::applies(case) || !stop::is_deleted(case) || removal::deleted_by_controller(case).is_some() {
        return Finding::Absent;
    }
    if job::deleted_with(case).is_some() || job::expired(case).is_some() {
        return Finding::Absent;
    }
    if case.is_gone() && sidecar::stopped(case).is_some() {
        return Finding::Absent;
    }
    // Something else than a person: who is for other causes to tell.
    if removal::unnamed_disruption(case).is_some() {
        return Finding::Absent;
    }
    // A container that ended by itself before the deletion was not ended by it.
    if matches!(case.exit_code(), Some(code) if !matches!(code, 137 | 143)) && !stop::was_stopped(case) {
        return Finding::Absent;
    }
    let mut proofs = Vec::new();
    if let Some(view) = case.pod.filter(|view| view.pod.deletion.is_some() || view.pod.terminating) {
        proofs.push(Proof {
            says: "the pod is being deleted, and neither its controller nor an eviction says why".into(),
            from: view.from.join("/metadata/deletionTimestamp"),
            excerpt: view.pod.deletion.map_or_else(|| "Terminating".into(), |at| format!("deletionTimestamp: {at}")),
        });
    }
    proofs.extend(
        stop::stopping(case)
            .map(|event| quote::event(&event, "the kubelet stopped the container because its pod was deleted")),
    );
    if proofs.is_empty() {
        return Finding::Absent;
    }
    let forced = stop::forced(case);
    let audit = "who deleted it: the API server's audit log has the user of the delete on this pod";
    if let Some(finished) = job::may_have_expired(case) {
        let summary = format!("The pod was deleted, on request or with its job, which had finished{forced}.");
        proofs.push(finished);
        let what =
            "whether its job was removed by its ttlSecondsAfterFinished, which takes the pods along without an event";
        return removal::found(case, Confidence::Possible, summary, proofs).missing(what, "").missing(audit, "").into();
    }
    let summary = format!("The pod was deleted on request{forced}.");
    // A deletion leaves no name behind: an eviction request and a controller without events look the same.
    removal::found(case, Confidence::Likely, summary, proofs).missing(audit, "").into()
}

fn advise(case: &Case<'_>) -> Vec<Advice> {
    stop::end_in_time(case, "a longer grace period makes deletions slower")
}
