//! SIGKILL from outside: proven to be no OOM kill, and explained by nothing else; or an engine's own kill.

use super::{Cause, Finding, Found, Proof, advice, job, kernel, killing, quote, removal, sidecar, signal};
use crate::case::{Case, Silence};
use crate::diagnosis::{Advice, Confidence, Verdict};
use crate::units::span;

pub(super) const CAUSE: Cause = Cause { verdict: Verdict::ExternalSigkill, judge, advise };

fn judge(case: &Case<'_>) -> Finding {
    // Who takes the pod away sent it, whoever that is.
    let explained = killing::of_main(case)
        || removal::unnamed_disruption(case).is_some()
        || sidecar::stopped(case).is_some()
        || job::may_have_expired(case).is_some();
    let forced = signal::forced(case);
    if explained || !(case.was_signaled(9) || case.exit_code().is_none() && forced.is_some()) {
        return Finding::Absent;
    }
    let mut proofs: Vec<Proof> = quote::termination(case).into_iter().collect();
    if let Some(proof) = forced {
        proofs.insert(0, proof);
        let summary = "The orchestrator killed it when it did not stop in time.";
        return Found::new(Confidence::Proven, summary, proofs).oom_kill(kernel::oom_kill(case, Some(false))).into();
    }
    let sent = signal::sent_by_engine(case);
    if sent.iter().any(|event| event.it.signal == Some(9)) {
        proofs.extend(signal::engine_proofs(&sent));
        let who = kernel::capital(&case.noun());
        let summary = if signal::asked_to_end(case, &sent) {
            let waited = signal::seconds_before_force(&sent).map(|seconds| format!(" within {}", span(seconds)));
            let waited = waited.unwrap_or_else(|| " in time".to_owned());
            format!("{who} was asked to stop through its engine, did not end{waited}, and was killed.")
        } else {
            format!("{who} was killed through its engine.")
        };
        return Found::new(Confidence::Proven, summary, proofs).oom_kill(kernel::oom_kill(case, Some(false))).into();
    }
    if let Some(event) = signal::unnamed_kill(case) {
        proofs.extend(signal::engine_proofs(&[event]));
        let summary = format!("{} was killed through its engine.", kernel::capital(&case.noun()));
        let excluded = kernel::oom_kill(case, kernel::excluded(case));
        return Found::new(Confidence::Likely, summary, proofs).oom_kill(excluded).into();
    }
    let Some(proof) = no_kill(case) else { return Finding::Absent };
    proofs.push(proof);
    let or_itself = if case.wait_status().is_some() { "" } else { ", or left with 137 itself" };
    let summary =
        format!("{} got SIGKILL from outside{or_itself}; the OOM killer did not do it.", kernel::capital(&case.noun()));
    Found::new(Confidence::Likely, summary, proofs)
        .oom_kill(kernel::oom_kill(case, Some(false)))
        .missing("who sent the signal: a trace on the node shows it the next time", "sudo bpftrace -e 'tracepoint:signal:signal_generate /args->sig == 9/ { printf(\"%s %d -> %d\\n\", comm, pid, args->pid); }'")
        .into()
}

/// What proves that the OOM killer did not send it.
fn no_kill(case: &Case<'_>) -> Option<Proof> {
    if let Some(counters) = case.counted_none() {
        return Some(Proof {
            says: "the counters of its own cgroup, read after its end, count no OOM kill".into(),
            from: counters.from.clone(),
            excerpt: "oom_kill 0".into(),
        });
    }
    let Silence::Proves(log) = case.kernel_silence() else { return None };
    let says = "the kernel log covers the moment and names no OOM kill of it".into();
    Some(Proof { says, from: log, excerpt: String::new() })
}

fn advise(_: &Case<'_>) -> Vec<Advice> {
    vec![advice::advice(
        "find the sender: a person or tool on the node, the runtime's stop, a supervisor inside the container",
        "no memory limit was hit; a higher limit would change nothing",
        "none",
    )]
}
