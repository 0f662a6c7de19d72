//! Real kills in memory cgroups that are named as Kubernetes names them, explained as `--node` and as a pasted `dmesg`.
//! Needs root and a memory cgroup; says so where it skips.
#![allow(clippy::print_stdout, reason = "a skipped test says why, the others print their figures")]
#![allow(clippy::unwrap_used, reason = "all of it is test code")]

#[path = "../../../tests/support/component.rs"]
mod component;
#[path = "../../../tests/support/removal.rs"]
mod removal;

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use oomph_node::hierarchy::{self, Hierarchy, Version};
use serde_json::Value;

/// Enough for a shell, far too little for a hog.
const LIMIT: &str = "16777216";

/// Holds what it reads until a line ends; zeros have no lines.
const HOG: &str = "tail /dev/zero";

const UID: &str = "6f3c1a52-8f0e-4a0b-9d55-2f2b61d0c7aa";

/// The kernel prints ten reports in five seconds, so the tests go one after the other.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// A node's `kubepods` in a cgroup of this test, removed at the end, also of a failed test.
struct Node {
    hierarchy: Hierarchy,
    name: String,
    /// A container of a burstable pod, below the test's cgroup.
    container: String,
    id: String,
    _turn: MutexGuard<'static, ()>,
}

impl Node {
    /// `None` where this machine does not let us; a failure when `OOMPH_REQUIRE=all`. `number` makes the id its own.
    fn plant(test: &str, number: u8) -> Option<Self> {
        let turn = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
        let name = format!("oomph-test-{}-{test}", std::process::id());
        let hierarchy = hierarchy::find().filter(|hierarchy| fs::create_dir(hierarchy.mount.join(&name)).is_ok());
        let Some(hierarchy) = hierarchy else {
            component::missing("needs root and a memory cgroup");
            return None;
        };
        let id = format!("{:08x}{number:02x}", std::process::id()).chars().cycle().take(64).collect::<String>();
        let container = format!("kubepods/burstable/pod{UID}/{id}");
        let node = Self { hierarchy, name, container, id, _turn: turn };
        let mut path = node.folder("");
        for part in node.container.split('/') {
            node.share_memory(&path);
            path.push(part);
            fs::create_dir(&path).unwrap();
        }
        Some(node)
    }

    /// On version 2 a cgroup must say that those below it have limits of their own.
    fn share_memory(&self, cgroup: &Path) {
        if self.hierarchy.version == Version::V2 {
            fs::write(cgroup.join("cgroup.subtree_control"), "+memory").unwrap();
        }
    }

    fn limit(&self, below: &str) {
        let (limit, swap, none) = match self.hierarchy.version {
            Version::V1 => ("memory.limit_in_bytes", "memory.memsw.limit_in_bytes", LIMIT),
            Version::V2 => ("memory.max", "memory.swap.max", "0"),
        };
        let folder = self.folder(below);
        fs::write(folder.join(limit), LIMIT).unwrap();
        // With swap at hand the hog would fill it first.
        if folder.join(swap).exists() {
            fs::write(folder.join(swap), none).unwrap();
        }
    }

    /// Runs a script that has a process killed. Gives its pid and what it printed. Once more where the kernel, which
    /// prints ten reports in five seconds, left out the report because of other kills on this machine.
    fn run(&self, script: &str) -> (u32, String) {
        for _ in 0..5 {
            let ran = self.run_once(script);
            if String::from_utf8_lossy(&dmesg()).contains(&format!("{},task=", self.id)) {
                return ran;
            }
            println!("the kernel's rate limit left out a report");
            std::thread::sleep(Duration::from_secs(5));
        }
        panic!("the kernel left out every report");
    }

    fn run_once(&self, script: &str) -> (u32, String) {
        let procs = self.folder(&self.container).join("cgroup.procs");
        let child = Command::new("sh")
            .args(["-c", &format!("echo $$ > {} && {script}", procs.display())])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let pid = child.id();
        let output = child.wait_with_output().unwrap();
        (pid, String::from_utf8(output.stdout).unwrap())
    }

    fn folder(&self, below: &str) -> PathBuf {
        let tree = self.hierarchy.mount.join(&self.name);
        if below.is_empty() { tree } else { tree.join(below) }
    }

    /// The kill of a process, as each way of asking tells it: the kernel's report and the container's diagnosis.
    fn told(&self, victim: u32) -> Vec<(&'static str, Value, Value)> {
        let ways = [("--node", document(&asked_of_the_node())), ("dmesg", document(&pasted(&dmesg())))];
        ways.map(|(way, document)| {
            let kills = document["kernelKills"].as_array().unwrap();
            let of_victim = |kill: &&Value| kill["containerId"] == self.id && kill["victims"][0]["pid"] == victim;
            let kill = kills.iter().rfind(of_victim);
            let kill = kill.unwrap_or_else(|| panic!("{way}: no kill of {victim} in {}", self.id)).clone();
            let ours = of(self, &document);
            assert_eq!(ours.len(), 1, "{way}: {ours:#?}");
            assert_eq!(ours[0]["kills"], serde_json::json!([kill["id"]]), "{way}");
            println!("{way}: {} {} {}", ours[0]["verdict"], ours[0]["level"], ours[0]["summary"]);
            (way, kill, ours[0].clone())
        })
        .into()
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        removal::remove(&self.folder(""));
    }
}

fn oomph(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_oomph"));
    command.arg("why").args(arguments).args(["-o", "json"]).stdin(Stdio::piped()).stdout(Stdio::piped());
    command
}

fn asked_of_the_node() -> Output {
    oomph(&["--node"]).stdin(Stdio::null()).output().unwrap()
}

fn dmesg() -> Vec<u8> {
    Command::new("dmesg").output().unwrap().stdout
}

fn pasted(log: &[u8]) -> Output {
    let mut child = oomph(&["-f", "-"]).spawn().unwrap();
    child.stdin.take().unwrap().write_all(log).unwrap();
    child.wait_with_output().unwrap()
}

/// A kill needs action: the exit code is 1.
fn document(output: &Output) -> Value {
    assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// The diagnoses of the test's own container; others may die on this machine, too.
fn of<'a>(node: &Node, document: &'a Value) -> Vec<&'a Value> {
    let diagnoses = document["diagnoses"].as_array().unwrap().iter();
    diagnoses.filter(|it| it["subject"]["containerId"] == node.id).collect()
}

fn assert_level(kill: &Value, node: &Node, level: &str, below: &str) {
    assert_eq!(kill["level"], level, "{kill:#}");
    assert_eq!(kill["constraint"], "memcg");
    assert_eq!(kill["oomMemcg"], format!("/{}/{below}", node.name));
    assert_eq!(kill["taskMemcg"], format!("/{}/{}", node.name, node.container));
    assert_eq!(kill["podUid"], UID);
    assert_eq!(kill["qosClass"], "Burstable");
    assert_eq!(kill["limitBytes"].to_string(), LIMIT);
}

#[test]
fn a_kill_by_the_containers_limit_is_its_own() {
    let Some(node) = Node::plant("container", 1) else { return };
    node.limit(&node.container);
    let (pid, _) = node.run(&format!("exec {HOG}"));
    for (way, kill, diagnosis) in node.told(pid) {
        assert_level(&kill, &node, "container", &node.container);
        assert_eq!(diagnosis["verdict"], "container-limit-oom", "{way}");
        assert_eq!(diagnosis["oomKill"], true, "{way}");
        assert_eq!(diagnosis["level"], "container", "{way}");
    }
}

#[test]
fn a_kill_of_a_child_is_told_as_one() {
    let Some(node) = Node::plant("child", 2) else { return };
    node.limit(&node.container);
    let (_, output) = node.run(&format!("{{ {HOG} & echo $!; wait $!; }}"));
    for (way, kill, diagnosis) in node.told(output.trim().parse().unwrap()) {
        assert_level(&kill, &node, "container", &node.container);
        assert_eq!(diagnosis["verdict"], "child-oom", "{way}");
        assert_eq!((&diagnosis["oomKill"], &diagnosis["victim"]), (&true.into(), &"child".into()), "{way}");
    }
}

#[test]
fn a_kill_by_the_pods_limit_is_the_pods() {
    let Some(node) = Node::plant("pod", 3) else { return };
    let pod = format!("kubepods/burstable/pod{UID}");
    node.limit(&pod);
    let (pid, _) = node.run(&format!("exec {HOG}"));
    for (way, kill, diagnosis) in node.told(pid) {
        assert_level(&kill, &node, "pod", &pod);
        assert_eq!(diagnosis["verdict"], "pod-limit-oom", "{way}");
        assert_eq!((&diagnosis["oomKill"], &diagnosis["level"]), (&true.into(), &"pod".into()), "{way}");
    }
}

#[test]
fn a_kill_by_the_limit_of_a_qos_class_is_of_all_pods() {
    let Some(node) = Node::plant("slice", 4) else { return };
    node.limit("kubepods/burstable");
    let (pid, _) = node.run(&format!("exec {HOG}"));
    for (way, kill, diagnosis) in node.told(pid) {
        assert_level(&kill, &node, "slice", "kubepods/burstable");
        assert_eq!(diagnosis["verdict"], "node-allocatable-oom", "{way}");
        assert_eq!((&diagnosis["oomKill"], &diagnosis["level"]), (&true.into(), &"slice".into()), "{way}");
    }
}

#[test]
fn a_kill_by_the_limit_of_kubepods_is_of_all_pods() {
    let Some(node) = Node::plant("kubepods", 5) else { return };
    node.limit("kubepods");
    let (pid, _) = node.run(&format!("exec {HOG}"));
    for (way, kill, diagnosis) in node.told(pid) {
        assert_level(&kill, &node, "node-allocatable", "kubepods");
        assert_eq!(diagnosis["verdict"], "node-allocatable-oom", "{way}");
        assert_eq!((&diagnosis["oomKill"], &diagnosis["level"]), (&true.into(), &"node-allocatable".into()), "{way}");
    }
}

/// `oomph why --node -w`, stopped at the end, also of a failed test.
struct Watching {
    child: Child,
    /// Each document, when it was printed.
    told: Receiver<(Value, Instant)>,
    /// Holds a `dmesg` and a `journalctl` that note in `asked` that somebody asked them, and say nothing.
    programs: tempfile::TempDir,
}

impl Watching {
    fn begin() -> Self {
        let programs = tempfile::tempdir().unwrap();
        let asked = programs.path().join("asked");
        for name in ["dmesg", "journalctl"] {
            let program = programs.path().join(name);
            fs::write(&program, format!("#!/bin/sh\necho {name} >> {}\n", asked.display())).unwrap();
            fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        }
        let path = format!("{}:{}", programs.path().display(), std::env::var("PATH").unwrap());
        let mut child = oomph(&["--node", "-w"]).env("PATH", path).stdin(Stdio::null()).spawn().unwrap();
        let (send, told) = channel();
        let output = BufReader::new(child.stdout.take().unwrap());
        std::thread::spawn(move || {
            let documents = output.lines().map_while(Result::ok).map(|line| serde_json::from_str(&line).unwrap());
            documents.map_while(|document| send.send((document, Instant::now())).ok()).for_each(drop);
        });
        Self { child, told, programs }
    }

    /// The first document with a kill of this process, and when it came.
    fn tells_of(&self, victim: u32, within: Duration) -> Option<(Value, Instant)> {
        let until = Instant::now() + within;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            let (document, at) = self.told.recv_timeout(left).ok()?;
            let mut kills = document["kernelKills"].as_array().unwrap().iter();
            if kills.any(|kill| kill["victims"][0]["pid"] == victim) {
                return Some((document, at));
            }
        }
    }

    /// How often another program was asked.
    fn asked(&self) -> usize {
        fs::read_to_string(self.programs.path().join("asked")).unwrap_or_default().lines().count()
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_kill_is_told_within_two_seconds_while_the_node_is_followed() {
    let Some(node) = Node::plant("followed", 6) else { return };
    node.limit(&node.container);
    let (before, _) = node.run(&format!("exec {HOG}"));
    let watching = Watching::begin();
    watching.tells_of(before, Duration::from_secs(30)).expect("what was there is told first");
    // The first looks after the first find nothing new.
    std::thread::sleep(Duration::from_secs(5));
    let asked = watching.asked();

    for _ in 0..3 {
        let (pid, _) = node.run(&format!("exec {HOG}"));
        let killed = Instant::now();
        let (document, told) = watching.tells_of(pid, Duration::from_secs(10)).expect("the kill is told");
        println!("told {:.2} s after the end", told.saturating_duration_since(killed).as_secs_f64());
        assert!(told.saturating_duration_since(killed) < Duration::from_secs(2));
        let ours = of(&node, &document);
        assert_eq!(ours.len(), 1, "only what is new: {ours:#?}");
        assert_eq!((&ours[0]["verdict"], &ours[0]["oomKill"]), (&"container-limit-oom".into(), &true.into()));
    }
    assert_eq!(watching.asked(), asked, "no other program is run to follow");
    let again = watching.told.try_iter().find(|(document, _)| !of(&node, document).is_empty());
    assert!(again.is_none(), "told again: {again:#?}");
}
