//! A pod object to a pod fact.

use super::convert::{container_id, quantity, resources, text, time};
use super::shape::{self, ContainerSpec, Object, ProbeSpec, Requirements, Spec, Status};
use crate::fact::{
    Condition, Container, ContainerKind, ContainerStatus, FieldManager, Owner, Pod, Probe, Qos, Resources, State,
    Termination, Tmpfs,
};
use crate::memory_flags;

/// The pod, and texts that should be quantities and are not.
pub(super) fn pod(object: &Object<'_>, status: Option<&Status<'_>>) -> (Pod, Vec<String>) {
    let mut bad = Vec::new();
    let mut pod = Pod { complete: object.spec.is_some() && status.is_some(), ..Pod::default() };
    if let Some(metadata) = &object.metadata {
        about(metadata, &mut pod);
    }
    if let Some(spec) = &object.spec {
        fill_spec(spec, &mut pod, &mut bad);
    }
    if let Some(status) = status {
        fill_status(status, &mut pod, &mut bad);
    }
    (pod, bad)
}

fn about(metadata: &shape::Metadata<'_>, pod: &mut Pod) {
    pod.name = text(metadata.name.as_deref());
    pod.namespace = text(metadata.namespace.as_deref());
    pod.uid = text(metadata.uid.as_deref());
    pod.created = time(metadata.creation_timestamp.as_deref());
    pod.deletion = time(metadata.deletion_timestamp.as_deref());
    pod.deletion_grace_seconds = metadata.deletion_grace_period_seconds;
    pod.terminating = metadata.deletion_timestamp.is_some();
    let owners = metadata.owner_references.as_deref().unwrap_or_default();
    let owner = owners.iter().find(|owner| owner.controller == Some(true)).or(owners.first());
    pod.owner = owner.map(|owner| Owner { kind: owner.kind.to_string(), name: owner.name.to_string() });
    if let Some(annotations) = &metadata.annotations {
        pod.config_hash = text(annotations.config_hash.as_deref());
        let telling = [
            ("vpaUpdates", &annotations.vpa_updates),
            ("vpaObservedContainers", &annotations.vpa_observed),
            ("kubernetes.io/limit-ranger", &annotations.limit_ranger),
        ];
        let known = telling.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value.as_ref()?.to_string())));
        pod.memory_annotations = known.collect();
    }
    pod.managers = metadata.managed_fields.iter().flatten().flat_map(managers).collect();
}

/// The memory requests and limits that a manager owns, one entry a container.
fn managers(entry: &shape::ManagedField<'_>) -> Vec<FieldManager> {
    let Some(spec) = entry.fields.as_ref().and_then(|fields| fields.spec.as_ref()) else { return Vec::new() };
    let manager = |container: Option<&str>| FieldManager {
        name: entry.manager.to_string(),
        at: time(entry.time.as_deref()),
        subresource: text(entry.subresource.as_deref()),
        container: container.map(str::to_owned),
    };
    let containers = spec.containers.iter().flatten().chain(spec.init_containers.iter().flatten());
    let owned = containers.filter(|(_, owned)| owns_memory(owned.resources.as_ref()));
    // k:{"name":"app"}
    let names = owned.map(|(key, _)| key.split("\"name\":\"").nth(1).and_then(|rest| rest.split('"').next()));
    let of_pod = owns_memory(spec.resources.as_ref()).then_some(None);
    names.chain(of_pod).map(manager).collect()
}

fn owns_memory(resources: Option<&shape::OwnedResources>) -> bool {
    let memory = |amounts: &Option<shape::OwnedAmounts>| amounts.as_ref().is_some_and(|it| it.memory.is_some());
    resources.is_some_and(|resources| memory(&resources.limits) || memory(&resources.requests))
}

fn fill_spec(spec: &Spec<'_>, pod: &mut Pod, bad: &mut Vec<String>) {
    pod.node = text(spec.node_name.as_deref());
    let selector = spec.node_selector.as_ref().and_then(|selector| selector.os.as_deref());
    pod.os = spec.os.as_ref().and_then(|os| text(os.name.as_deref())).or_else(|| text(selector));
    pod.runtime_class = text(spec.runtime_class_name.as_deref());
    pod.restart_policy = text(spec.restart_policy.as_deref());
    pod.grace_seconds = spec.termination_grace_period_seconds;
    pod.active_deadline_seconds = spec.active_deadline_seconds;
    pod.priority = spec.priority;
    pod.priority_class = text(spec.priority_class_name.as_deref());
    pod.resources = requirements(spec.resources.as_ref(), bad);
    for volume in spec.volumes.iter().flatten() {
        if let Some(dir) = volume.empty_dir.as_ref().filter(|dir| dir.medium.as_deref() == Some("Memory")) {
            let size_limit = quantity(dir.size_limit).unwrap_or_default();
            pod.tmpfs.push(Tmpfs { volume: volume.name.to_string(), size_limit });
        }
    }
    let lists = [
        (&spec.init_containers, "initContainers", ContainerKind::Init),
        (&spec.containers, "containers", ContainerKind::App),
        (&spec.ephemeral_containers, "ephemeralContainers", ContainerKind::Ephemeral),
    ];
    pod.containers.reserve_exact(lists.iter().filter_map(|(list, _, _)| list.as_ref()).map(Vec::len).sum());
    for (list, name, kind) in lists {
        for (position, own) in list.iter().flatten().enumerate() {
            let container = container(own, kind, format!("/spec/{name}/{position}"), pod, bad);
            pod.containers.push(container);
        }
    }
}

fn requirements(own: Option<&Requirements<'_>>, bad: &mut Vec<String>) -> Resources {
    resources(own.and_then(|own| own.requests.as_ref()), own.and_then(|own| own.limits.as_ref()), bad)
}

fn container(
    own: &ContainerSpec<'_>,
    kind: ContainerKind,
    path: String,
    pod: &Pod,
    bad: &mut Vec<String>,
) -> Container {
    let sidecar = kind == ContainerKind::Init && own.restart_policy.as_deref() == Some("Always");
    let command = own.command.as_deref().unwrap_or_default();
    let arguments = own.args.as_deref().unwrap_or_default();
    let environment = own.env.iter().flatten().filter_map(|it| Some((&*it.name, it.value.as_deref()?)));
    let program = command.first().or(arguments.first());
    Container {
        name: text(own.name.as_deref()),
        kind: if sidecar { ContainerKind::Sidecar } else { kind },
        spec_path: path,
        image: text(own.image.as_deref()),
        flags: memory_flags::find(
            command.iter().map(|word| &**word),
            arguments.iter().map(|word| &**word),
            environment,
        ),
        program: program.map(|word| word.split_whitespace().next().unwrap_or_default().chars().take(64).collect()),
        resources: requirements(own.resources.as_ref(), bad),
        liveness: own.liveness_probe.as_ref().map(probe),
        startup: own.startup_probe.as_ref().map(probe),
        pre_stop: own.lifecycle.as_ref().is_some_and(|lifecycle| lifecycle.pre_stop.is_some()),
        tmpfs_mounts: own
            .volume_mounts
            .iter()
            .flatten()
            .filter(|mount| pod.tmpfs.iter().any(|tmpfs| *tmpfs.volume == *mount.name))
            .map(|mount| mount.name.to_string())
            .collect(),
        ..Container::default()
    }
}

/// Kubernetes' defaults where the manifest is silent (pkg/apis/core/v1/defaults.go `SetDefaults_Probe`, v1.37).
fn probe(own: &ProbeSpec) -> Probe {
    Probe {
        delay: own.initial_delay_seconds.unwrap_or(0),
        timeout: own.timeout_seconds.unwrap_or(1),
        period: own.period_seconds.unwrap_or(10),
        failures: own.failure_threshold.unwrap_or(3),
        grace: own.termination_grace_period_seconds,
    }
}

fn fill_status(status: &Status<'_>, pod: &mut Pod, bad: &mut Vec<String>) {
    pod.phase = text(status.phase.as_deref());
    pod.reason = text(status.reason.as_deref());
    pod.message = text(status.message.as_deref());
    pod.started = time(status.start_time.as_deref());
    pod.qos = status.qos_class.as_deref().and_then(qos);
    pod.conditions = conditions(status);
    let lists = [
        (&status.init_container_statuses, "initContainerStatuses", ContainerKind::Init),
        (&status.container_statuses, "containerStatuses", ContainerKind::App),
        (&status.ephemeral_container_statuses, "ephemeralContainerStatuses", ContainerKind::Ephemeral),
    ];
    for (list, name, kind) in lists {
        for (position, own) in list.iter().flatten().enumerate() {
            let applied = own.resources.as_ref().map(|own| requirements(Some(own), bad));
            let known =
                pod.containers.iter_mut().find(|it| it.name.is_some() && it.name.as_deref() == own.name.as_deref());
            let path = format!("/status/{name}/{position}");
            let container = if let Some(known) = known {
                known
            } else {
                pod.containers.push(Container { name: text(own.name.as_deref()), kind, ..Container::default() });
                pod.containers.last_mut().expect("one was just pushed")
            };
            container.status_path = path;
            container.applied = applied.filter(|applied| *applied != Resources::default());
            container.status = Some(container_status(own));
        }
    }
}

pub(super) fn qos(text: &str) -> Option<Qos> {
    match text {
        "Guaranteed" => Some(Qos::Guaranteed),
        "Burstable" => Some(Qos::Burstable),
        "BestEffort" => Some(Qos::BestEffort),
        _ => None,
    }
}

/// Conditions that tell something: a healthy pod's are all routine and are not kept.
pub(super) fn conditions(status: &Status<'_>) -> Vec<Condition> {
    status
        .conditions
        .iter()
        .flatten()
        .filter(|own| own.reason.is_some() || &*own.kind == "DisruptionTarget")
        .map(|own| Condition {
            kind: own.kind.to_string(),
            status: own.status.to_string(),
            reason: text(own.reason.as_deref()),
            message: text(own.message.as_deref()),
            since: time(own.last_transition_time.as_deref()),
        })
        .collect()
}

pub(super) fn container_status(own: &shape::ContainerStatus<'_>) -> ContainerStatus {
    let (runtime, id) = container_id(own.container_id.as_deref());
    // A piece of a status may hold an end alone, whose id names the runtime, too.
    let ends = [&own.state, &own.last_state].into_iter().flatten().filter_map(|state| state.terminated.as_ref());
    let mut runtimes = ends.filter_map(|end| container_id(end.container_id.as_deref()).0);
    ContainerStatus {
        id,
        runtime: runtime.or_else(|| runtimes.next()),
        restart_count: own.restart_count,
        ready: own.ready,
        state: own.state.as_ref().and_then(state),
        last: own.last_state.as_ref().and_then(|state| state.terminated.as_ref()).map(termination),
    }
}

fn state(own: &shape::StateStatus<'_>) -> Option<State> {
    if let Some(end) = &own.terminated {
        return Some(State::Terminated(termination(end)));
    }
    if let Some(running) = &own.running {
        return Some(State::Running { started: time(running.started_at.as_deref()) });
    }
    let waiting = own.waiting.as_ref()?;
    Some(State::Waiting { reason: text(waiting.reason.as_deref()), message: text(waiting.message.as_deref()) })
}

pub(super) fn termination(own: &shape::TerminatedStatus<'_>) -> Termination {
    Termination {
        exit_code: own.exit_code,
        signal: own.signal,
        reason: text(own.reason.as_deref()),
        message: text(own.message.as_deref()),
        started: time(own.started_at.as_deref()),
        finished: time(own.finished_at.as_deref()),
        container_id: container_id(own.container_id.as_deref()).1,
    }
}
