//! Real commands under real limits, by `oomph run`.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test that cannot go on fails; figures are printed")]

#[path = "../../../tests/support/component.rs"]
mod component;

use std::fs;
use std::io::Write;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use oomph_node::hierarchy;
use serde_json::Value;

/// True where cgroups can be made; else says so, and fails where everything is required.
fn may_make_cgroups(test: &str) -> bool {
    let root = rustix::process::geteuid().is_root() && hierarchy::find().is_some();
    if !root {
        component::missing(&format!("{test} needs root and a memory cgroup"));
    }
    root
}

fn oomph(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_oomph")).args(arguments).stdin(Stdio::null()).output().unwrap()
}

fn document(output: &Output) -> Value {
    let text = String::from_utf8_lossy(&output.stdout);
    let start = text.rfind("\n{\n").map_or(0, |at| at + 1);
    serde_json::from_str(&text[start..]).unwrap_or_else(|error| panic!("{error}: {text}\n{output:?}"))
}

/// Folders of runs that are still there, of the process `pid`: in whichever cgroup it was started.
fn left_by(pid: u32) -> Vec<PathBuf> {
    let ending = format!("{pid:08x}");
    let is_its = |folder: &PathBuf| {
        let name = folder.file_name().unwrap_or_default().to_string_lossy();
        name.starts_with("oomph-run-") && name.ends_with(&ending)
    };
    folders(&hierarchy::find().unwrap().mount).into_iter().filter(is_its).collect()
}

/// All folders below this one; other tests make and remove some meanwhile.
fn folders(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let here: Vec<PathBuf> = entries.map(|entry| entry.path()).filter(|path| path.is_dir()).collect();
    here.iter().flat_map(|path| folders(path)).chain(here.clone()).collect()
}

const HOG: &str = "x=[]\nwhile True: x.append(bytearray(b'x')*(1<<20))";

#[test]
fn a_command_that_outgrows_its_limit_is_explained_and_its_status_is_the_commands() {
    if !may_make_cgroups("a_command_that_outgrows_its_limit") {
        return;
    }
    let output = oomph(&["run", "-o", "json", "--memory", "48Mi", "--", "python3", "-c", HOG]);
    let it = document(&output);
    assert_eq!(output.status.code(), Some(137));
    assert_eq!((&it["exitCode"], &it["signal"], &it["survived"]), (&137.into(), &9.into(), &false.into()));
    assert_eq!(it["schema"], "oomph.dev/run/v1");
    assert_eq!(it["diagnosis"]["verdict"], "container-limit-oom", "{it:#}");
    assert_eq!((&it["diagnosis"]["oomKill"], &it["diagnosis"]["level"]), (&true.into(), &"container".into()));
    assert_eq!(it["diagnosis"]["memory"]["limitBytes"], 48 << 20);
    assert!(it["peakBytes"].as_u64().unwrap() >= 47 << 20, "{}", it["peakBytes"]);
    let peak = &it["peak"];
    let sum: i64 = peak["parts"].as_array().unwrap().iter().map(|part| part["bytes"].as_i64().unwrap()).sum();
    assert_eq!(sum + peak["unexplainedBytes"].as_i64().unwrap(), peak["chargedBytes"].as_i64().unwrap());
    assert!(it["proposal"].is_null() && it["proposalMissing"].is_string());
}

#[test]
fn a_command_that_survives_gets_a_limit_proposed_that_it_survives_under() {
    if !may_make_cgroups("a_command_that_survives") {
        return;
    }
    let script = "import time\nx=bytearray(b'x')*(40<<20)\ntime.sleep(1.5)";
    let output = oomph(&["run", "-o", "json", "--memory", "512Mi", "--", "python3", "-c", script]);
    let it = document(&output);
    assert_eq!((output.status.code(), &it["survived"]), (Some(0), &true.into()));
    assert_eq!(it["diagnosis"]["verdict"], "completed");
    let limit = it["proposal"]["limitBytes"].as_u64().unwrap_or_else(|| panic!("{it:#}"));
    assert!((50 << 20..160 << 20).contains(&limit), "{limit}");
    let mib = format!("{}Mi", limit >> 20);
    let again = oomph(&["run", "-q", "--memory", &mib, "--", "python3", "-c", script]);
    assert_eq!(again.status.code(), Some(0), "under {mib}: {again:?}");
}

#[test]
fn a_killed_child_is_told_though_the_command_ends_well() {
    if !may_make_cgroups("a_killed_child_is_told") {
        return;
    }
    let script = "python3 -c \"$0\"; exit 0";
    let output = oomph(&["run", "-o", "json", "--memory", "32Mi", "--", "sh", "-c", script, HOG]);
    let it = document(&output);
    assert_eq!((output.status.code(), &it["survived"]), (Some(0), &false.into()));
    assert_eq!((&it["diagnosis"]["verdict"], &it["diagnosis"]["victim"]), (&"child-oom".into(), &"child".into()));
}

#[test]
fn a_limit_of_the_runtimes_own_is_told_from_a_failure_and_the_words_arrive() {
    if !may_make_cgroups("a_limit_of_the_runtimes_own") {
        return;
    }
    // An address space that is too small for it: Python's own exception, and its own words on standard error.
    let script = "import resource\nresource.setrlimit(resource.RLIMIT_AS, (1 << 28, 1 << 28))\nx = bytearray(1 << 30)";
    let output = oomph(&["run", "-o", "json", "--memory", "128Mi", "--", "python3", "-c", script]);
    let it = document(&output);
    let words = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(words.contains("Traceback") && words.ends_with("MemoryError\n"), "{words}");
    assert_eq!((output.status.code(), &it["diagnosis"]["verdict"]), (Some(1), &"runtime-heap-oom".into()), "{it:#}");
    assert_eq!((&it["diagnosis"]["oomKill"], &it["survived"]), (&false.into(), &true.into()));
    assert!(it["proposal"].is_null() && it["proposalMissing"].is_string());
    // What it leaves running holds its standard error, and keeps nobody waiting.
    let began = Instant::now();
    let output = oomph(&["run", "--memory", "64Mi", "--", "sh", "-c", "sleep 30 & echo left >&2"]);
    assert!(String::from_utf8_lossy(&output.stderr).starts_with("left\n") && began.elapsed() < Duration::from_secs(20));
}

#[test]
fn status_signals_and_failures_are_told_as_a_shell_tells_them() {
    if !may_make_cgroups("status_signals_and_failures") {
        return;
    }
    let code = |arguments: &[&str]| oomph(arguments).status.code();
    assert_eq!(code(&["run", "--memory", "64Mi", "--", "sh", "-c", "exit 7"]), Some(7));
    assert_eq!(code(&["run", "--memory", "64Mi", "--", "sh", "-c", "kill -TERM $$"]), Some(143));
    assert_eq!(code(&["run", "--memory", "64Mi", "--", "/no/such/program"]), Some(127));
    assert_eq!(code(&["run", "--memory", "64Mi", "--", "/etc/passwd"]), Some(126));
    assert_eq!(code(&["run", "--memory", "64Mi", "--record", "/no/such/folder/x", "--", "true"]), Some(125));
    assert_eq!(code(&["run", "--memory", "512m", "--", "true"]), Some(125), "half a byte is a slip of the unit");
    assert_eq!(code(&["run", "--memory=-5", "--", "true"]), Some(125));
    assert_eq!(code(&["run", "--bogus", "--", "true"]), Some(125), "a mistyped option is no command");
    assert_eq!(code(&["run"]), Some(125));
}

#[test]
fn what_cannot_be_written_is_said_before_the_command_runs() {
    if !may_make_cgroups("what_cannot_be_written") {
        return;
    }
    for option in ["--record", "--report"] {
        let output = oomph(&["run", option, "/no/such/folder/x", "--", "sh", "-c", "echo ran"]);
        assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(125), &b""[..]), "{option}");
    }
    // A full device opens and fails later: the command's code and the report are told all the same.
    let output = oomph(&["run", "-o", "json", "--report", "/dev/full", "--", "sh", "-c", "exit 7"]);
    assert_eq!((output.status.code(), &document(&output)["exitCode"]), (Some(7), &7.into()));
    assert!(String::from_utf8_lossy(&output.stderr).contains("cannot write /dev/full"));
}

#[test]
fn whoever_asks_for_a_document_gets_one_also_where_nothing_could_be_run() {
    for wrong in [&["-m", "5x"][..], &["--bogus"], &["--watch-only", "--record", "/nowhere/record"]] {
        let arguments = [&["run", "-o", "json"], wrong, &["--", "true"]].concat();
        let output = oomph(&arguments);
        let it = document(&output);
        assert_eq!((output.status.code(), &it["exitCode"]), (Some(125), &Value::Null), "{wrong:?}");
        assert!(it["schema"] == "oomph.dev/run/v1" && it["proposalMissing"].is_string(), "{it:#}");
        assert_eq!(it["gaps"].as_array().map(Vec::len), Some(1), "{it:#}");
        assert!(!output.stderr.is_empty());
    }
}

#[test]
fn what_never_ran_has_a_document() {
    if !may_make_cgroups("what_never_ran") {
        return;
    }
    let absent = document(&oomph(&["run", "-o", "json", "--memory", "64Mi", "--", "/no/such/program"]));
    assert_eq!((&absent["exitCode"], &absent["diagnosis"]["verdict"]), (&127.into(), &"start-error".into()));
    let small = document(&oomph(&["run", "-o", "json", "--memory", "4096", "--", "true"]));
    assert_eq!((&small["diagnosis"]["verdict"], &small["survived"]), (&"start-oom".into(), &false.into()), "{small:#}");
}

#[test]
fn how_it_ended_is_known_for_certain() {
    if !may_make_cgroups("how_it_ended_is_known") {
        return;
    }
    for (script, verdict) in [
        ("kill -KILL $$", "external-sigkill"),
        ("exit 137", "app-error"),
        ("kill -TERM $$", "external-sigterm"),
        ("exit 143", "app-error"),
        ("kill -ABRT $$", "native-abort"),
        ("kill -USR1 $$", "external-sigterm"),
        ("exit 42", "app-error"),
    ] {
        let it = document(&oomph(&["run", "-o", "json", "--memory", "64Mi", "--", "sh", "-c", script]));
        assert_eq!((&it["diagnosis"]["verdict"], &it["survived"]), (&verdict.into(), &true.into()), "{script}: {it:#}");
        assert_eq!(it["diagnosis"]["oomKill"], false, "{script}");
    }
}

#[test]
fn a_limit_above_counts_for_the_command_too() {
    if !may_make_cgroups("a_limit_above_counts") {
        return;
    }
    let hierarchy = hierarchy::find().unwrap();
    // In version 2 the shell that starts oomph is in the way: no cgroup can be made beside its processes.
    if hierarchy.version == hierarchy::Version::V2 {
        return;
    }
    let outer = hierarchy.mount.join(format!("oomph-test-outer-{}", std::process::id()));
    fs::create_dir(&outer).unwrap();
    fs::write(outer.join("memory.limit_in_bytes"), (40 << 20).to_string()).unwrap();
    let script = format!(
        "echo $$ > {}/cgroup.procs; exec {} run -o json -m 200Mi -- python3 -c \"$0\"",
        outer.display(),
        env!("CARGO_BIN_EXE_oomph")
    );
    let output = Command::new("sh").args(["-c", &script, HOG]).stdin(Stdio::null()).output().unwrap();
    let removed = (0..100).any(|_| {
        std::thread::sleep(Duration::from_millis(50));
        fs::remove_dir(&outer).is_ok()
    });
    let it = document(&output);
    assert_eq!((output.status.code(), &it["survived"]), (Some(137), &false.into()), "{it:#}");
    assert_eq!((&it["diagnosis"]["oomKill"], &it["diagnosis"]["level"]), (&true.into(), &"other".into()), "{it:#}");
    assert!(it["diagnosis"]["summary"].as_str().unwrap().contains("40 MiB"), "{}", it["diagnosis"]["summary"]);
    assert!(removed, "nothing of it stays behind");
}

#[test]
fn a_command_that_never_grows_is_looked_at_and_what_it_leaves_is_told() {
    if !may_make_cgroups("a_command_that_never_grows") {
        return;
    }
    let it = document(&oomph(&["run", "-o", "json", "--memory", "64Mi", "--", "sh", "-c", "sleep 30 & sleep 1"]));
    assert!(it["peak"].is_object(), "{it:#}");
    assert_eq!((&it["peak"]["source"], &it["leftRunning"]), (&"recording".into(), &1.into()));
}

#[test]
fn a_recording_is_read_by_why_and_inspect() {
    if !may_make_cgroups("a_recording_is_read") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (file, report) = (folder.path().join("x.oomph"), folder.path().join("report.md"));
    let (file, report) = (file.to_str().unwrap(), report.to_str().unwrap());
    let output = oomph(&[
        "run", "-o", "markdown", "--memory", "48Mi", "--record", file, "--report", report, "--", "python3", "-c", HOG,
    ]);
    assert!(output.stdout.is_empty(), "stdout is the command's");
    assert!(fs::read_to_string(report).unwrap().contains("memory limit of 48 MiB"));
    let why = document(&oomph(&["why", "-o", "json", "-f", file]));
    assert_eq!(why["diagnoses"][0]["verdict"], "container-limit-oom", "{why:#}");
    assert_eq!(why["gaps"], serde_json::json!([]), "every line of it is read");
    let text = fs::read_to_string(file).unwrap();
    assert!(!text.contains("append"), "arguments are nobody's business");
    if text.contains("\"waterfall\"") {
        let inspect = document(&oomph(&["inspect", "-o", "json", "--recording", file]));
        assert_eq!(inspect["waterfalls"][0]["source"], "recording");
    }
}

#[test]
fn nothing_stays_behind_even_when_oomph_itself_is_killed() {
    if !may_make_cgroups("nothing_stays_behind") {
        return;
    }
    let mut child = Command::new(env!("CARGO_BIN_EXE_oomph"))
        .args(["run", "--memory", "64Mi", "--", "sh", "-c", "echo started; sleep 60"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let pid = child.id();
    let mut started = [0; 8];
    std::io::Read::read_exact(&mut child.stdout.take().unwrap(), &mut started).unwrap();
    assert_eq!(left_by(pid).len(), 1);
    let procs = fs::read_to_string(left_by(pid)[0].join("cgroup.procs")).unwrap();
    child.kill().unwrap();
    assert_eq!(child.wait().unwrap().signal(), Some(9));
    let patience = Instant::now() + Duration::from_secs(10);
    while !left_by(pid).is_empty() && Instant::now() < patience {
        std::thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(left_by(pid), Vec::<PathBuf>::new());
    // What nobody has waited for yet is a zombie: dead all the same.
    let alive = |pid: &&str| {
        let status = fs::read_to_string(Path::new("/proc").join(pid).join("status")).unwrap_or_default();
        !status.is_empty() && !status.contains("State:\tZ")
    };
    assert_eq!(procs.lines().filter(alive).count(), 0, "the command is gone with it");
}

#[test]
fn signals_reach_the_command() {
    if !may_make_cgroups("signals_reach_the_command") {
        return;
    }
    let script = "trap 'echo got; exit 3' TERM; echo started; while true; do sleep 0.05; done";
    let mut child = Command::new(env!("CARGO_BIN_EXE_oomph"))
        .args(["run", "--memory", "64Mi", "--", "sh", "-c", script])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdout = std::io::BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    std::io::BufRead::read_line(&mut stdout, &mut line).unwrap();
    let pid = rustix::process::Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    line.clear();
    std::io::BufRead::read_line(&mut stdout, &mut line).unwrap();
    assert_eq!(line, "got\n");
    std::io::Read::read_to_string(&mut stdout, &mut line).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(3), "{line}");
}

#[test]
fn without_a_cgroup_the_processes_are_watched() {
    let script = "import time\nx=bytearray(b'x')*(40<<20)\ntime.sleep(0.5)";
    let output = oomph(&["run", "-o", "json", "--watch-only", "--", "python3", "-c", script]);
    let it = document(&output);
    assert_eq!((output.status.code(), &it["diagnosis"]["verdict"]), (Some(0), &"completed".into()));
    assert!(it["peakBytes"].as_u64().unwrap() > 40 << 20, "{it:#}");
    assert_eq!(it["diagnosis"]["subject"]["containerId"], Value::Null, "it has no cgroup");
    let _ = std::io::stdout().flush();
}
