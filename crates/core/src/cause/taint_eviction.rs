//! A NoExecute taint on the node evicted the pod.

use super::{Cause, Finding, advice, quote, removal};
use crate::case::Case;
use crate::diagnosis::{Advice, Confidence, Verdict};

pub(super) const CAUSE: Cause = Cause { verdict: Verdict::TaintEviction, judge, advise };

fn judge(case: &Case<'_>) -> Finding {
    if !removal::applies(case) {
        return Finding::Absent;
    }
    let says = "a NoExecute taint of the node removed the pod";
    let by_event = || {
        let event = case
            .events
            .iter()
            .filter(|event| !removal::is_after_the_end(case, event.it.first.or(event.it.last)))
            .find(|event| event.it.reason == "TaintManagerEviction" && !event.it.message.starts_with("Cancelling"))?;
        Some(quote::event(event, says))
    };
    let Some(proof) = removal::disrupted_by(case, &["DeletionByTaintManager"], says).or_else(by_event) else {
        return Finding::Absent;
    };
    let summary = "The pod was evicted by a NoExecute taint on its node.";
    removal::found(case, Confidence::Proven, summary, vec![proof]).into()
}

fn advise(_: &Case<'_>) -> Vec<Advice> {
    vec![advice::advice(
        "see who tainted the node (kubectl describe node), and tolerate the taint only if the pod may stay there",
        "not-ready and unreachable taints come from the node controller, others from people or tools",
        "a pod that tolerates not-ready stays on a dead node",
    )]
}
