//! The verdicts against truth: pod statuses of the shared corpus, and captures of real clusters.
#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "tests read files and print their figures"
)]

use std::path::Path;

use oomph_core::artifact::Artifact;
use oomph_core::diagnosis::{Diagnosis, Document};
use oomph_core::why::{Ask, why};
use serde_json::Value;

mod shared;

fn explain(artifacts: &[Artifact]) -> Document {
    why(artifacts, Vec::new(), Vec::new(), &Ask::default())
}

/// The corpus' names of mechanisms are the verdicts' with underscores.
fn verdict_id(mechanism: &str) -> String {
    mechanism.replace('_', "-")
}

fn accepted(truth: &Value) -> Vec<(String, Option<bool>)> {
    if let Some(pairs) = truth["accept"].as_array() {
        return pairs.iter().map(|pair| (verdict_id(pair[0].as_str().unwrap()), pair[1].as_bool())).collect();
    }
    let verdict = &truth["verdict"];
    vec![(verdict_id(verdict["mechanism"].as_str().unwrap()), verdict["oom_kill"].as_bool())]
}

fn said(diagnosis: &Diagnosis) -> (String, Option<bool>) {
    (diagnosis.verdict.id().to_owned(), diagnosis.oom_kill)
}

#[test]
fn pod_statuses_of_the_corpus_get_their_verdict() {
    let Some(folder) = shared::part("corpus/pod") else { return };
    let (mut right, mut total, mut wrong_kill) = (0, 0, Vec::new());
    let mut misses = Vec::new();
    for truth_path in shared::files(&folder, ".json") {
        let truth: Value = serde_json::from_slice(&std::fs::read(&truth_path).unwrap()).unwrap();
        let document = explain(&[shared::artifact(&truth_path.with_extension("txt"))]);
        let accept = accepted(&truth);
        let answers: Vec<_> = document.diagnoses.iter().map(said).collect();
        total += 1;
        let none = accept.iter().any(|(verdict, _)| verdict == "none") && answers.is_empty();
        if none || answers.iter().any(|answer| accept.contains(answer)) {
            right += 1;
        } else {
            misses.push(format!("{}: {answers:?}, truth {accept:?}", truth["id"]));
        }
        let kill_allowed = |kill: Option<bool>| kill.is_none() || accept.iter().any(|(_, truth)| *truth == kill);
        if answers.iter().any(|(_, kill)| !kill_allowed(*kill)) {
            wrong_kill.push(format!("{}: {answers:?}", truth["id"]));
        }
    }
    println!("pod corpus: verdict right in {right} of {total}, oomKill wrongly claimed in {}", wrong_kill.len());
    for miss in &misses {
        println!("  miss {miss}");
    }
    for wrong in &wrong_kill {
        println!("  oomKill {wrong}");
    }
    assert!(wrong_kill.is_empty());
    assert!(right * 100 >= total * 95);
}

/// Compares the diagnoses with a capture's truth; prints and returns the containers that are wrong.
/// `texts` shows no pod that is gone: for those silence is right.
fn judge_capture(name: &str, folder: &Path, artifacts: &[Artifact], with_logs: bool, texts: bool) -> Vec<String> {
    let truth: Value = serde_json::from_slice(&std::fs::read(folder.join("truth.json")).unwrap()).unwrap();
    let document = explain(artifacts);
    let mut wrong = Vec::new();
    for (key, entry) in truth.as_object().unwrap() {
        let parts: Vec<&str> = key.rsplit('/').collect();
        let (container, pod) = (parts[0], parts[1]);
        let answers: Vec<_> = document
            .diagnoses
            .iter()
            .filter(|it| it.subject.pod.as_deref().is_some_and(|name| is_named(name, pod)))
            .filter(|it| container.is_empty() || it.subject.container.as_deref().is_none_or(|name| name == container))
            .map(said)
            .collect();
        let strict = with_logs && entry["note"].as_str().is_some_and(|note| note.contains("only runtime-heap-oom"));
        let pairs = accepted(entry);
        let pairs: Vec<_> = pairs.into_iter().filter(|(id, _)| !strict || id == "runtime-heap-oom").collect();
        let unseen = texts && !folder.join(format!("describe/{pod}.txt")).is_file();
        let none = answers.is_empty() && (unseen || pairs.iter().any(|(verdict, _)| verdict == "none"));
        let right = answers.len() == 1 && pairs.contains(&answers[0]);
        if !none && !right {
            wrong.push(format!("{key}: {answers:?}, truth {pairs:?}"));
        }
    }
    let total = truth.as_object().unwrap().len();
    println!("{name}: {} of {total} containers right", total - wrong.len());
    for line in &wrong {
        println!("  wrong {line}");
    }
    wrong
}

/// The name, or one with a generated end where the truth has a star.
fn is_named(name: &str, truth: &str) -> bool {
    truth.strip_suffix('*').map_or(name == truth, |head| name.starts_with(head))
}

fn read(folder: &Path, names: &[&str]) -> Vec<Artifact> {
    names.iter().map(|name| shared::artifact(&folder.join(name))).collect()
}

#[test]
fn every_container_of_the_captures_gets_its_verdict() {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures");
    let shared = shared::part("captures");
    let mut captures: Vec<_> = shared.iter().chain([&fixtures]).flat_map(|folder| shared::files(folder, "")).collect();
    captures.retain(|path| path.join("pods.json").is_file() && path.join("truth.json").is_file());
    let mut wrong = Vec::new();
    for folder in captures {
        let name = folder.file_name().unwrap().to_string_lossy().into_owned();
        let api = read(&folder, &["pods.json", "events.json", "kmsg.raw"]);
        wrong.extend(judge_capture(&format!("{name}, pods and events and kernel log"), &folder, &api, false, false));
        let mut with_logs = api;
        with_logs.extend(shared::files(&folder.join("logs"), ".log").iter().map(|path| shared::artifact(path)));
        wrong.extend(judge_capture(&format!("{name}, with logs"), &folder, &with_logs, true, false));
        if folder.join("describe").is_dir() {
            let mut texts = read(&folder, &["dmesg.txt"]);
            texts.extend(shared::files(&folder.join("describe"), ".txt").iter().map(|path| shared::artifact(path)));
            wrong.extend(judge_capture(&format!("{name}, describe texts and dmesg"), &folder, &texts, false, true));
        }
    }
    assert!(wrong.is_empty(), "{} containers are wrong", wrong.len());
}
