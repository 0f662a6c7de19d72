//! The labels of `kubectl describe`, and the values behind them.

use crate::fact::{Probe, Qos, State, Termination};

/// Labels of a pod and of the states of a container, besides those of a container's own list.
const LABELS: [&str; 40] = [
    "Name",
    "Namespace",
    "Priority",
    "Priority Class Name",
    "Service Account",
    "Runtime Class Name",
    "Node",
    "Start Time",
    "Labels",
    "Annotations",
    "Status",
    "Reason",
    "Message",
    "IP",
    "IPs",
    "Controlled By",
    "Created By",
    "Controllers",
    "Replication Controllers",
    "Security Policy",
    "SeccompProfile",
    "Termination Grace Period",
    "Image(s)",
    "Init Containers",
    "Containers",
    "Ephemeral Containers",
    "Conditions",
    "Volumes",
    "QoS Class",
    "QoS Tier",
    "Node-Selectors",
    "Tolerations",
    "Events",
    "Last Termination State",
    "Exit Code",
    "Signal",
    "Started",
    "Finished",
    "Nominated Node Name",
    "Readiness Gates",
];

/// kubectl's own label, not a word that only stands before a colon.
pub(super) fn is_known(label: &str) -> bool {
    LABELS.contains(&label) || is_of_container(label)
}

/// Reasons that a container's end has, and no pod's.
pub(super) fn is_reason(text: &str) -> bool {
    let known = ["OOMKilled", "OOM Killed", "Error", "Completed", "ContainerCannotRun", "StartError"];
    known.contains(&text) || matches!(text, "ContainerStatusUnknown" | "CrashLoopBackOff")
}

pub(super) fn state((name, end): (String, Termination)) -> Option<State> {
    match name.as_str() {
        "Terminated" => Some(State::Terminated(end)),
        "Running" => Some(State::Running { started: end.started }),
        "Waiting" => Some(State::Waiting { reason: end.reason, message: end.message }),
        _ => None,
    }
}

pub(super) fn some(value: &str) -> Option<String> {
    let value = value.trim();
    (!value.is_empty()).then(|| value.to_owned())
}

pub(super) fn qos(value: &str) -> Option<Qos> {
    match value {
        "Guaranteed" => Some(Qos::Guaranteed),
        "Burstable" => Some(Qos::Burstable),
        "BestEffort" => Some(Qos::BestEffort),
        _ => None,
    }
}

/// Labels of kubectl begin with a capital letter and hold words: `Restart Count`. Variables are one word of capitals.
pub(super) fn is_of_container(label: &str) -> bool {
    matches!(
        label,
        "Container ID"
            | "Image"
            | "Image ID"
            | "Port"
            | "Ports"
            | "Host Port"
            | "Host Ports"
            | "Command"
            | "Args"
            | "State"
            | "Last State"
            | "Ready"
            | "Restart Count"
            | "Limits"
            | "Requests"
            | "Liveness"
            | "Readiness"
            | "Startup"
            | "Environment"
            | "Environment Variables from"
            | "Mounts"
            | "SeccompProfile"
            | "Devices"
            | "Restart Policy"
    )
}

/// `http-get http://:8080/ delay=20s timeout=2s period=8s #success=1 #failure=1`.
pub(super) fn probe(value: &str) -> Option<Probe> {
    let number = |name: &str| {
        let rest = value.split_once(name)?.1;
        rest.split(|c: char| !c.is_ascii_digit()).next()?.parse::<i64>().ok()
    };
    Some(Probe {
        delay: number("delay=")?,
        timeout: number("timeout=")?,
        period: number("period=")?,
        failures: number("#failure=").unwrap_or(3),
        grace: None,
    })
}
