//! A child was killed by the OOM killer and the container runs on: nothing in the API shows it.

use super::{Cause, Finding, Found, Proof, advice, kernel, killing, quote};
use crate::case::Case;
use crate::diagnosis::{Advice, Verdict};

pub(super) const CAUSE: Cause = Cause { verdict: Verdict::ChildOomInvisible, judge, advise };

fn judge(case: &Case<'_>) -> Finding {
    let Some(killing) = killing::of(case).filter(|killing| killing.verdict == Verdict::ChildOomInvisible) else {
        return Finding::Absent;
    };
    let mut proofs: Vec<Proof> = killing.report.map(quote::kill).into_iter().collect();
    proofs.extend(case.counters.iter().filter(|counters| counters.oom_kill > Some(0)).take(2).map(|counters| Proof {
        says: format!("its OOM counter stands at {}", counters.it.oom_kill.unwrap_or_default()),
        from: counters.from.clone(),
        excerpt: format!("oom_kill {}", counters.it.oom_kill.unwrap_or_default()),
    }));
    let told = if proofs.is_empty() { kernel::engine_proof(case) } else { None };
    let rest = if told.is_some() { "" } else { "; the API shows nothing of it" };
    proofs.extend(told);
    if proofs.is_empty() {
        return Finding::Absent;
    }
    let summary = format!("The kernel killed {} of {}, which runs on{rest}.", kernel::who(&killing), case.noun());
    let mut found = Found::new(killing.confidence, summary, proofs).oom_kill(Some(true));
    found.level = killing.level;
    found.victim = Some(killing.victim);
    if killing.report.is_none() {
        found = found.missing("which process was killed, and when", kernel::kernel_log_command(case));
    }
    found.into()
}

fn advise(case: &Case<'_>) -> Vec<Advice> {
    advice::limit_hit(case)
}
