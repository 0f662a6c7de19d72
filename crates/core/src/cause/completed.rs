//! It ended well.

use jiff::Timestamp;

use super::{Cause, Finding, Found, Proof, kernel, killing, probe, quote, stop};
use crate::case::Case;
use crate::diagnosis::{Confidence, Verdict};
use crate::fact::{ContainerKind, State};

pub(super) const CAUSE: Cause = Cause { verdict: Verdict::Completed, judge, advise: |_| Vec::new() };

fn judge(case: &Case<'_>) -> Finding {
    if killing::of(case).is_some() {
        return Finding::Absent;
    }
    if let Some(stop) = stopped_at_the_pods_end(case) {
        let mut proofs = vec![stop];
        proofs.extend(quote::termination(case));
        let how = stop::forced(case);
        let summary = format!(
            "{} was stopped by the kubelet because the pod's other containers had ended{how}.",
            kernel::capital(&case.noun())
        );
        return Found::new(Confidence::Proven, summary, proofs).oom_kill(kernel::oom_kill(case, Some(false))).into();
    }
    // A program that was stopped with its pod and answered SIGTERM with 0 had not done its work.
    if case.exit_code() != Some(0) || probe::fails_in_a_loop(case) || stop::was_stopped(case) {
        return Finding::Absent;
    }
    let proofs: Vec<_> = quote::termination(case).into_iter().collect();
    if proofs.is_empty() {
        return Finding::Absent;
    }
    let summary = format!("{} ended well (exit code 0).", kernel::capital(&case.noun()));
    Found::new(Confidence::Proven, summary, proofs).oom_kill(kernel::oom_kill(case, Some(false))).into()
}

/// The kubelet stops a sidecar when the containers that it serves have ended; how it then ends does not count
/// (KEP-753). A SIGKILL is the kubelet's where the grace period had run out.
fn stopped_at_the_pods_end(case: &Case<'_>) -> Option<Proof> {
    let pod = case.pod_spec()?;
    let is_sidecar = case.container?.kind == ContainerKind::Sidecar;
    let is_over = matches!(pod.phase.as_deref(), Some("Succeeded" | "Failed"));
    let by_signal = match case.exit_code()? {
        143 => true,
        137 => stop::grace_expired(case) == Some(true),
        _ => false,
    };
    if !is_sidecar || !is_over || !by_signal || !case.death.as_ref()?.current {
        return None;
    }
    let event = stop::stopping(case)?;
    let asked = event.it.last.or(event.it.first)?;
    let apps = pod.containers.iter().filter(|container| container.kind == ContainerKind::App);
    let ends: Option<Vec<Timestamp>> = apps
        .map(|container| match &container.status.as_ref()?.state {
            Some(State::Terminated(end)) => end.finished,
            _ => None,
        })
        .collect();
    let last = ends?.into_iter().max()?;
    let in_order = last.duration_since(asked) <= stop::SLACK && asked.duration_since(case.finished()?) <= stop::SLACK;
    in_order.then(|| quote::event(&event, "the kubelet stopped the sidecar after the pod's other containers had ended"))
}
