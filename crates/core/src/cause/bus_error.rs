//! The process died of SIGBUS, exit code 135: a full /dev/shm, hugetlb pages, or a truncated file.

use super::{Cause, Finding, Found, advice, kernel, killing, quote};
use crate::case::Case;
use crate::diagnosis::{Advice, Confidence, Verdict};

pub(super) const CAUSE: Cause = Cause { verdict: Verdict::BusError, judge, advise };

fn judge(case: &Case<'_>) -> Finding {
    let killed = killing::of_main(case);
    if !case.was_signaled(7) || killed {
        return Finding::Absent;
    }
    let mut proofs: Vec<_> = quote::termination(case).into_iter().collect();
    proofs.extend(
        case.signs
            .iter()
            .find(|sign| sign.it.sign == crate::fact::Sign::BusError)
            .map(|sign| quote::sign(sign, "its log tells of a bus error or a full file system")),
    );
    Found::new(Confidence::Likely, format!("{} died of SIGBUS.", kernel::capital(&case.noun())), proofs)
        .oom_kill(kernel::oom_kill(case, kernel::excluded(case)))
        .into()
}

fn advise(_: &Case<'_>) -> Vec<Advice> {
    vec![advice::advice(
        "check /dev/shm (64 MiB by default) and memory-mapped files",
        "touching a mapped page that the file system cannot back raises SIGBUS",
        "a larger /dev/shm is charged to the container's memory",
    )]
}
