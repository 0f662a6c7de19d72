//! What changed shortly before the death: a new revision, a resize, a limit set by somebody.

use jiff::{SignedDuration, Timestamp};

use crate::case::{Case, is_oom_reason, newest_moment};
use crate::diagnosis::Change;
use crate::fact::{Resources, Revision};

/// A change within a day is worth a look.
const SHORTLY: SignedDuration = SignedDuration::from_hours(24);

/// Changes before a case, newest first.
pub(super) fn of(case: &Case<'_>) -> Vec<Change> {
    let Some(end) = newest_moment(case) else { return Vec::new() };
    let mut changes = Vec::new();
    let shortly = |at: Timestamp| at <= end && end.duration_since(at) <= SHORTLY;
    if let Some(pod) = case.pod_spec() {
        let name = case.container.and_then(|container| container.name.as_deref());
        for manager in &pod.managers {
            let ours = manager.container.is_none() || manager.container.as_deref() == name;
            if let Some(at) = manager.at.filter(|at| ours && shortly(*at) && is_late(pod.created, *at)) {
                let how = match manager.subresource.as_deref() {
                    Some("resize") => "resized its memory in place",
                    _ => "set its memory resources",
                };
                changes.push(Change { at: Some(at), what: format!("{} {how}", manager.name) });
            }
        }
        changes.extend(revisions(case, &shortly));
    }
    changes.extend(earlier_life(case));
    changes.extend(resizes(case, &shortly));
    changes.sort_by_key(|change| std::cmp::Reverse(change.at));
    changes
}

/// The life before the one that is diagnosed was OOM killed: what came after may have begun with what that left.
fn earlier_life(case: &Case<'_>) -> Option<Change> {
    let last = case.status()?.last.as_ref().filter(|_| case.death.as_ref().is_some_and(|death| death.current))?;
    let killed = last.reason.as_deref().is_some_and(is_oom_reason);
    killed.then(|| Change { at: last.finished, what: "the life before this one was OOM killed".to_owned() })
}

/// What the kubelet says of resizes in place.
fn resizes(case: &Case<'_>, shortly: &dyn Fn(Timestamp) -> bool) -> impl Iterator<Item = Change> {
    let done = case.events.iter().filter(|event| event.reason == "ResizeCompleted");
    let moments = done.filter_map(|event| event.last.or(event.first)).filter(move |at| shortly(*at));
    moments.map(|at| Change { at: Some(at), what: "the pod's resources were resized in place".to_owned() })
}

/// The pod's own creation is no change.
fn is_late(created: Option<Timestamp>, at: Timestamp) -> bool {
    created.is_none_or(|created| at.duration_since(created) > SignedDuration::from_secs(2))
}

/// The revision that the pod belongs to, if young, with what is new in it.
fn revisions(case: &Case<'_>, shortly: &dyn Fn(Timestamp) -> bool) -> Option<Change> {
    let pod = case.pod_spec()?;
    let owner = pod.owner.as_ref()?;
    let all = &case.index.revisions;
    let (own, _) = all.iter().find(|(revision, _)| {
        revision.kind == owner.kind
            && revision.name == owner.name
            && (pod.namespace.is_none() || revision.namespace == pod.namespace)
    })?;
    let at = own.created.filter(|at| shortly(*at))?;
    let number = own.number?;
    let before = all
        .iter()
        .map(|(revision, _)| revision)
        .filter(|other| other.owner.is_some() && other.owner == own.owner && other.namespace == own.namespace)
        .filter(|other| other.number.is_some_and(|other| other < number))
        .max_by_key(|other| other.number);
    let target = own.owner.as_ref().map_or_else(|| own.name.clone(), |owner| format!("{}/{}", owner.kind, owner.name));
    let what = match before.map(|before| differences(before, own)) {
        Some(list) if !list.is_empty() => format!("{target} went to revision {number}: {}", list.join(", ")),
        Some(_) => format!("{target} went to revision {number}"),
        None => format!("{target} was created"),
    };
    Some(Change { at: Some(at), what })
}

fn differences(before: &Revision, now: &Revision) -> Vec<String> {
    let mut list = Vec::new();
    for (name, image, resources) in &now.containers {
        let Some((_, old_image, old)) = before.containers.iter().find(|(other, _, _)| other == name) else {
            list.push(format!("container {name} is new"));
            continue;
        };
        if image != old_image {
            list.push(format!("image of {name}"));
        }
        let text =
            |resources: &Resources| resources.memory_limit.map_or_else(|| "none".to_owned(), |limit| limit.to_string());
        if resources.memory_limit != old.memory_limit {
            list.push(format!("memory limit of {name} from {} to {}", text(old), text(resources)));
        }
    }
    list
}
