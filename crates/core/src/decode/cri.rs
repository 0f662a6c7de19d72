//! `crictl inspect` of containers.
//!
//! The status is CRI's `ContainerStatus` (`cri-api/pkg/apis/runtime/v1/api.proto`, v0.36); `info` is the runtime's own
//! and alike in containerd and CRI-O.

use serde_json::Value;

use super::documents::{number, objects, text};
use super::{Decoded, Input, moment};
use crate::fact::{EngineContainer, Gap, Locus, Subject, What};
use crate::units::Bytes;

/// Decodes one or several documents. Those of sandboxes (`crictl inspectp`) tell of no container's end and are passed
/// over.
pub(super) fn decode(input: Input<'_>, out: &mut Decoded) {
    let before = out.facts.len();
    let objects = objects(input, out);
    let mut sandboxes = false;
    for (pointer, object) in &objects {
        // The document, or its status alone.
        let status = if object["status"].is_object() { &object["status"] } else { object };
        let state = state(&status["state"]);
        sandboxes |= state.as_deref().is_some_and(is_of_sandbox);
        if let Some(state) = state.filter(|state| !is_of_sandbox(state)) {
            let container = container(object, status, state, input);
            out.fact(What::EngineContainer(Box::new(container)), Locus::pointer(input.id, pointer.as_str()));
        }
    }
    if out.facts.len() == before && !sandboxes {
        out.gaps.push(Gap {
            what: format!("the containers in {}", input.artifact.name),
            because: "no object in it has the status of a container".to_owned(),
            command: String::new(),
        });
    }
}

/// `CONTAINER_EXITED` is `exited`; sandboxes are `sandbox_ready` or `sandbox_notready`.
fn state(value: &Value) -> Option<String> {
    match value {
        Value::String(name) => {
            let name = name.to_ascii_lowercase();
            match name.strip_prefix("container_") {
                Some(state) => Some(state.to_owned()),
                None => is_of_sandbox(&name).then_some(name),
            }
        }
        Value::Number(number) => {
            let name = ["created", "running", "exited", "unknown"].get(usize::try_from(number.as_u64()?).ok()?)?;
            Some((*name).to_owned())
        }
        _ => None,
    }
}

fn is_of_sandbox(state: &str) -> bool {
    state.starts_with("sandbox_")
}

fn container(object: &Value, status: &Value, state: String, input: Input<'_>) -> EngineContainer {
    let info = &object["info"];
    let spec = &info["runtimeSpec"];
    let memory = &spec["linux"]["resources"]["memory"];
    let amended = &status["resources"]["linux"];
    let exited = state == "exited";
    let attempt = number(&status["metadata"]["attempt"])
        .or_else(|| number(&status["annotations"]["io.kubernetes.container.restartCount"]))
        .and_then(|attempt| u32::try_from(attempt).ok());
    let reason = text(&status["reason"]);
    EngineContainer {
        subject: subject(status, attempt, input),
        engine: "cri".to_owned(),
        // The runtime tells it by the reason alone, and `Error` does not deny it.
        oom_killed: reason.as_deref().filter(|reason| *reason == "OOMKilled").map(|_| true),
        exit_code: number(&status["exitCode"]).filter(|_| exited).and_then(|code| i32::try_from(code).ok()),
        wait_status: None,
        reason,
        error: text(&status["message"]),
        started: moment::of(&status["startedAt"]),
        finished: moment::of(&status["finishedAt"]),
        // Since Kubernetes 1.27 limits change in place: what the status says is newer than the spec.
        memory_limit: amount(&amended["memoryLimitInBytes"]).or_else(|| amount(&memory["limit"])),
        unlimited: false,
        memory_swap: amount(&amended["memorySwapLimitInBytes"]).or_else(|| amount(&memory["swap"])),
        oom_kill_disable: memory["disableOOMKiller"].as_bool().unwrap_or(false),
        oom_score_adj: number(&amended["oomScoreAdj"])
            .or_else(|| number(&spec["process"]["oomScoreAdj"]))
            .and_then(|number| i32::try_from(number).ok()),
        restart_count: attempt,
        stop_timeout_seconds: None,
        stop_signal: text(&status["stopSignal"]),
        pid: number(&info["pid"]).and_then(|pid| u32::try_from(pid).ok()).filter(|pid| *pid > 0),
        cgroup: text(&spec["linux"]["cgroupsPath"]),
        host_rebooted: false,
        status: Some(state),
    }
}

fn subject(status: &Value, attempt: Option<u32>, input: Input<'_>) -> Subject {
    let label = |name: &str| text(&status["labels"][format!("io.kubernetes.{name}")]);
    Subject {
        namespace: label("pod.namespace"),
        pod: label("pod.name"),
        pod_uid: label("pod.uid"),
        container: label("container.name").or_else(|| text(&status["metadata"]["name"])),
        container_id: text(&status["id"]),
        restart: attempt,
        node: input.artifact.about.node.clone(),
    }
}

/// Bytes; zero and negative numbers mean no limit.
fn amount(value: &Value) -> Option<Bytes> {
    number(value).and_then(|bytes| u64::try_from(bytes).ok()).filter(|bytes| *bytes > 0).map(Bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::artifact::{Artifact, ArtifactId};
    use proptest::prelude::*;

    const SAMPLE: &str = r#"{
      "status": {
        "id": "0a1b2c3d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f60718293a4b5c6d7e8f9",
        "metadata": {"attempt": 2, "name": "app"},
        "state": "CONTAINER_EXITED",
        "createdAt": "2026-11-25T21:59:59Z", "startedAt": "1795644000000000000", "finishedAt": 1795644060500000000,
        "exitCode": 137, "reason": "OOMKilled", "message": "",
        "labels": {"io.kubernetes.container.name": "app", "io.kubernetes.pod.name": "web-1",
          "io.kubernetes.pod.namespace": "shop", "io.kubernetes.pod.uid": "11111111-2222-3333-4444-555555555555"}
      },
      "info": {"pid": 0, "runtimeSpec": {
        "process": {"oomScoreAdj": 984, "env": ["TOKEN=not-to-be-kept"]},
        "linux": {"cgroupsPath": "/kubepods/burstable/pod11111111-2222-3333-4444-555555555555/0a1b",
          "resources": {"memory": {"limit": 67108864, "swap": 67108864}}}}}
    }"#;

    fn run(text: &[u8]) -> Decoded {
        let artifact = Artifact::new("crictl inspect", text);
        let mut out = Decoded::default();
        decode(Input::whole(ArtifactId(0), &artifact), &mut out);
        out
    }

    fn containers(text: &str) -> Vec<(String, EngineContainer)> {
        let container = |fact: crate::fact::Fact| match fact.what {
            What::EngineContainer(container) => (fact.from.locator(), *container),
            other => panic!("{other:?}"),
        };
        run(text.as_bytes()).facts.into_iter().map(container).collect()
    }

    #[test]
    fn an_exited_container_tells_its_end() {
        let (place, app) = containers(SAMPLE).remove(0);
        assert_eq!((place.as_str(), app.engine.as_str(), app.status.as_deref()), ("", "cri", Some("exited")));
        assert_eq!((app.oom_killed, app.exit_code, app.reason.as_deref()), (Some(true), Some(137), Some("OOMKilled")));
        assert_eq!(
            (app.started, app.finished),
            ("2026-11-25T22:00:00Z".parse().ok(), "2026-11-25T22:01:00.5Z".parse().ok())
        );
        assert_eq!((app.memory_limit, app.oom_score_adj, app.pid), (Some(Bytes::mib(64)), Some(984), None));
        assert_eq!((app.restart_count, app.subject.restart), (Some(2), Some(2)));
        assert_eq!((app.subject.pod.as_deref(), app.subject.container.as_deref()), (Some("web-1"), Some("app")));
        assert!(!format!("{app:?}").contains("not-to-be-kept"), "environment is never kept");
    }

    #[test]
    fn a_running_container_has_no_exit_code_and_no_end() {
        let text = SAMPLE
            .replace("CONTAINER_EXITED", "CONTAINER_RUNNING")
            .replace("1795644060500000000", "0")
            .replace("\"exitCode\": 137, \"reason\": \"OOMKilled\"", "\"exitCode\": 0, \"reason\": \"\"")
            .replace("\"pid\": 0", "\"pid\": 77");
        let (_, app) = containers(&text).remove(0);
        assert_eq!((app.status.as_deref(), app.exit_code, app.finished), (Some("running"), None, None));
        assert_eq!((app.oom_killed, app.pid), (None, Some(77)));
    }

    #[test]
    fn several_documents_are_told_apart_and_sandboxes_are_passed_over() {
        let sandbox = r#"{"status": {"id": "ff", "state": "SANDBOX_READY", "metadata": {"name": "web-1"}}}"#;
        let found = containers(&format!("{SAMPLE}\n{sandbox}\n{SAMPLE}"));
        assert_eq!(found.iter().map(|(place, _)| place.as_str()).collect::<Vec<_>>(), ["#1", "#3"]);
        let out = run(sandbox.as_bytes());
        assert!(out.facts.is_empty() && out.gaps.is_empty());
    }

    #[test]
    fn a_cut_document_keeps_what_is_whole() {
        let cut = &SAMPLE[..SAMPLE.find("\"info\"").unwrap() + 30];
        assert_eq!(containers(cut)[0].1.exit_code, Some(137));
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            run(&bytes);
        }

        #[test]
        fn no_cut_or_changed_document_panics(from in 0_usize..1200, to in 0_usize..1200, at in 0_usize..1200, byte: u8) {
            let mut bytes = SAMPLE.as_bytes().to_vec();
            let at = at % bytes.len();
            bytes[at] = byte;
            let to = to.min(bytes.len());
            run(&bytes[from.min(to)..to]);
        }
    }
}
