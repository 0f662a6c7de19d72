//! Nothing died: the container thrashes or is throttled at its limit. Only for containers that are named or watched.

use super::{Cause, Finding, Found, Proof, advice, kernel};
use crate::case::Case;
use crate::diagnosis::{Advice, Confidence, Verdict};

pub(super) const CAUSE: Cause = Cause { verdict: Verdict::MemoryStall, judge, advise: stall_advice };

/// Percent of the last ten seconds in which every process waited for memory, from which on work stands still.
const STALLED_PERCENT: f64 = 10.0;

fn judge(case: &Case<'_>) -> Finding {
    if !case.named || case.death.is_some() {
        return Finding::Absent;
    }
    let stalled = case.counters.iter().find(|counters| {
        counters.it.under_oom == Some(true)
            || counters.it.pressure_full_avg10.is_some_and(|full| full >= STALLED_PERCENT)
    });
    let Some(counters) = stalled else { return Finding::Absent };
    let (says, excerpt) = match counters.it.pressure_full_avg10 {
        Some(full) => (
            format!("all its processes waited for memory {full} % of the last ten seconds"),
            format!("full avg10={full}"),
        ),
        None => {
            ("its processes wait at the limit because the OOM killer is switched off".into(), "under_oom 1".to_owned())
        }
    };
    let summary =
        format!("{} stands still at its memory limit; nothing was killed yet.", kernel::capital(&case.noun()));
    Found::new(Confidence::Likely, summary, vec![Proof { says, from: counters.from.clone(), excerpt }])
        .oom_kill(kernel::oom_kill(case, Some(false)))
        .into()
}

fn stall_advice(case: &Case<'_>) -> Vec<Advice> {
    advice::limit_hit(case)
}
