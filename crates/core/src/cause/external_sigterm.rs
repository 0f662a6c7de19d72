//! SIGTERM from outside that nothing else explains, an engine's stop included.

use super::{Cause, Finding, Found, advice, kernel, killing, quote, signal};
use crate::case::Case;
use crate::diagnosis::{Advice, Confidence, Verdict};

pub(super) const CAUSE: Cause = Cause { verdict: Verdict::ExternalSigterm, judge, advise };

fn judge(case: &Case<'_>) -> Finding {
    let killed = killing::of_main(case);
    let sent = signal::sent_by_engine(case);
    let stopped = signal::asked_to_end(case, &sent) && !sent.iter().any(|event| event.it.signal == Some(9));
    let ended = case.exit_code().is_some_and(|code| code == 143 || stopped && code != 137);
    if killed || !ended {
        return Finding::Absent;
    }
    let mut proofs: Vec<_> = quote::termination(case).into_iter().collect();
    proofs.extend(signal::engine_proofs(&sent));
    let excluded = kernel::excluded(case).or(case.pod.is_some().then_some(false));
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

fn advise(_: &Case<'_>) -> Vec<Advice> {
    vec![advice::advice(
        "look for a stop at that moment: a restart of the node or the engine, a deployment tool, an operator",
        "SIGTERM is a request to end; memory has no part in it",
        "none",
    )]
}
