//! What of the index belongs to a case.

use crate::fact::{EngineContainer, Event, Locus, Subject};

use super::matching::{container_ids, is_uid_of, names, same_id, tie};
use super::worth::is_oom_reason;
use super::{Case, CaseKill, Index, Life, PodView, Seen, Tie};

/// Gives a case everything in the index that belongs to it.
pub(super) fn gather<'a>(case: &mut Case<'a>) {
    let index = case.index;
    let mut kills: Vec<CaseKill<'a>> = (0..index.kills.len()).filter_map(|number| tie(case, index, number)).collect();
    settle_unknown_lives(case, &mut kills);
    case.kills = kills;
    if let Some(view) = case.pod {
        let near = index.events.near(&view.pod).into_iter();
        case.events = near.filter(|event| is_event_of(case, view, event)).collect();
        part_from_the_removal(case);
    }
    case.signs = seen(&index.signs).filter(|sign| names(case, &sign.subject)).collect();
    case.notes = seen(&index.notes).filter(|note| names(case, &note.subject)).collect();
    case.counters = seen(&index.counters).filter(|counters| names(case, &counters.subject)).collect();
    case.userspace = seen(&index.userspace)
        .filter(|kill| {
            let by_uid = case.pod_spec().is_some_and(|pod| is_uid_of(pod, kill.pod_uid.as_deref()));
            let named =
                kill.container_id.as_deref().is_some_and(|id| container_ids(case).any(|known| same_id(known, id)));
            named || by_uid && kill.container_id.is_none()
        })
        .collect();
    case.kernel_notes = seen(&index.kernel_notes)
        .filter(|note| {
            let path = note.cgroup.as_deref().unwrap_or_default();
            let uid = case.pod_spec().and_then(|pod| pod.uid.as_deref());
            !path.is_empty()
                && (container_ids(case).any(|id| path.contains(id))
                    || uid.is_some_and(|uid| path.contains(uid) || path.contains(&uid.replace('-', "_"))))
        })
        .collect();
    if case.engine.is_none() {
        case.engine = seen(&index.engines).find(|engine| is_of_case(case, engine.it));
    }
    let ids: Vec<&str> = container_ids(case).collect();
    let events: Vec<_> = seen(&index.engine_events)
        .filter(|event| event.container_id.as_deref().is_some_and(|id| ids.iter().any(|known| same_id(known, id))))
        .collect();
    case.engine_events = events;
}

pub(super) fn seen<T>(list: &[(T, Locus)]) -> impl Iterator<Item = Seen<'_, T>> {
    list.iter().map(|(it, from)| Seen { it, from })
}

/// A kill tied by uid alone is of this life when the API says this life was OOM killed and no other kill explains it.
fn settle_unknown_lives(case: &Case<'_>, kills: &mut [CaseKill<'_>]) {
    let explained = kills.iter().any(|kill| kill.life == Life::This);
    let oom = case.reason().is_some_and(is_oom_reason) || case.was_signaled(9);
    if !explained
        && (oom || case.death.is_none())
        && let Some(kill) =
            kills.iter_mut().rev().find(|kill| kill.life == Life::Unknown && kill.tie != Tie::SomeContainer)
    {
        kill.life = Life::This;
    }
}

/// A pod that is gone has no status that tells its lives apart. Where it was stopped in the end, a kill after which the
/// container was started again is of an earlier life than the one that was stopped.
fn part_from_the_removal(case: &mut Case<'_>) {
    let stopped = case.events.iter().any(|event| event.it.reason == "Killing");
    if !case.is_gone() || case.death.is_some() || !stopped {
        return;
    }
    let started =
        case.events.iter().filter(|event| event.it.reason == "Started").filter_map(|event| event.it.last).max();
    for kill in &mut case.kills {
        if started.zip(kill.kill.at).is_some_and(|(started, at)| started > at) {
            kill.life = Life::Earlier;
        }
    }
}

/// Of the events near the pod those about it and, where they name a container, about this one.
fn is_event_of(case: &Case<'_>, view: &PodView, event: &Seen<'_, Event>) -> bool {
    let object = &event.it.object;
    let pod = &view.pod;
    let ours = match (&object.uid, &pod.uid) {
        (Some(said), Some(_)) => is_uid_of(pod, Some(said)),
        _ => match (&object.name, &pod.name) {
            (Some(said), Some(known)) => {
                said == known
                    && (object.namespace.is_none() || pod.namespace.is_none() || object.namespace == pod.namespace)
            }
            _ => event.from.artifact == view.from.artifact,
        },
    };
    let container = case.container.and_then(|container| container.name.as_deref());
    ours && match (object.container.as_deref(), container) {
        (Some(said), Some(known)) => said == known,
        _ => true,
    }
}

/// The engine's container is this case's.
pub(super) fn is_of_case(case: &Case<'_>, engine: &EngineContainer) -> bool {
    if let Some(id) = engine.subject.container_id.as_deref()
        && container_ids(case).any(|known| same_id(known, id))
    {
        return true;
    }
    case.pod.is_some() && engine.subject.pod.is_some() && names(case, &engine.subject)
}

/// Log lines and notes that name nobody belong to the case of their own artifact, or to the only case there is.
pub(super) fn lend_unnamed<'a>(index: &'a Index<'a>, cases: &mut [Case<'a>]) {
    let only = cases.len() == 1;
    // A container's name alone differs from nothing where the only case has no name.
    let unnamed = only && cases[0].container.is_some_and(|container| container.name.is_none());
    let nameless = |subject: &Subject| {
        subject.pod.is_none()
            && subject.pod_uid.is_none()
            && subject.container_id.is_none()
            && (subject.container.is_none() || unnamed)
    };
    let signs: Vec<_> = seen(&index.signs).filter(|sign| nameless(&sign.it.subject)).collect();
    let notes: Vec<_> = seen(&index.notes).filter(|note| nameless(&note.it.subject)).collect();
    let counters: Vec<_> = seen(&index.counters).filter(|it| only && nameless(&it.it.subject)).collect();
    for case in cases {
        let artifact = case.from.as_ref().map(|from| from.artifact);
        let near = |from: &Locus| only || artifact == Some(from.artifact);
        if case.signs.is_empty() {
            case.signs = signs.iter().copied().filter(|sign| near(sign.from)).collect();
        }
        for note in notes.iter().filter(|note| near(note.from)) {
            if !case.notes.iter().any(|known| std::ptr::eq(known.it, note.it)) {
                case.notes.push(*note);
            }
        }
        if case.counters.is_empty() {
            case.counters.clone_from(&counters);
        }
    }
}
