//! The tables of `kubectl get pods` and `kubectl get events`, with or without their header.

use super::columns::{columns, is_name};
use super::{Decoded, Input, event_row};
use crate::fact::{Container, ContainerKind, ContainerStatus, Locus, Pod, State, Termination, What};

/// Decodes every row that is one.
pub(super) fn decode(input: Input<'_>, out: &mut Decoded) {
    let text = String::from_utf8_lossy(input.bytes);
    for (number, line) in text.lines().enumerate() {
        let from = Locus::line(input.id, input.first_line + number);
        if let Some((event, true)) = event_row::event(line) {
            out.fact(What::Event(Box::new(event)), from);
        } else if let Some(pod) = pod(line) {
            out.fact(What::Pod(Box::new(pod)), from);
        }
    }
}

/// `[NAMESPACE] NAME READY STATUS RESTARTS AGE`, as far as it is evidence.
pub(super) fn pod(line: &str) -> Option<Pod> {
    let line = line.trim_start().trim_start_matches('#');
    let mut columns = columns(line);
    if columns.len() == 1 {
        // The columns have shrunk to single spaces.
        columns = line.split_whitespace().collect();
    }
    let ready = columns.iter().position(|column| is_ready(column)).filter(|at| (1..=2).contains(at))?;
    let name = columns[ready - 1].trim_start_matches("pod/");
    let status = columns.get(ready + 1)?;
    let restarts = columns.get(ready + 2)?.split_whitespace().next()?.parse::<u32>().ok()?;
    if !is_name(name.split('<').next()?.trim_end_matches('-')) || !status.starts_with(|c: char| c.is_ascii_uppercase())
    {
        return None;
    }
    let mut pod =
        Pod { name: Some(name.to_owned()), namespace: (ready == 2).then(|| columns[0].to_owned()), ..Pod::default() };
    let (kind, word) = match status.strip_prefix("Init:") {
        Some(word) => (ContainerKind::Init, word),
        None => (ContainerKind::App, *status),
    };
    let end =
        |reason: &str| State::Terminated(Termination { reason: Some(reason.to_owned()), ..Termination::default() });
    let state = match word {
        "Running" | "Pending" | "Succeeded" | "Unknown" | "NotReady" => {
            pod.phase = Some(word.to_owned()).filter(|word| word != "NotReady");
            None
        }
        "Failed" => {
            pod.phase = Some(word.to_owned());
            None
        }
        "Terminating" => {
            pod.terminating = true;
            None
        }
        "OOMKilled" | "Error" | "ContainerStatusUnknown" | "StartError" | "ContainerCannotRun" => Some(end(word)),
        // containerd and CRI-O give this reason for exit code 0 alone.
        "Completed" => Some(State::Terminated(Termination {
            exit_code: Some(0),
            reason: Some(word.to_owned()),
            ..Termination::default()
        })),
        "CrashLoopBackOff"
        | "ContainerCreating"
        | "PodInitializing"
        | "ImagePullBackOff"
        | "ErrImagePull"
        | "CreateContainerError"
        | "CreateContainerConfigError"
        | "RunContainerError"
        | "ErrImageNeverPull" => Some(State::Waiting { reason: Some(word.to_owned()), message: None }),
        // `ExitCode:3`, `Signal:9`: a container that ended without a reason.
        word if word.starts_with("ExitCode:") => {
            let exit_code = word.split_once(':')?.1.parse().ok();
            Some(State::Terminated(Termination { exit_code, ..Termination::default() }))
        }
        // Init:0/1 says how many are done.
        word if is_ready(word) => None,
        reason => {
            pod.reason = Some(reason.to_owned());
            pod.phase = Some("Failed".to_owned());
            None
        }
    };
    if state.is_some() || restarts > 0 {
        let status = ContainerStatus { state, restart_count: Some(restarts), ..ContainerStatus::default() };
        pod.containers.push(Container { kind, status: Some(status), ..Container::default() });
    }
    Some(pod)
}

/// `1/1`, `0/2`.
fn is_ready(text: &str) -> bool {
    text.split_once('/').is_some_and(|(ready, all)| ready.parse::<u16>().is_ok() && all.parse::<u16>().is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_tells_what_its_status_tells() {
        let pod = pod("shop   checkout-1   0/1   OOMKilled   5 (2m ago)   10m").unwrap();
        assert_eq!((pod.namespace.as_deref(), pod.name.as_deref()), (Some("shop"), Some("checkout-1")));
        let status = pod.containers[0].status.as_ref().unwrap();
        assert_eq!(status.restart_count, Some(5));
        assert!(matches!(&status.state, Some(State::Terminated(end)) if end.reason.as_deref() == Some("OOMKilled")));
    }

    #[test]
    fn evicted_is_the_pods_reason() {
        let pod = pod("web-1   0/1     Evicted   0          102d").unwrap();
        assert_eq!((pod.reason.as_deref(), pod.containers.len()), (Some("Evicted"), 0));
    }

    #[test]
    fn headers_and_prose_are_no_rows() {
        assert!(pod("NAME    READY   STATUS    RESTARTS      AGE").is_none());
        assert!(pod("see 1/2  of  It  3  now").is_none());
    }
}
