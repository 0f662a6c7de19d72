//! A fork or thread was refused by the pids limit.

use super::{Cause, Finding, Found, Proof, advice, kernel, killing, quote};
use crate::case::Case;
use crate::diagnosis::{Advice, Confidence, Verdict};
use crate::fact::{KernelNoteKind, Sign};

pub(super) const CAUSE: Cause = Cause { verdict: Verdict::PidsLimit, judge, advise };

fn judge(case: &Case<'_>) -> Finding {
    let killed = killing::of_main(case);
    if killed || case.exit_code() == Some(0) {
        return Finding::Absent;
    }
    let kernel_note = case.kernel_notes.iter().find(|note| note.it.kind == KernelNoteKind::PidsLimit);
    let sign = case
        .signs
        .iter()
        .find(|sign| matches!(sign.it.sign, Sign::JvmThread | Sign::GoThread | Sign::ForkRefused) && sign.it.near_end);
    if kernel_note.is_none() && sign.is_none() || case.death.is_none() && case.pod.is_some() {
        return Finding::Absent;
    }
    let mut proofs: Vec<Proof> = kernel_note
        .map(|note| Proof {
            says: "the kernel refused a fork at the cgroup's pids limit".into(),
            from: note.from.clone(),
            excerpt: quote::cut(&note.it.line, 240),
        })
        .into_iter()
        .collect();
    proofs.extend(sign.map(|sign| quote::sign(sign, "its log says that a thread or process could not be made")));
    proofs.extend(quote::termination(case));
    let confidence = if kernel_note.is_some() { Confidence::Proven } else { Confidence::Likely };
    let summary = format!(
        "{} could not start a thread or process: the pids limit (or the user's process limit) was reached.",
        kernel::capital(&case.noun())
    );
    let found = Found::new(confidence, summary, proofs).oom_kill(kernel::oom_kill(case, kernel::excluded(case)));
    if kernel_note.is_some() {
        return found.into();
    }
    found
        .missing(
            "pids.events of the cgroup, which counts refusals (max)",
            "cat /sys/fs/cgroup/pids.events /sys/fs/cgroup/pids/pids.events",
        )
        .into()
}

fn advise(_: &Case<'_>) -> Vec<Advice> {
    vec![advice::advice(
        "find what makes threads without end (an unbounded pool, a leak of processes) before raising podPidsLimit",
        "'unable to create native thread' is EAGAIN from the pids limit far more often than a lack of memory",
        "a higher limit lets one pod use up the node's process ids",
    )]
}
