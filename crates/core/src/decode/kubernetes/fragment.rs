//! A piece of a pod: whatever in a tree tells of a container's state or a pod's fate.

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::pod::{container_status, qos, termination};
use super::shape::{ContainerStatus as StatusShape, TerminatedStatus};
use crate::decode::{Decoded, Input};
use crate::fact::{Condition, Container, ContainerKind, Locus, Pod, Resources, State, What};

/// Reads what a tree holds; false where nothing of a pod is in it.
pub(super) fn read(tree: &Value, input: Input<'_>, prefix: &str, out: &mut Decoded) -> bool {
    let mut pod = Pod::default();
    let mut found = Found::default();
    walk(tree, None, &mut pod, &mut found);
    if !found.any {
        return false;
    }
    out.fact(What::Pod(Box::new(pod)), Locus::pointer(input.id, prefix));
    true
}

#[derive(Default)]
struct Found {
    any: bool,
}

/// Goes down the tree; `name` is the key or list item that names the container under it.
fn walk(tree: &Value, name: Option<&str>, pod: &mut Pod, found: &mut Found) {
    match tree {
        Value::Array(items) => items.iter().for_each(|item| walk(item, name, pod, found)),
        Value::Object(map) => {
            if is_status_of_pod(map) {
                fill_pod(map, pod);
                found.any = true;
            }
            if let Some(condition) = disruption(map) {
                pod.conditions.push(condition);
                found.any = true;
            }
            if let Some(metadata) = map.get("metadata").and_then(Value::as_object) {
                let text = |key: &str| metadata.get(key).and_then(Value::as_str).map(str::to_owned);
                pod.name = pod.name.take().or_else(|| text("name"));
                pod.namespace = pod.namespace.take().or_else(|| text("namespace"));
                pod.uid = pod.uid.take().or_else(|| text("uid"));
            }
            if is_container(map) {
                push_container(map, name, pod);
                found.any = true;
                return;
            }
            for (key, value) in map {
                // Until 2014 statuses were a map by container name; else keys are field names.
                let named = value.as_object().is_some_and(is_container);
                walk(value, if named && !is_field(key) { Some(key) } else { name }, pod, found);
            }
        }
        _ => {}
    }
}

fn is_field(key: &str) -> bool {
    matches!(key, "status" | "state" | "lastState" | "containerStatus" | "items" | "spec")
}

fn is_status_of_pod(map: &Map<String, Value>) -> bool {
    let text = |key: &str| map.get(key).is_some_and(Value::is_string);
    text("phase")
        || text("reason")
            && text("message")
            && !map.contains_key("exitCode")
            && (map.contains_key("startTime")
                || text("qosClass")
                || map["reason"].as_str().is_some_and(is_reason_of_pod))
}

/// Reasons that a pod's status or a job's condition has, and no container's and no healthy condition's.
fn is_reason_of_pod(reason: &str) -> bool {
    let known = ["Evicted", "NodeShutdown", "Shutdown", "Terminated", "DeadlineExceeded", "Preempting", "NodeAffinity"];
    known.contains(&reason) || reason == "UnexpectedAdmissionError" || reason.starts_with("OutOf")
}

/// The condition by which the control plane tells why it removed the pod.
fn disruption(map: &Map<String, Value>) -> Option<Condition> {
    let text = |key: &str| map.get(key).and_then(Value::as_str).map(str::to_owned);
    (text("type").as_deref() == Some("DisruptionTarget")).then(|| Condition {
        kind: "DisruptionTarget".to_owned(),
        status: text("status").unwrap_or_else(|| "True".to_owned()),
        reason: text("reason"),
        message: text("message"),
        since: super::convert::time(map.get("lastTransitionTime").and_then(Value::as_str)),
    })
}

fn fill_pod(map: &Map<String, Value>, pod: &mut Pod) {
    let text = |key: &str| map.get(key).and_then(Value::as_str).filter(|text| !text.is_empty()).map(str::to_owned);
    pod.phase = text("phase").or(pod.phase.take());
    pod.reason = text("reason").or(pod.reason.take());
    pod.message = text("message").map(|message| message.trim().to_owned()).or(pod.message.take());
    pod.qos = map.get("qosClass").and_then(Value::as_str).and_then(qos);
    pod.started = super::convert::time(map.get("startTime").and_then(Value::as_str));
}

/// A container's status, or the states of one, or one end of one.
fn is_container(map: &Map<String, Value>) -> bool {
    let state = |key: &str| {
        map.get(key).and_then(Value::as_object).is_some_and(|state| {
            ["terminated", "termination", "running", "waiting"].iter().any(|name| state.contains_key(*name))
        })
    };
    state("state") || state("lastState") || map.get("terminated").is_some_and(Value::is_object) || is_end(map)
}

fn is_end(map: &Map<String, Value>) -> bool {
    map.contains_key("exitCode")
        && (map.contains_key("reason") || map.contains_key("finishedAt") || map.contains_key("startedAt"))
}

fn push_container(map: &Map<String, Value>, name: Option<&str>, pod: &mut Pod) {
    let mut status = typed::<Value>(&Value::Object(map.clone()))
        .and_then(|value| serde_json::to_string(&value).ok())
        .and_then(|text| serde_json::from_str::<StatusShape<'_>>(&text).ok().map(|shape| container_status(&shape)))
        .unwrap_or_default();
    let end = if is_end(map) { Some(Value::Object(map.clone())) } else { map.get("terminated").cloned() };
    if status.state.is_none()
        && status.last.is_none()
        && let Some(text) = end.and_then(|end| serde_json::to_string(&end).ok())
        && let Ok(shape) = serde_json::from_str::<TerminatedStatus<'_>>(&text)
    {
        status.state = Some(State::Terminated(termination(&shape)));
    }
    let own = map.get("name").and_then(Value::as_str).or(name);
    let mut container = Container {
        name: own.map(str::to_owned),
        kind: ContainerKind::App,
        status: Some(status),
        ..Container::default()
    };
    if let Some(resources) = map.get("resources") {
        container.resources = resources_of(resources);
    }
    pod.containers.push(container);
}

fn resources_of(value: &Value) -> Resources {
    let amount = |list: &str, name: &str| {
        let value = &value[list][name];
        value.as_str().map(str::to_owned).or_else(|| value.is_number().then(|| value.to_string()))?.parse().ok()
    };
    Resources {
        memory_request: amount("requests", "memory"),
        memory_limit: amount("limits", "memory"),
        cpu_request: amount("requests", "cpu"),
        cpu_limit: amount("limits", "cpu"),
    }
}

/// The value with numbers that fragments leave as text turned back into numbers.
fn typed<T: DeserializeOwned>(value: &Value) -> Option<T> {
    serde_json::from_value(numbers(value)).ok()
}

fn numbers(value: &Value) -> Value {
    match value {
        Value::Object(map) => Value::Object(
            map.iter()
                .map(|(key, value)| {
                    let numeric = matches!(key.as_str(), "exitCode" | "restartCount" | "signal");
                    let parsed = value.as_str().filter(|_| numeric).and_then(|text| text.trim().parse::<i64>().ok());
                    (key.clone(), parsed.map_or_else(|| numbers(value), Value::from))
                })
                .collect(),
        ),
        Value::Array(items) => Value::Array(items.iter().map(numbers).collect()),
        other => other.clone(),
    }
}
