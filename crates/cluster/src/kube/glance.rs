//! A glance at a pod's JSON: enough to know what else to fetch, nothing that a verdict rests on.

use jiff::Timestamp;
use oomph_core::fact::Subject;
use serde::{Deserialize, Deserializer};

/// The few fields of a pod that steer the capture.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Pod {
    pub(super) metadata: Metadata,
    pub(super) spec: Spec,
    pub(super) status: Status,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Metadata {
    pub(super) name: String,
    pub(super) namespace: String,
    pub(super) uid: String,
    pub(super) resource_version: String,
    pub(super) deletion_timestamp: Option<String>,
    #[serde(deserialize_with = "nullable")]
    pub(super) owner_references: Vec<OwnerReference>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct OwnerReference {
    pub(super) api_version: String,
    pub(super) kind: String,
    pub(super) name: String,
    pub(super) uid: String,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Spec {
    pub(super) node_name: Option<String>,
    share_process_namespace: Option<bool>,
    #[serde(rename = "hostPID")]
    host_pid: Option<bool>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Status {
    phase: String,
    reason: Option<String>,
    #[serde(deserialize_with = "nullable")]
    conditions: Vec<Condition>,
    #[serde(deserialize_with = "nullable")]
    container_statuses: Vec<ContainerStatus>,
    #[serde(deserialize_with = "nullable")]
    init_container_statuses: Vec<ContainerStatus>,
    #[serde(deserialize_with = "nullable")]
    ephemeral_container_statuses: Vec<ContainerStatus>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct Condition {
    r#type: String,
    status: String,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct ContainerStatus {
    name: String,
    #[serde(rename = "containerID")]
    id: Option<String>,
    restart_count: u32,
    state: State,
    last_state: State,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct State {
    waiting: Option<Waiting>,
    running: Option<Running>,
    terminated: Option<Terminated>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct Waiting {
    reason: Option<String>,
}

#[derive(Debug, Clone, Default, Deserialize)]
struct Running {}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Terminated {
    exit_code: i32,
    finished_at: Option<String>,
    #[serde(rename = "containerID")]
    id: Option<String>,
}

/// One life of a container whose log may be fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Life {
    /// Whose, with id and restart count.
    pub(super) subject: Subject,
    /// The log stands under `previous=true`.
    pub(super) previous: bool,
    /// When it ended; `None` while it runs, or where the status does not say.
    pub(super) finished: Option<Timestamp>,
    /// Its exit code; `None` while it runs.
    pub(super) exit_code: Option<i32>,
}

/// `null` is an empty list.
fn nullable<'de, D: Deserializer<'de>, T: Deserialize<'de>>(from: D) -> Result<Vec<T>, D::Error> {
    Option::deserialize(from).map(Option::unwrap_or_default)
}

/// Reasons of waiting that every start passes through.
const STARTING: [&str; 2] = ["ContainerCreating", "PodInitializing"];

impl Spec {
    /// The first process that a container sees is not its own.
    pub(super) fn shares_processes(&self) -> bool {
        self.share_process_namespace == Some(true) || self.host_pid == Some(true)
    }
}

impl Pod {
    /// `None` for what is no pod.
    pub(super) fn parse(json: &str) -> Option<Self> {
        serde_json::from_str(json).ok().filter(|pod: &Self| !pod.metadata.name.is_empty())
    }

    /// Whether something ended, could not start or was taken away, as far as the pod's own status shows.
    pub(super) fn has_trouble(&self) -> bool {
        let status = &self.status;
        self.metadata.deletion_timestamp.is_some()
            || !matches!(status.phase.as_str(), "Running" | "")
            || status.reason.as_deref().is_some_and(|reason| !reason.is_empty())
            || status.conditions.iter().any(|c| c.r#type == "DisruptionTarget" && c.status == "True")
            || status.container_statuses.iter().any(|c| c.has_trouble() || c.state.terminated.is_some())
            || status.ephemeral_container_statuses.iter().any(|c| c.has_trouble() || c.failed())
            // An init container that is done is how every pod begins.
            || status.init_container_statuses.iter().any(|c| c.has_trouble() || c.failed())
    }

    /// The last ended life of every container; with `running` also the present life of those that have none.
    pub(super) fn lives(&self, running: bool) -> Vec<Life> {
        let status = &self.status;
        let all = [&status.init_container_statuses, &status.container_statuses, &status.ephemeral_container_statuses];
        all.into_iter().flatten().filter_map(|container| self.life(container, running)).collect()
    }

    fn life(&self, container: &ContainerStatus, running: bool) -> Option<Life> {
        let (previous, ended) = match (&container.state, &container.last_state.terminated) {
            (State { terminated: Some(ended), .. }, _) => (false, Some(ended)),
            (_, Some(ended)) => (true, Some(ended)),
            (State { running: Some(_), .. }, None) if running => (false, None),
            _ => return None,
        };
        let id = ended.and_then(|ended| ended.id.as_deref()).or(if previous { None } else { container.id.as_deref() });
        let subject = Subject {
            container: Some(container.name.clone()),
            container_id: id.filter(|id| !id.is_empty()).map(bare),
            restart: Some(container.restart_count.saturating_sub(u32::from(previous))),
            ..self.subject()
        };
        let finished = ended.and_then(|ended| ended.finished_at.as_deref()).and_then(|at| at.parse().ok());
        Some(Life { subject, previous, finished, exit_code: ended.map(|ended| ended.exit_code) })
    }

    /// Its names.
    pub(super) fn subject(&self) -> Subject {
        Subject {
            namespace: Some(self.metadata.namespace.clone()),
            pod: Some(self.metadata.name.clone()),
            pod_uid: Some(self.metadata.uid.clone()),
            node: self.spec.node_name.clone(),
            ..Subject::default()
        }
    }

    /// Marks of all that has ended so far: one new among them is a new death.
    pub(super) fn endings(&self) -> Vec<String> {
        let status = &self.status;
        let mut marks: Vec<String> = Vec::new();
        for container in [&status.container_statuses, &status.ephemeral_container_statuses].into_iter().flatten() {
            marks.extend(container.ended().map(|ended| container.mark(ended)));
        }
        for container in &status.init_container_statuses {
            // An init container that is done is how every pod begins.
            marks.extend(container.ended().filter(|ended| ended.exit_code != 0).map(|ended| container.mark(ended)));
        }
        let reason = status.reason.as_deref().unwrap_or_default();
        // A failed pod whose containers ended has failed by them; one without any was never run.
        if !reason.is_empty() || (status.phase == "Failed" && marks.is_empty()) {
            marks.push(format!("pod/{}/{reason}", status.phase));
        }
        marks
    }
}

impl ContainerStatus {
    fn has_trouble(&self) -> bool {
        let stuck = |waiting: &Waiting| {
            waiting.reason.as_deref().is_some_and(|reason| !reason.is_empty() && !STARTING.contains(&reason))
        };
        self.restart_count > 0 || self.last_state.terminated.is_some() || self.state.waiting.as_ref().is_some_and(stuck)
    }

    fn ended(&self) -> impl Iterator<Item = &Terminated> {
        [&self.state.terminated, &self.last_state.terminated].into_iter().flatten()
    }

    /// The container's id is the life's name; where a runtime lost it, the time is.
    fn mark(&self, ended: &Terminated) -> String {
        let life = ended.id.as_deref().filter(|id| !id.is_empty()).or(ended.finished_at.as_deref()).unwrap_or_default();
        format!("{}/{life}", self.name)
    }

    fn failed(&self) -> bool {
        self.state.terminated.as_ref().is_some_and(|ended| ended.exit_code != 0)
    }
}

/// `containerd://0a1b` without what stands before the id.
fn bare(id: &str) -> String {
    id.rsplit("//").next().unwrap_or(id).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pod(status: &str) -> Pod {
        let json = format!(
            r#"{{"metadata":{{"name":"web-0","namespace":"shop","uid":"u1"}},"spec":{{"nodeName":"n"}},"status":{status}}}"#
        );
        Pod::parse(&json).unwrap()
    }

    #[test]
    fn a_healthy_pod_has_no_trouble() {
        let healthy = pod(
            r#"{"phase":"Running","conditions":null,"containerStatuses":[{"name":"app","restartCount":0,"state":{"running":{}},"lastState":{}}],
                "initContainerStatuses":[{"name":"setup","state":{"terminated":{"exitCode":0}}}]}"#,
        );
        assert!(!healthy.has_trouble());
        assert!(healthy.endings().is_empty());
    }

    #[test]
    fn every_sign_of_trouble_is_seen() {
        for status in [
            r#"{"phase":"Failed"}"#,
            r#"{"phase":"Pending"}"#,
            r#"{"phase":"Running","reason":"Evicted"}"#,
            r#"{"phase":"Running","conditions":[{"type":"DisruptionTarget","status":"True"}]}"#,
            r#"{"phase":"Running","containerStatuses":[{"name":"a","restartCount":1}]}"#,
            r#"{"phase":"Running","containerStatuses":[{"name":"a","state":{"terminated":{"exitCode":0}}}]}"#,
            r#"{"phase":"Running","containerStatuses":[{"name":"a","state":{"waiting":{"reason":"CreateContainerError"}}}]}"#,
            r#"{"phase":"Running","initContainerStatuses":[{"name":"a","state":{"terminated":{"exitCode":1}}}]}"#,
        ] {
            assert!(pod(status).has_trouble(), "{status}");
        }
    }

    #[test]
    fn the_dead_life_is_the_present_one_while_it_is_in_state_and_the_previous_one_after_a_restart() {
        let dead = pod(r#"{"containerStatuses":[
                {"name":"a","restartCount":2,"containerID":"containerd://new","state":{"terminated":{"exitCode":137,"containerID":"containerd://new","finishedAt":"2026-01-02T03:04:05Z"}},
                 "lastState":{"terminated":{"exitCode":1,"containerID":"containerd://old"}}},
                {"name":"b","restartCount":3,"containerID":"cri-o://now","state":{"running":{}},"lastState":{"terminated":{"exitCode":9,"containerID":"cri-o://before"}}},
                {"name":"c","restartCount":0,"containerID":"docker://well","state":{"running":{}}}]}"#);
        let lives = dead.lives(false);
        let seen: Vec<_> = lives
            .iter()
            .map(|life| (life.subject.container_id.as_deref().unwrap(), life.subject.restart.unwrap(), life.previous))
            .collect();
        assert_eq!(seen, [("new", 2, false), ("before", 2, true)]);
        assert_eq!(dead.lives(true)[2].subject.container_id.as_deref(), Some("well"));
    }

    #[test]
    fn the_same_death_has_the_same_mark_before_and_after_the_restart() {
        let before = pod(
            r#"{"containerStatuses":[{"name":"a","restartCount":0,"state":{"terminated":{"exitCode":137,"containerID":"x://1"}}}]}"#,
        );
        let after = pod(
            r#"{"containerStatuses":[{"name":"a","restartCount":1,"state":{"running":{}},"lastState":{"terminated":{"exitCode":137,"containerID":"x://1"}}}]}"#,
        );
        assert_eq!(before.endings(), after.endings());
    }

    #[test]
    fn nonsense_is_no_pod_and_does_not_panic() {
        for text in ["", "[]", "7", "null", "{\"metadata\":7}", "<html>"] {
            assert!(Pod::parse(text).is_none(), "{text}");
        }
    }
}
