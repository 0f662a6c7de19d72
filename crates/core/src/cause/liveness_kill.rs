//! The kubelet restarted the container because its liveness or startup probe failed.

use super::probe::{self, Which};
use super::{Cause, Finding, Found, advice, kernel, killing, probe_advice, quote, stop};
use crate::case::Case;
use crate::diagnosis::{Confidence, Verdict};

pub(super) const CAUSE: Cause = Cause { verdict: Verdict::LivenessKill, judge, advise: probe_advice::of };

fn judge(case: &Case<'_>) -> Finding {
    // OOMKilled with 137 is the OOM killer's end, unless the kubelet says that this very life failed its probe.
    let killed = killing::of_main(case);
    if let Some((event, confidence)) = probe::killing_event(case, probe::is_probe_kill) {
        if killed && confidence < Confidence::Proven {
            return Finding::Absent;
        }
        let which = Which::of_kill(&event.it.message);
        let mut proofs = vec![quote::event(
            &event,
            format!("the kubelet says that the {} probe failed and the container is restarted", which.word()),
        )];
        proofs
            .extend(probe::failures(case, Some(which)).map(|event| quote::event(&event, "the probe had been failing")));
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
    let ends_with_pod = stop::is_deleted(case);
    if stopped
        && !ends_with_pod
        && let Some(failure) = probe::failures(case, None)
    {
        let mut proofs = vec![quote::event(&failure, "the probe had been failing")];
        proofs.extend(quote::termination(case));
        return found(case, Confidence::Likely, probe::which(case), proofs);
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
        return found(case, Confidence::Likely, Which::Liveness, proofs);
    }
    let unset = case.pod_spec().is_some_and(|pod| pod.complete)
        && case.container.is_some_and(|container| container.liveness.is_none() && container.startup.is_none());
    if unset && stopped {
        return Finding::RuledOut("the container has no liveness or startup probe".into());
    }
    if stopped && case.events_cover_the_end() && probe::failures(case, None).is_none() {
        return Finding::RuledOut("the events cover the moment and hold no failed probe of it".into());
    }
    Finding::Absent
}

fn found(case: &Case<'_>, confidence: Confidence, which: Which, proofs: Vec<super::Proof>) -> Finding {
    let how = match (case.exit_code(), stop::grace_expired(case)) {
        (Some(137), Some(true)) => "; it did not stop within its grace period and was killed",
        (Some(137), _) => "; it did not stop on SIGTERM and was killed",
        (Some(143), _) => "; it stopped on SIGTERM",
        _ => "",
    };
    let mut summary = format!("The kubelet restarted {} because its {} probe failed{how}.", case.noun(), which.word());
    let mut proofs = proofs;
    if let Some((sentence, kills)) = kernel::before(case) {
        summary = format!("{summary} {sentence}");
        proofs.extend(kills);
    }
    let found = Found::new(confidence, summary, proofs).oom_kill(kernel::oom_kill(case, Some(false)));
    match confidence {
        Confidence::Proven => found.into(),
        _ => found.missing("the kubelet's Killing event for this container", advice::events_command(case)).into(),
    }
}
