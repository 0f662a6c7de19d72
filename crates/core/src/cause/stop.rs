//! How a container was asked to stop with its pod, and whether it did in time.

use jiff::{SignedDuration, Timestamp};

use super::{advice, killing, probe, removal, signal};
use crate::case::{Case, Seen};
use crate::diagnosis::Advice;
use crate::fact::Event;

/// Clocks of status and events agree to the second.
pub(super) const SLACK: SignedDuration = SignedDuration::from_secs(2);

/// What the kubelet gives at the least (pkg/kubelet/kuberuntime/kuberuntime_container.go `minimumGracePeriodInSeconds`,
/// v1.37).
const LEAST: SignedDuration = SignedDuration::from_secs(2);

/// The kubelet's `Stopping container` event: the pod was being removed.
pub(super) fn stopping<'a>(case: &Case<'a>) -> Option<Seen<'a, Event>> {
    case.events
        .iter()
        .rev()
        .find(|event| event.it.reason == "Killing" && event.it.message.starts_with("Stopping container"))
        .copied()
}

/// The pod is being deleted, or is gone.
pub(super) fn is_deleted(case: &Case<'_>) -> bool {
    case.pod_spec().is_some_and(|pod| pod.deletion.is_some() || pod.terminating)
        || case.is_gone() && stopping(case).is_some()
}

/// When it was asked to stop because its pod was being deleted, in the life that is diagnosed: as the kubelet says, else
/// as the API's own times do. `None` also where the removal cannot have ended that life.
pub(super) fn asked(case: &Case<'_>) -> Option<Timestamp> {
    if !is_deleted(case) {
        return None;
    }
    let of_life = |at: &Timestamp| signal::is_of_life(case, Some(*at));
    let told = stopping(case).and_then(|event| event.it.last.or(event.it.first)).filter(of_life);
    told.or_else(|| asked_by_the_api(case).filter(|at| case.finished().is_some_and(|end| *at <= end)).filter(of_life))
}

/// The API sets the moment at which the grace period will be over; the kubelet's last delete sets its own.
fn asked_by_the_api(case: &Case<'_>) -> Option<Timestamp> {
    let pod = case.pod_spec().filter(|_| !was_reset(case))?;
    pod.deletion?.checked_sub(SignedDuration::from_secs(pod.deletion_grace_seconds?)).ok()
}

/// The removal of its pod stopped it, whatever its exit code: a program may answer SIGTERM with any.
pub(super) fn was_stopped(case: &Case<'_>) -> bool {
    let undated = || is_deleted(case) && stopping(case).is_some_and(|event| event.it.last.or(event.it.first).is_none());
    removal::applies(case) && (asked(case).is_some() || undated())
}

/// Once all containers have ended the kubelet deletes the pod with a grace period of nothing, and the API writes that and
/// the moment of it where the request's stood (pkg/kubelet/status/status_manager.go `syncPod`, v1.37).
pub(super) fn was_reset(case: &Case<'_>) -> bool {
    case.pod_spec().is_some_and(|pod| {
        let after = pod.deletion.zip(case.finished()).is_some_and(|(deletion, finished)| deletion >= finished);
        pod.deletion_grace_seconds == Some(0) && after
    })
}

/// What the container is given between SIGTERM and SIGKILL: what the deletion gives, else the probe that failed, else
/// the pod (pkg/kubelet/kuberuntime/kuberuntime_container.go `setTerminationGracePeriod`, v1.37).
fn grace(case: &Case<'_>, asked: Option<&Event>) -> SignedDuration {
    let pod = case.pod_spec();
    let of_probe = || {
        let message = asked.map(|event| event.message.as_str()).filter(|message| probe::is_probe_kill(message))?;
        let container = case.container?;
        let failed = if message.contains("startup probe") { container.startup } else { container.liveness };
        failed?.grace
    };
    let deletion = pod.and_then(|pod| pod.deletion_grace_seconds).filter(|_| !was_reset(case));
    let seconds = deletion.or_else(of_probe).or_else(|| pod?.grace_seconds).unwrap_or(30);
    SignedDuration::from_secs(seconds)
}

/// Whether the grace period ran out: asked to stop at a known moment, and ended by SIGKILL at least that much later.
pub(crate) fn grace_expired(case: &Case<'_>) -> Option<bool> {
    let code = case.exit_code()?;
    if code != 137 {
        return Some(false);
    }
    // A kill that the kernel reports is not the kubelet's.
    if killing::of_main(case)
        && killing::of(case).is_some_and(|killing| killing.report.is_some() && killing.victim_told)
    {
        return Some(false);
    }
    ran_out(case)
}

/// Whether at least the grace period lay between the request to stop and the end.
pub(super) fn ran_out(case: &Case<'_>) -> Option<bool> {
    let finished = case.finished()?;
    let in_time = |at: &Timestamp| signal::is_of_life(case, Some(*at));
    let killing = case.events.iter().filter(|event| event.it.reason == "Killing");
    let asked = killing
        .filter_map(|event| Some((event.it.last.or(event.it.first).filter(in_time)?, event.it)))
        .max_by_key(|(at, _)| *at);
    let grace = grace(case, asked.map(|(_, event)| event));
    let end = || case.pod_spec().filter(|_| !was_reset(case))?.deletion;
    let deleted = || end()?.checked_sub(grace).ok().filter(in_time);
    let asked = asked.map(|(at, _)| at).or_else(deleted)?;
    let waited = finished.duration_since(asked);
    match waited >= grace.saturating_sub(SLACK) {
        // The request may have given less than the pod does, and is not known any more.
        false if was_reset(case) && waited >= LEAST => None,
        expired => Some(expired),
    }
}

/// The preStop hook's failure where it had taken the whole grace period, which it shares with the program: that gets
/// SIGTERM only afterwards, and two seconds for it.
pub(super) fn slow_hook<'a>(case: &Case<'a>) -> Option<Seen<'a, Event>> {
    let asked = asked(case)?;
    let whole = grace(case, None).saturating_sub(SignedDuration::from_secs(1));
    let took_all = |event: &&Seen<'a, Event>| {
        let at = event.it.last.or(event.it.first);
        event.it.reason == "FailedPreStopHook"
            && signal::is_of_life(case, at)
            && at.is_some_and(|at| at.duration_since(asked) >= whole)
    };
    case.events.iter().rev().find(took_all).copied()
}

/// How a deletion ended for a container that did not stop in time; empty where it did, or nothing tells.
pub(super) fn forced(case: &Case<'_>) -> &'static str {
    match (slow_hook(case).is_some(), grace_expired(case)) {
        (true, Some(true)) => "; its preStop hook took the whole grace period, and it was killed",
        (true, _) => "; its preStop hook took the whole grace period",
        (false, Some(true)) => "; it did not stop within its grace period and was killed",
        (false, _) => "",
    }
}

/// What to do about a container that did not stop in time: nothing where it did.
pub(super) fn end_in_time(case: &Case<'_>, risk: &str) -> Vec<Advice> {
    if slow_hook(case).is_some() {
        return vec![advice::advice(
            "make the preStop hook end in time, or give it a longer terminationGracePeriodSeconds",
            "the hook runs within the grace period and took all of it: the program gets SIGTERM only after the hook, and \
             then has 2 s",
            risk,
        )];
    }
    if grace_expired(case) != Some(true) {
        return Vec::new();
    }
    vec![advice::advice(
        "make the program end on SIGTERM, or give it a longer terminationGracePeriodSeconds",
        "it was killed because it still ran when its grace period ended",
        risk,
    )]
}
