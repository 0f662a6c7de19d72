//! The Job that owned a pod: how its own end, or its removal, took the pod away.

use jiff::{SignedDuration, Timestamp};

use super::removal::{self, SKEW};
use super::stop::{self, stopping};
use super::{Proof, quote};
use crate::case::{Case, Seen};
use crate::fact::{Event, Owner, Revision};
use crate::naming;

/// The controller that removes finished Jobs looks at each when its time is over (pkg/controller/ttlafterfinished, v1.37);
/// a queue may hold it up.
const QUEUE: SignedDuration = SignedDuration::from_secs(60);

/// How much later a deletion is than a Job's end where the two are not of one moment.
const APART: SignedDuration = SignedDuration::from_secs(2);

/// When the Job that owned the pod had completed or failed, and the proof.
pub(super) struct Finish {
    /// The moment.
    pub(super) at: Timestamp,
    /// What tells it.
    pub(super) proof: Proof,
    /// It did its work.
    pub(super) well: bool,
    /// The seconds after which it is removed; `None`: it stays, or nothing tells.
    ttl_seconds: Option<i64>,
    /// The Job itself is there to tell whether it is removed.
    shown: bool,
}

/// The end of the pod's Job: by the Job, else by its controller's event.
pub(super) fn finish(case: &Case<'_>) -> Option<Finish> {
    let pod = case.pod_spec()?;
    let owner = pod.owner.as_ref().filter(|owner| owner.kind == "Job")?;
    let same = |namespace: Option<&String>| {
        namespace.is_none() || pod.namespace.is_none() || namespace == pod.namespace.as_ref()
    };
    let own = |it: &Revision| it.kind == "Job" && it.name == owner.name && same(it.namespace.as_ref());
    if let Some((job, from)) = case.index.revisions.iter().find(|(it, _)| own(it)) {
        let at = job.finished?;
        let ttl = job.ttl_seconds.map(|ttl| format!(", ttlSecondsAfterFinished: {ttl}")).unwrap_or_default();
        let (says, excerpt) = ("its job had finished", format!("finished: {at}{ttl}"));
        let proof = Proof { says: says.into(), from: from.clone(), excerpt };
        return Some(Finish { at, proof, well: job.completed, ttl_seconds: job.ttl_seconds, shown: true });
    }
    let of_job = |event: &Seen<'_, Event>| {
        let object = &event.it.object;
        object.kind.as_deref() == Some("Job")
            && object.name.as_ref() == Some(&owner.name)
            && same(object.namespace.as_ref())
    };
    let reasons = ["Completed", "BackoffLimitExceeded", "DeadlineExceeded", "PodFailurePolicy"];
    let mut events = reasons.into_iter().flat_map(|reason| case.index.events.with_reason(reason));
    let event = events.find(of_job)?;
    let proof = quote::event(&event, "its job had finished");
    let well = event.it.reason == "Completed";
    Some(Finish { at: event.it.first.or(event.it.last)?, proof, well, ttl_seconds: None, shown: false })
}

/// The Job's end lay between the container's and the deletion: a Job is finished when the pods that count have ended, so
/// that the deletion came after the end, however close.
pub(super) fn finished_between(case: &Case<'_>, finished: Timestamp, deleted: Timestamp) -> bool {
    finish(case).is_some_and(|job| finished <= job.at && deleted.duration_since(job.at) > APART)
}

/// The Job was due to be removed by its `ttlSecondsAfterFinished` when the container was asked to stop.
pub(super) fn expired(case: &Case<'_>) -> Option<Proof> {
    let job = finish(case)?;
    let due = job.at.checked_add(SignedDuration::from_secs(job.ttl_seconds?)).ok()?;
    let waited = stop::asked(case)?.duration_since(due);
    let says = "its job had finished and was due to be removed with its pods then (ttlSecondsAfterFinished)";
    (-SKEW..=QUEUE).contains(&waited).then(|| Proof { says: says.into(), ..job.proof })
}

/// The Job had finished when the container was asked to stop, and may have a `ttlSecondsAfterFinished` that is not told:
/// then its removal takes its pods along, and leaves no event.
pub(super) fn may_have_expired(case: &Case<'_>) -> Option<Proof> {
    let job = finish(case).filter(|job| !job.shown)?;
    let asked = stop::asked(case).or_else(|| asked_of_the_gone(case))?;
    (job.at <= asked).then_some(job.proof)
}

/// Of a pod that is gone no life is told that the request would have to be of.
pub(super) fn asked_of_the_gone(case: &Case<'_>) -> Option<Timestamp> {
    stopping(case).filter(|_| case.is_gone()).and_then(|event| event.it.last.or(event.it.first))
}

/// A `CronJob` says that it deleted the job that owned the pod, and so the pod: `Deleted job cron-29931011`
/// (pkg/controller/cronjob/cronjob_controllerv2.go `deleteJob`, v1.37). Of events that repeat only the last one's name
/// is kept (client-go `EventAggregator`): then the moment tells.
pub(super) fn deleted_with<'a>(case: &Case<'a>) -> Option<Seen<'a, Event>> {
    let pod = case.pod_spec()?;
    let Owner { name: job, .. } = pod.owner.as_ref().filter(|owner| owner.kind == "Job")?;
    let by_cron = |event: &Seen<'a, Event>| {
        let object = &event.it.object;
        object.kind.as_deref() == Some("CronJob")
            && object.namespace == pod.namespace
            && object.name.as_deref().is_some_and(|cron| naming::is_maker_of("CronJob", cron, job))
    };
    let asked = stopping(case).and_then(|event| event.it.last.or(event.it.first));
    let combined = |event: &Seen<'a, Event>| {
        let Event { first, last, .. } = event.it;
        let stretch = first.or(*last).zip(last.or(*first)).zip(asked);
        event.it.message.starts_with("(combined from similar events)")
            && stretch.is_some_and(|((first, last), asked)| {
                first.duration_since(asked) <= SKEW && asked.duration_since(last) <= SKEW
            })
    };
    let told: Vec<_> = case.index.events.with_reason("SuccessfulDelete").filter(by_cron).collect();
    let named = told.iter().find(|event| removal::names(&event.it.message, job));
    named.or_else(|| told.iter().find(|event| combined(event))).copied()
}

/// The Job that owned the pod had failed or was suspended: then its controller deletes the pods that still run
/// (pkg/controller/job/job_controller.go `syncJob`, v1.37).
pub(super) fn ended<'a>(case: &Case<'a>) -> Option<(Seen<'a, Event>, Proof)> {
    let pod = case.pod_spec()?;
    let owner = pod.owner.as_ref().filter(|owner| owner.kind == "Job")?;
    let of_job = |event: &Seen<'_, Event>| {
        event.it.object.name.as_ref() == Some(&owner.name) && event.it.object.namespace == pod.namespace
    };
    let reasons = ["BackoffLimitExceeded", "DeadlineExceeded", "PodFailurePolicy", "Suspended"];
    let in_time = |event: &Seen<'_, Event>| event.it.reason != "Suspended" || is_when_asked(case, event);
    let mut events = reasons.into_iter().flat_map(|reason| case.index.events.with_reason(reason));
    let event = events.find(|event| of_job(event) && in_time(event))?;
    let says = match event.it.reason.as_str() {
        "Suspended" => "its job was suspended, and the pods of a suspended job are deleted",
        _ => "its job had failed, and the pods of a failed job are deleted",
    };
    Some((event, quote::event(&event, says)))
}

/// The same as the reason of the pod's removal, where that was asked for at that moment.
pub(super) fn deleted_for(case: &Case<'_>) -> Option<Proof> {
    let (event, proof) = ended(case)?;
    is_when_asked(case, &event).then_some(proof)
}

/// The event is of the moment at which the container was asked to stop.
fn is_when_asked(case: &Case<'_>, event: &Seen<'_, Event>) -> bool {
    let moments = || [event.it.first, event.it.last].into_iter().flatten();
    stop::asked(case).is_some_and(|asked| moments().any(|at| at.duration_since(asked).abs() <= SKEW))
}
