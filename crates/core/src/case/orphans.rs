//! Kills and lines that no pod and no engine explains: each is a case of its own.

use std::collections::HashSet;

use crate::ask::Ask;
use crate::fact::{Event, KernelKill, UserspaceKill};

use super::assemble::{bare, is_recent};
use super::gather::seen;
use super::matching::is_uid_of;
use super::worth::is_runtimes;
use super::{Case, CaseKill, Index, Life, Seen, Tie};

/// Kills that no pod or engine explains: one case per victim's cgroup, or per kill where none is named.
pub(super) fn kills<'a>(index: &'a Index<'a>, cases: &[Case<'a>], ask: &Ask) -> Vec<Case<'a>> {
    let mut found: Vec<Case<'a>> = Vec::new();
    let claimed = |number: usize, found: &[Case<'a>]| {
        cases.iter().chain(found).any(|case| case.kills.iter().any(|kill| kill.number == number))
    };
    for (number, (kill, from)) in index.kills.iter().enumerate() {
        if kill.victims.is_empty() || claimed(number, &found) || is_of_a_known_pod(index, kill) {
            continue;
        }
        if ask.pod.is_some() || ask.namespace.is_some() && !index.pods.is_empty() {
            continue;
        }
        let mut case = bare(index, None);
        let same = |other: &KernelKill| {
            // Of starts that fail each attempt has an id of its own.
            let starts = kill.pod_uid.is_some() && is_start(kill) && is_start(other);
            starts && kill.pod_uid == other.pod_uid
                || kill.container_id.is_some() && kill.container_id == other.container_id
                || kill.container_id.is_none()
                    && kill.pod_uid.is_none()
                    && kill.task_memcg.is_some()
                    && kill.task_memcg == other.task_memcg
        };
        case.kills = (0..index.kills.len())
            .filter(|other| *other == number || same(&index.kills[*other].0))
            .map(|other| {
                let (it, from) = &index.kills[other];
                CaseKill { number: other, kill: Seen { it, from }, life: Life::This, tie: Tie::ContainerId }
            })
            .collect();
        case.node = index.node(kill.node.as_deref());
        case.from = Some(from.clone());
        if is_recent(&case, ask) {
            found.push(case);
        }
    }
    found
}

/// The runtime's own processes were killed: no program ran.
fn is_start(kill: &KernelKill) -> bool {
    kill.victims.iter().all(|victim| victim.comm.as_deref().is_some_and(is_runtimes))
}

/// Kills by userspace killers that no pod or engine explains.
pub(super) fn userspace_kills<'a>(index: &'a Index<'a>, cases: &[Case<'a>], ask: &Ask) -> Vec<Case<'a>> {
    let claimed = |kill: &Seen<'a, UserspaceKill>| {
        cases.iter().any(|case| case.userspace.iter().any(|known| std::ptr::eq(known.it, kill.it)))
    };
    let orphans = seen(&index.userspace).filter(|kill| ask.pod.is_none() && !claimed(kill));
    orphans
        .map(|kill| Case {
            from: Some(kill.from.clone()),
            node: index.node(kill.it.node.as_deref()),
            userspace: vec![kill],
            ..bare(index, None)
        })
        .filter(|case| is_recent(case, ask))
        .collect()
}

/// The kill's pod is known, though no case claimed it (an earlier life of a healthy container, another namespace).
fn is_of_a_known_pod(index: &Index<'_>, kill: &KernelKill) -> bool {
    let uid = kill.pod_uid.as_deref();
    index.pods.iter().any(|view| is_uid_of(&view.pod, uid))
}

/// Nothing but a container's log was given: it is the case.
pub(super) fn bare_log<'a>(index: &'a Index<'a>) -> Option<Case<'a>> {
    let signs: Vec<_> = seen(&index.signs).collect();
    let first = signs.first()?;
    let mut case = bare(index, None);
    case.from = Some(first.from.clone());
    case.signs = signs;
    Some(case)
}

/// Nothing but daemons' log lines: they are the case.
pub(super) fn bare_note<'a>(index: &'a Index<'a>) -> Option<Case<'a>> {
    let notes: Vec<_> = seen(&index.notes).collect();
    let first = notes.first()?;
    let mut case = bare(index, None);
    case.from = Some(first.from.clone());
    case.notes = notes;
    Some(case)
}

/// Events of nodes whose OOM killer acted, by the kubelet's or node-problem-detector's word: each kill is a case.
pub(super) fn node_events<'a>(index: &'a Index<'a>) -> impl Iterator<Item = Case<'a>> {
    let of_node = |event: &Seen<'a, Event>| event.it.object.kind.as_deref().is_none_or(|kind| kind == "Node");
    let events = ["SystemOOM", "OOMKilling"].into_iter().flat_map(|reason| index.events.with_reason(reason));
    let mut told = HashSet::new();
    let new = move |event: &Seen<'a, Event>| {
        event.it.victim().is_none_or(|victim| told.insert((event.it.object.name.clone(), victim.pid)))
    };
    events.filter(of_node).filter(new).map(|event| Case {
        from: Some(event.from.clone()),
        node: index.node(event.it.object.name.as_deref()),
        events: vec![event],
        ..bare(index, None)
    })
}
