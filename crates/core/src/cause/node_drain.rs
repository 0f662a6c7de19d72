//! The eviction API removed the pod from a node that is cordoned: a drain.

use super::{Cause, Finding, Proof, advice, cordon, quote, removal, stop};
use crate::case::Case;
use crate::diagnosis::{Advice, Confidence, Verdict};

pub(super) const CAUSE: Cause = Cause { verdict: Verdict::NodeDrain, judge, advise };

fn judge(case: &Case<'_>) -> Finding {
    if !removal::applies(case) {
        return Finding::Absent;
    }
    let Some((proof, confidence)) = cordon::at_the_eviction(case) else { return Finding::Absent };
    let says = "an eviction request removed the pod";
    let Some(evicted) = removal::disrupted_by(case, &["EvictionByEvictionAPI"], says) else {
        return of_a_gone_pod(case, proof);
    };
    let summary = "The pod was evicted from a cordoned node: the node was being drained.";
    removal::found(case, confidence, summary, vec![evicted, proof]).into()
}

/// No condition is left of a pod that is gone: that its node was cordoned when it was stopped is what is left of a drain.
fn of_a_gone_pod(case: &Case<'_>, cordoned: Proof) -> Finding {
    let Some(stopped) = stop::stopping(case).filter(|_| case.is_gone()) else { return Finding::Absent };
    let proofs =
        vec![quote::event(&stopped, "the kubelet stopped the container because its pod was deleted"), cordoned];
    let summary = "The pod was removed from a node that was cordoned, as a drain does it.";
    removal::found(case, Confidence::Likely, summary, proofs)
        .missing("who deleted it: the API server's audit log has the user of the eviction or delete", "")
        .into()
}

fn advise(_: &Case<'_>) -> Vec<Advice> {
    vec![advice::advice(
        "have more than one replica and a PodDisruptionBudget",
        "a drain removes pods one by one as the budget allows; their exit codes say nothing about memory",
        "a budget that never allows an eviction blocks node upgrades",
    )]
}
