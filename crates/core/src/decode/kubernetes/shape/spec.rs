//! `spec`: what was asked for.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::Text;

/// `spec` of pods, nodes, limit ranges and workloads.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(in super::super) struct Spec<'a> {
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
    // Jobs.
    pub ttl_seconds_after_finished: Option<i64>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in super::super) struct NodeSelector<'a> {
    #[serde(rename = "kubernetes.io/os", borrow)]
    pub os: Option<Text<'a>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in super::super) struct Template<'a> {
    #[serde(borrow)]
    pub spec: Option<Box<Spec<'a>>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in super::super) struct Os<'a> {
    #[serde(borrow)]
    pub name: Option<Text<'a>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in super::super) struct Taint<'a> {
    #[serde(borrow)]
    pub key: Text<'a>,
    #[serde(borrow)]
    pub value: Option<Text<'a>>,
    #[serde(borrow)]
    pub effect: Text<'a>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(in super::super) struct LimitItem<'a> {
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
pub(in super::super) struct Requirements<'a> {
    #[serde(borrow)]
    pub requests: Option<Amounts<'a>>,
    #[serde(borrow)]
    pub limits: Option<Amounts<'a>>,
}

/// Quantities by resource, of which two matter. A manifest may write them as numbers.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in super::super) struct Amounts<'a> {
    #[serde(borrow)]
    pub memory: Option<&'a RawValue>,
    #[serde(borrow)]
    pub cpu: Option<&'a RawValue>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(in super::super) struct Volume<'a> {
    #[serde(borrow)]
    pub name: Text<'a>,
    #[serde(borrow)]
    pub empty_dir: Option<EmptyDir<'a>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(in super::super) struct EmptyDir<'a> {
    #[serde(borrow)]
    pub medium: Option<Text<'a>>,
    #[serde(borrow)]
    pub size_limit: Option<&'a RawValue>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(in super::super) struct ContainerSpec<'a> {
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
pub(in super::super) struct Variable<'a> {
    #[serde(borrow)]
    pub name: Text<'a>,
    #[serde(borrow)]
    pub value: Option<Text<'a>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(in super::super) struct ProbeSpec {
    pub initial_delay_seconds: Option<i64>,
    pub timeout_seconds: Option<i64>,
    pub period_seconds: Option<i64>,
    pub failure_threshold: Option<i64>,
    pub termination_grace_period_seconds: Option<i64>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(in super::super) struct Lifecycle<'a> {
    #[serde(borrow)]
    pub pre_stop: Option<&'a RawValue>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in super::super) struct Mount<'a> {
    #[serde(borrow)]
    pub name: Text<'a>,
}
