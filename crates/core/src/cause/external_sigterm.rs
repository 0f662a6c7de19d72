//! SIGTERM from outside that nothing else explains, an engine's stop included.

use super::{Cause, Finding, Found, Proof, advice, job, kernel, killing, quote, removal, sidecar, signal};
use crate::case::{Case, Seen};
use crate::diagnosis::{Advice, Confidence, Verdict};
use crate::fact::EngineEvent;
use crate::signal::name;

pub(super) const CAUSE: Cause = Cause { verdict: Verdict::ExternalSigterm, judge, advise };

fn judge(case: &Case<'_>) -> Finding {
    let explained = killing::of_main(case)
        || removal::unnamed_disruption(case).is_some()
        || sidecar::stopped(case).is_some()
        || job::may_have_expired(case).is_some();
    let sent = signal::sent_by_engine(case);
    let stopped = signal::asked_to_end(case, &sent) && !sent.iter().any(|event| event.it.signal == Some(9));
    let by_signal = signal::request(case);
    let ended = by_signal.is_some() || case.exit_code().is_some() && stopped && !case.was_signaled(9);
    // Of a command it is known for certain that no signal ended it: it left by itself, and well.
    let left_well = case.is_command() && by_signal.is_none() && case.exit_code() == Some(0);
    if explained || !ended || left_well {
        return Finding::Absent;
    }
    let mut proofs: Vec<_> = quote::termination(case).into_iter().collect();
    proofs.extend(signal::engine_proofs(&sent));
    let excluded = kernel::excluded(case).or(case.pod.is_some().then_some(false));
    if case.is_command() {
        return of_run(case, by_signal, &sent, proofs).oom_kill(kernel::oom_kill(case, excluded)).into();
    }
    if stopped {
        let summary =
            format!("{} was stopped through its engine and ended on the signal.", kernel::capital(&case.noun()));
        return Found::new(Confidence::Proven, summary, proofs).oom_kill(kernel::oom_kill(case, Some(false))).into();
    }
    let summary = format!(
        "{} ended on SIGTERM, or left with 143 itself; nothing here says who sent it. The OOM killer does not send SIGTERM.",
        kernel::capital(&case.noun())
    );
    Found::new(Confidence::Likely, summary, proofs)
        .oom_kill(kernel::oom_kill(case, excluded))
        .missing(
            "who sent the signal: its events, the engine's log or systemd's of the moment may tell",
            advice::events_command(case),
        )
        .into()
}

/// A command whose parent knows the signal, and which signals it was to pass on.
fn of_run(case: &Case<'_>, by: Option<i32>, sent: &[Seen<'_, EngineEvent>], proofs: Vec<Proof>) -> Found {
    let who = kernel::capital(&case.noun());
    let received = |number: i32| sent.iter().any(|event| event.it.signal == Some(number));
    match by {
        Some(number) if received(number) => {
            let name = name(number);
            let summary = format!("{who} ended on {name}: oomph got it, and the command with it.");
            Found::new(Confidence::Proven, summary, proofs)
        }
        Some(number) => {
            let name = name(number);
            let summary =
                format!("{who} ended on {name}, which did not come through oomph; who sent it is not told here.");
            Found::new(Confidence::Likely, summary, proofs).missing("who sent the signal", "journalctl --since -10min")
        }
        None => {
            let summary = format!("{who} was asked to end by SIGTERM, which oomph got and passed on, and ended.");
            Found::new(Confidence::Proven, summary, proofs)
        }
    }
}

fn advise(_: &Case<'_>) -> Vec<Advice> {
    vec![advice::advice(
        "look for a stop at that moment: a restart of the node or the engine, a deployment tool, an operator",
        "SIGTERM is a request to end; memory has no part in it",
        "none",
    )]
}
