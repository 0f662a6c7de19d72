//! Real kills in memory cgroups of our own, seen by the source. Needs root and a memory cgroup; says so where it skips.
#![allow(clippy::print_stdout)] // a skipped test says why
#![allow(clippy::unwrap_used)] // all of it is test code

#[path = "../../../tests/support/component.rs"]
mod component;
#[path = "../../../tests/support/removal.rs"]
mod removal;

use std::fs;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use oomph_core::artifact::{Captured, Status};
use oomph_node::hierarchy::{self, Hierarchy, Version};
use oomph_node::kmsg::Ring;

/// Enough for a shell, far too little for `tail /dev/zero`, which holds what it reads until a line ends.
const LIMIT: &str = "16777216";

const HOG: &str = "tail /dev/zero";

/// The kernel prints ten reports in five seconds, so the tests go one after the other.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// A cgroup of this test run and all below it, removed at the end, also of a failed test.
struct Tree {
    hierarchy: Hierarchy,
    name: String,
    _turn: MutexGuard<'static, ()>,
}

impl Tree {
    /// `None` where this machine does not let us; a failure when `OOMPH_REQUIRE=all`.
    fn plant(test: &str) -> Option<Self> {
        let turn = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
        let name = format!("oomph-test-{}-{test}", std::process::id());
        let hierarchy = hierarchy::find().filter(|hierarchy| fs::create_dir(hierarchy.mount.join(&name)).is_ok());
        let Some(hierarchy) = hierarchy else {
            component::missing("needs root and a memory cgroup");
            return None;
        };
        let tree = Self { hierarchy, name, _turn: turn };
        if tree.hierarchy.version == Version::V2 {
            fs::write(tree.hierarchy.mount.join("cgroup.subtree_control"), "+memory").unwrap();
        }
        Some(tree)
    }

    /// Makes the cgroups down to `below`, and gives the path of the last as the kernel writes it.
    fn cgroup(&self, below: &str) -> String {
        let mut path = self.folder("");
        for part in below.split('/').filter(|part| !part.is_empty()) {
            if self.hierarchy.version == Version::V2 {
                fs::write(path.join("cgroup.subtree_control"), "+memory").unwrap();
            }
            path.push(part);
            if !path.exists() {
                fs::create_dir(&path).unwrap();
            }
        }
        format!("/{}", path.strip_prefix(&self.hierarchy.mount).unwrap().display())
    }

    fn limit(&self, below: &str) {
        let file = match self.hierarchy.version {
            Version::V1 => "memory.limit_in_bytes",
            Version::V2 => "memory.max",
        };
        fs::write(self.folder(below).join(file), LIMIT).unwrap();
        // With swap at hand the hog would fill it first.
        for file in ["memory.memsw.limit_in_bytes", "memory.swap.max"] {
            let path = self.folder(below).join(file);
            if path.exists() {
                fs::write(path, if file == "memory.swap.max" { "0" } else { LIMIT }).unwrap();
            }
        }
    }

    /// Runs a script in a cgroup. Gives its pid, how it ended and what it printed.
    fn run(&self, below: &str, script: &str) -> (u32, ExitStatus, String) {
        let procs = self.folder(below).join("cgroup.procs");
        let child = Command::new("sh")
            .args(["-c", &format!("echo $$ > {} && {script}", procs.display())])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let pid = child.id();
        let output = child.wait_with_output().unwrap();
        (pid, output.status, String::from_utf8(output.stdout).unwrap())
    }

    fn folder(&self, below: &str) -> PathBuf {
        let tree = self.hierarchy.mount.join(&self.name);
        if below.is_empty() { tree } else { tree.join(below) }
    }
}

impl Drop for Tree {
    fn drop(&mut self) {
        removal::remove(&self.folder(""));
    }
}

/// What the kernel log's artifact says of one process: its `oom-kill:` line (missing when the kernel's rate limit left
/// the report out) and its kill line.
fn told(captured: &Captured, victim: u32) -> (Option<String>, String) {
    let log = captured.artifacts.iter().find(|artifact| artifact.name == "/dev/kmsg").expect("the ring was read");
    told_in(&String::from_utf8_lossy(&log.bytes), victim)
}

fn told_in(log: &str, victim: u32) -> (Option<String>, String) {
    let line = |begin: &str, also: &str| {
        log.lines().rfind(|line| line.contains(begin) && format!("{line},").contains(also)).map(str::to_owned)
    };
    let report = line("oom-kill:constraint=", &format!("pid={victim},"));
    if report.is_none() {
        println!("the kernel's rate limit left out the report of {victim}");
    }
    (report, line("Killed process", &format!("Killed process {victim} ")).expect("the kernel logs every kill"))
}

/// The counters of a cgroup, as captured.
fn counters<'a>(captured: &'a Captured, cgroup: &str) -> Option<std::borrow::Cow<'a, str>> {
    let artifact = captured.artifacts.iter().find(|artifact| artifact.name == cgroup)?;
    Some(String::from_utf8_lossy(&artifact.bytes))
}

/// The pid that the script printed.
fn pid_in(output: &str) -> u32 {
    output.lines().next().and_then(|line| line.parse().ok()).expect("the script prints the hog's pid first")
}

#[test]
fn a_kill_of_the_main_process_is_in_the_log_and_in_the_counters() {
    use std::os::unix::process::ExitStatusExt;
    let Some(tree) = Tree::plant("main") else { return };
    let cgroup = tree.cgroup("");
    tree.limit("");
    let (pid, status, _) = tree.run("", &format!("exec {HOG}"));
    assert_eq!(status.signal(), Some(9));

    let now = Timestamp::now();
    let captured = oomph_node::capture(now);
    let (report, kill) = told(&captured, pid);
    assert!(kill.contains("(tail)"), "{kill}");
    if let Some(report) = report {
        assert!(report.contains(&format!("oom_memcg={cgroup},task_memcg={cgroup},")), "{report}");
    }
    let counters = counters(&captured, &cgroup).expect("the cgroup had a kill");
    assert!(counters.contains("\noom_kill 1\n"), "{counters}");
    assert!(counters.contains(&format!(" <==\n{LIMIT}\n")), "{counters}");

    // The record's stamp and the log's zero give the moment of the kill.
    let log = captured.artifacts.iter().find(|artifact| artifact.name == "/dev/kmsg").unwrap();
    let micros: i64 = kill.split(',').nth(2).unwrap().parse().unwrap();
    let at = log.booted.unwrap() + jiff::SignedDuration::from_micros(micros);
    let ago = now.duration_since(at).as_secs_f64();
    assert!((-1.0..5.0).contains(&ago), "killed {ago} s ago");
    println!("killed {ago:.3} s before the capture by the log's zero");
}

#[test]
fn a_kill_of_a_child_leaves_its_parent_running() {
    let Some(tree) = Tree::plant("child") else { return };
    let cgroup = tree.cgroup("");
    tree.limit("");
    let (parent, status, output) = tree.run("", &format!("{{ {HOG} & echo $!; wait $!; echo lived on: $?; }}"));
    assert!(status.success());
    assert!(output.ends_with("lived on: 137\n"), "{output}");

    let victim = pid_in(&output);
    assert_ne!(victim, parent);
    let captured = oomph_node::capture(Timestamp::now());
    let (report, _) = told(&captured, victim);
    if let Some(report) = report {
        assert!(report.contains(&format!("task_memcg={cgroup},")), "{report}");
    }
    assert!(counters(&captured, &cgroup).is_some_and(|counters| counters.contains("\noom_kill 1\n")));
}

#[test]
fn a_kill_by_a_pods_limit_names_the_pod_and_counts_in_the_container() {
    let Some(tree) = Tree::plant("pod") else { return };
    let id = "0f".repeat(32);
    let pod = "kubepods/burstable/pod11111111-2222-3333-4444-555555555555";
    let container = format!("{pod}/{id}");
    let cgroup = tree.cgroup(&container);
    let of_pod = tree.cgroup(pod);
    tree.limit(pod);
    let (pid, status, _) = tree.run(&container, &format!("exec {HOG}"));
    assert!(!status.success());

    let captured = oomph_node::capture(Timestamp::now());
    let (report, _) = told(&captured, pid);
    if let Some(report) = report {
        assert!(report.contains(&format!("oom_memcg={of_pod},task_memcg={cgroup},")), "{report}");
    }
    let of_container = counters(&captured, &cgroup).expect("the victim was in the container");
    assert!(of_container.contains("\noom_kill 1\n"), "{of_container}");
    // Version 1 counts in the victim's cgroup alone, version 2 in all above it too.
    assert_eq!(counters(&captured, &of_pod).is_some(), tree.hierarchy.version == Version::V2);
}

#[test]
fn whoever_follows_the_log_gets_a_report_whole() {
    let Some(tree) = Tree::plant("follow") else { return };
    tree.limit("");
    let mut ring = Ring::open().unwrap();
    ring.read(&mut Vec::new()).unwrap();
    let (pid, ..) = tree.run("", &format!("exec {HOG}"));

    // Other processes of the machine may log too; the kill is in one of the next bursts.
    let began = Instant::now();
    let mut followed = String::new();
    while !followed.contains("Killed process") && began.elapsed() < Duration::from_secs(5) {
        followed.push_str(&String::from_utf8_lossy(&ring.next_burst(Duration::from_secs(1)).unwrap()));
    }
    if told_in(&followed, pid).0.is_some() {
        assert!(followed.contains("tail invoked oom-killer"), "{followed}");
    }
    assert_eq!(ring.lost(), 0);
}

#[test]
fn a_quiet_log_gives_an_empty_burst_in_time() {
    let Some(_tree) = Tree::plant("quiet") else { return };
    let mut ring = Ring::open().unwrap();
    ring.read(&mut Vec::new()).unwrap();
    let began = Instant::now();
    let burst = ring.next_burst(Duration::from_millis(100)).unwrap();
    assert!(began.elapsed() < Duration::from_secs(3));
    assert!(!burst.is_empty() || began.elapsed() >= Duration::from_millis(100));
}

/// Writes the kernel's whole ring over, so it asks for leave: `OOMPH_FLOOD_KMSG=1`, in a machine of its own.
#[test]
fn records_overwritten_while_the_log_is_followed_are_counted() {
    if std::env::var_os("OOMPH_FLOOD_KMSG").is_none() {
        println!("skipped: OOMPH_FLOOD_KMSG is not set");
        return;
    }
    let _turn = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let mut ring = Ring::open().unwrap();
    ring.read(&mut Vec::new()).unwrap();
    fs::write("/proc/sys/kernel/printk_devkmsg", "on\n").unwrap();
    let kmsg = fs::OpenOptions::new().write(true).open("/dev/kmsg").unwrap();
    let written = 20_000;
    for number in 0..written {
        (&kmsg).write_all(format!("<7>flood {number} {}\n", "x".repeat(100)).as_bytes()).unwrap();
    }
    let mut rest = Vec::new();
    ring.read(&mut rest).unwrap();
    let kept = String::from_utf8_lossy(&rest).matches(";flood ").count();
    println!("{written} written, {kept} read, {} lost", ring.lost());
    assert!(ring.lost() > 0);
    assert_eq!(ring.lost() + u64::try_from(kept).unwrap(), written);

    let captured = oomph_node::capture(Timestamp::now());
    assert_eq!(captured.sources[0].status, Status::Partial);
    assert!(captured.sources[0].because.contains("are gone"), "{}", captured.sources[0].because);
}
