//! Pods that only events tell of: they were deleted, or their list is not here.

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;

use super::matching::bare_uid;
use super::{Index, PodView, Seen};
use crate::artifact::ArtifactId;
use crate::fact::{Container, Event, Owner, Pod, Resources, Revision};

/// A namespace and a pod's name in it.
type Name<'a> = (Option<&'a str>, &'a str);

/// One view each, with the containers, the node and the owner that events name.
pub(super) fn pods(index: &Index<'_>) -> Vec<PodView> {
    let uids: HashSet<&str> = index
        .pods
        .iter()
        .flat_map(|view| [view.pod.uid.as_deref(), view.pod.config_hash.as_deref()])
        .flatten()
        .collect();
    let names: HashSet<&str> = index.pods.iter().filter_map(|view| view.pod.name.as_deref()).collect();
    let without_uid = index.pods.iter().filter(|view| view.pod.uid.is_none() && view.pod.config_hash.is_none());
    let unidentified: HashSet<&str> = without_uid.filter_map(|view| view.pod.name.as_deref()).collect();
    let nameless: HashSet<ArtifactId> =
        index.pods.iter().filter(|view| view.pod.name.is_none()).map(|view| view.from.artifact).collect();
    let killed: HashSet<Option<String>> =
        index.kills.iter().filter_map(|(kill, _)| kill.pod_uid.as_deref()).map(|uid| Some(bare_uid(uid))).collect();
    let owners = owners(index);
    let mut gone: Vec<PodView> = Vec::new();
    let mut places: HashMap<(Name<'_>, Option<&str>), usize> = HashMap::new();
    let mut told: HashSet<Name<'_>> = HashSet::new();
    // Some controllers' events carry no uid (the taint eviction's): they are of a pod that others tell of by name.
    let (with_uid, without) =
        index.events.iter().partition::<Vec<_>, _>(|event: &Seen<'_, Event>| event.object.uid.is_some());
    for Seen { it: event, from } in with_uid.into_iter().chain(without) {
        let object = &event.object;
        let Some(name) = object.name.as_deref().filter(|_| object.kind.as_deref() == Some("Pod")) else { continue };
        let uid = object.uid.as_deref();
        let name_in = (object.namespace.as_deref(), name);
        let known = match uid {
            // A uid that no pod has is another pod, though one of the same name may live (a StatefulSet's).
            Some(uid) => uids.contains(uid) || unidentified.contains(name),
            None => names.contains(name) || told.contains(&name_in) && !places.contains_key(&(name_in, None)),
        };
        // An earlier pod of a name that lives on (a StatefulSet's, a pod applied again) is told of by its kills alone.
        let replaced = !known && names.contains(name) && !killed.contains(&uid.map(bare_uid));
        if known || replaced || nameless.contains(&from.artifact) {
            continue;
        }
        told.insert(name_in);
        let place = *places.entry((name_in, uid)).or_insert_with(|| {
            gone.push(PodView {
                pod: Box::new(Pod {
                    namespace: object.namespace.clone(),
                    name: Some(name.to_owned()),
                    uid: object.uid.clone(),
                    owner: owners.get(&name_in).cloned(),
                    ..Pod::default()
                }),
                from: from.clone(),
                container_from: Vec::new(),
                gone: true,
            });
            gone.len() - 1
        });
        let view = &mut gone[place];
        if view.pod.node.is_none() {
            view.pod.node = event.node().map(str::to_owned);
        }
        if let Some(container) = &object.container
            && !view.pod.containers.iter().any(|known| known.name.as_ref() == Some(container))
        {
            let owner = view.pod.owner.as_ref();
            let seen = event.first.or(event.last);
            let template = owner.and_then(|owner| in_template(index, &view.pod, owner, container, seen));
            let (image, resources) = template.unwrap_or_default();
            view.pod.containers.push(Container {
                name: Some(container.clone()),
                image,
                resources,
                ..Container::default()
            });
            view.container_from.push(from.clone());
        }
    }
    gone
}

/// The container in the template that the pod was made from. A `ReplicaSet`'s and a `Job`'s never change. A
/// `StatefulSet`'s or `DaemonSet`'s may be newer than the pod: it counts where the set itself never changed, or where all
/// its revisions agree on the container.
fn in_template(
    index: &Index<'_>,
    pod: &Pod,
    owner: &Owner,
    container: &str,
    seen: Option<Timestamp>,
) -> Option<(Option<String>, Resources)> {
    let in_time = |it: &&Revision| it.created.zip(seen).is_none_or(|(created, seen)| created <= seen);
    let all = index.revisions.iter().map(|(revision, _)| revision);
    let all: Vec<&Revision> = all.filter(|it| it.namespace.is_none() || it.namespace == pod.namespace).collect();
    let of = |it: &Revision| {
        let (_, image, resources) = it.containers.iter().find(|(name, _, _)| name == container)?;
        Some((image.clone(), resources.clone()))
    };
    let own = all.iter().copied().find(|it| it.kind == owner.kind && it.name == owner.name);
    if let Some(own) = own.filter(|own| own.unchanged) {
        // A newer object of the same name did not make it.
        return of(own).filter(|_| in_time(&own));
    }
    let is_kept = |it: &&Revision| it.kind == "ControllerRevision" && it.owner.as_ref() == Some(owner);
    let kept: Vec<&Revision> = all.iter().copied().filter(is_kept).collect();
    // Where all here are younger than the pod, the one that made it is gone.
    kept.iter().find(|it| it.created.is_some() && seen.is_some() && in_time(it))?;
    let told: Option<Vec<_>> = kept.iter().copied().chain(own).map(of).collect();
    let told = told?;
    let (image, resources) = told.first()?;
    let image = image.clone().filter(|image| told.iter().all(|(other, _)| other.as_ref() == Some(image)));
    told.iter().all(|(_, other)| other == resources).then(|| (image, resources.clone()))
}

/// Who says that it created or deleted a pod: `Created pod: web-7f9c5d-x2b4z`, `delete Pod db-0 in StatefulSet db
/// successful` (pkg/controller/controller_utils.go, pkg/controller/statefulset/stateful_pod_control.go, v1.37).
fn owners<'a>(index: &'a Index<'_>) -> HashMap<Name<'a>, Owner> {
    let told = ["SuccessfulCreate", "SuccessfulDelete"].into_iter().flat_map(|it| index.events.with_reason(it));
    let mut owners = HashMap::new();
    for Seen { it: event, .. } in told {
        let (Some(kind), Some(name)) = (&event.object.kind, &event.object.name) else { continue };
        let made = |word: &&str| word.strip_prefix(name.as_str()).is_some_and(|rest| rest.starts_with('-'));
        if let Some(pod) = event.message.split_whitespace().find(made) {
            let owner = Owner { kind: kind.clone(), name: name.clone() };
            owners.insert((event.object.namespace.as_deref(), pod), owner);
        }
    }
    owners
}
