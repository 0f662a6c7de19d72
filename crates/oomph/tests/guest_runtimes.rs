//! Go, CPython, Node.js and a Java virtual machine on a real cgroup v2 node: killed under a limit by `oomph run`, and
//! looked at while they rest, by root and by a user in a cgroup that was delegated to it.
//!
//! `OOMPH_TEST_GUEST` names the script that boots the node; the runtimes are those on this machine's path. The binary is
//! `OOMPH_TEST_STATIC` where that is set, else the one that was built for the tests, with the libraries that it needs.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test that cannot go on fails; figures are printed")]

#[path = "../../../tests/support/component.rs"]
mod component;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use plant::{Tree, copy, printed};
use serde_json::Value;

#[path = "guest/plant.rs"]
mod plant;

/// MiB of the node, which holds the runtimes' files in memory.
const MEMORY: &str = "1280";

/// What was looked at may have this much unexplained: 1 % or 2 MiB, whichever is more.
fn within_tolerance(waterfall: &Value) -> bool {
    let charged = waterfall["chargedBytes"].as_i64().unwrap();
    waterfall["unexplainedBytes"].as_i64().unwrap().abs() <= (charged / 100).max(2 << 20)
}

/// Parts and what is unexplained are the charge, always.
fn adds_up(waterfall: &Value) -> bool {
    let sum: i64 = waterfall["parts"].as_array().unwrap().iter().map(|part| part["bytes"].as_i64().unwrap()).sum();
    sum + waterfall["unexplainedBytes"].as_i64().unwrap() == waterfall["chargedBytes"].as_i64().unwrap()
}

fn sources() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/guest")
}

/// The program and every runtime that this machine has, and which these are.
fn plant(folder: PathBuf) -> (Tree, BTreeSet<&'static str>) {
    let tree = Tree::with_oomph(folder);
    let mut runtimes = BTreeSet::new();
    for (name, planted) in
        [("go", go(&tree)), ("cpython", python(&tree)), ("v8", node(&tree)), ("hotspot", java(&tree))]
    {
        if planted.is_some() {
            runtimes.insert(name);
        } else {
            component::missing(&format!("there is no {name}"));
        }
    }
    tree.libraries();
    (tree, runtimes)
}

fn go(tree: &Tree) -> Option<()> {
    let mut go = Command::new("go");
    go.env("CGO_ENABLED", "0").args(["build", "-o"]).arg(tree.folder.join("fill"));
    printed(go.arg(sources().join("fill.go"))).map(drop)
}

/// The interpreter, and of its library what it loads.
fn python(tree: &Tree) -> Option<()> {
    let tell = "import os, sys, time\nprint(os.path.realpath(sys.executable), sys.base_prefix)\n\
                for it in list(sys.modules.values()):\n if getattr(it, '__file__', None): print(it.__file__)";
    let told = printed(Command::new("python3").args(["-S", "-s", "-c", tell]))?;
    let (first, files) = told.split_once('\n')?;
    let (program, prefix) = first.split_once(' ')?;
    let home = tree.folder.join("python");
    copy(Path::new(program), &home.join("bin/python3"));
    for file in files.lines() {
        copy(Path::new(file), &home.join(Path::new(file).strip_prefix(prefix).ok()?));
    }
    copy(&sources().join("fill.py"), &tree.folder.join("fill.py"));
    Some(())
}

fn node(tree: &Tree) -> Option<()> {
    let program = printed(Command::new("node").args(["-p", "process.execPath"]))?;
    copy(Path::new(&program), &tree.folder.join("node"));
    let _ = printed(Command::new("strip").arg("--strip-debug").arg(tree.folder.join("node")));
    copy(&sources().join("fill.js"), &tree.folder.join("fill.js"));
    Some(())
}

/// The base module alone, with the archive of its classes that makes it start quickly.
fn java(tree: &Tree) -> Option<()> {
    let home = tree.folder.join("java");
    printed(Command::new("javac").arg("-d").arg(&tree.folder).arg(sources().join("Fill.java")))?;
    let mut jlink = Command::new("jlink");
    jlink.args(["--strip-debug", "--no-header-files", "--no-man-pages", "--add-modules", "java.base", "--output"]);
    printed(jlink.arg(&home))?;
    printed(Command::new(home.join("bin/java")).args(["-XX:+UseSerialGC", "-Xshare:dump"]))?;
    Some(())
}

fn json(files: &BTreeMap<&str, &str>, name: &str) -> Value {
    let text = files.get(name).unwrap_or_else(|| panic!("{name} of {:?}", files.keys()));
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{name}: {error}: {text}"))
}

/// The process of a waterfall that has the runtime.
fn process<'a>(waterfall: &'a Value, runtime: &str) -> &'a Value {
    let processes = waterfall["processes"].as_array().unwrap();
    let it = processes.iter().find(|it| it["runtime"]["name"] == runtime);
    it.unwrap_or_else(|| panic!("{runtime}: {waterfall:#}"))
}

#[test]
fn each_runtime_is_killed_explained_and_looked_at_on_a_version_2_node_by_root_and_by_a_user() {
    let Some(guest) = component::component("OOMPH_TEST_GUEST") else { return };
    let scratch = tempfile::tempdir().unwrap();
    let began = Instant::now();
    let (tree, runtimes) = plant(scratch.path().join("tree"));
    println!("the files were ready after {:.1} s", began.elapsed().as_secs_f64());
    let script = sources().join("runtimes.sh");
    let mut guest = Command::new(guest);
    // The processor is emulated, and shared with other tests.
    guest.env("GUEST_TIMEOUT", "1200");
    let booted = guest.args(["-m", MEMORY]).arg(script).arg(&tree.folder).output().unwrap();
    let told = String::from_utf8_lossy(&booted.stdout);
    if let Some(folder) = std::env::var_os("OOMPH_SAVE_EVIDENCE") {
        fs::write(Path::new(&folder).join("guest-runtimes.txt"), told.as_bytes()).unwrap();
    }
    assert!(told.contains("##file end"), "{told}\n{}", String::from_utf8_lossy(&booted.stderr));
    println!("the guest ended after {:.1} s", began.elapsed().as_secs_f64());
    let files: BTreeMap<&str, &str> = told.split("##file ").skip(1).filter_map(|part| part.split_once('\n')).collect();

    for who in ["root", "user"] {
        for runtime in &runtimes {
            let name = format!("{who}-{runtime}");
            let run = json(&files, &format!("{name}-run"));
            println!("{name}: {} {}", run["diagnosis"]["verdict"], run["diagnosis"]["summary"]);
            assert_eq!(files[format!("{name}-code").as_str()].trim(), "137", "{name}: {run:#}");
            assert_eq!((&run["signal"], &run["survived"]), (&9.into(), &false.into()), "{name}");
            assert_eq!(run["diagnosis"]["verdict"], "container-limit-oom", "{name}: {run:#}");
            assert_eq!(run["diagnosis"]["memory"]["limitBytes"], 128 << 20, "{name}");
            let peak = &run["peak"];
            // It grew while it was looked at, so pages came between two reads; the sum holds all the same.
            assert!(adds_up(peak), "{name}: {peak:#}");
            process(peak, runtime);
            println!("{name}: {} of {} unexplained at the peak", peak["unexplainedBytes"], peak["chargedBytes"]);
            let why = json(&files, &format!("{name}-why"));
            assert_eq!(why["diagnoses"][0]["verdict"], "container-limit-oom", "{name}: {why:#}");
            assert_eq!(why["gaps"], serde_json::json!([]), "{name}");

            let look = json(&files, &format!("{name}-inspect"));
            let look = &look["waterfalls"][0];
            assert_eq!(look["cgroupVersion"], 2, "{name}");
            assert!(within_tolerance(look), "{name}: {look:#}");
            assert!(adds_up(look), "{name}: {look:#}");
            let unexplained = look["unexplainedBytes"].as_i64().unwrap();
            let it = process(look, runtime);
            println!("{name}: {unexplained} of {} unexplained, heap {}", look["chargedBytes"], it["runtime"]["heap"]);
            assert_eq!(it["runtime"]["resolved"], true, "{name}: {look:#}");
            assert!(it["rssBytes"].as_u64().unwrap() > 24 << 20, "{name}: {it:#}");
            assert!(look["headroomBytes"].as_u64().unwrap() < 256 << 20, "{name}");
            let rest = json(&files, &format!("{name}-rest"));
            // A JVM ends by itself when it is asked to, with the same code.
            assert_eq!((&rest["exitCode"], &rest["survived"]), (&143.into(), &true.into()), "{name}: {rest:#}");
        }
        assert_eq!(files[format!("{who}-left").as_str()].trim(), "", "nothing stays behind");
    }
    let alone = json(&files, "alone-run");
    assert_eq!(alone["diagnosis"]["verdict"], "container-limit-oom", "{alone:#}");
    assert_eq!(files["alone-left"].trim(), "", "nothing stays behind, and nothing is handed down any more");
}
