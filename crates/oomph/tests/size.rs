//! Memory histories of real processes: recorded under real limits, sized, and run again under what was proposed.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test that cannot go on fails; figures are printed")]

#[path = "../../../tests/support/component.rs"]
mod component;

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::thread;

use oomph_node::hierarchy;
use serde_json::Value;

/// True where `what` is there; else says so, and fails where everything is required.
fn is_there(what: &str, there: bool) -> bool {
    if !there {
        component::missing(&format!("the histories of real processes need {what}"));
    }
    there
}

fn oomph(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_oomph"));
    command.args(arguments).stdin(Stdio::null());
    command
}

fn document(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"))
}

/// A runtime, the command that runs the load of a shape on it, and MiB under which its leak lives a good minute.
struct Runtime {
    name: &'static str,
    command: Vec<String>,
    leak_limit: u64,
}

/// The runtimes that are here, their loads built in `folder`.
fn runtimes(folder: &Path) -> Vec<Runtime> {
    let loads = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/loads");
    let load = |name: &str| loads.join(name).to_string_lossy().into_owned();
    let does = |command: &mut Command| {
        command.stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|it| it.success())
    };
    let built = folder.join("load-go").to_string_lossy().into_owned();
    let found = [
        ("python", does(Command::new("python3").arg("--version")), vec!["python3".into(), load("load.py")], 180),
        ("node", does(Command::new("node").arg("--version")), vec!["node".into(), load("load.js")], 215),
        (
            "go",
            does(Command::new("go").args(["build", "-o", &built, &load("load.go")]).env("CGO_ENABLED", "0")),
            vec![built.clone()],
            175,
        ),
        (
            "java",
            does(Command::new("javac").arg("-d").arg(folder).arg(load("Load.java"))),
            vec![
                "java".into(),
                "-XX:MaxDirectMemorySize=1g".into(),
                "-cp".into(),
                folder.to_string_lossy().into_owned(),
                "Load".into(),
            ],
            220,
        ),
    ];
    let mut runtimes = Vec::new();
    for (name, there, command, leak_limit) in found {
        if is_there(name, there) {
            runtimes.push(Runtime { name, command, leak_limit });
        }
    }
    runtimes
}

/// Runs a load under a limit, recorded into `folder`; its exit code.
fn run(runtime: &Runtime, shape: &str, limit: u64, folder: &Path, flags: &[(String, String)]) -> Option<i32> {
    let file: PathBuf = folder.join(format!("{}-{shape}.oomph", runtime.name));
    let report = folder.join(format!("{}-{shape}.txt", runtime.name));
    let mut command = oomph(&["run", "-q", "--memory", &limit.to_string()]);
    command.arg("--record").arg(file).arg("--report").arg(report).arg("--").args(&runtime.command).arg(shape);
    command.envs(flags.iter().map(|(name, value)| (name, value))).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().unwrap().code()
}

fn sized(folder: &Path) -> Vec<Value> {
    let output = oomph(&["size", "-o", "json", "--recording", folder.to_str().unwrap()]).output().unwrap();
    let document = document(&output);
    assert_eq!(document["schema"], "oomph.dev/sizing/v1");
    assert!(output.status.code().is_some_and(|code| code < 2), "{output:?}");
    document["workloads"].as_array().unwrap().clone()
}

/// The first run is under a limit with ample room; the second is under what is proposed.
fn record_size_and_run_again(runtime: &Runtime, first: &Path, second: &Path) {
    let folder = first.join(runtime.name);
    std::fs::create_dir(&folder).unwrap();
    let shapes = ["steady", "spike"];
    thread::scope(|scope| {
        for shape in shapes {
            let folder = &folder;
            scope.spawn(move || {
                assert_eq!(run(runtime, shape, 512 << 20, folder, &[]), Some(0), "{} {shape}", runtime.name);
            });
        }
    });
    let sizings = sized(&folder);
    assert_eq!(sizings.len(), shapes.len());
    thread::scope(|scope| {
        for shape in shapes {
            let sizing = sizings.iter().find(|it| it["name"] == format!("{}-{shape}", runtime.name)).unwrap();
            let limit = sizing["proposed"]["limitBytes"].as_u64().unwrap_or_else(|| panic!("{sizing:#}"));
            let flags: Vec<(String, String)> = sizing["proposed"]["flags"]
                .as_array()
                .unwrap()
                .iter()
                .map(|flag| (flag["variable"].as_str().unwrap().into(), flag["value"].as_str().unwrap().into()))
                .collect();
            println!("{} {shape}: {} under {} MiB, {flags:?}", runtime.name, sizing["class"], limit >> 20);
            assert!((41 << 20..400 << 20).contains(&limit), "{} {shape} is given {limit}", runtime.name);
            assert_eq!(flags.is_empty(), sizing["flagsMissing"].is_string(), "{sizing:#}");
            scope.spawn(move || {
                let code = run(runtime, shape, limit, second, &flags);
                assert_eq!(code, Some(0), "{} {shape} under {} MiB and {flags:?}", runtime.name, limit >> 20);
            });
        }
    });
}

#[test]
fn what_is_proposed_is_survived_by_all_but_the_leaks() {
    if !is_there("root and a memory cgroup", rustix::process::geteuid().is_root() && hierarchy::find().is_some()) {
        return;
    }
    let folders = [(); 3].map(|()| tempfile::tempdir().unwrap());
    let [first, second, leaks] = [folders[0].path(), folders[1].path(), folders[2].path()];
    let runtimes = runtimes(second);
    thread::scope(|scope| {
        for runtime in &runtimes {
            scope.spawn(move || {
                let code = run(runtime, "leak", runtime.leak_limit << 20, leaks, &[]);
                assert_eq!(code, Some(137), "the leak of {} dies at its limit", runtime.name);
            });
        }
        // Two at a time: the looks at their heaps take a while in an unoptimised build.
        for lane in runtimes.chunks(runtimes.len().div_ceil(2)) {
            scope.spawn(move || lane.iter().for_each(|runtime| record_size_and_run_again(runtime, first, second)));
        }
    });
    let sizings = sized(leaks);
    assert_eq!(sizings.len(), runtimes.len());
    for sizing in sizings {
        println!("{}: {}, {}", sizing["name"], sizing["class"], sizing["classEvidence"]);
        assert_eq!((&sizing["class"], &sizing["proposed"]), (&"leak".into(), &Value::Null), "{sizing:#}");
        assert_eq!((&sizing["censored"], &sizing["replay"]), (&true.into(), &Value::Null));
        assert!(sizing["growingPart"].is_string() && sizing["secondsToLimit"].is_u64(), "{sizing:#}");
    }
}
