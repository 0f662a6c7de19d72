//! It ended well.

use super::{Cause, Finding, Found, kernel, killing, probe, quote, sidecar, stop};
use crate::case::Case;
use crate::diagnosis::{Confidence, Verdict};

pub(super) const CAUSE: Cause = Cause { verdict: Verdict::Completed, judge, advise: |_| Vec::new() };

fn judge(case: &Case<'_>) -> Finding {
    if killing::of(case).is_some() {
        return Finding::Absent;
    }
    if let Some((stop, confidence)) = sidecar::stopped(case) {
        let mut proofs = vec![stop];
        proofs.extend(quote::termination(case));
        let how = stop::forced(case);
        let summary = format!(
            "{} was stopped by the kubelet because the pod's other containers had ended{how}.",
            kernel::capital(&case.noun())
        );
        let otherwise = if confidence == Confidence::Proven { Some(false) } else { kernel::excluded(case) };
        return Found::new(confidence, summary, proofs).oom_kill(kernel::oom_kill(case, otherwise)).into();
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
