//! A person or client deleted the pod.

use super::{Cause, Finding, Found, Proof, advice, kernel, quote, removal};
use crate::case::Case;
use crate::diagnosis::{Advice, Confidence, Verdict};

pub(super) const CAUSE: Cause = Cause { verdict: Verdict::UserDeleted, judge, advise };

fn judge(case: &Case<'_>) -> Finding {
    if !removal::applies(case) || !removal::is_deleted(case) || removal::deleted_by_controller(case).is_some() {
        return Finding::Absent;
    }
    // A container that ended by itself before the deletion was not ended by it.
    if matches!(case.exit_code(), Some(code) if !matches!(code, 137 | 143)) && removal::stopping(case).is_none() {
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
        removal::stopping(case)
            .map(|event| quote::event(&event, "the kubelet stopped the container because its pod was deleted")),
    );
    if proofs.is_empty() {
        return Finding::Absent;
    }
    let grace = match removal::grace_expired(case) {
        Some(true) => "; it did not stop within its grace period and was killed",
        _ => "",
    };
    let summary = format!("The pod was deleted on request{grace}.");
    // A deletion leaves no name behind: an eviction request and a controller without events look the same.
    Found::new(Confidence::Likely, summary, removal::with_termination(case, proofs))
        .oom_kill(kernel::oom_kill(case, Some(false)))
        .missing("who deleted it", "the API server's audit log: verb delete on this pod")
        .into()
}

fn advise(case: &Case<'_>) -> Vec<Advice> {
    if removal::grace_expired(case) != Some(true) {
        return Vec::new();
    }
    vec![advice::advice(
        "make the program end on SIGTERM, or give it a longer terminationGracePeriodSeconds",
        "it was killed because it still ran when its grace period ended",
        "a longer grace period makes deletions slower",
    )]
}
