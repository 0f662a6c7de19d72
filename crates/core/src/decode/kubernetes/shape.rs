//! The fields that are read of Kubernetes objects, as borrowed structs. One struct fits every kind: a field that a kind
//! does not have is absent. Everything else is skipped without being built.

#![allow(clippy::struct_field_names, reason = "fields are named as the API names them")]

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

pub(super) use super::text::Text;

/// An object of any kind.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Object<'a> {
    #[serde(borrow)]
    pub kind: Option<Text<'a>>,
    #[serde(borrow)]
    pub metadata: Option<Metadata<'a>>,
    #[serde(borrow)]
    pub spec: Option<Spec<'a>>,
    #[serde(borrow, deserialize_with = "status")]
    pub status: Option<Status<'a>>,
    // Events of core/v1 and events.k8s.io/v1.
    #[serde(borrow)]
    pub involved_object: Option<Reference<'a>>,
    #[serde(borrow)]
    pub regarding: Option<Reference<'a>>,
    #[serde(borrow)]
    pub reason: Option<Text<'a>>,
    #[serde(borrow)]
    pub message: Option<Text<'a>>,
    #[serde(borrow)]
    pub note: Option<Text<'a>>,
    #[serde(borrow, rename = "type")]
    pub event_type: Option<Text<'a>>,
    pub count: Option<i64>,
    pub deprecated_count: Option<i64>,
    #[serde(borrow)]
    pub first_timestamp: Option<Text<'a>>,
    #[serde(borrow)]
    pub last_timestamp: Option<Text<'a>>,
    #[serde(borrow)]
    pub deprecated_first_timestamp: Option<Text<'a>>,
    #[serde(borrow)]
    pub deprecated_last_timestamp: Option<Text<'a>>,
    #[serde(borrow)]
    pub event_time: Option<Text<'a>>,
    #[serde(borrow)]
    pub series: Option<Series<'a>>,
    #[serde(borrow)]
    pub source: Option<Source<'a>>,
    #[serde(borrow)]
    pub deprecated_source: Option<Source<'a>>,
    #[serde(borrow)]
    pub reporting_component: Option<Text<'a>>,
    #[serde(borrow)]
    pub reporting_controller: Option<Text<'a>>,
    #[serde(borrow)]
    pub reporting_instance: Option<Text<'a>>,
    /// Of a ControllerRevision.
    pub revision: Option<u64>,
    /// Of a watch event: the object it carries.
    #[serde(borrow)]
    pub object: Option<&'a RawValue>,
}

/// An object's status is an object; the `Status` that the API answers errors with has a word there.
fn status<'de: 'a, 'a, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Status<'a>>, D::Error> {
    struct StatusVisitor;

    impl<'de> Visitor<'de> for StatusVisitor {
        type Value = Option<Status<'de>>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a status")
        }

        fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
            Status::deserialize(MapAccessDeserializer::new(map)).map(Some)
        }

        fn visit_str<E>(self, _: &str) -> Result<Self::Value, E> {
            Ok(None)
        }

        fn visit_unit<E>(self) -> Result<Self::Value, E> {
            Ok(None)
        }
    }

    deserializer.deserialize_any(StatusVisitor)
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Metadata<'a> {
    #[serde(borrow)]
    pub name: Option<Text<'a>>,
    #[serde(borrow)]
    pub namespace: Option<Text<'a>>,
    #[serde(borrow)]
    pub uid: Option<Text<'a>>,
    #[serde(borrow)]
    pub creation_timestamp: Option<Text<'a>>,
    #[serde(borrow)]
    pub deletion_timestamp: Option<Text<'a>>,
    pub deletion_grace_period_seconds: Option<i64>,
    #[serde(borrow)]
    pub annotations: Option<Annotations<'a>>,
    #[serde(borrow)]
    pub owner_references: Option<Vec<OwnerReference<'a>>>,
    #[serde(borrow)]
    pub managed_fields: Option<Vec<ManagedField<'a>>>,
}

/// The annotations that tell something; the others are passed over, however long they are.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Annotations<'a> {
    #[serde(rename = "kubernetes.io/config.hash", borrow)]
    pub config_hash: Option<Text<'a>>,
    #[serde(rename = "vpaUpdates", borrow)]
    pub vpa_updates: Option<Text<'a>>,
    #[serde(rename = "vpaObservedContainers", borrow)]
    pub vpa_observed: Option<Text<'a>>,
    #[serde(rename = "kubernetes.io/limit-ranger", borrow)]
    pub limit_ranger: Option<Text<'a>>,
    #[serde(rename = "deployment.kubernetes.io/revision", borrow)]
    pub revision: Option<Text<'a>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct OwnerReference<'a> {
    #[serde(borrow)]
    pub kind: Text<'a>,
    #[serde(borrow)]
    pub name: Text<'a>,
    pub controller: Option<bool>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct ManagedField<'a> {
    #[serde(borrow)]
    pub manager: Text<'a>,
    #[serde(borrow)]
    pub time: Option<Text<'a>>,
    #[serde(borrow)]
    pub subresource: Option<Text<'a>>,
    #[serde(rename = "fieldsV1", borrow)]
    pub fields: Option<OwnedFields<'a>>,
}

/// Of the fields that a manager owns, the memory resources.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct OwnedFields<'a> {
    #[serde(rename = "f:spec", borrow)]
    pub spec: Option<OwnedSpec<'a>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct OwnedSpec<'a> {
    #[serde(rename = "f:containers", borrow)]
    pub containers: Option<BTreeMap<Text<'a>, OwnedContainer>>,
    #[serde(rename = "f:initContainers", borrow)]
    pub init_containers: Option<BTreeMap<Text<'a>, OwnedContainer>>,
    #[serde(rename = "f:resources")]
    pub resources: Option<OwnedResources>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct OwnedContainer {
    #[serde(rename = "f:resources")]
    pub resources: Option<OwnedResources>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct OwnedResources {
    #[serde(rename = "f:limits")]
    pub limits: Option<OwnedAmounts>,
    #[serde(rename = "f:requests")]
    pub requests: Option<OwnedAmounts>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct OwnedAmounts {
    #[serde(rename = "f:memory")]
    pub memory: Option<IgnoredAny>,
}

/// `spec` of pods, nodes, limit ranges and workloads.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Spec<'a> {
    #[serde(borrow)]
    pub node_name: Option<Text<'a>>,
    #[serde(borrow)]
    pub os: Option<Os<'a>>,
    #[serde(borrow)]
    pub node_selector: Option<NodeSelector<'a>>,
    #[serde(borrow)]
    pub runtime_class_name: Option<Text<'a>>,
    #[serde(borrow)]
    pub restart_policy: Option<Text<'a>>,
    pub termination_grace_period_seconds: Option<i64>,
    pub active_deadline_seconds: Option<i64>,
    pub priority: Option<i64>,
    #[serde(borrow)]
    pub priority_class_name: Option<Text<'a>>,
    #[serde(borrow)]
    pub resources: Option<Requirements<'a>>,
    #[serde(borrow)]
    pub volumes: Option<Vec<Volume<'a>>>,
    #[serde(borrow)]
    pub init_containers: Option<Vec<ContainerSpec<'a>>>,
    #[serde(borrow)]
    pub containers: Option<Vec<ContainerSpec<'a>>>,
    #[serde(borrow)]
    pub ephemeral_containers: Option<Vec<ContainerSpec<'a>>>,
    // Nodes.
    pub unschedulable: Option<bool>,
    #[serde(borrow)]
    pub taints: Option<Vec<Taint<'a>>>,
    // Limit ranges.
    #[serde(borrow)]
    pub limits: Option<Vec<LimitItem<'a>>>,
    // Workloads.
    #[serde(borrow)]
    pub template: Option<Template<'a>>,
    pub replicas: Option<u64>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct NodeSelector<'a> {
    #[serde(rename = "kubernetes.io/os", borrow)]
    pub os: Option<Text<'a>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Template<'a> {
    #[serde(borrow)]
    pub spec: Option<Box<Spec<'a>>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Os<'a> {
    #[serde(borrow)]
    pub name: Option<Text<'a>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Taint<'a> {
    #[serde(borrow)]
    pub key: Text<'a>,
    #[serde(borrow)]
    pub value: Option<Text<'a>>,
    #[serde(borrow)]
    pub effect: Text<'a>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct LimitItem<'a> {
    #[serde(rename = "type", borrow)]
    pub kind: Text<'a>,
    #[serde(rename = "default", borrow)]
    pub default_limit: Option<Amounts<'a>>,
    #[serde(borrow)]
    pub default_request: Option<Amounts<'a>>,
    #[serde(borrow)]
    pub max: Option<Amounts<'a>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Requirements<'a> {
    #[serde(borrow)]
    pub requests: Option<Amounts<'a>>,
    #[serde(borrow)]
    pub limits: Option<Amounts<'a>>,
}

/// Quantities by resource, of which two matter. A manifest may write them as numbers.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Amounts<'a> {
    #[serde(borrow)]
    pub memory: Option<&'a RawValue>,
    #[serde(borrow)]
    pub cpu: Option<&'a RawValue>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Volume<'a> {
    #[serde(borrow)]
    pub name: Text<'a>,
    #[serde(borrow)]
    pub empty_dir: Option<EmptyDir<'a>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct EmptyDir<'a> {
    #[serde(borrow)]
    pub medium: Option<Text<'a>>,
    #[serde(borrow)]
    pub size_limit: Option<&'a RawValue>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct ContainerSpec<'a> {
    #[serde(borrow)]
    pub name: Option<Text<'a>>,
    #[serde(borrow)]
    pub image: Option<Text<'a>>,
    #[serde(borrow)]
    pub command: Option<Vec<Text<'a>>>,
    #[serde(borrow)]
    pub args: Option<Vec<Text<'a>>>,
    #[serde(borrow)]
    pub env: Option<Vec<Variable<'a>>>,
    #[serde(borrow)]
    pub resources: Option<Requirements<'a>>,
    pub liveness_probe: Option<ProbeSpec>,
    pub startup_probe: Option<ProbeSpec>,
    #[serde(borrow)]
    pub lifecycle: Option<Lifecycle<'a>>,
    #[serde(borrow)]
    pub restart_policy: Option<Text<'a>>,
    #[serde(borrow)]
    pub volume_mounts: Option<Vec<Mount<'a>>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Variable<'a> {
    #[serde(borrow)]
    pub name: Text<'a>,
    #[serde(borrow)]
    pub value: Option<Text<'a>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct ProbeSpec {
    pub initial_delay_seconds: Option<i64>,
    pub timeout_seconds: Option<i64>,
    pub period_seconds: Option<i64>,
    pub failure_threshold: Option<i64>,
    pub termination_grace_period_seconds: Option<i64>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Lifecycle<'a> {
    #[serde(borrow)]
    pub pre_stop: Option<&'a RawValue>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Mount<'a> {
    #[serde(borrow)]
    pub name: Text<'a>,
}

/// `status` of pods and nodes.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Status<'a> {
    #[serde(borrow)]
    pub phase: Option<Text<'a>>,
    #[serde(borrow)]
    pub reason: Option<Text<'a>>,
    #[serde(borrow)]
    pub message: Option<Text<'a>>,
    #[serde(borrow)]
    pub start_time: Option<Text<'a>>,
    #[serde(borrow)]
    pub qos_class: Option<Text<'a>>,
    #[serde(borrow)]
    pub conditions: Option<Vec<ConditionStatus<'a>>>,
    #[serde(borrow)]
    pub init_container_statuses: Option<Vec<ContainerStatus<'a>>>,
    #[serde(borrow)]
    pub container_statuses: Option<Vec<ContainerStatus<'a>>>,
    #[serde(borrow)]
    pub ephemeral_container_statuses: Option<Vec<ContainerStatus<'a>>>,
    // Nodes.
    #[serde(borrow)]
    pub node_info: Option<NodeInfo<'a>>,
    #[serde(borrow)]
    pub capacity: Option<Amounts<'a>>,
    #[serde(borrow)]
    pub allocatable: Option<Amounts<'a>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct NodeInfo<'a> {
    #[serde(rename = "bootID", borrow)]
    pub boot_id: Option<Text<'a>>,
    #[serde(borrow)]
    pub kernel_version: Option<Text<'a>>,
    #[serde(borrow)]
    pub container_runtime_version: Option<Text<'a>>,
    #[serde(borrow)]
    pub kubelet_version: Option<Text<'a>>,
    #[serde(borrow)]
    pub operating_system: Option<Text<'a>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct ConditionStatus<'a> {
    #[serde(rename = "type", borrow)]
    pub kind: Text<'a>,
    #[serde(borrow)]
    pub status: Text<'a>,
    #[serde(borrow)]
    pub reason: Option<Text<'a>>,
    #[serde(borrow)]
    pub message: Option<Text<'a>>,
    #[serde(borrow)]
    pub last_transition_time: Option<Text<'a>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct ContainerStatus<'a> {
    #[serde(borrow)]
    pub name: Option<Text<'a>>,
    #[serde(rename = "containerID", borrow)]
    pub container_id: Option<Text<'a>>,
    pub restart_count: Option<u32>,
    pub ready: Option<bool>,
    #[serde(borrow)]
    pub state: Option<StateStatus<'a>>,
    #[serde(borrow)]
    pub last_state: Option<StateStatus<'a>>,
    #[serde(borrow)]
    pub resources: Option<Requirements<'a>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct StateStatus<'a> {
    #[serde(borrow)]
    pub waiting: Option<WaitingStatus<'a>>,
    #[serde(borrow)]
    pub running: Option<RunningStatus<'a>>,
    /// `termination` until 2015.
    #[serde(borrow, alias = "termination")]
    pub terminated: Option<TerminatedStatus<'a>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct WaitingStatus<'a> {
    #[serde(borrow)]
    pub reason: Option<Text<'a>>,
    #[serde(borrow)]
    pub message: Option<Text<'a>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct RunningStatus<'a> {
    #[serde(borrow)]
    pub started_at: Option<Text<'a>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct TerminatedStatus<'a> {
    pub exit_code: Option<i32>,
    pub signal: Option<i32>,
    #[serde(borrow)]
    pub reason: Option<Text<'a>>,
    #[serde(borrow)]
    pub message: Option<Text<'a>>,
    #[serde(borrow)]
    pub started_at: Option<Text<'a>>,
    #[serde(borrow)]
    pub finished_at: Option<Text<'a>>,
    #[serde(rename = "containerID", borrow)]
    pub container_id: Option<Text<'a>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Reference<'a> {
    #[serde(borrow)]
    pub kind: Option<Text<'a>>,
    #[serde(borrow)]
    pub namespace: Option<Text<'a>>,
    #[serde(borrow)]
    pub name: Option<Text<'a>>,
    #[serde(borrow)]
    pub uid: Option<Text<'a>>,
    #[serde(borrow)]
    pub field_path: Option<Text<'a>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Series<'a> {
    pub count: Option<i64>,
    #[serde(borrow)]
    pub last_observed_time: Option<Text<'a>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Source<'a> {
    #[serde(borrow)]
    pub component: Option<Text<'a>>,
    #[serde(borrow)]
    pub host: Option<Text<'a>>,
}
