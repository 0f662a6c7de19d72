//! The program as people and scripts run it: exit codes, streams, formats.

#![allow(clippy::print_stdout)] // a test that is skipped says so

use std::io::{Read, Write};
use std::path::Path;
use std::process::{Command, Output, Stdio};

const OOMPH: &str = env!("CARGO_BIN_EXE_oomph");

/// The program in a world without any cluster, colour or home.
fn oomph(arguments: &[&str]) -> Command {
    let mut command = Command::new(OOMPH);
    command
        .args(arguments)
        .env_clear()
        .env("HOME", "/nonexistent")
        .env("KUBECONFIG", "/nonexistent/kubeconfig")
        .stdin(Stdio::null());
    command
}

fn run(arguments: &[&str]) -> Output {
    oomph(arguments).output().expect("the program starts")
}

fn run_with_stdin(arguments: &[&str], stdin: &[u8]) -> Output {
    let mut child = oomph(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    child.stdin.take().expect("stdin is a pipe").write_all(stdin).expect("the program reads it");
    child.wait_with_output().expect("the program ends")
}

fn stdout(output: &Output) -> &str {
    std::str::from_utf8(&output.stdout).expect("UTF-8")
}

fn stderr(output: &Output) -> &str {
    std::str::from_utf8(&output.stderr).expect("UTF-8")
}

fn code(output: &Output) -> i32 {
    output.status.code().expect("the program exits by itself")
}

/// The one document on stdout; anything before or after it is an error.
fn document(output: &Output) -> serde_json::Value {
    serde_json::from_str(stdout(output)).unwrap_or_else(|error| panic!("{error}: {}", stdout(output)))
}

#[test]
fn help_and_pages_read_as_they_should() {
    trycmd::TestCases::new().case("tests/cmd/*.trycmd").env("NO_COLOR", "1");
}

#[test]
fn an_empty_input_gives_a_complete_document_and_the_code_of_failure() {
    let output = run_with_stdin(&["why", "-o", "json", "-f", "-"], b"");
    let document = document(&output);
    assert_eq!(code(&output), 2);
    assert_eq!(document["schema"], "oomph.dev/diagnosis/v1");
    assert_eq!(document["diagnoses"], serde_json::json!([]));
    assert_eq!(document["kernelKills"], serde_json::json!([]));
    assert_eq!(document["gaps"][0]["because"], "it is empty");
    assert!(stderr(&output).contains("error: stdin is empty"), "{}", stderr(&output));
}

#[test]
fn what_is_not_recognised_is_never_success() {
    for form in ["text", "json", "yaml", "markdown"] {
        let output = run_with_stdin(&["why", "-o", form, "-f", "-"], b"lorem ipsum\n");
        assert_eq!(code(&output), 2, "{form}");
        assert!(stderr(&output).contains("nothing in stdin was recognised"), "{}", stderr(&output));
        assert_eq!(stdout(&output).is_empty(), form == "text", "{form}");
    }
}

#[test]
fn a_sizing_is_a_complete_document_whatever_came_in() {
    for input in ["", "lorem ipsum\n", "series,time_s,bytes\n"] {
        let output = run_with_stdin(&["size", "-o", "json", "--trace", "-"], input.as_bytes());
        let document = document(&output);
        assert_eq!((code(&output), &document["schema"]), (2, &"oomph.dev/sizing/v1".into()), "{input}");
        assert_eq!(
            (&document["workloads"], &document["sources"][0]["status"]),
            (&serde_json::json!([]), &"absent".into())
        );
        assert!(stderr(&output).starts_with("error: stdin is no memory trace: "), "{}", stderr(&output));
    }
    let output = run_with_stdin(&["size", "-o", "json", "--trace", "-"], b"series,time_s,bytes\na,1,5\na,nonsense,5\n");
    let document = document(&output);
    assert_eq!(document["workloads"][0]["class"], "too-little-data");
    assert_eq!(document["sources"][0]["status"], "partial");
    assert_eq!(code(&output), 0);
}

#[test]
fn the_number_of_a_peer_is_proposed_under_its_name() {
    let rows: Vec<String> = (0..400).map(|step| format!("a,{},{}\n", step * 300, 500_000_000 + step % 50)).collect();
    let trace = format!("series,time_s,bytes\n{}", rows.concat());
    for (asked, named) in [("vpa", "vpa"), ("krr", "krr"), ("p99", "p99x1.25"), ("autopilot", "autopilot-max")] {
        let output = run_with_stdin(&["size", "-o", "json", "--policy", asked, "--trace", "-"], trace.as_bytes());
        let sizing = &document(&output)["workloads"][0];
        assert_eq!(sizing["policy"], named);
        let limit = sizing["proposed"]["limitBytes"].as_u64().unwrap();
        assert!((550_000_000..760_000_000).contains(&limit), "{asked}: {limit}");
        assert!(sizing["reasons"][0].as_str().unwrap().contains(&format!("as the policy {named} sets it")), "{sizing}");
    }
    let refused = run_with_stdin(&["size", "--policy", "oracle", "--trace", "-"], trace.as_bytes());
    assert_eq!(code(&refused), 2);
}

#[test]
fn forms_of_size_are_refused_elsewhere() {
    let rows: Vec<String> = (0..12).map(|step| format!("a,{},5\n", step * 300)).collect();
    let trace = format!("series,time_s,bytes\n{}", rows.concat());
    for form in ["patch", "kustomize", "vpa"] {
        assert_eq!(code(&run(&["why", "-f", "/dev/null", "-o", form])), 2, "{form}");
        let output = run_with_stdin(&["size", "-o", form, "--trace", "-"], trace.as_bytes());
        assert_eq!(
            (code(&output), stdout(&output).contains("# a: the history does not tell the object that owns it")),
            (0, true)
        );
    }
}

#[test]
fn yaml_has_the_same_fields() {
    let output = run_with_stdin(&["why", "-o", "yaml", "-f", "-"], b"lorem ipsum\n");
    let yaml: serde_json::Value = serde_saphyr::from_str(stdout(&output)).expect("YAML");
    assert_eq!(yaml["schema"], "oomph.dev/diagnosis/v1");
    assert_eq!(yaml["diagnoses"], serde_json::json!([]));
}

#[test]
fn a_file_that_is_not_there_is_named_and_the_document_stands() {
    let output = run(&["why", "-f", "/nonexistent/pods.json", "-o", "json"]);
    assert_eq!(code(&output), 2);
    assert_eq!(stderr(&output), "error: cannot read /nonexistent/pods.json: there is no such file; check the path\n");
    assert_eq!(document(&output)["sources"][0]["status"], "absent");
}

#[test]
fn a_file_that_may_not_be_read_is_forbidden() {
    use std::os::unix::fs::PermissionsExt;

    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("dmesg");
    std::fs::write(&path, "x").expect("written");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o000)).expect("set");
    if std::fs::File::open(&path).is_ok() {
        println!("skipped: root may read everything");
        return;
    }
    let output = run(&["why", "-f", text(&path), "-o", "json"]);
    assert_eq!(code(&output), 2);
    assert_eq!(document(&output)["sources"][0]["status"], "forbidden");
}

#[test]
fn a_folder_is_read_whole() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::create_dir(folder.path().join("node")).expect("made");
    for name in ["b.txt", "a.txt", "node/c.txt"] {
        std::fs::write(folder.path().join(name), "lorem ipsum\n").expect("written");
    }
    let output = run(&["why", "-f", text(folder.path()), "-o", "json"]);
    let document = document(&output);
    let names: Vec<&str> = document["sources"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|source| source["name"].as_str().expect("a name").rsplit('/').next().unwrap_or(""))
        .collect();
    assert_eq!(names, ["a.txt", "b.txt", "c.txt"]);
    assert_eq!(code(&output), 2, "nothing in it was recognised");
}

#[test]
fn bad_usage_is_2_and_on_stderr() {
    for arguments in [
        &["frobnicate"][..],
        &["why", "--frobnicate"],
        &["why", "--since", "yesterday"],
        &["why", "-o", "toml"],
        &["why", "a/b/c"],
        &["why", "-A", "-n", "shop"],
        &["why", "-w", "-f", "/dev/null"],
        &["why", "-l", "app=x", "-f", "/dev/null"],
        &["why", "-f", "-", "-f", "-"],
        &["explain", "no-such-verdict"],
        &["completions", "cobol"],
    ] {
        let output = run(arguments);
        assert_eq!(code(&output), 2, "{arguments:?}");
        assert_eq!(stdout(&output), "", "{arguments:?}");
        assert!(stderr(&output).starts_with("error: "), "{arguments:?}: {}", stderr(&output));
    }
}

#[test]
fn a_pod_without_any_cluster_is_an_error_that_says_what_to_do() {
    let output = run(&["why", "checkout-7d9f", "-o", "json"]);
    assert_eq!(code(&output), 2);
    assert!(stderr(&output).contains("--kubeconfig"), "{}", stderr(&output));
    assert_eq!(document(&output)["diagnoses"], serde_json::json!([]));
}

#[test]
fn a_slip_in_a_verdict_gets_a_suggestion() {
    let output = run(&["explain", "contaner-limit-oom"]);
    assert!(stderr(&output).contains("did you mean container-limit-oom?"), "{}", stderr(&output));
}

#[test]
fn colour_is_for_terminals_unless_asked_for() {
    let coloured = |arguments: &[&str]| stderr(&run(arguments)).contains('\x1b');
    assert!(!coloured(&["why", "-f", "/nonexistent/x"]));
    assert!(coloured(&["why", "-f", "/nonexistent/x", "--color", "always"]));
    assert!(!coloured(&["why", "-f", "/nonexistent/x", "--color", "never"]));
}

#[test]
fn a_reader_that_went_away_is_no_error() {
    let mut child =
        oomph(&["explain"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program starts");
    drop(child.stdout.take());
    let mut errors = String::new();
    child.stderr.take().expect("a pipe").read_to_string(&mut errors).expect("read");
    assert_eq!(errors, "");
    assert_eq!(child.wait().expect("it ends").code(), Some(0));
}

#[test]
fn a_plugin_of_kubectl_speaks_as_one() {
    let folder = tempfile::tempdir().expect("a folder");
    let plugin = folder.path().join("kubectl-oomph");
    std::os::unix::fs::symlink(OOMPH, &plugin).expect("linked");
    let output = Command::new(&plugin).args(["why", "--help"]).output().expect("the program starts");
    assert!(stdout(&output).contains("Usage: kubectl oomph why"), "{}", stdout(&output));
    assert!(stdout(&output).contains("  kubectl oomph why deploy/checkout"), "{}", stdout(&output));
}

#[test]
fn the_schema_is_one_of_json() {
    let output = run(&["schema"]);
    let schema = document(&output);
    assert_eq!(schema["title"], "Document");
    assert_eq!(schema["properties"]["diagnoses"]["type"], "array");
}

#[test]
fn manual_pages_and_completions_are_made() {
    let folder = tempfile::tempdir().expect("a folder");
    assert_eq!(code(&run(&["man", text(folder.path())])), 0);
    assert!(folder.path().join("oomph-why.1").is_file());
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let output = run(&["completions", shell]);
        assert_eq!(code(&output), 0, "{shell}");
        assert!(stdout(&output).contains("oomph"), "{shell}");
    }
}

#[test]
fn every_verdict_is_explained() {
    let list = run(&["explain", "-o", "json"]);
    let list = document(&list);
    let pages = list["pages"].as_array().expect("a list");
    let known = |id: &str| pages.iter().any(|page| page["id"] == id);
    assert!(oomph_core::diagnosis::Verdict::ALL.iter().all(|verdict| known(verdict.id())));
    for page in pages {
        let id = page["id"].as_str().expect("an id");
        let output = run(&["explain", id]);
        assert_eq!(code(&output), 0, "{id}");
        assert!(stdout(&output).starts_with(&format!("# {id}\n")), "{id}");
    }
}

fn text(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}
