//! Containers of Docker and Podman against truth, from what the engines and the kernel said of a run.
#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "tests read files and print their figures"
)]

use std::path::{Path, PathBuf};

use oomph_core::artifact::Artifact;
use oomph_core::diagnosis::Document;
use oomph_core::why::{Ask, why};
use serde_json::{Map, Value};

mod shared;

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures").join(name)
}

fn explain(folder: &Path, files: &[&str]) -> Document {
    let artifacts: Vec<Artifact> = files.iter().map(|name| shared::artifact(&folder.join(name))).collect();
    why(&artifacts, Vec::new(), Vec::new(), &Ask::default())
}

fn truth(folder: &Path) -> Map<String, Value> {
    serde_json::from_slice(&std::fs::read(folder.join("truth.json")).unwrap()).unwrap()
}

/// Every container has one diagnosis, and it is right.
fn judge(name: &str) {
    let folder = fixture(name);
    let document = explain(&folder, &["inspect.json", "events.jsonl", "kmsg.raw"]);
    let truth = truth(&folder);
    let mut wrong = Vec::new();
    for (container, entry) in &truth {
        let ours: Vec<_> =
            document.diagnoses.iter().filter(|it| it.subject.container.as_deref() == Some(container)).collect();
        let said: Vec<_> = ours.iter().map(|it| serde_json::json!([it.verdict.id(), it.oom_kill])).collect();
        if said.len() != 1 || !entry["accept"].as_array().unwrap().contains(&said[0]) {
            wrong.push(format!("{container}: {said:?}, right is {}", entry["accept"]));
        }
    }
    println!("{name}: {} of {} containers right", truth.len() - wrong.len(), truth.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_container_of_docker_gets_its_verdict() {
    judge("docker-20.10");
}

#[test]
fn every_container_of_podman_gets_its_verdict() {
    judge("podman-4.3");
}

#[test]
fn without_the_kernel_log_no_kill_is_claimed_or_denied_wrongly() {
    for name in ["docker-20.10", "podman-4.3"] {
        let folder = fixture(name);
        let truth = truth(&folder);
        let document = explain(&folder, &["inspect.json", "events.jsonl"]);
        let mut known = 0;
        for it in &document.diagnoses {
            let container = it.subject.container.as_deref().unwrap();
            if it.verdict.id() == "completed" {
                continue; // an end without an error is not doubted, though Podman would not tell of a child's kill
            }
            let right = truth[container]["accept"].as_array().unwrap().iter().map(|pair| pair[1].as_bool());
            assert!(it.oom_kill.is_none() || right.clone().any(|kill| kill == it.oom_kill), "{container}: {it:#?}");
            known += usize::from(it.oom_kill.is_some());
        }
        println!("{name} without a kernel log: oomKill known of {known} of {}", document.diagnoses.len());
    }
}
