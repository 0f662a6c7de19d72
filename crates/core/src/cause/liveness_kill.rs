//! The kubelet restarted the container because its liveness or startup probe failed.

use super::{Cause, Finding, Found, advice, kernel, killing, probe, quote, removal};
use crate::case::Case;
use crate::diagnosis::{Advice, Confidence, Verdict};

pub(super) const CAUSE: Cause = Cause { verdict: Verdict::LivenessKill, judge, advise };

fn judge(case: &Case<'_>) -> Finding {
    // OOMKilled with 137 is the OOM killer's end, unless the kubelet says that this very life failed its probe.
    let killed = killing::of_main(case);
    if let Some((event, confidence)) = probe::killing_event(case, probe::is_probe_kill) {
        if killed && (confidence < Confidence::Proven || event.it.last.is_none()) {
            return Finding::Absent;
        }
        let which = if event.it.message.contains("startup") { "startup" } else { "liveness" };
        let mut proofs = vec![quote::event(
            &event,
            format!("the kubelet says that the {which} probe failed and the container is restarted"),
        )];
        proofs.extend(probe::failures(case).map(|event| quote::event(&event, "the probe had been failing")));
        proofs.extend(quote::termination(case));
        return found(case, confidence, which, proofs);
    }
    if killed {
        return Finding::Absent;
    }
    if let Some((which, proof)) = probe::noted(case) {
        let mut proofs = vec![proof];
        proofs.extend(quote::termination(case));
        let stopped = matches!(case.exit_code(), Some(137 | 143) | None);
        // A quoted sentence without a name proves little of an engine's container that Kubernetes does not own.
        let confidence = match case.pod {
            Some(_) if stopped => Confidence::Proven,
            Some(_) => Confidence::Possible,
            None => Confidence::Likely,
        };
        if case.pod.is_some() || case.engine.is_none() {
            return found(case, confidence, which, proofs);
        }
        return Finding::Absent;
    }
    by_circumstance(case)
}

/// Ended by a stop signal with the probe failing, or again and again by SIGTERM with lifetimes that fit the probe.
fn by_circumstance(case: &Case<'_>) -> Finding {
    // A program that ends well on SIGTERM looks as if it had done its work.
    let stopped =
        matches!(case.exit_code(), Some(137 | 143)) || case.exit_code() == Some(0) && probe::fails_in_a_loop(case);
    let ends_with_pod = removal::is_deleted(case);
    if stopped
        && !ends_with_pod
        && let Some(failure) = probe::failures(case)
    {
        let mut proofs = vec![quote::event(&failure, "the probe had been failing")];
        proofs.extend(quote::termination(case));
        let which = if failure.it.message.starts_with("Startup") { "startup" } else { "liveness" };
        return found(case, Confidence::Likely, which, proofs);
    }
    let restarts = case.status().and_then(|status| status.restart_count).unwrap_or(0);
    if case.exit_code() == Some(143)
        && !ends_with_pod
        && restarts > 1
        && probe::timing_fits(case)
        && !case.events_cover_the_end()
    {
        let mut proofs: Vec<_> = quote::termination(case).into_iter().collect();
        proofs.extend(case.from.as_ref().map(|from| super::Proof {
            says: format!(
                "it has a liveness probe, was stopped by SIGTERM, and restarted {restarts} times in the same pod"
            ),
            from: from.clone(),
            excerpt: String::new(),
        }));
        return found(case, Confidence::Likely, "liveness", proofs);
    }
    let unset = case.pod_spec().is_some_and(|pod| pod.complete)
        && case.container.is_some_and(|container| container.liveness.is_none() && container.startup.is_none());
    if unset && stopped {
        return Finding::RuledOut("the container has no liveness or startup probe".into());
    }
    if stopped && case.events_cover_the_end() && probe::failures(case).is_none() {
        return Finding::RuledOut("the events cover the moment and hold no failed probe of it".into());
    }
    Finding::Absent
}

fn found(case: &Case<'_>, confidence: Confidence, which: &str, proofs: Vec<super::Proof>) -> Finding {
    let how = match (case.exit_code(), removal::grace_expired(case)) {
        (Some(137), Some(true)) => "; it did not stop within its grace period and was killed",
        (Some(137), _) => "; it did not stop on SIGTERM and was killed",
        (Some(143), _) => "; it stopped on SIGTERM",
        _ => "",
    };
    let summary = format!("The kubelet restarted {} because its {which} probe failed{how}.", case.noun());
    let found = Found::new(confidence, summary, proofs).oom_kill(kernel::oom_kill(case, Some(false)));
    match confidence {
        Confidence::Proven => found.into(),
        _ => found
            .missing(
                "the kubelet's Killing event for this container",
                "kubectl get events --field-selector reason=Killing",
            )
            .into(),
    }
}

fn advise(case: &Case<'_>) -> Vec<Advice> {
    let mut list = vec![advice::advice(
        "find out why the probe did not answer in time: a stall (GC, CPU throttling, a lock), or a timeout too short",
        "the kubelet restarts a container whose liveness probe fails failureThreshold times in a row",
        "a slacker probe leaves a hanging container up for longer",
    )];
    if let Some(probe) = case.container.and_then(|container| container.liveness).filter(|probe| probe.timeout <= 1) {
        list.push(advice::patched(
            advice::advice(
                format!("give the probe more than {} s to answer", probe.timeout),
                "one second is Kubernetes' default and shorter than a garbage collection of a loaded heap",
                "a hanging container is found later",
            ),
            "livenessProbe:\n  timeoutSeconds: 5\n  failureThreshold: 3",
        ));
    }
    list
}
