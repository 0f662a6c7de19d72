//! Which pod template a workload runs by: it says the limit, the request and the flags that are set.

use super::{Objects, Set, Target, is_target, same};
use crate::size::history::Subject;
use crate::size::workload::{Stands, Workload};

/// Gives a workload what its template sets. A history whose source knows no objects gets its owner's names from it.
pub(super) fn give(workload: &mut Workload, objects: &Objects) {
    let subject = &workload.subject;
    let of_object = || objects.set.iter().filter(|set| same(&set.namespace, &subject.namespace));
    let found: Vec<&Set> = of_object().filter(|set| is_of(set, subject)).collect();
    let Some(&set) = found.first() else {
        let known = of_object().any(|set| is_target(&set.target, subject));
        if known && !subject.container.is_empty() {
            workload.stands = Stands::Nowhere;
        }
        return;
    };
    if !are_one(&found) {
        return;
    }
    if !workload.replicas.is_empty() && subject.kind.is_empty() {
        let Target { kind, name } = set.target.clone();
        let (namespace, container) = (set.namespace.clone(), set.container.clone());
        workload.subject = Subject { namespace, kind, name, container, replica: String::new() };
    }
    workload.stands = if set.sidecar { Stands::AmongInit } else { Stands::AmongContainers };
    workload.set = Some(set.clone());
}

/// Whether all are the same container of the same object, read more than once: from git and live, or one without its
/// namespace.
fn are_one(found: &[&Set]) -> bool {
    let named = found.iter().find(|set| !set.namespace.is_empty()).or(found.first());
    let is_copy = |set: &Set, one: &Set| {
        set.target == one.target && set.container == one.container && same(&set.namespace, &one.namespace)
    };
    named.is_some_and(|one| found.iter().all(|set| is_copy(set, one)))
}

/// Whether a container is the one that is meant. A series is named `web`, `web/app` or `shop/web/app`; without its
/// container it means the only one.
fn is_of(set: &Set, subject: &Subject) -> bool {
    if !subject.container.is_empty() {
        return is_target(&set.target, subject) && set.container == subject.container;
    }
    let (name, container) = (set.target.name.as_str(), set.container.as_str());
    let names = [format!("{name}/{container}"), format!("{}/{name}/{container}", set.namespace)];
    is_target(&set.target, subject) || (subject.kind.is_empty() && names.contains(&subject.name))
}
