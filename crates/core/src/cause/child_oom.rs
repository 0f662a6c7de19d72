//! A child was killed by the OOM killer, and the main process then ended by itself.

use super::killing::{self, Killing};
use super::{Cause, Finding, Found, Proof, advice, kernel, probe, quote, stop, told_on_node, victim};
use crate::case::Case;
use crate::diagnosis::{Advice, Confidence, Verdict};

pub(super) const CAUSE: Cause = Cause { verdict: Verdict::ChildOom, judge, advise };

fn judge(case: &Case<'_>) -> Finding {
    let Some(killing) = killing::of(case).filter(|killing| killing.verdict == Verdict::ChildOom) else {
        return Finding::Absent;
    };
    if ended_by_the_kubelet(case, &killing) {
        return Finding::Absent;
    }
    let mut proofs: Vec<Proof> = killing.report.map(quote::kill).into_iter().collect();
    proofs.extend(quote::termination(case));
    proofs.extend(told_on_node::proof(case).filter(|_| killing.report.is_none()));
    proofs.extend(kernel::while_deleted(case, &killing));
    if proofs.is_empty() {
        return Finding::Absent;
    }
    let then = match (&case.death, case.exit_code()) {
        (None, _) => "what its main process did then is not told".to_owned(),
        (_, None) => "its main process then ended by itself".to_owned(),
        (_, Some(143)) => "its main process then ended on SIGTERM, or left with 143 itself".to_owned(),
        (_, Some(code)) => format!("its main process then ended by itself with exit code {code}"),
    };
    let summary = format!("The kernel killed {} of {}; {then}.", kernel::who(&killing), place(case, &killing));
    // Whoever sent a SIGTERM, or a SIGKILL to what is deleted, may have had another reason.
    let kubelets = case.exit_code() == Some(143) || case.was_signaled(9) && stop::is_deleted(case);
    let most = if kubelets { Confidence::Likely } else { Confidence::Proven };
    let mut found = Found::new(killing.confidence.min(most), summary, proofs);
    found.oom_kill = killing.certain.then_some(true);
    found.level = killing.level;
    found.victim = Some(killing.victim);
    if killing.report.is_none() {
        found =
            found.missing("which process was killed, and by which cgroup's limit", kernel::kernel_log_command(case));
    }
    found.into()
}

/// The kubelet stopped the main process after the kill: with its pod, or for a probe that fails again and again. A child
/// that is killed while its container shuts down may be why that ended.
fn ended_by_the_kubelet(case: &Case<'_>, killing: &Killing<'_, '_>) -> bool {
    let at = killing.report.and_then(|kill| kill.kill.at);
    let after = stop::asked(case).zip(at).is_some_and(|(asked, at)| at > asked) && !killed_out_of_grace(case, killing);
    let fails = matches!(case.exit_code(), Some(0 | 137 | 143)) && probe::fails_in_a_loop(case);
    stop::was_stopped(case) && !after || fails && probe::timing_fits(case)
}

/// It went on after the kill until its grace period was over, and got SIGKILL then: the kubelet's.
fn killed_out_of_grace(case: &Case<'_>, killing: &Killing<'_, '_>) -> bool {
    let late = killing.report.is_some_and(|kill| victim::came_late(case, kill));
    late && case.was_signaled(9) && stop::ran_out(case) == Some(true)
}

/// Where the child was: the container, or the cgroup where there is none.
fn place(case: &Case<'_>, killing: &Killing<'_, '_>) -> String {
    let report = killing.report.filter(|_| kernel::is_of_no_container(case));
    let path = report.and_then(|kill| kill.kill.task_memcg.as_deref());
    path.map_or_else(|| case.noun(), |path| format!("cgroup {}", quote::tail(path)))
}

fn advise(case: &Case<'_>) -> Vec<Advice> {
    if kernel::is_of_no_container(case) {
        return advice::limit_hit(case);
    }
    let mut list = advice::limit_hit(case);
    let hides = match case.exit_code() {
        Some(code) => format!("an exit code of {code} does not say that work was lost to the OOM killer"),
        None => "nothing else says that work was lost to the OOM killer".to_owned(),
    };
    list.push(advice::advice(
        "have the main process report the death of its children",
        format!("{hides}; on cgroup v2 the kubelet kills the whole container together unless singleProcessOOMKill is set (1.32)"),
        "none",
    ));
    list
}
