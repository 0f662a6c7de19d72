//! The eviction API removed the pod from a node that is cordoned: a drain.

use super::{Cause, Finding, advice, cordon, removal};
use crate::case::Case;
use crate::diagnosis::{Advice, Verdict};

pub(super) const CAUSE: Cause = Cause { verdict: Verdict::NodeDrain, judge, advise };

fn judge(case: &Case<'_>) -> Finding {
    if !removal::applies(case) {
        return Finding::Absent;
    }
    let Some((proof, confidence)) = cordon::at_the_eviction(case) else { return Finding::Absent };
    let says = "an eviction request removed the pod";
    let Some(evicted) = removal::disrupted_by(case, &["EvictionByEvictionAPI"], says) else { return Finding::Absent };
    let summary = "The pod was evicted from a cordoned node: the node was being drained.";
    removal::found(case, confidence, summary, vec![evicted, proof]).into()
}

fn advise(_: &Case<'_>) -> Vec<Advice> {
    vec![advice::advice(
        "have more than one replica and a PodDisruptionBudget",
        "a drain removes pods one by one as the budget allows; their exit codes say nothing about memory",
        "a budget that never allows an eviction blocks node upgrades",
    )]
}
