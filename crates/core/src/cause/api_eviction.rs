//! The eviction API removed the pod: a tool or person asked for it.

use super::{Cause, Finding, advice, cordon, removal};
use crate::case::Case;
use crate::diagnosis::{Advice, Confidence, Verdict};

pub(super) const CAUSE: Cause = Cause { verdict: Verdict::ApiEviction, judge, advise };

fn judge(case: &Case<'_>) -> Finding {
    if !removal::applies(case) || cordon::at_the_eviction(case).is_some() {
        return Finding::Absent;
    }
    let says = "an eviction request removed the pod";
    let Some(proof) = removal::disrupted_by(case, &["EvictionByEvictionAPI"], says) else { return Finding::Absent };
    let summary =
        "The pod was evicted through the eviction API, by a person or a tool (autoscaler, descheduler, VPA updater).";
    removal::found(case, Confidence::Proven, summary, vec![proof]).into()
}

fn advise(_: &Case<'_>) -> Vec<Advice> {
    vec![advice::advice(
        "find who evicts: the API server's audit log names the user of pods/eviction",
        "autoscalers, deschedulers and the VPA updater evict through this API; nothing ran out of memory",
        "none",
    )]
}
