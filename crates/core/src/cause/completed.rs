//! It ended well.

use super::{Cause, Finding, Found, kernel, killing, quote};
use crate::case::Case;
use crate::diagnosis::{Confidence, Verdict};

pub(super) const CAUSE: Cause = Cause { verdict: Verdict::Completed, judge, advise: |_| Vec::new() };

fn judge(case: &Case<'_>) -> Finding {
    if case.exit_code() != Some(0) || killing::of(case).is_some() {
        return Finding::Absent;
    }
    let proofs: Vec<_> = quote::termination(case).into_iter().collect();
    if proofs.is_empty() {
        return Finding::Absent;
    }
    let summary = format!("{} ended well (exit code 0).", kernel::capital(&case.noun()));
    Found::new(Confidence::Proven, summary, proofs).oom_kill(kernel::oom_kill(case, Some(false))).into()
}
