//! Nodes, limit ranges, and the revisions of workloads.

use jiff::Timestamp;
use serde::Deserialize;

use super::convert::{quantity, resources, text, time};
use super::pod::conditions;
use super::shape::{ConditionStatus, Object, Requirements, Spec, Status};
use crate::fact::{LimitRange, Node, Owner, Resources, Revision};

/// A node.
pub(super) fn node(object: &Object<'_>, status: Option<&Status<'_>>) -> Node {
    let metadata = object.metadata.as_ref();
    let spec = object.spec.as_ref();
    let info = status.and_then(|status| status.node_info.as_ref());
    let memory = |amounts: Option<&super::shape::Amounts<'_>>| quantity(amounts?.memory).ok().flatten();
    Node {
        name: metadata.and_then(|metadata| text(metadata.name.as_deref())),
        boot_id: info.and_then(|info| text(info.boot_id.as_deref())).map(|id| id.replace('-', "")),
        kernel: info.and_then(|info| text(info.kernel_version.as_deref())),
        runtime: info.and_then(|info| text(info.container_runtime_version.as_deref())),
        kubelet: info.and_then(|info| text(info.kubelet_version.as_deref())),
        os: info.and_then(|info| text(info.operating_system.as_deref())),
        memory_capacity: memory(status.and_then(|status| status.capacity.as_ref())),
        memory_allocatable: memory(status.and_then(|status| status.allocatable.as_ref())),
        unschedulable: spec.and_then(|spec| spec.unschedulable).unwrap_or(false),
        taints: spec
            .and_then(|spec| spec.taints.as_ref())
            .into_iter()
            .flatten()
            .map(|taint| match taint.value.as_deref() {
                Some(value) => format!("{}={value}:{}", taint.key, taint.effect),
                None => format!("{}:{}", taint.key, taint.effect),
            })
            .collect(),
        conditions: status.map(conditions).unwrap_or_default(),
    }
}

/// The items of a limit range that bound containers and pods.
pub(super) fn limit_ranges(object: &Object<'_>) -> Vec<LimitRange> {
    let metadata = object.metadata.as_ref();
    let items = object.spec.as_ref().and_then(|spec| spec.limits.as_ref()).into_iter().flatten();
    items
        .filter(|item| matches!(&*item.kind, "Container" | "Pod"))
        .map(|item| {
            let memory = |amounts: &Option<super::shape::Amounts<'_>>| {
                amounts.as_ref().and_then(|amounts| quantity(amounts.memory).ok().flatten())
            };
            LimitRange {
                namespace: metadata.and_then(|metadata| text(metadata.namespace.as_deref())),
                name: metadata.and_then(|metadata| text(metadata.name.as_deref())),
                default_limit: memory(&item.default_limit),
                default_request: memory(&item.default_request),
                max: memory(&item.max),
            }
        })
        .collect()
}

/// A workload's template, of the kinds that own pods or keep their history.
pub(super) fn revision(kind: &str, object: &Object<'_>, status: Option<&Status<'_>>) -> Option<Revision> {
    if !["ReplicaSet", "ControllerRevision", "Deployment", "StatefulSet", "DaemonSet", "Job"].contains(&kind) {
        return None;
    }
    let metadata = object.metadata.as_ref()?;
    let spec = object.spec.as_ref();
    let owner = metadata.owner_references.iter().flatten().find(|owner| owner.controller == Some(true));
    let annotated = metadata.annotations.as_ref().and_then(|it| it.revision.as_ref()?.parse().ok());
    let kept: Option<Kept<'_>> =
        object.data.filter(|_| kind == "ControllerRevision").and_then(|data| serde_json::from_str(data.get()).ok());
    let template = spec.or_else(|| kept.as_ref()?.spec.as_ref()).and_then(|spec| spec.template.as_ref()?.spec.as_ref());
    let over = status.filter(|_| kind == "Job").and_then(finished);
    let requirements = |own: Option<&Requirements<'_>>| -> Resources {
        resources(own.and_then(|own| own.requests.as_ref()), own.and_then(|own| own.limits.as_ref()), &mut Vec::new())
    };
    Some(Revision {
        kind: kind.to_owned(),
        namespace: text(metadata.namespace.as_deref()),
        name: text(metadata.name.as_deref())?,
        owner: owner.map(|it| Owner { kind: it.kind.to_string(), name: it.name.to_string() }),
        number: annotated.or(object.revision),
        created: time(metadata.creation_timestamp.as_deref()),
        replicas: spec.and_then(|spec| spec.replicas),
        // A Job's template is immutable but while it is suspended; a ReplicaSet's its Deployment never changes.
        unchanged: matches!(kind, "ReplicaSet" | "Job" | "ControllerRevision") || metadata.generation == Some(1),
        finished: over.and_then(|(_, at)| at),
        completed: over.is_some_and(|(completed, _)| completed),
        ttl_seconds: spec.and_then(|spec| spec.ttl_seconds_after_finished),
        containers: template
            .and_then(|template| template.containers.as_ref())
            .into_iter()
            .flatten()
            .filter_map(|own| {
                Some((text(own.name.as_deref())?, text(own.image.as_deref()), requirements(own.resources.as_ref())))
            })
            .collect(),
    })
}

/// What a ControllerRevision keeps of its workload.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Kept<'a> {
    #[serde(borrow)]
    spec: Option<Spec<'a>>,
}

/// Whether a Job completed or failed, and when.
fn finished(status: &Status<'_>) -> Option<(bool, Option<Timestamp>)> {
    let over = |own: &&ConditionStatus<'_>| matches!(&*own.kind, "Complete" | "Failed") && &*own.status == "True";
    let over = status.conditions.iter().flatten().find(over)?;
    Some((&*over.kind == "Complete", time(over.last_transition_time.as_deref())))
}
