//! The process crashed: SIGSEGV, exit code 139.

use super::{Cause, Finding, Found, advice, kernel, killing, quote};
use crate::case::Case;
use crate::diagnosis::{Advice, Confidence, Verdict};

pub(super) const CAUSE: Cause = Cause { verdict: Verdict::Segfault, judge, advise };

fn judge(case: &Case<'_>) -> Finding {
    let killed = killing::of_main(case);
    if !case.was_signaled(11) || killed {
        return Finding::Absent;
    }
    let mut proofs: Vec<_> = quote::termination(case).into_iter().collect();
    proofs.extend(case.kernel_notes.iter().find(|note| note.it.kind == crate::fact::KernelNoteKind::Segfault).map(
        |note| super::Proof {
            says: "the kernel logged the fault".into(),
            from: note.from.clone(),
            excerpt: quote::cut(&note.it.line, 240),
        },
    ));
    Found::new(
        Confidence::Likely,
        format!("{} crashed with a segmentation fault (SIGSEGV).", kernel::capital(&case.noun())),
        proofs,
    )
    .oom_kill(kernel::oom_kill(case, kernel::excluded(case)))
    .into()
}

fn advise(_: &Case<'_>) -> Vec<Advice> {
    vec![advice::advice(
        "get a core dump or run it under a debugger",
        "an invalid memory access is a defect of the program or a library, seldom a lack of memory; V8 and others may end so on exhaustion, and then their log says it",
        "none",
    )]
}
