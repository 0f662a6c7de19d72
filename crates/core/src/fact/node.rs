//! Nodes, limit ranges and revisions: the surroundings of a death.

use jiff::Timestamp;

use super::pod::{Condition, Owner, Resources};
use crate::units::Quantity;

/// A node.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Node {
    /// Name.
    pub name: Option<String>,
    /// `status.nodeInfo.bootID`, dashes removed.
    pub boot_id: Option<String>,
    /// `status.nodeInfo.kernelVersion`.
    pub kernel: Option<String>,
    /// `status.nodeInfo.containerRuntimeVersion`.
    pub runtime: Option<String>,
    /// `status.nodeInfo.kubeletVersion`.
    pub kubelet: Option<String>,
    /// `status.nodeInfo.operatingSystem`.
    pub os: Option<String>,
    /// `status.capacity.memory`.
    pub memory_capacity: Option<Quantity>,
    /// `status.allocatable.memory`.
    pub memory_allocatable: Option<Quantity>,
    /// `spec.unschedulable`: cordoned, as a drain does first.
    pub unschedulable: bool,
    /// Taints as `key=value:Effect`.
    pub taints: Vec<String>,
    /// Conditions.
    pub conditions: Vec<Condition>,
}

/// A `LimitRange` item of type Container or Pod.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct LimitRange {
    /// Namespace.
    pub namespace: Option<String>,
    /// Object name.
    pub name: Option<String>,
    /// `default.memory`: the limit given to containers without one.
    pub default_limit: Option<Quantity>,
    /// `defaultRequest.memory`.
    pub default_request: Option<Quantity>,
    /// `max.memory`.
    pub max: Option<Quantity>,
}

/// A revision of a workload's pod template.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Revision {
    /// `ReplicaSet`, `ControllerRevision`, or a workload itself.
    pub kind: String,
    /// Namespace.
    pub namespace: Option<String>,
    /// Name.
    pub name: String,
    /// Its owner: `Deployment/checkout`.
    pub owner: Option<Owner>,
    /// `deployment.kubernetes.io/revision`.
    pub number: Option<u64>,
    /// When it was made.
    pub created: Option<Timestamp>,
    /// Desired replicas.
    pub replicas: Option<u64>,
    /// The template is the one that it was made with: it cannot be changed, or its object never was.
    pub unchanged: bool,
    /// A Job's: when it completed or failed.
    pub finished: Option<Timestamp>,
    /// A Job's: it completed.
    pub completed: bool,
    /// A Job's `ttlSecondsAfterFinished`: when it is removed after that, and its pods with it.
    pub ttl_seconds: Option<i64>,
    /// Per container of the template: name, image, resources.
    pub containers: Vec<(String, Option<String>, Resources)>,
}
