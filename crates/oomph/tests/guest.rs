//! Kills at every level of a real cgroup v2 node, a virtual machine of its own, as the log and the counters tell them.
//!
//! `OOMPH_TEST_GUEST` names the script that boots it, `tests/guest/guest`. What must be said stands in
//! `fixtures/guest-v2/truth.json`; with `OOMPH_SAVE_EVIDENCE=DIR` the evidence is saved for that fixture.
#![allow(clippy::print_stdout, reason = "a skipped test says why, the others print their figures")]
#![allow(clippy::unwrap_used, reason = "all of it is test code")]

#[path = "../../../tests/support/component.rs"]
mod component;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use serde_json::{Value, json};

/// MiB of the node; the last kill fills them.
const MEMORY: &str = "256";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// What the guest printed: files, each after a line `##file NAME`.
fn files(output: &str) -> Vec<(&str, &str)> {
    let parts = output.split("##file ").skip(1);
    parts.filter_map(|part| part.split_once('\n')).filter(|(name, _)| *name != "end").collect()
}

fn why(folder: &Path) -> Value {
    let mut command = Command::new(env!("CARGO_BIN_EXE_oomph"));
    let output = command.args(["why", "-o", "json", "-f"]).arg(folder).output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// The only one of a list that has this value.
fn only<'a>(list: &'a Value, field: &str, value: &Value) -> &'a Value {
    let found: Vec<&Value> = list.as_array().unwrap().iter().filter(|it| it.pointer(field) == Some(value)).collect();
    assert_eq!(found.len(), 1, "{field} {value}: {found:#?}");
    found[0]
}

#[test]
fn every_kill_of_a_version_2_node_is_explained_with_its_level() {
    let Some(guest) = component::component("OOMPH_TEST_GUEST") else { return };
    let began = Instant::now();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/guest/kills.sh");
    let booted = Command::new(guest).args(["-m", MEMORY]).arg(script).output().unwrap();
    let printed = String::from_utf8_lossy(&booted.stdout);
    assert!(booted.status.success() && printed.contains("##file end"), "{printed}");
    println!("the guest ran for {:.1} s", began.elapsed().as_secs_f64());

    let scratch = tempfile::tempdir().unwrap();
    let save = std::env::var_os("OOMPH_SAVE_EVIDENCE").map(PathBuf::from);
    for folder in [Some(scratch.path()), save.as_deref()].into_iter().flatten() {
        for (name, content) in files(&printed) {
            fs::write(folder.join(name), content).unwrap();
        }
    }
    let document = why(scratch.path());
    let truth: Value = serde_json::from_slice(&fs::read(root().join("fixtures/guest-v2/truth.json")).unwrap()).unwrap();
    for (name, truth) in truth.as_object().unwrap() {
        let kill = only(&document["kernelKills"], "/containerId", &truth["containerId"]);
        for field in ["constraint", "level", "oomMemcg", "taskMemcg", "podUid"] {
            assert_eq!(kill[field], truth[field], "{name}: {field}");
        }
        let victims: Vec<&Value> = kill["victims"].as_array().unwrap().iter().map(|victim| &victim["comm"]).collect();
        assert_eq!(json!(victims), truth["victims"], "{name}");
        let diagnosis = only(&document["diagnoses"], "/subject/containerId", &truth["containerId"]);
        println!("{name:10} {} {}", diagnosis["verdict"], diagnosis["summary"]);
        let said = json!([diagnosis["verdict"], diagnosis["oomKill"]]);
        assert!(truth["accept"].as_array().unwrap().contains(&said), "{name}: {said}");
        assert_eq!(diagnosis["kills"], json!([kill["id"]]), "{name}");
    }
    assert_eq!(document["kernelKills"].as_array().unwrap().len(), truth.as_object().unwrap().len());
}
