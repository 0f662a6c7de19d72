//! `status`: what the kubelet and the controllers saw.

use serde::Deserialize;

use super::{Amounts, Requirements, Text};

/// `status` of pods and nodes.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(in super::super) struct Status<'a> {
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
pub(in super::super) struct NodeInfo<'a> {
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
pub(in super::super) struct ConditionStatus<'a> {
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
pub(in super::super) struct ContainerStatus<'a> {
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
pub(in super::super) struct StateStatus<'a> {
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
pub(in super::super) struct WaitingStatus<'a> {
    #[serde(borrow)]
    pub reason: Option<Text<'a>>,
    #[serde(borrow)]
    pub message: Option<Text<'a>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(in super::super) struct RunningStatus<'a> {
    #[serde(borrow)]
    pub started_at: Option<Text<'a>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(in super::super) struct TerminatedStatus<'a> {
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
