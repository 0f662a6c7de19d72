//! A pod object to a pod fact.

use serde_json::Value;
use serde_json::value::RawValue;

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
    for (key, value) in metadata.annotations.iter().flatten() {
        match &**key {
            "kubernetes.io/config.hash" => pod.config_hash = Some(value.to_string()),
            key if ["vpaUpdates", "vpaObservedContainers", "kubernetes.io/limit-ranger"].contains(&key)
                || key.starts_with("oomph.dev/") =>
            {
                pod.memory_annotations.push((key.to_owned(), value.to_string()));
            }
            _ => {}
        }
    }
    pod.managers = metadata.managed_fields.map(managers).unwrap_or_default();
}

/// Entries of `managedFields` that own a memory request or limit. The text is searched first: it is bulky.
fn managers(raw: &RawValue) -> Vec<FieldManager> {
    if memchr::memmem::find(raw.get().as_bytes(), b"f:memory").is_none() {
        return Vec::new();
    }
    let entries: Vec<shape::ManagedField<'_>> = serde_json::from_str(raw.get()).unwrap_or_default();
    let mut managers = Vec::new();
    for entry in entries {
        let Some(fields) = entry.fields.and_then(|raw| serde_json::from_str::<Value>(raw.get()).ok()) else { continue };
        let manager = |container: Option<&str>| FieldManager {
            name: entry.manager.to_string(),
            at: time(entry.time.as_deref()),
            subresource: text(entry.subresource.as_deref()),
            container: container.map(str::to_owned),
        };
        let spec = &fields["f:spec"];
        for list in ["f:containers", "f:initContainers"] {
            for (key, owned) in spec[list].as_object().into_iter().flatten() {
                let name = key.split("\"name\":\"").nth(1).and_then(|rest| rest.split('"').next());
                if owns_memory(&owned["f:resources"]) {
                    managers.push(manager(name));
                }
            }
        }
        if owns_memory(&spec["f:resources"]) {
            managers.push(manager(None));
        }
    }
    managers
}

fn owns_memory(resources: &Value) -> bool {
    ["f:limits", "f:requests"].iter().any(|part| resources[part].get("f:memory").is_some())
}

fn fill_spec(spec: &Spec<'_>, pod: &mut Pod, bad: &mut Vec<String>) {
    pod.node = text(spec.node_name.as_deref());
    let selector = spec.node_selector.as_ref().and_then(|selector| selector.get("kubernetes.io/os"));
    pod.os = spec.os.as_ref().and_then(|os| text(os.name.as_deref())).or_else(|| text(selector.map(|os| &**os)));
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
    let words = |list: &Option<Vec<shape::Text<'_>>>| {
        list.iter().flatten().map(std::string::ToString::to_string).collect::<Vec<_>>()
    };
    let (command, arguments) = (words(&own.command), words(&own.args));
    let environment = own.env.iter().flatten().filter_map(|it| Some((&*it.name, it.value.as_deref()?)));
    let program = command.first().or(arguments.first());
    Container {
        name: text(own.name.as_deref()),
        kind: if sidecar { ContainerKind::Sidecar } else { kind },
        spec_path: path,
        image: text(own.image.as_deref()),
        flags: memory_flags::find(
            command.iter().map(String::as_str),
            arguments.iter().map(String::as_str),
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
    ContainerStatus {
        id,
        runtime,
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
