//! The kubelet's own SIGKILL, due when a container ended that its status calls OOMKilled. On version 1 of cgroups, and with
//! runtimes that count a cgroup's kills, that word may be of a child that was killed before.

use super::killing::{self, Killing};
use super::{Proof, removal, signal, stop, told_on_node};
use crate::case::Case;
use crate::diagnosis::{Confidence, VictimKind};

/// Where nothing tells of the moment of the kill, and the kubelet's own SIGKILL was due when the main process ended, the
/// word may be of a child that was killed before.
pub(super) fn doubted<'c, 'a>(case: &Case<'a>, killing: Killing<'c, 'a>) -> Killing<'c, 'a> {
    if beside(case, &killing).is_none() {
        return killing;
    }
    Killing { victim_told: false, confidence: Confidence::Possible, ..killing }
}

/// The kubelet's SIGKILL that may be what ended the main process.
pub(super) fn beside(case: &Case<'_>, killing: &Killing<'_, '_>) -> Option<Due> {
    let undated =
        killing.report.is_none() && killing::seen_by_runtime(case).is_none() && told_on_node::kill(case).is_none();
    due(case).filter(|_| undated && killing.victim == VictimKind::Main)
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
