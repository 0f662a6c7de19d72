//! `oomph lint` as a pipeline uses it.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

/// One error with a safe fix on line 8, and a warning without a fix on line 10.
const MANIFEST: &str = "\
kind: Pod
apiVersion: v1
metadata: {name: orders}
spec:
  containers:
  - name: app # the app
    image: registry/orders:1
    resources: {limits: {memory: 512m, cpu: 1}}
  volumes:
  - {name: tmp, emptyDir: {medium: Memory}}
";

fn lint(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_oomph"));
    command.arg("lint").args(arguments).current_dir(folder).stdin(Stdio::null()).output().unwrap()
}

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("deploy")).unwrap();
    fs::write(folder.path().join("deploy/app.yaml"), MANIFEST).unwrap();
    folder
}

fn rules(output: &Output) -> Vec<String> {
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    let findings = document["findings"].as_array().unwrap().iter();
    findings.filter(|it| it["level"] != "info").map(|it| it["rule"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn the_exit_code_tells_a_bad_manifest_from_a_tool_that_could_not_work() {
    let folder = folder();
    let code = |arguments: &[&str]| lint(folder.path(), arguments).status.code();
    assert_eq!(code(&["deploy"]), Some(1));
    assert_eq!(code(&["deploy", "--fail-on", "never"]), Some(0));
    fs::write(folder.path().join("deploy/broken.yaml"), "a: [").unwrap();
    assert_eq!(code(&["deploy", "--fail-on", "never"]), Some(2), "what could not be read is never a success");
    assert_eq!(rules(&lint(folder.path(), &["deploy", "-o", "json"])), ["quantity-milli", "tmpfs-unbounded"]);
    assert_eq!(code(&["nowhere"]), Some(2));
    assert_eq!(code(&["deploy", "--fail-on", "sometimes"]), Some(2));
}

#[test]
fn a_path_that_cannot_be_read_hides_nothing_of_the_others() {
    let folder = folder();
    std::os::unix::fs::symlink("nowhere", folder.path().join("deploy/dangling.yaml")).unwrap();
    for paths in [["deploy"].as_slice(), &["deploy/app.yaml", "nonexistent.yaml"]] {
        let output = lint(folder.path(), &[paths, &["-o", "json"]].concat());
        assert_eq!((output.status.code(), rules(&output).len()), (Some(2), 2), "{paths:?}");
        let document: Value = serde_json::from_slice(&output.stdout).unwrap();
        let gaps = document["gaps"].as_array().unwrap();
        assert!(gaps.len() == 1 && gaps[0]["what"].as_str().unwrap().starts_with("cannot read"), "{gaps:?}");
    }
}

#[test]
fn several_forms_are_written_at_once() {
    let folder = folder();
    let output = lint(folder.path(), &["--format", "sarif=a.sarif", "--format", "junit=b.xml", "--format", "github"]);
    let annotations = String::from_utf8(output.stdout).unwrap();
    assert!(annotations.contains("::error file=deploy/app.yaml,line=8,"), "{annotations}");
    let sarif: Value = serde_json::from_slice(&fs::read(folder.path().join("a.sarif")).unwrap()).unwrap();
    assert_eq!(sarif["runs"][0]["results"].as_array().unwrap().len(), annotations.lines().count());
    assert!(fs::read_to_string(folder.path().join("b.xml")).unwrap().contains("failures=\"1\""));
    let text = lint(folder.path(), &["--format", "json=c.json"]).stdout;
    assert!(String::from_utf8(text).unwrap().starts_with("error[quantity-milli]"), "stdout stays what -o says");
}

#[test]
fn what_has_one_reading_is_mended_and_the_rest_is_left_byte_for_byte() {
    let folder = folder();
    let file = folder.path().join("deploy/app.yaml");
    let patch = String::from_utf8(lint(folder.path(), &["--fix=suggest"]).stdout).unwrap();
    assert!(patch.contains("--- a/deploy/app.yaml") && patch.contains("memory: 512Mi"), "{patch}");
    assert_eq!(fs::read_to_string(&file).unwrap(), MANIFEST, "a suggestion changes nothing");
    for _ in 0..2 {
        let output = lint(folder.path(), &["--fix", "-o", "json"]);
        assert_eq!((output.status.code(), rules(&output)), (Some(0), vec!["tmpfs-unbounded".to_owned()]));
        assert_eq!(fs::read_to_string(&file).unwrap(), MANIFEST.replace("512m", "512Mi"));
    }
    // Bytes that are no UTF-8 could not be written back.
    let latin = [b"# caf\xe9\n", MANIFEST.as_bytes()].concat();
    fs::write(&file, &latin).unwrap();
    let output = lint(folder.path(), &["--fix", "-o", "json"]);
    assert_eq!((output.status.code(), fs::read(&file).unwrap()), (Some(1), latin));
}

#[test]
fn settings_are_found_above_the_manifest_and_told_with_their_origin() {
    let folder = folder();
    let settings = folder.path().join(".oomph.yaml");
    fs::write(&settings, "lint:\n  failOn: warning\n  rules: {quantity-milli: off}\n").unwrap();
    let output = lint(folder.path(), &["deploy/app.yaml", "-o", "json"]);
    assert_eq!((output.status.code(), rules(&output)), (Some(1), vec!["tmpfs-unbounded".to_owned()]));
    let shown = String::from_utf8(lint(folder.path(), &["--print-config"]).stdout).unwrap();
    assert!(shown.contains("failOn: warning") && shown.contains(".oomph.yaml"), "{shown}");
    // Nearer ones are for their own folder alone.
    fs::write(folder.path().join("deploy/.oomph.yaml"), "lint: {failOn: never}").unwrap();
    assert_eq!(rules(&lint(folder.path(), &["-o", "json"])), ["quantity-milli", "tmpfs-unbounded"]);
    fs::write(folder.path().join("deploy/.oomph.yaml"), "lint: {failon: never}").unwrap();
    let output = lint(folder.path(), &[]);
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(
        output.status.code() == Some(2) && error.contains("deploy/.oomph.yaml") && error.contains("failon"),
        "{error}"
    );
}

#[test]
fn what_an_earlier_result_knows_is_not_said_again() {
    let folder = folder();
    fs::write(folder.path().join("known.json"), lint(folder.path(), &["deploy", "-o", "json"]).stdout).unwrap();
    let again = lint(folder.path(), &["deploy", "-o", "json", "--baseline", "known.json"]);
    assert_eq!((again.status.code(), rules(&again).len()), (Some(0), 0));
    // Lines that move are the same finding; another container is not.
    let moved = format!("# new\n{MANIFEST}")
        .replace("  volumes:", "  - {name: b, image: x, resources: {limits: {memory: 9m}}}\n  volumes:");
    fs::write(folder.path().join("deploy/app.yaml"), moved).unwrap();
    let new = lint(folder.path(), &["deploy", "-o", "json", "--baseline", "known.json"]);
    let new = rules(&new);
    assert!(new.contains(&"quantity-milli".to_owned()) && !new.contains(&"tmpfs-unbounded".to_owned()), "{new:?}");
    assert_eq!(lint(folder.path(), &["--baseline", "deploy/app.yaml"]).status.code(), Some(2));
}

#[test]
fn stdin_is_read_and_a_broken_document_hides_no_other() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_oomph"));
    let mut child =
        command.args(["lint", "-", "-o", "json"]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(format!("a: [\n---\n{MANIFEST}").as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(document["parseErrors"].as_array().unwrap().len(), 1);
    assert_eq!(rules(&output), ["quantity-milli", "tmpfs-unbounded"]);
    assert_eq!(document["findings"][0]["path"], "<stdin>");
}
