//! Real deaths in a real Kubernetes, explained live through its API: as administrator, as a user who may read pods and
//! events alone, and as they happen. `OOMPH_TEST_CLUSTER` names the administrator's kubeconfig (`tests/cluster/cluster
//! up` prints it; `cargo xtask test` sets it and runs the tests inside the cluster's network).
#![allow(clippy::print_stdout, clippy::unwrap_used, reason = "tests print their figures")]

#[path = "../../../tests/support/component.rs"]
mod component;

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

/// The administrator's kubeconfig; `None`, with a word, where no cluster runs.
fn cluster() -> Option<PathBuf> {
    component::component("OOMPH_TEST_CLUSTER")
}

fn tests() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests")
}

fn run(command: &mut Command) -> Output {
    let output = command.output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?} ended with {}: {errors}", output.status);
    output
}

fn kubectl(arguments: &[&str]) -> String {
    let output = run(Command::new(tests().join("cluster/cluster")).args(["in", "kubectl"]).args(arguments));
    String::from_utf8(output.stdout).unwrap()
}

fn oomph(kubeconfig: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_oomph"));
    command.args(["why", "-o", "json", "--kubeconfig"]).arg(kubeconfig).args(arguments);
    command
}

fn explain(kubeconfig: &Path, arguments: &[&str]) -> Value {
    let output = oomph(kubeconfig, arguments).output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// What may be said of one container: pairs of verdict and oomKill.
type Accepted = Vec<(String, Option<bool>)>;

/// pod, container (empty: any), what is right.
fn truth() -> Vec<(String, String, Accepted)> {
    let truth: Value = serde_json::from_slice(&std::fs::read(tests().join("deaths/truth.json")).unwrap()).unwrap();
    let pair = |pair: &Value| (pair[0].as_str().unwrap().to_owned(), pair[1].as_bool());
    let entries = truth.as_object().unwrap().iter().map(|(key, entry)| {
        let (pod, container) = key.split_once('/').unwrap();
        (pod.to_owned(), container.to_owned(), entry["accept"].as_array().unwrap().iter().map(pair).collect())
    });
    entries.collect()
}

fn answers(document: &Value, pod: &str, container: &str) -> Accepted {
    let is_named = |name: &str| pod.strip_suffix('*').map_or(name == pod, |head| name.starts_with(head));
    let diagnoses = document["diagnoses"].as_array().unwrap().iter();
    diagnoses
        .filter(|it| it["subject"]["pod"].as_str().is_some_and(is_named))
        .filter(|it| container.is_empty() || it["subject"]["container"].as_str().is_none_or(|name| name == container))
        .map(|it| (it["verdict"].as_str().unwrap().to_owned(), it["oomKill"].as_bool()))
        .collect()
}

/// Containers that are explained wrongly, in words.
fn wrong(document: &Value, who: &str, right: impl Fn(&Accepted, &Accepted) -> bool) -> Vec<String> {
    let truth = truth();
    let wrong: Vec<String> = truth
        .iter()
        .map(|(pod, container, accepted)| (pod, container, accepted, answers(document, pod, container)))
        .filter(|(_, _, accepted, answers)| !right(accepted, answers))
        .map(|(pod, container, accepted, answers)| {
            format!("{pod}/{container}: {answers:?}, right would be {accepted:?}")
        })
        .collect();
    println!("{who}: {} of {} deaths explained rightly", truth.len() - wrong.len(), truth.len());
    wrong
}

fn one_right(accepted: &Accepted, answers: &Accepted) -> bool {
    let none = answers.is_empty() && accepted.iter().any(|(verdict, _)| verdict == "none");
    none || answers.len() == 1 && accepted.contains(&answers[0])
}

/// Less may be known, but nothing wrong may be claimed.
fn nothing_wrong(accepted: &Accepted, answers: &Accepted) -> bool {
    let allowed: BTreeSet<Option<bool>> = accepted.iter().map(|(_, kill)| *kill).chain([None]).collect();
    answers.iter().all(|(verdict, kill)| {
        allowed.contains(kill) && (verdict == "undetermined" || accepted.iter().any(|(right, _)| right == verdict))
    })
}

/// A kubeconfig of the user who may read pods and events of the namespace, and nothing else.
fn reader(admin: &Path, folder: &Path) -> PathBuf {
    let token = kubectl(&["create", "token", "reader", "-n", "deaths"]);
    let config = std::fs::read_to_string(admin).unwrap();
    let begin = config.find("token: \"").unwrap() + 8;
    let end = begin + config[begin..].find('"').unwrap();
    let path = folder.join("reader.kubeconfig");
    std::fs::write(&path, format!("{}{}{}", &config[..begin], token.trim(), &config[end..])).unwrap();
    path
}

#[test]
fn every_death_is_explained_live_and_a_reader_is_told_nothing_wrong() {
    let Some(admin) = cluster() else { return };
    run(&mut Command::new(tests().join("deaths/play")));
    // The last pods to be deleted have their grace period.
    std::thread::sleep(Duration::from_secs(4));

    let document = explain(&admin, &["-A"]);
    let mistakes = wrong(&document, "administrator", one_right);
    assert!(mistakes.is_empty(), "{mistakes:#?}");
    // These two rest on the kernel log of the kubelet's endpoint alone; a rate limit may have cost it lines.
    for pod in ["sigkill-host", "child-alive"] {
        println!("{pod}: {:?}", answers(&document, pod, "app"));
    }

    let folder = tempfile::tempdir().unwrap();
    let document = explain(&reader(&admin, folder.path()), &["-n", "deaths"]);
    let mistakes = wrong(&document, "reader of pods and events", nothing_wrong);
    assert!(mistakes.is_empty(), "{mistakes:#?}");
    let gaps = document["gaps"].to_string();
    for permission in ["nodes/proxy", "pods/log"] {
        assert!(gaps.contains(permission), "no gap names {permission}: {gaps}");
    }

    let document = explain(&admin, &["-n", "deaths", "limit-main"]);
    assert_eq!(document["diagnoses"].as_array().unwrap().len(), 1);
    assert_eq!(document["diagnoses"][0]["memory"]["limitBytes"], 32 << 20);
    let resized = explain(&admin, &["-n", "deaths", "resized"]);
    assert_eq!(resized["diagnoses"][0]["memory"]["limitBytes"], 40 << 20);
    assert_eq!(resized["diagnoses"][0]["memory"]["limitFrom"], "resize");
    let ranged = explain(&admin, &["-n", "ranged", "default-limit"]);
    assert_eq!(ranged["diagnoses"][0]["memory"]["limitFrom"], "LimitRange");
    let milli = explain(&admin, &["-n", "deaths", "milli-limit"]);
    assert!(milli["diagnoses"][0]["summary"].as_str().unwrap().contains("milli"), "{milli:#}");

    follow(&admin);
    kubectl(&["delete", "namespace", "deaths", "ranged", "--wait=false"]);
}

/// New deaths are told while `-w` runs: a container's, and that of a child in a container that lives on.
fn follow(admin: &Path) {
    let mut watching =
        oomph(admin, &["-n", "deaths", "-w"]).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    std::thread::sleep(Duration::from_secs(3));
    let folder = tempfile::tempdir().unwrap();
    for (death, pod) in [("limit-main", "watched"), ("child-alive", "watched-child")] {
        let manifest = std::fs::read_to_string(tests().join(format!("deaths/{death}.yaml"))).unwrap();
        let path = folder.path().join(format!("{pod}.yaml"));
        std::fs::write(&path, manifest.replace(death, pod)).unwrap();
        kubectl(&["apply", "-f", path.to_str().unwrap()]);
    }
    let output = watching.stdout.take().unwrap();
    let (send, receive) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let documents = BufReader::new(output).lines().map_while(Result::ok);
        let documents = documents.map(|line| serde_json::from_str::<Value>(&line).unwrap());
        documents.map_while(|document| send.send((document, jiff::Timestamp::now())).ok()).for_each(drop);
    });
    let begun = Instant::now();
    let mut told = Vec::new();
    while let Ok((document, at)) = receive.recv_timeout(Duration::from_secs(30).saturating_sub(begun.elapsed())) {
        told.extend(document["diagnoses"].as_array().unwrap().iter().map(|it| (it.clone(), at)));
    }
    watching.kill().unwrap();
    watching.wait().unwrap();

    let of = |pod: &str| -> Vec<&(Value, jiff::Timestamp)> {
        told.iter().filter(|(diagnosis, _)| diagnosis["subject"]["pod"] == pod).collect()
    };
    let verdict = |(diagnosis, _): &&(Value, jiff::Timestamp)| {
        (diagnosis["verdict"].as_str().unwrap().to_owned(), diagnosis["oomKill"].as_bool())
    };
    let main = of("watched");
    let verdicts: Vec<_> = main.iter().map(verdict).collect();
    assert_eq!(verdicts, [("container-limit-oom".to_owned(), Some(true))], "{main:#?}");
    let finished: jiff::Timestamp = main[0].0["termination"]["finishedAt"].as_str().unwrap().parse().unwrap();
    println!(
        "-w: told {:.1} s after the container's end (whole seconds)",
        main[0].1.duration_since(finished).as_secs_f64()
    );
    let child = of("watched-child");
    let verdicts: Vec<_> = child.iter().map(verdict).collect();
    assert_eq!(verdicts, [("child-oom-invisible".to_owned(), Some(true))], "{child:#?}");
    let started = kubectl(&["get", "pod", "-n", "deaths", "watched-child", "-o", "jsonpath={.status.startTime}"]);
    let started: jiff::Timestamp = started.parse().unwrap();
    println!("-w: child killed, told {:.1} s after the pod's start", child[0].1.duration_since(started).as_secs_f64());
}
