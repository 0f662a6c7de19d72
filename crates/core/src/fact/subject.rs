//! Whom evidence is about, in every naming system at once.

use serde::{Deserialize, Serialize};

/// Names of one container, pod or node; each unknown until some evidence tells it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Subject {
    /// Kubernetes namespace.
    pub namespace: Option<String>,
    /// Pod name.
    pub pod: Option<String>,
    /// Pod uid, with dashes.
    pub pod_uid: Option<String>,
    /// Container name (for Docker without Kubernetes: the container's own name).
    pub container: Option<String>,
    /// Container id, bare (no `containerd://`), whole or the 12 leading digits that tools print.
    pub container_id: Option<String>,
    /// Which life of the container: its restart count while it lived. A `--previous` log has one less than the status.
    pub restart: Option<u32>,
    /// Node name.
    pub node: Option<String>,
}

/// Which list of the pod a container stands in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ContainerKind {
    /// `spec.containers`.
    #[default]
    App,
    /// `spec.initContainers`, run to completion.
    Init,
    /// `spec.initContainers` with `restartPolicy: Always` (native sidecar, Kubernetes 1.28).
    Sidecar,
    /// `spec.ephemeralContainers`.
    Ephemeral,
    /// The pod's sandbox (pause).
    Sandbox,
}

/// Quality-of-service class of a pod.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema)]
pub enum Qos {
    /// Every container has equal requests and limits of CPU and memory.
    Guaranteed,
    /// Something is requested or limited.
    Burstable,
    /// Nothing is requested or limited.
    BestEffort,
}
