//! Where the memory of real processes went, by `oomph inspect`.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test that cannot go on fails; figures are printed")]

#[path = "../../../tests/support/component.rs"]
mod component;

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use oomph_node::hierarchy;
use serde_json::Value;

/// A process in a cgroup of its own; both go with it.
struct Target {
    child: Child,
    folder: PathBuf,
}

impl Target {
    /// Runs a script that prints a line when it is ready. None, said and fatal where everything is required, without root.
    fn start(test: &str, script: &str) -> Option<Self> {
        let hierarchy = hierarchy::find().filter(|_| rustix::process::geteuid().is_root());
        let Some(hierarchy) = hierarchy else {
            component::missing(&format!("{test} needs root and a memory cgroup"));
            return None;
        };
        let folder = hierarchy.mount.join(format!("oomph-test-inspect-{}-{test}", std::process::id()));
        fs::create_dir(&folder).unwrap();
        let limit = if folder.join("memory.max").exists() { "memory.max" } else { "memory.limit_in_bytes" };
        fs::write(folder.join(limit), (512 << 20).to_string()).unwrap();
        let enter = format!("echo $$ > {}/cgroup.procs; exec python3 -c \"$0\"", folder.display());
        let mut child = Command::new("sh").args(["-c", &enter, script]).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        Some(Self { child, folder })
    }

    fn inspect(&self, more: &[&str]) -> Value {
        let pid = self.child.id().to_string();
        let output = Command::new(env!("CARGO_BIN_EXE_oomph"))
            .args(["inspect", "-o", "json", "--pid", &pid])
            .args(more)
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    }
}

impl Drop for Target {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        for _ in 0..50 {
            if fs::remove_dir(&self.folder).is_ok() {
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
    }
}

fn sum(waterfall: &Value) -> i64 {
    waterfall["parts"].as_array().unwrap().iter().map(|part| part["bytes"].as_i64().unwrap()).sum()
}

fn part(waterfall: &Value, kind: &str) -> u64 {
    let parts = waterfall["parts"].as_array().unwrap().iter().filter(|part| part["kind"] == kind);
    parts.map(|part| part["bytes"].as_u64().unwrap()).sum()
}

#[test]
fn the_parts_of_a_python_process_add_up_to_the_kernels_number() {
    let script = "\
import time, mmap, os
objects = [str(i) * 3 for i in range(300000)]
large = bytearray(b'x') * (32 << 20)
shared = mmap.mmap(-1, 16 << 20)
shared.write(b'y' * (16 << 20))
print('ready', flush=True)
time.sleep(120)";
    let Some(target) = Target::start("python", script) else { return };
    let document = target.inspect(&[]);
    assert_eq!(document["schema"], "oomph.dev/waterfall/v1");
    let it = &document["waterfalls"][0];
    let charged = it["chargedBytes"].as_i64().unwrap();
    let unexplained = it["unexplainedBytes"].as_i64().unwrap();
    assert_eq!(sum(it) + unexplained, charged);
    assert!(unexplained.abs() <= (charged / 100).max(2 << 20), "{unexplained} of {charged}: {it:#}");
    assert!(part(it, "shared-memory") == 16 << 20, "{it:#}");
    assert!(part(it, "pymalloc") > 15 << 20, "{it:#}");
    assert_eq!(it["limitBytes"], 512 << 20);
    let headroom = it["headroomBytes"].as_i64().unwrap();
    assert_eq!(headroom, (512 << 20) - it["unreclaimableBytes"].as_i64().unwrap());
    let process = &it["processes"][0];
    assert_eq!((&process["runtime"]["name"], &process["runtime"]["resolved"]), (&"cpython".into(), &true.into()));
    assert!(it["views"].as_array().unwrap().len() >= 4);
}

#[test]
fn memory_that_forked_processes_share_is_counted_once() {
    let script = "\
import os, time
large = bytearray(b'x') * (48 << 20)
for _ in range(4):
    if os.fork() == 0:
        time.sleep(120)
print('ready', flush=True)
time.sleep(120)";
    let Some(target) = Target::start("forks", script) else { return };
    let document = target.inspect(&[]);
    let it = &document["waterfalls"][0];
    assert_eq!(it["processes"].as_array().unwrap().len(), 5, "{it:#}");
    let unexplained = it["unexplainedBytes"].as_i64().unwrap();
    let charged = it["chargedBytes"].as_i64().unwrap();
    assert!(unexplained.abs() <= (charged / 100).max(2 << 20), "{unexplained} of {charged}: {it:#}");
    assert!(charged < 100 << 20, "{charged}");
    for pid in it["processes"].as_array().unwrap().iter().skip(1) {
        let pid = i32::try_from(pid["pid"].as_i64().unwrap()).unwrap();
        let _ =
            rustix::process::kill_process(rustix::process::Pid::from_raw(pid).unwrap(), rustix::process::Signal::KILL);
    }
}

#[test]
fn what_grew_between_two_looks_is_told() {
    let script = "\
import time
print('ready', flush=True)
x = []
for _ in range(400):
    x.append(bytearray(b'x') * (1 << 20)); time.sleep(0.05)";
    let Some(target) = Target::start("grows", script) else { return };
    let document = target.inspect(&["--diff", "1s"]);
    let grew = document["waterfalls"][0]["grew"].as_array().unwrap();
    assert!(grew[0]["bytes"].as_i64().unwrap() > 4 << 20, "{grew:?}");
}

#[test]
fn what_is_not_there_is_an_error_that_says_what_to_do() {
    let fails = |arguments: &[&str]| {
        let mut oomph = Command::new(env!("CARGO_BIN_EXE_oomph"));
        // A cluster that the tests run in would be asked for the pod.
        oomph.env_remove("KUBECONFIG").env("HOME", "/nowhere");
        let output = oomph.arg("inspect").args(arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        String::from_utf8(output.stderr).unwrap()
    };
    if hierarchy::find().is_none() {
        println!("skipped: there is no memory cgroup");
        return;
    }
    assert!(fails(&["--pid", "4194303"]).contains("4194303"));
    assert!(fails(&["--cgroup", "/no/such/cgroup"]).contains("/no/such/cgroup"));
    assert!(fails(&["no-such-pod"]).contains("kubectl debug node"));
    assert!(fails(&["--recording", "/etc/passwd"]).contains("--record FILE"));
    assert!(fails(&["--diff", "2026-01-01T00:00:00Z", "--pid", "1"]).contains("30s"));
}

#[test]
fn whoever_asks_for_a_document_gets_one_also_where_there_is_nothing_to_tell() {
    for asked in [&["--pid", "4194304"][..], &["--cgroup", "/nope"], &["--recording", "/nope"]] {
        let output =
            Command::new(env!("CARGO_BIN_EXE_oomph")).args(["inspect", "-o", "json"]).args(asked).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{asked:?}");
        let it: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!((&it["schema"], &it["waterfalls"]), (&"oomph.dev/waterfall/v1".into(), &serde_json::json!([])));
        assert!(it["gaps"][0]["because"].as_str().is_some_and(|because| !because.is_empty()), "{it:#}");
    }
}

#[test]
fn watching_a_process_ends_with_it() {
    let script = "import time\nprint('ready', flush=True)\ntime.sleep(600)";
    let Some(mut target) = Target::start("watch", script) else { return };
    let mut watch = Command::new(env!("CARGO_BIN_EXE_oomph"))
        .args(["inspect", "-o", "json", "--watch", "--pid", &target.child.id().to_string()])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(watch.stdout.take().unwrap()).lines();
    let first: Value = serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap();
    assert!(first["waterfalls"][0]["chargedBytes"].as_u64() > Some(0), "{first:#}");
    target.child.kill().unwrap();
    target.child.wait().unwrap();
    assert!(lines.count() <= 2, "a look that was under way may still be told");
    assert!(watch.wait().unwrap().success());
}
