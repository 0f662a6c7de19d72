//! Go, CPython, Node.js and a Java virtual machine on a real cgroup v2 node: killed under a limit by `oomph run`, and
//! looked at while they rest, by root and by a user in a cgroup that was delegated to it.
//!
//! `OOMPH_TEST_GUEST` names the script that boots the node; the runtimes are those on this machine's path. The binary is
//! `OOMPH_TEST_STATIC` where that is set, else the one that was built for the tests, with the libraries that it needs.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test that cannot go on fails; figures are printed")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use serde_json::Value;

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

/// What a command prints; none where it cannot be run, or fails.
fn printed(command: &mut Command) -> Option<String> {
    let output = command.stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// A file and the folders above it.
fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to.parent().unwrap()).unwrap();
    fs::copy(from, to).unwrap_or_else(|error| panic!("{}: {error}", from.display()));
}

/// The files for the node, and which runtimes are among them.
struct Tree {
    folder: PathBuf,
    runtimes: BTreeSet<&'static str>,
}

impl Tree {
    fn plant(folder: PathBuf) -> Self {
        fs::create_dir_all(folder.join("lib")).unwrap();
        let mut tree = Self { folder, runtimes: BTreeSet::new() };
        let oomph =
            std::env::var_os("OOMPH_TEST_STATIC").map_or_else(|| env!("CARGO_BIN_EXE_oomph").into(), PathBuf::from);
        copy(&oomph, &tree.folder.join("oomph"));
        // Smaller, where it can be: the node unpacks it into its memory.
        let _ = printed(Command::new("strip").arg(tree.folder.join("oomph")));
        for (name, planted) in
            [("go", tree.go()), ("cpython", tree.python()), ("v8", tree.node()), ("hotspot", tree.java())]
        {
            if planted.is_some() {
                tree.runtimes.insert(name);
            } else {
                assert_ne!(std::env::var("OOMPH_REQUIRE").as_deref(), Ok("all"), "missing: {name}");
                println!("skipped, missing: {name}");
            }
        }
        tree.libraries();
        tree
    }

    fn go(&self) -> Option<()> {
        let mut go = Command::new("go");
        go.env("CGO_ENABLED", "0").args(["build", "-o"]).arg(self.folder.join("fill"));
        printed(go.arg(sources().join("fill.go"))).map(drop)
    }

    /// The interpreter, and of its library what it loads.
    fn python(&self) -> Option<()> {
        let tell = "import os, sys, time\nprint(os.path.realpath(sys.executable), sys.base_prefix)\n\
                    for it in list(sys.modules.values()):\n if getattr(it, '__file__', None): print(it.__file__)";
        let told = printed(Command::new("python3").args(["-S", "-s", "-c", tell]))?;
        let (first, files) = told.split_once('\n')?;
        let (program, prefix) = first.split_once(' ')?;
        let home = self.folder.join("python");
        copy(Path::new(program), &home.join("bin/python3"));
        for file in files.lines() {
            copy(Path::new(file), &home.join(Path::new(file).strip_prefix(prefix).ok()?));
        }
        copy(&sources().join("fill.py"), &self.folder.join("fill.py"));
        Some(())
    }

    fn node(&self) -> Option<()> {
        let program = printed(Command::new("node").args(["-p", "process.execPath"]))?;
        copy(Path::new(&program), &self.folder.join("node"));
        let _ = printed(Command::new("strip").arg("--strip-debug").arg(self.folder.join("node")));
        copy(&sources().join("fill.js"), &self.folder.join("fill.js"));
        Some(())
    }

    /// The base module alone, with the archive of its classes that makes it start quickly.
    fn java(&self) -> Option<()> {
        let home = self.folder.join("java");
        printed(Command::new("javac").arg("-d").arg(&self.folder).arg(sources().join("Fill.java")))?;
        let mut jlink = Command::new("jlink");
        jlink.args(["--strip-debug", "--no-header-files", "--no-man-pages", "--add-modules", "java.base", "--output"]);
        printed(jlink.arg(&home))?;
        printed(Command::new(home.join("bin/java")).args(["-XX:+UseSerialGC", "-Xshare:dump"]))?;
        Some(())
    }

    /// What the programs are linked to, and the loader.
    fn libraries(&self) {
        let mut programs = vec![self.folder.clone()];
        let mut found = BTreeSet::new();
        while let Some(path) = programs.pop() {
            if path.is_dir() {
                programs.extend(fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()));
                continue;
            }
            let linked = printed(Command::new("ldd").arg(&path)).unwrap_or_default();
            // `libc.so.6 => /lib/libc.so.6 (0x...)`, and of the loader `/lib64/ld-linux.so.2 (0x...)`.
            let words = linked.split_whitespace().filter(|word| word.starts_with('/') && !word.ends_with(':'));
            found.extend(words.map(PathBuf::from).filter(|path| !path.starts_with(&self.folder)));
        }
        for library in found {
            copy(&library, &self.folder.join("lib").join(library.file_name().unwrap()));
        }
    }
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
    let Some(guest) = std::env::var_os("OOMPH_TEST_GUEST") else {
        assert_ne!(std::env::var("OOMPH_REQUIRE").as_deref(), Ok("all"), "OOMPH_TEST_GUEST is not set");
        println!("skipped: OOMPH_TEST_GUEST is not set");
        return;
    };
    let scratch = tempfile::tempdir().unwrap();
    let began = Instant::now();
    let tree = Tree::plant(scratch.path().join("tree"));
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
        for runtime in &tree.runtimes {
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
