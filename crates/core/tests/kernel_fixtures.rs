//! Kills at every level, on cgroup v1 and v2, against truth: by the kernel's log, and by the counters alone.
#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "tests read files and print their figures"
)]

use std::path::{Path, PathBuf};

use oomph_core::artifact::Artifact;
use oomph_core::diagnosis::{Diagnosis, Document};
use oomph_core::why::{Ask, why};
use serde_json::{Map, Value, json};

mod shared;

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures").join(name)
}

fn explain(artifacts: &[Artifact]) -> Document {
    why(artifacts, Vec::new(), Vec::new(), &Ask::default())
}

/// A file of the version 2 node.
fn artifact(name: &str) -> Artifact {
    shared::artifact(&fixture("guest-v2").join(name))
}

/// The counters from when this kill was the last in its branch: later ones do not tell whose the limit above was.
fn counters(truth: &Value) -> Artifact {
    artifact(truth["counters"].as_str().unwrap())
}

fn truth() -> Map<String, Value> {
    truth_of("guest-v2")
}

fn truth_of(name: &str) -> Map<String, Value> {
    serde_json::from_slice(&std::fs::read(fixture(name).join("truth.json")).unwrap()).unwrap()
}

fn of<'a>(document: &'a Document, truth: &Value) -> &'a Diagnosis {
    let id = truth["containerId"].as_str();
    let ours: Vec<_> = document.diagnoses.iter().filter(|it| it.subject.container_id.as_deref() == id).collect();
    assert_eq!(ours.len(), 1, "{id:?}: {ours:#?}");
    ours[0]
}

/// The log tells each kill once, as it was, and each container has one diagnosis.
fn judge(name: &str, artifacts: &[Artifact]) {
    let document = explain(artifacts);
    let kills = serde_json::to_value(&document.kernel_kills).unwrap();
    let truth = truth_of(name);
    for (name, truth) in &truth {
        let of_it = |kill: &&Value| kill["containerId"] == truth["containerId"];
        let kill = kills.as_array().unwrap().iter().find(of_it).unwrap();
        for field in ["constraint", "level", "oomMemcg", "taskMemcg", "podUid"] {
            assert_eq!(kill[field], truth[field], "{name}: {field}");
        }
        let victims: Vec<&Value> = kill["victims"].as_array().unwrap().iter().map(|victim| &victim["comm"]).collect();
        assert_eq!(json!(victims), truth["victims"], "{name}");
        let diagnosis = of(&document, truth);
        let said = json!([diagnosis.verdict.id(), diagnosis.oom_kill]);
        assert!(truth["accept"].as_array().unwrap().contains(&said), "{name}: {said}");
        assert_eq!(json!(diagnosis.level), truth["level"], "{name}");
    }
    assert_eq!((document.kernel_kills.len(), document.diagnoses.len()), (truth.len(), truth.len()));
}

#[test]
fn the_kernel_log_of_a_version_1_node_tells_every_kill_with_its_level() {
    judge("memcg-v1", &[shared::artifact(&fixture("memcg-v1").join("kmsg.raw"))]);
}

#[test]
fn the_kernel_log_of_a_version_2_node_tells_every_kill_with_its_level() {
    judge("guest-v2", &[artifact("dmesg.txt")]);
}

#[test]
fn counters_beside_the_log_change_nothing() {
    judge("guest-v2", &[artifact("dmesg.txt"), artifact("counters.txt")]);
}

#[test]
fn the_counters_alone_tell_every_loss_with_its_level() {
    for (name, truth) in &truth() {
        let document = explain(&[counters(truth)]);
        let diagnosis = of(&document, truth);
        assert_eq!(diagnosis.oom_kill, Some(true), "{name}");
        assert_eq!(json!(diagnosis.level), truth["levelByCounters"], "{name}: {diagnosis:#?}");
    }
    assert_eq!(explain(&[artifact("counters.txt")]).diagnoses.len(), 6);
}

/// A pod whose only container has a limit of its own and was, as its runtime says, OOMKilled.
fn pod(uid: &str, id: &str) -> Artifact {
    let status = json!({"name": "app", "containerID": format!("containerd://{id}"), "restartCount": 0, "state":
        {"terminated": {"exitCode": 137, "reason": "OOMKilled", "containerID": format!("containerd://{id}"),
            "startedAt": "2026-11-25T21:00:00Z", "finishedAt": "2026-11-25T22:00:00Z"}}});
    let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web", "namespace": "shop", "uid": uid},
        "spec": {"containers": [
            {"name": "app", "resources": {"limits": {"memory": "1Gi"}}},
            {"name": "proxy", "resources": {"limits": {"memory": "1Gi"}}}]},
        "status": {"phase": "Failed", "containerStatuses": [status]}});
    Artifact::new("pod.json", pod.to_string())
}

#[test]
fn counters_of_the_cgroups_above_decide_the_level_of_what_the_api_calls_oom_killed() {
    let expected = [
        ("container", "container-limit-oom"),
        ("pod", "pod-limit-oom"),
        ("kubepods", "node-allocatable-oom"),
        ("node", "node-oom"),
    ];
    for (name, verdict) in expected {
        let truth = &truth()[name];
        let pod = pod(truth["podUid"].as_str().unwrap(), truth["containerId"].as_str().unwrap());
        let document = explain(&[pod, counters(truth)]);
        let diagnosis = of(&document, truth);
        assert_eq!((diagnosis.verdict.id(), diagnosis.oom_kill), (verdict, Some(true)), "{name}");
        assert_eq!(json!(diagnosis.level), truth["level"], "{name}");
        println!("{name}: {}", diagnosis.summary);
        let out = diagnosis.ruled_out.iter().any(|out| out.verdict.id() == "container-limit-oom");
        assert_eq!(out, name != "container", "{name}");
    }
}

/// The counters without the container's own cgroup, which is gone with it.
#[test]
fn the_pods_counters_tell_the_level_when_the_containers_cgroup_is_gone() {
    for (name, verdict) in [("pod", "pod-limit-oom"), ("kubepods", "node-allocatable-oom"), ("node", "node-oom")] {
        let truth = &truth()[name];
        let pod = pod(truth["podUid"].as_str().unwrap(), truth["containerId"].as_str().unwrap());
        let text = String::from_utf8(counters(truth).bytes).unwrap();
        let kept: Vec<&str> = text.split_inclusive("==> ").filter(|part| !part.contains(".scope/")).collect();
        let document = explain(&[pod, Artifact::new("counters.txt", kept.concat())]);
        assert_eq!(of(&document, truth).verdict.id(), verdict, "{name}");
    }
}
