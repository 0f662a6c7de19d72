//! The program ended by itself with an error.

use super::{Cause, Finding, Found, advice, kernel, killing, quote, signal};
use crate::case::Case;
use crate::diagnosis::{Advice, Confidence, Verdict};
use crate::fact::WaitStatus;
use crate::signal::name;

pub(super) const CAUSE: Cause = Cause { verdict: Verdict::AppError, judge, advise };

fn judge(case: &Case<'_>) -> Finding {
    let Some(code) = case.exit_code() else { return Finding::Absent };
    // SIGABRT, SIGBUS, SIGKILL, SIGSEGV and requests to end have causes of their own.
    let of_others = [6, 7, 9, 11].iter().any(|number| case.was_signaled(*number)) || signal::request(case).is_some();
    if code == 0 || of_others {
        return Finding::Absent;
    }
    let lost = code == 255 && case.reason() == Some("Unknown");
    if lost || killing::of(case).is_some() {
        return Finding::Absent;
    }
    let mut proofs: Vec<_> = quote::termination(case).into_iter().collect();
    if proofs.is_empty() {
        return Finding::Absent;
    }
    let child = kernel::child_killed(case);
    let unseen = child.is_some() || kernel::reports_a_killed_child(case);
    proofs.extend(child);
    let meaning = match code {
        129..=159 if case.wait_status().is_some() => " (a code of its own, no signal)",
        126 => " (a command could not be executed)",
        127 => " (a command was not found)",
        _ if kernel::reports_a_killed_child(case) => {
            " (256 - 9, with which programs report a child that was killed by SIGKILL)"
        }
        130 => " (SIGINT)",
        136 => " (SIGFPE)",
        160.. if case.wait_status().is_some() => " (a code of its own, no signal)",
        _ => "",
    };
    let who = kernel::capital(&case.noun());
    let summary = match case.wait_status() {
        Some(WaitStatus::Signaled(number)) => format!("{who} was ended by {}.", name(number)),
        _ => format!("{who} ended by itself with exit code {code}{meaning}."),
    };
    let killed = kernel::oom_kill(case, kernel::excluded(case));
    let found = Found::new(Confidence::Likely, summary, proofs).oom_kill(killed);
    if unseen && killed.is_none() {
        return found.missing("whether the kernel killed the child process", kernel::kernel_log_command(case)).into();
    }
    found.into()
}

fn advise(case: &Case<'_>) -> Vec<Advice> {
    let read = advice::advice("read the end of its log", "an exit code of its own is explained there", "none");
    vec![match advice::log_command(case) {
        Some(command) => advice::patched(read, command),
        None => read,
    }]
}
