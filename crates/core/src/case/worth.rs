//! Whether there is something to tell of a container or pod.

use crate::fact::ContainerKind;

use super::{Case, CaseKill, Life, Tie};

pub(super) fn is_worth_a_diagnosis(case: &Case<'_>) -> bool {
    if let Some(end) = case.termination() {
        let well = end.exit_code == Some(0) && !end.reason.as_deref().is_some_and(is_oom_reason);
        let quiet = case.kills.is_empty() && !case.counters.iter().any(|counters| counters.oom_kill > Some(0));
        let routine_init = case.container.is_some_and(|container| container.kind == ContainerKind::Init);
        return !(well && quiet && routine_init && !case.named);
    }
    if case.is_gone() && case.events.iter().any(|event| event.it.reason == "Killing") {
        return true;
    }
    let own = |kill: &CaseKill<'_>| kill.life != Life::Earlier && kill.tie != Tie::SomeContainer;
    if case.named || case.kills.iter().any(own) {
        return true;
    }
    if case.counters.iter().any(|counters| counters.oom_kill > Some(0)) || !case.userspace.is_empty() {
        return true;
    }
    // Docker's flag on one that runs: a process of it was killed since it started.
    let flagged = case.engine.is_some_and(|engine| engine.it.oom_killed == Some(true));
    if flagged || case.engine_events.iter().any(|event| event.it.action == "oom") && case.is_running() {
        return true;
    }
    if let Some((reason, _)) = case.waiting() {
        let routine = matches!(reason, "" | "ContainerCreating" | "PodInitializing");
        return !routine || case.events.iter().any(|event| event.it.warning && is_start_failure(&event.it.reason));
    }
    if case.is_running() && case.events.iter().any(|event| event.it.reason == "Killing") {
        return case.status().is_some_and(|status| status.restart_count.unwrap_or(0) > 0);
    }
    // A restart without a recorded end: something ended, nobody says how.
    case.status().is_some_and(|status| status.restart_count.unwrap_or(0) > 0)
        || case.container.is_some_and(|container| container.name.is_none())
            && case.events.iter().any(|event| event.it.reason == "Killing")
}

/// The pod itself was rejected, evicted or taken away, and no container tells of it.
pub(super) fn pod_has_a_fate(case: &Case<'_>) -> bool {
    let Some(pod) = case.pod_spec() else { return false };
    let routine = matches!(
        pod.reason.as_deref(),
        None | Some("" | "Running" | "Completed" | "ContainerCreating" | "PodInitializing")
    );
    case.named
        || !routine
        || pod.phase.as_deref() == Some("Failed")
        || pod.conditions.iter().any(|condition| condition.kind == "DisruptionTarget" && condition.status == "True")
        || case.events.iter().any(|event| {
            matches!(
                event.it.reason.as_str(),
                "Evicted"
                    | "FailedScheduling"
                    | "Preempted"
                    | "Preempting"
                    | "TaintManagerEviction"
                    | "DeadlineExceeded"
                    | "NodeShutdown"
            ) || event.it.reason == "Killing"
                || event.it.warning && is_start_failure(&event.it.reason)
        })
}

pub(crate) fn is_start_failure(reason: &str) -> bool {
    matches!(
        reason,
        "FailedCreatePodSandBox"
            | "Failed"
            | "FailedMount"
            | "InspectFailed"
            | "ErrImageNeverPull"
            | "FailedCreatePodContainer"
    )
}

/// The runtime's own process before the program's exec: runc re-executes itself as `runc:[1:CHILD]` and `runc:[2:INIT]`
/// (libcontainer/nsenter).
pub(crate) fn is_runtimes(comm: &str) -> bool {
    comm.starts_with("runc:[") || comm == "crun" || comm == "youki" || comm.starts_with("youki:[")
}

/// The reasons by which runtimes report an OOM kill: `OOMKilled`, the `OOM Killed` of 2014 and of Nomad (drivers/docker),
/// and the ECS agent's sentence, which rests on the engine's flag (agent/engine/errors.go).
pub(crate) fn is_oom_reason(reason: &str) -> bool {
    matches!(reason, "OOMKilled" | "OOM Killed" | "OomKilled")
        || reason.starts_with("OutOfMemoryError: Container killed due to memory usage")
}
