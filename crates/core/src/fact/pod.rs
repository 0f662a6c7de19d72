//! A pod as the API, `kubectl describe` or a pasted fragment shows it. Every field is optional: a fragment shows few.

use jiff::Timestamp;

use super::subject::{ContainerKind, Qos};
use crate::units::{Bytes, Quantity};

/// A pod.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Pod {
    /// `metadata.namespace`.
    pub namespace: Option<String>,
    /// `metadata.name`.
    pub name: Option<String>,
    /// `metadata.uid`, with dashes.
    pub uid: Option<String>,
    /// `kubernetes.io/config.hash`: the uid that a static pod's cgroup carries.
    pub config_hash: Option<String>,
    /// The controlling owner reference (`controller: true`, else the first).
    pub owner: Option<Owner>,
    /// `metadata.creationTimestamp`.
    pub created: Option<Timestamp>,
    /// `metadata.deletionTimestamp`: set when the pod is being deleted; the moment the grace period ENDS, not when the delete was asked.
    pub deletion: Option<Timestamp>,
    /// `metadata.deletionGracePeriodSeconds`.
    pub deletion_grace_seconds: Option<i64>,
    /// `describe` said `Terminating`, though no time is known.
    pub terminating: bool,
    /// Annotations under `vpaUpdates`, `vpaObservedContainers` and the like: (key, value) of those that tell who set memory.
    pub memory_annotations: Vec<(String, String)>,
    /// Who last wrote memory resources, from `metadata.managedFields`.
    pub managers: Vec<FieldManager>,
    /// `spec.nodeName`.
    pub node: Option<String>,
    /// `spec.os.name` (`windows`), or from the node selector.
    pub os: Option<String>,
    /// `spec.runtimeClassName`.
    pub runtime_class: Option<String>,
    /// `spec.restartPolicy`.
    pub restart_policy: Option<String>,
    /// `spec.terminationGracePeriodSeconds`.
    pub grace_seconds: Option<i64>,
    /// `spec.activeDeadlineSeconds`.
    pub active_deadline_seconds: Option<i64>,
    /// `spec.priority`.
    pub priority: Option<i64>,
    /// `spec.priorityClassName`.
    pub priority_class: Option<String>,
    /// Pod-level resources (`spec.resources`, KEP-2837, beta in 1.34).
    pub resources: Resources,
    /// Volumes of `emptyDir` with `medium: Memory`.
    pub tmpfs: Vec<Tmpfs>,
    /// `status.phase`; `describe` prints it as Status.
    pub phase: Option<String>,
    /// `status.reason`: `Evicted`, `OutOfmemory`, `DeadlineExceeded`, `NodeShutdown`, `Preempting`.
    pub reason: Option<String>,
    /// `status.message`.
    pub message: Option<String>,
    /// `status.startTime`.
    pub started: Option<Timestamp>,
    /// `status.qosClass`.
    pub qos: Option<Qos>,
    /// `status.conditions`.
    pub conditions: Vec<Condition>,
    /// Containers of every kind, init containers first, in the order of the spec.
    pub containers: Vec<Container>,
    /// True when the artifact shows the whole object (spec and status), false for a fragment or a describe text.
    pub complete: bool,
}

/// `Kind/name` of an owner.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Owner {
    /// `ReplicaSet`, `Job`, ...
    pub kind: String,
    /// Its name.
    pub name: String,
}

/// An entry of `managedFields` that owns a memory request or limit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldManager {
    /// `kubectl-edit`, `vpa-updater`, ...
    pub name: String,
    /// When it last wrote.
    pub at: Option<Timestamp>,
    /// `resize` and the like, where not the main resource.
    pub subresource: Option<String>,
    /// The container whose memory it owns; `None` for the pod level.
    pub container: Option<String>,
}

/// `status.conditions[]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    /// `DisruptionTarget`, `PodScheduled`, `Ready`, ...
    pub kind: String,
    /// `True`, `False`, `Unknown`.
    pub status: String,
    /// `PreemptionByScheduler`, `EvictionByEvictionAPI`, `DeletionByTaintManager`, `TerminationByKubelet`, `DeletionByPodGC`.
    pub reason: Option<String>,
    /// Free text.
    pub message: Option<String>,
    /// `lastTransitionTime`.
    pub since: Option<Timestamp>,
}

/// Requests and limits of memory, and whether CPU has them too (for the QoS class).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Resources {
    /// `requests.memory`.
    pub memory_request: Option<Quantity>,
    /// `limits.memory`.
    pub memory_limit: Option<Quantity>,
    /// `requests.cpu`.
    pub cpu_request: Option<Quantity>,
    /// `limits.cpu`.
    pub cpu_limit: Option<Quantity>,
}

/// An `emptyDir` in memory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tmpfs {
    /// Volume name.
    pub volume: String,
    /// `sizeLimit`.
    pub size_limit: Option<Quantity>,
}

/// A container: spec and status side by side.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Container {
    /// Name; a bare status fragment has none.
    pub name: Option<String>,
    /// Which list it stands in.
    pub kind: ContainerKind,
    /// Path of its status below the pod's locus: `/status/containerStatuses/0`. Empty in texts.
    pub status_path: String,
    /// Path of its spec below the pod's locus: `/spec/containers/0`. Empty in texts.
    pub spec_path: String,
    /// `image`.
    pub image: Option<String>,
    /// The first word of `command`, or of `args` where there is no command.
    pub program: Option<String>,
    /// Memory flags found in command, args and environment (nothing else of them is kept: they may hold secrets).
    pub flags: Vec<Flag>,
    /// Resources in the spec.
    pub resources: Resources,
    /// `status.containerStatuses[].resources`: what the node has applied; differs while a resize is under way.
    pub applied: Option<Resources>,
    /// Liveness probe.
    pub liveness: Option<Probe>,
    /// Startup probe.
    pub startup: Option<Probe>,
    /// A `preStop` hook is set.
    pub pre_stop: bool,
    /// Volumes of [`Pod::tmpfs`] that it mounts.
    pub tmpfs_mounts: Vec<String>,
    /// The status, where shown.
    pub status: Option<ContainerStatus>,
}

/// A memory flag of a runtime or program, as the manifest gives it: `-Xmx512m`, `GOMEMLIMIT=1GiB`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flag {
    /// The flag as written.
    pub text: String,
    /// `command`, `args`, or the environment variable's name.
    pub from: String,
}

/// A probe's timing, in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Probe {
    /// `initialDelaySeconds`.
    pub delay: i64,
    /// `timeoutSeconds`.
    pub timeout: i64,
    /// `periodSeconds`.
    pub period: i64,
    /// `failureThreshold`.
    pub failures: i64,
    /// `terminationGracePeriodSeconds` of the probe itself.
    pub grace: Option<i64>,
}

/// `status.containerStatuses[]`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ContainerStatus {
    /// Bare container id of the current instance.
    pub id: Option<String>,
    /// `containerd`, `cri-o`, `docker`: what stood before `://`.
    pub runtime: Option<String>,
    /// `restartCount`.
    pub restart_count: Option<u32>,
    /// `ready`.
    pub ready: Option<bool>,
    /// Current state.
    pub state: Option<State>,
    /// `lastState`: the previous instance's end.
    pub last: Option<Termination>,
}

/// A container's state.
#[derive(Debug, Clone, PartialEq)]
pub enum State {
    /// Not running yet, or not again.
    Waiting {
        /// `CrashLoopBackOff`, `ContainerCreating`, `CreateContainerError`, ...
        reason: Option<String>,
        /// Free text.
        message: Option<String>,
    },
    /// Running.
    Running {
        /// Since when.
        started: Option<Timestamp>,
    },
    /// Ended.
    Terminated(Termination),
}

/// How one life of a container ended, as the status says.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Termination {
    /// Exit code; 128 + signal where a signal ended it.
    pub exit_code: Option<i32>,
    /// `signal`, where a runtime fills it.
    pub signal: Option<i32>,
    /// `OOMKilled`, `Error`, `Completed`, `StartError`, `ContainerStatusUnknown`, ...
    pub reason: Option<String>,
    /// The termination message.
    pub message: Option<String>,
    /// Start; `None` for the placeholders of year 1 and 1970.
    pub started: Option<Timestamp>,
    /// End; `None` for the placeholders.
    pub finished: Option<Timestamp>,
    /// Bare container id of that life.
    pub container_id: Option<String>,
}

impl Resources {
    /// The memory limit in whole bytes, rounded up as the kubelet does (`Quantity.Value()`).
    pub fn limit_bytes(&self) -> Option<Bytes> {
        self.memory_limit.map(Quantity::bytes)
    }

    /// The memory request in whole bytes, rounded up.
    pub fn request_bytes(&self) -> Option<Bytes> {
        self.memory_request.map(Quantity::bytes)
    }
}
