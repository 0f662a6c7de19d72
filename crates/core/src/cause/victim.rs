//! Which process of its container a kill's victim was: its first one, whose end is the container's, or a child.

use jiff::SignedDuration;

use super::killing::ended_by_engine;
use crate::case::{Case, CaseKill, is_oom_reason, is_runtimes};
use crate::diagnosis::VictimKind;
use crate::fact::{AtFrom, Container, Level, WaitStatus};

/// A main process that is killed ends within this time, on the slowest of nodes.
pub(super) const PROMPT: SignedDuration = SignedDuration::from_mins(2);

/// How long before the end the kernel dates a kill; `None` where one of the two is not dated, or only by a guess.
pub(super) fn before_the_end(case: &Case<'_>, kill: &CaseKill<'_>) -> Option<SignedDuration> {
    let at = kill.kill.at.filter(|_| kill.kill.at_zone_known && kill.kill.at_year_known)?;
    // The kernel's clock stands still while a machine sleeps: a kill dated by it may be later than it seems. Where the
    // end is called an OOM kill anyhow, it is this one.
    let said = case.reason().is_some_and(is_oom_reason) || case.engine.is_some_and(|it| it.it.oom_killed == Some(true));
    let by_uptime = kill.kill.at_from == Some(AtFrom::BootTime);
    Some(case.finished()?.duration_since(at)).filter(|_| !(by_uptime && said))
}

/// The container lived on after the kill: the victim was not its main process.
pub(super) fn was_outlived(case: &Case<'_>, kill: &CaseKill<'_>) -> bool {
    before_the_end(case, kill).is_some_and(|time| time > PROMPT)
}

/// A process that is killed is gone within this time where nothing is wrong with the node; a shell passes a child's end on
/// at once.
const SOON: SignedDuration = SignedDuration::from_secs(10);

/// The end came well after the kill, and the container may have a probe that failed in between: the kubelet may have ended
/// the main process. Of a text that shows no spec a probe is not excluded.
pub(super) fn may_have_failed_a_probe_since(case: &Case<'_>, kill: &CaseKill<'_>) -> bool {
    let Some(pod) = case.pod_spec() else { return false };
    let none = |container: &Container| container.liveness.is_none() && container.startup.is_none();
    let unset = pod.complete && case.container.is_some_and(none);
    let stopped = matches!(case.exit_code(), Some(137 | 143));
    stopped && !unset && came_late(case, kill) && !case.events_cover_the_end()
}

/// The end came later than that of a process that is killed does.
pub(super) fn came_late(case: &Case<'_>, kill: &CaseKill<'_>) -> bool {
    before_the_end(case, kill).is_some_and(|time| time > SOON)
}

/// The report itself tells whether the victim was the first process: by its table, or because all were killed.
pub(super) fn is_told(case: &Case<'_>, kill: &CaseKill<'_>) -> bool {
    kill.kill.group || first_of_its_container(case, kill).is_some()
}

/// Which process of the container a report's victims are.
pub(super) fn of(case: &Case<'_>, kill: &CaseKill<'_>) -> VictimKind {
    let report = kill.kill.it;
    if matches!(case.wait_status(), Some(WaitStatus::NeverRan(_))) {
        return VictimKind::RuntimeInit;
    }
    let comm = report.victims.first().and_then(|victim| victim.comm.as_deref()).unwrap_or_default();
    if is_runtimes(comm) {
        return VictimKind::RuntimeInit;
    }
    if comm == "pause" && case.container.is_none_or(|container| container.name.as_deref() != Some("pause")) {
        return VictimKind::Sandbox;
    }
    // Of a pod that is gone nothing tells whether the container went on.
    if case.death.is_none() && (case.is_running() || case.container.is_some()) && !case.is_gone() {
        // The status is older than the kill.
        return if was_alone(kill) { VictimKind::Main } else { VictimKind::Child };
    }
    if case.exit_code().is_some() && !case.was_signaled(9) {
        return VictimKind::Child;
    }
    if report.group {
        return VictimKind::Main;
    }
    if was_outlived(case, kill) || ended_by_engine(case) {
        return VictimKind::Child;
    }
    match first_of_its_container(case, kill) {
        Some(false) => VictimKind::Child,
        _ => VictimKind::Main,
    }
}

/// The only process of the container's own cgroup was killed: nothing of it lives.
pub(super) fn was_alone(kill: &CaseKill<'_>) -> bool {
    let report = kill.kill.it;
    let processes = || report.candidates.iter().filter(|row| row.comm != "pause").map(|row| row.pid);
    let killed = |pid| report.victims.iter().any(|victim| victim.pid == Some(pid));
    let own = report.level == Some(Level::Container) && report.below_the_container().is_none();
    own && processes().count() == 1 && processes().all(killed)
}

/// The table lists processes other than the victims and the sandbox's.
pub(super) fn has_survivors(kill: &CaseKill<'_>) -> bool {
    let report = kill.kill.it;
    let killed = |pid| report.victims.iter().any(|victim| victim.pid == Some(pid));
    report.candidates.iter().any(|row| row.comm != "pause" && !killed(row.pid))
}

/// The sandbox's process in the table of a pod's cgroup, where none is called `pause`: containerd and cri-dockerd start
/// it before any container, so that it has the lowest pid. CRI-O has none unless the containers share their processes.
fn sandbox(case: &Case<'_>, kill: &CaseKill<'_>) -> Option<u32> {
    let rows = &kill.kill.it.candidates;
    let has_one = matches!(case.runtime(), Some("containerd" | "docker"));
    if kill.kill.level != Some(Level::Pod) || !has_one || rows.len() < 2 || rows.iter().any(|row| row.comm == "pause") {
        return None;
    }
    // Whose first rows were cut may begin with the victim itself, which the sandbox is not.
    let killed = |pid: &u32| kill.kill.victims.iter().any(|victim| victim.pid == Some(*pid));
    rows.iter().map(|row| row.pid).min().filter(|pid| !killed(pid))
}

/// Whether a victim is the first process of its container, the one with the lowest pid. The table of a container's own
/// cgroup lists its processes alone. That of a pod's cgroup lists those of all its containers and of the sandbox; the
/// kubelet gives a container an `oom_score_adj`, which its processes inherit. `None`: nothing tells.
pub(super) fn first_of_its_container(case: &Case<'_>, kill: &CaseKill<'_>) -> Option<bool> {
    let report = kill.kill.it;
    let sandbox = sandbox(case, kill);
    let rows = || report.candidates.iter().filter(|row| row.comm != "pause" && Some(row.pid) != sandbox);
    let killed = |pid: u32| report.victims.iter().any(|victim| victim.pid == Some(pid));
    if report.level == Some(Level::Container) || case.pod.is_none() && report.task_memcg == report.oom_memcg {
        // The table of a cgroup inside of the container lists that one's processes: its first need not be the container's.
        let inside = report.below_the_container().is_some();
        return rows().map(|row| row.pid).min().map(killed).filter(|first| !(*first && inside));
    }
    if report.level != Some(Level::Pod) {
        return None;
    }
    let adj = rows().find(|row| killed(row.pid))?.oom_score_adj;
    let first = rows().filter(|row| row.oom_score_adj == adj).map(|row| row.pid).min()?;
    // Another container may have the same adjustment.
    (killed(first) || case.is_alone_in_its_pod()).then(|| killed(first))
}
