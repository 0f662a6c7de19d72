//! The pod was preempted: by the scheduler for a pod of higher priority, or by the kubelet for a critical one.

use super::{Cause, Finding, advice, quote, removal};
use crate::case::{Case, Seen};
use crate::diagnosis::{Advice, Confidence, Verdict};
use crate::fact::Event;

pub(super) const CAUSE: Cause = Cause { verdict: Verdict::Preempted, judge, advise };

fn judge(case: &Case<'_>) -> Finding {
    if !removal::applies(case) {
        return Finding::Absent;
    }
    let says = "the pod was preempted for one of higher priority";
    let by_condition = || removal::disrupted_by(case, &["PreemptionByScheduler", "PreemptionByKubeScheduler"], says);
    let by_reason = || match case.pod_spec()?.reason.as_deref()? {
        "Preempting" | "Preempted" => quote::pod_reason(case, says),
        _ => None,
    };
    let by_event = || {
        let in_time = |event: &&Seen<'_, Event>| !removal::is_after_the_end(case, event.it.first.or(event.it.last));
        let of_it = |event: &&Seen<'_, Event>| matches!(event.it.reason.as_str(), "Preempted" | "Preempting");
        let event = case.events.iter().filter(in_time).find(of_it)?;
        Some(quote::event(event, says))
    };
    let Some(proof) = by_reason().or_else(by_condition).or_else(by_event) else { return Finding::Absent };
    let summary = "The pod was preempted to make room for one of higher priority.";
    removal::found(case, Confidence::Proven, summary, vec![proof]).into()
}

fn advise(_: &Case<'_>) -> Vec<Advice> {
    vec![advice::advice(
        "give the pod a priority class that fits its worth, or give the cluster room",
        "a pod of higher priority did not fit anywhere else",
        "others will be preempted in its place",
    )]
}
