//! What the events of a node tell of a kill on it: node-problem-detector repeats the kernel's line of each, the kubelet
//! those that were of no container's own limit. Neither names a pod.

use std::collections::HashSet;

use jiff::{SignedDuration, Timestamp};

use super::{Proof, quote};
use crate::case::{Case, Seen, is_oom_reason};
use crate::fact::{Event, KernelKill, State, Task, Termination};

/// An end that is dated this far from a kill may be that of its victim.
const SAME_TIME: SignedDuration = SignedDuration::from_secs(10);

/// What the kernel's words say ran out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Told {
    /// The limit of some memory cgroup.
    Cgroup,
    /// That of a cgroup above the pod's: the victim has an `oom_score_adj` of 1000, as in a pod without any limit.
    AboveThePod,
    /// The node's memory.
    Node,
}

/// What ran out at the end of this container (on cgroup v2 containerd calls the node's kills OOMKilled, too), where all
/// that was killed on its node then was killed for the same, and no more containers ended so than were told of.
pub(super) fn level(case: &Case<'_>) -> Option<Told> {
    let dated = |event: &Seen<'_, Event>| event.it.last.or(event.it.first).is_some();
    let mut events = of_this_end(case, "OOMKilling");
    events.extend(of_this_end(case, "SystemOOM").into_iter().filter(dated));
    let told = read(events.first()?.it)?;
    let alike = events.iter().all(|event| read(event.it) == Some(told));
    let victims: HashSet<_> = events.iter().map(|event| event.it.victim().and_then(|victim| victim.pid)).collect();
    (alike && rivals(case) < victims.len()).then_some(told)
}

/// The one kill of that moment on the node of the one container that ended so at that moment.
pub(super) fn kill<'a>(case: &Case<'a>) -> Option<(Seen<'a, Event>, Task)> {
    case.reason().filter(|reason| is_oom_reason(reason))?;
    let events = of_this_end(case, "OOMKilling");
    let event = *events.first()?;
    let victim = event.it.victim()?;
    let same = events.iter().all(|other| other.it.victim().as_ref() == Some(&victim));
    (same && rivals(case) == 0).then_some((event, victim))
}

/// That kill was by the limit of a memory cgroup, not for want of the node's memory.
pub(super) fn of_a_cgroup(case: &Case<'_>) -> bool {
    kill(case).is_some_and(|(event, _)| matches!(read(event.it), Some(Told::Cgroup | Told::AboveThePod)))
}

/// The kill as evidence.
pub(super) fn proof(case: &Case<'_>) -> Option<Proof> {
    let (event, victim) = kill(case)?;
    let (pid, comm) = (victim.pid.unwrap_or_default(), victim.comm.unwrap_or_else(|| "a process".into()));
    let by = match read(event.it) {
        Some(Told::Node) => "for want of the node's memory",
        Some(_) => "by the limit of a memory cgroup",
        None => "when memory ran out",
    };
    Some(quote::event(
        &event,
        format!("the node's event repeats the kernel's words: it killed {comm} (pid {pid}) {by}"),
    ))
}

/// Events with this reason that may be of this end: of its node and its moment, or in the text that shows the end where
/// either of the two moments is not told; and not of a process that the kernel's log shows elsewhere.
pub(super) fn of_this_end<'a>(case: &Case<'a>, reason: &str) -> Vec<Seen<'a, Event>> {
    let events = case.index.events.with_reason(reason);
    let in_time = |event: &Seen<'a, Event>| {
        let at = case.is_near_end(event.it.last.or(event.it.first));
        at.unwrap_or_else(|| case.from.as_ref().is_some_and(|from| from.artifact == event.from.artifact))
    };
    events.filter(|event| is_of_node(case, event.it) && in_time(event) && !is_anothers(case, event.it)).collect()
}

/// A piece of a node's describe text may stand among a pod's: only nodes have such events.
pub(super) fn is_of_node(case: &Case<'_>, event: &Event) -> bool {
    let pod = case.pod_spec();
    let name = event.object.name.as_deref();
    let own = match event.object.kind.as_deref() {
        Some("Pod") => pod.and_then(|pod| pod.name.as_deref()),
        _ => pod.and_then(|pod| pod.node.as_deref()),
    };
    name.is_none() || own.is_none() || name == own
}

/// The kernel's log shows the kill, and it is none of this container.
pub(super) fn is_anothers(case: &Case<'_>, event: &Event) -> bool {
    let Some(victim) = event.victim() else { return false };
    let at = event.last.or(event.first);
    let node = event.object.name.as_deref();
    let same = |kill: &KernelKill| {
        let named = |known: &crate::fact::Victim| known.pid == victim.pid && known.comm == victim.comm;
        let here = kill.node.as_deref().zip(node).is_none_or(|(log, node)| node.starts_with(log));
        let sure = kill.at.filter(|_| kill.at_zone_known && kill.at_year_known);
        let then = sure.zip(at).is_none_or(|(one, other)| one.duration_since(other).abs() <= SAME_TIME);
        kill.victims.iter().any(named) && here && then
    };
    let own = |number: usize| case.kills.iter().any(|kill| kill.number == number);
    case.index.kills.iter().enumerate().any(|(number, (kill, _))| same(kill) && !own(number))
}

/// Other containers that may have been on its node and ended by SIGKILL at its moment: the kill may have been of them.
fn rivals(case: &Case<'_>) -> usize {
    let node = case.pod_spec().and_then(|pod| pod.node.as_deref());
    let finished = case.finished();
    let then = |at: Option<Timestamp>| {
        at.zip(finished)
            .is_none_or(|(one, other)| one.duration_since(other).abs() <= SAME_TIME.saturating_add(SAME_TIME))
    };
    let killed = |end: &&Termination| end.exit_code == Some(137) || end.reason.as_deref().is_some_and(is_oom_reason);
    let here = case
        .index
        .pods
        .iter()
        .map(|view| &view.pod)
        .filter(|pod| pod.node.as_deref().zip(node).is_none_or(|(one, other)| one == other));
    let others = here
        .flat_map(|pod| &pod.containers)
        .filter(|other| !case.container.is_some_and(|own| std::ptr::eq(own, *other)));
    others
        .filter_map(|other| other.status.as_ref())
        .filter(|status| {
            let now = match &status.state {
                Some(State::Terminated(end)) => Some(end),
                _ => None,
            };
            now.into_iter().chain(&status.last).filter(killed).any(|end| then(end.finished))
        })
        .count()
}

fn read(event: &Event) -> Option<Told> {
    if event.reason == "SystemOOM" {
        return Some(Told::Node);
    }
    if event.message.contains("Memory cgroup out of memory") {
        let above = event.message.contains("oom_score_adj:1000");
        return Some(if above { Told::AboveThePod } else { Told::Cgroup });
    }
    event.message.contains("ut of memory").then_some(Told::Node)
}
