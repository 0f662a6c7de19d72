//! What the pods of a workload were really admitted with, where the input holds them beside it: a LimitRange, a webhook or
//! a vertical pod autoscaler may have changed what the template says.

use std::collections::{HashMap, HashSet};

use super::surroundings::Surroundings;
use super::tree::At;
use super::workload::{Found, Object, Resources};

/// Namespace, kind and name.
type Key<'a> = (Option<&'a str>, &'a str, &'a str);

/// Who made what, over all files.
#[derive(Debug, Default)]
pub(super) struct Admitted<'a> {
    /// Objects that another one of the input made.
    made: HashSet<Key<'a>>,
    /// The pods of a workload's present template.
    pods: HashMap<Key<'a>, Vec<Object<'a>>>,
}

/// A container as a pod was admitted with it.
#[derive(Debug, Clone, Copy)]
pub(super) struct AdmittedContainer<'a> {
    /// The pod's name.
    pub(super) pod: &'a str,
    /// What it has.
    pub(super) resources: Resources<'a>,
}

/// A pod's maker is found within this many steps: pod, ReplicaSet, Deployment.
const STEPS: usize = 3;

impl<'a> Admitted<'a> {
    /// From every object that an owner is named of. Few inputs have any.
    pub(super) fn gather(found: &[Found<'a>]) -> Self {
        if found.iter().all(|found| found.owned.is_empty()) {
            return Self::default();
        }
        let objects = found.iter().flat_map(|found| &found.objects);
        let by_key: HashMap<Key<'a>, &Object<'a>> = objects.map(|object| (key(object), object)).collect();
        let mut it = Self::default();
        for object in found.iter().flat_map(|found| &found.owned) {
            if owner(object).is_none_or(|of| !by_key.contains_key(&of)) {
                continue;
            }
            it.made.insert(key(object));
            if object.kind == "Pod"
                && let Some(maker) = maker(object, &by_key)
            {
                it.pods.entry(maker).or_default().push(*object);
            }
        }
        it
    }

    /// Another object of the input made it: what is to be said of it is said there.
    fn is_made(&self, object: &Object<'_>) -> bool {
        !self.made.is_empty() && self.made.contains(&key(object))
    }

    /// A container of a workload as its pods were admitted with it.
    pub(super) fn containers(&self, of: &Object<'a>, name: &str) -> impl Iterator<Item = AdmittedContainer<'a>> {
        self.pods.get(&key(of)).into_iter().flatten().filter_map(move |pod| {
            let lists = ["containers", "initContainers"].into_iter();
            let mut items = lists.filter_map(|list| pod.node.path(&["spec", list])).flat_map(At::items);
            let node = items.find(|item| item.text_of("name") == Some(name))?;
            Some(AdmittedContainer { pod: pod.name, resources: Resources::read(node.get("resources")) })
        })
    }
}

impl<'a> Found<'a> {
    /// Puts aside what another object of the input made: a ReplicaSet says what its Deployment says. Services that two
    /// files of Compose describe become one.
    pub(super) fn put_aside(&mut self, surroundings: &Surroundings<'a>) {
        surroundings.overrides.merge(self);
        let is_made = |object: &Object<'_>| surroundings.admitted.is_made(object);
        if !self.objects.iter().any(is_made) {
            return;
        }
        self.workloads.retain(|workload| !is_made(&workload.object));
        let (made, others) = std::mem::take(&mut self.objects).into_iter().partition(is_made);
        (self.made, self.objects) = (made, others);
        self.others.retain(|object| !is_made(object));
    }
}

fn key<'a>(object: &Object<'a>) -> Key<'a> {
    (object.namespace, object.kind, object.name)
}

/// The controller that made an object; it lives in the same namespace.
pub(super) fn owner<'a>(object: &Object<'a>) -> Option<Key<'a>> {
    let references = object.node.path(&["metadata", "ownerReferences"])?;
    let controller = references.items().find(|it| it.text_of("controller") == Some("true"))?;
    Some((object.namespace, controller.text_of("kind")?, controller.text_of("name")?))
}

/// The workload whose present template a pod was made from; none where that is not certain.
fn maker<'a>(pod: &Object<'a>, by_key: &HashMap<Key<'a>, &Object<'a>>) -> Option<Key<'a>> {
    let mut made = *pod;
    for _ in 0..STEPS {
        let Some(above) = owner(&made).and_then(|of| by_key.get(&of)) else { break };
        if !is_present(&made, above) {
            return None;
        }
        made = **above;
    }
    Some(key(&made))
}

/// What was made is of its maker's present template, by the marks that Kubernetes 1.37 leaves.
fn is_present(made: &Object<'_>, maker: &Object<'_>) -> bool {
    let of = |object: &Object<'_>, path: &[&str]| object.node.path(path).and_then(At::text).map(str::to_owned);
    let equal = |here: &[&str], there: &[&str]| of(made, here).is_some_and(|mark| of(maker, there) == Some(mark));
    match maker.kind {
        // pkg/controller/deployment/util/deployment_util.go, RevisionAnnotation.
        "Deployment" => {
            let revision = ["metadata", "annotations", "deployment.kubernetes.io/revision"];
            equal(&revision, &revision)
        }
        // pkg/controller/statefulset/stateful_set_utils.go, setPodRevision.
        "StatefulSet" => equal(&["metadata", "labels", "controller-revision-hash"], &["status", "updateRevision"]),
        // pkg/controller/daemon/util/daemonset_util.go, IsPodUpdated.
        "DaemonSet" => equal(
            &["metadata", "labels", "pod-template-generation"],
            &["metadata", "annotations", "deprecated.daemonset.template.generation"],
        ),
        // The template of a Job cannot change; a ReplicaSet's does not where a Deployment made it.
        "Job" => true,
        "ReplicaSet" => owner(maker).is_some(),
        _ => false,
    }
}
