//! The process aborted: SIGABRT, exit code 134.

use super::{Cause, Finding, Found, advice, kernel, killing, quote};
use crate::case::Case;
use crate::diagnosis::{Advice, Confidence, Verdict};

pub(super) const CAUSE: Cause = Cause { verdict: Verdict::NativeAbort, judge, advise };

fn judge(case: &Case<'_>) -> Finding {
    let killed = killing::of_main(case);
    if !case.was_signaled(6) || killed {
        return Finding::Absent;
    }
    let proofs: Vec<_> = quote::termination(case).into_iter().collect();

    Found::new(Confidence::Likely, format!("{} aborted itself (SIGABRT).", kernel::capital(&case.noun())), proofs)
        .oom_kill(kernel::oom_kill(case, kernel::excluded(case)))
        .into()
}

fn advise(_: &Case<'_>) -> Vec<Advice> {
    vec![advice::advice(
        "read the last lines of its log: an abort is deliberate and nearly always says why",
        "V8, Go, glibc and assertions abort; a heap exhaustion that aborts leaves a message",
        "none",
    )]
}
