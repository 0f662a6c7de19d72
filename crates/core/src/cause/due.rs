//! The kubelet's own SIGKILL, due when a container ended that its status calls OOMKilled, or that lived on for a while
//! after a kill. On version 1 of cgroups, and with runtimes that count a cgroup's kills, that word may be of a child that
//! was killed before; and a report without the table of processes may be of a child, too.

use super::killing::{self, Killing};
use super::{Proof, advice, kernel, removal, signal, stop, told_on_node, victim};
use crate::case::Case;
use crate::diagnosis::{Confidence, VictimKind};

/// Where nothing tells of the moment of the kill, or it was well before the end, and the kubelet's own SIGKILL may have
/// been due when the main process ended, the kill may have been of a child.
pub(super) fn doubted<'c, 'a>(case: &Case<'a>, killing: Killing<'c, 'a>) -> Killing<'c, 'a> {
    if beside(case, &killing).is_none() {
        return killing;
    }
    Killing { victim_told: false, confidence: Confidence::Possible, ..killing }
}

/// The kubelet's SIGKILL that may be what ended the main process.
pub(super) fn beside(case: &Case<'_>, killing: &Killing<'_, '_>) -> Option<Due> {
    if killing.victim != VictimKind::Main {
        return None;
    }
    let Some(kill) = killing.report else {
        let undated = killing::seen_by_runtime(case).is_none() && told_on_node::kill(case).is_none();
        return due(case).filter(|_| undated);
    };
    if !victim::came_late(case, kill) || victim::is_told(case, kill) {
        return None;
    }
    due(case).or_else(|| {
        let sentence = " The container lived on for a while: the kernel may have killed a child, and the kubelet the main \
                        process for a failed probe.";
        victim::may_have_failed_a_probe_since(case, kill).then_some(Due { sentence, proof: None })
    })
}

/// What would tell more, and how to get it.
pub(super) fn missing(case: &Case<'_>, killing: &Killing<'_, '_>) -> (&'static str, String) {
    if killing.report.is_some() {
        let what = "who ended the main process: the pod's events name a failed probe or a deletion, and the kernel's table \
                    of processes tells a child from it";
        return (what, advice::events_command(case));
    }
    let what = "when the kernel killed, and what: OOMKilled may stand for a child that was killed before, and the SIGKILL \
                be the kubelet's";
    (what, kernel::kernel_log_command(case))
}

/// A SIGKILL of the kubelet's own that was due when a container ended, and looks like any other.
pub(super) struct Due {
    /// Why, as a sentence.
    pub(super) sentence: &'static str,
    /// What tells of it.
    pub(super) proof: Option<Proof>,
}

/// The pod was being evicted, or it was being deleted and its grace period was over.
fn due(case: &Case<'_>) -> Option<Due> {
    if case.exit_code() != Some(137) {
        return None;
    }
    if let Some(proof) = evicted_by_then(case) {
        let sentence = " Its pod was being evicted: the kubelet may have ended the main process.";
        return Some(Due { sentence, proof: Some(proof) });
    }
    (stop::is_deleted(case) && stop::ran_out(case) == Some(true)).then(|| Due {
        sentence: " Its pod was being deleted and the grace period was over: the kubelet may have ended the main process.",
        proof: grace_over(case),
    })
}

/// The kubelet had set out to evict the pod in the life that ended: where the node is short at once, without any grace.
fn evicted_by_then(case: &Case<'_>) -> Option<Proof> {
    let (_, proof) = removal::eviction(case)?;
    let events = case.events.iter().filter(|event| event.it.reason == "Evicted");
    let condition = removal::disruption(case).filter(|it| it.reason.as_deref() == Some("TerminationByKubelet"));
    let moments = events.filter_map(|event| event.it.first.or(event.it.last)).chain(condition.and_then(|it| it.since));
    moments.min().filter(|at| signal::is_of_life(case, Some(*at))).map(|_| proof)
}

/// The deletion as evidence where its time is known.
fn grace_over(case: &Case<'_>) -> Option<Proof> {
    let view = case.pod?;
    let at = view.pod.deletion.filter(|_| !stop::was_reset(case))?;
    Some(Proof {
        says: "the pod was being deleted, and the time that it was given was over then".into(),
        from: view.from.join("/metadata/deletionTimestamp"),
        excerpt: format!("deletionTimestamp: {at}"),
    })
}
