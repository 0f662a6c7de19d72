//! The pod, or the job it belongs to, ran longer than its deadline.

use super::{Cause, Finding, Proof, advice, quote, removal, stop};
use crate::case::Case;
use crate::diagnosis::{Advice, Confidence, Verdict};

pub(super) const CAUSE: Cause = Cause { verdict: Verdict::Deadline, judge, advise };

fn judge(case: &Case<'_>) -> Finding {
    if !removal::applies(case) {
        return Finding::Absent;
    }
    let says = "it ran longer than its deadline allows";
    let pod = case.pod_spec();
    let by_reason = || match pod?.reason.as_deref()? {
        "DeadlineExceeded" => quote::pod_reason(case, says),
        _ => None,
    };
    let by_event = || {
        let event = case.events.iter().find(|event| event.it.reason == "DeadlineExceeded")?;
        Some(quote::event(event, says))
    };
    if let Some(proof) = by_reason().or_else(by_event).or_else(|| by_job(case)) {
        let summary = "It ran longer than its deadline (activeDeadlineSeconds) and was ended for that.";
        return removal::found(case, Confidence::Proven, summary, vec![proof]).into();
    }
    let no_deadline = pod.is_some_and(|pod| {
        pod.complete
            && pod.active_deadline_seconds.is_none()
            && pod.owner.as_ref().is_none_or(|owner| owner.kind != "Job")
    });
    if no_deadline && case.exit_code() == Some(137) {
        return Finding::RuledOut("the pod has no activeDeadlineSeconds and belongs to no job".into());
    }
    Finding::Absent
}

/// The job's own event: `Job was active longer than specified deadline`; its pods are then deleted.
fn by_job(case: &Case<'_>) -> Option<Proof> {
    let pod = case.pod_spec()?;
    let name = pod.name.as_deref()?;
    let removed = stop::is_deleted(case) || removal::deleted_by_controller(case).is_some();
    let owned = |job: &str| match &pod.owner {
        Some(owner) => owner.kind == "Job" && owner.name == job,
        None => name.strip_prefix(job).is_some_and(|rest| rest.starts_with('-') && !rest[1..].contains('-')),
    };
    let event = case.index.events.with_reason("DeadlineExceeded").find(|event| {
        let object = &event.it.object;
        object.kind.as_deref() == Some("Job")
            && object.name.as_deref().is_some_and(owned)
            && (pod.namespace.is_none() || object.namespace.is_none() || pod.namespace == object.namespace)
    })?;
    removed.then(|| quote::event(&event, "the job of this pod ran longer than its deadline and its pods were deleted"))
}

fn advise(_: &Case<'_>) -> Vec<Advice> {
    vec![advice::advice(
        "set activeDeadlineSeconds to what the work needs, or make the work shorter",
        "the end was a matter of time, not of memory; exit code 137 means that it did not stop within its grace period",
        "a longer deadline lets a hanging job hang longer",
    )]
}
