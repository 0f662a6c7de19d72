//! The eviction API removed the pod from a node that is cordoned: a drain.

use super::{Cause, Finding, Proof, advice, removal};
use crate::case::Case;
use crate::diagnosis::{Advice, Confidence, Verdict};

pub(super) const CAUSE: Cause = Cause { verdict: Verdict::NodeDrain, judge, advise };

fn judge(case: &Case<'_>) -> Finding {
    if !removal::applies(case) {
        return Finding::Absent;
    }
    let cordoned = case.node.is_some_and(|node| {
        node.it.unschedulable
            || node.it.taints.iter().any(|taint| taint.starts_with("node.kubernetes.io/unschedulable"))
    });
    let says = "an eviction request removed the pod";
    let Some(proof) = removal::disrupted_by(case, &["EvictionByEvictionAPI"], says).filter(|_| cordoned) else {
        return Finding::Absent;
    };
    let node = case.node.map(|node| Proof {
        says: "its node is cordoned, as a drain does first".into(),
        from: node.from.join("/spec/unschedulable"),
        excerpt: "unschedulable: true".into(),
    });
    let proofs = std::iter::once(proof).chain(node).collect();
    let summary = "The pod was evicted from a cordoned node: the node is being drained.";
    removal::found(case, Confidence::Proven, summary, proofs).into()
}

fn advise(_: &Case<'_>) -> Vec<Advice> {
    vec![advice::advice(
        "have more than one replica and a PodDisruptionBudget",
        "a drain removes pods one by one as the budget allows; their exit codes say nothing about memory",
        "a budget that never allows an eviction blocks node upgrades",
    )]
}
