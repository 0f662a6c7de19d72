//! Runtimes that are asked what they say of themselves: a real Java virtual machine and a real Node.js.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test that cannot go on fails; figures are printed")]

use std::fs;
use std::net::TcpStream;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use cgroup::Cgroup;
use oomph_core::waterfall::{Process, Subject, Waterfall};
use oomph_node::attach::ask;
use oomph_node::inspect;

#[path = "support/cgroup.rs"]
mod cgroup;
mod support;
use support::{Started, missing};

/// Rests, and says when it does so.
const JAVA: &str = "\
public class Rest {
    public static void main(String[] arguments) throws Exception {
        System.out.println(\"ready\");
        Thread.sleep(600_000);
    }
}
";

/// A cgroup of the test's own, and a command that runs in it.
fn place(name: &str, program: &str) -> Option<(Cgroup, Command)> {
    let Some(cgroup) = Cgroup::new(name) else {
        missing("root and a memory cgroup");
        return None;
    };
    let mut command = Command::new("sh");
    command.args(["-c", "echo $$ > \"$0\" && exec \"$@\""]).arg(cgroup.folder().join("cgroup.procs")).arg(program);
    Some((cgroup, command))
}

/// What was read from outside, with the answers of its runtimes.
fn asked(cgroup: &Cgroup) -> Waterfall {
    let mut waterfall = inspect::inspect(&cgroup.hierarchy, &cgroup.path, &Subject::default());
    waterfall.gaps.clear();
    ask(&mut waterfall);
    waterfall
}

fn only(waterfall: &Waterfall) -> &Process {
    assert_eq!(waterfall.processes.len(), 1);
    &waterfall.processes[0]
}

fn is_alive(target: &Started) -> bool {
    let status = fs::read_to_string(format!("/proc/{}/status", target.pid())).unwrap_or_default();
    !status.is_empty() && !status.contains("State:\tZ")
}

/// The threads of a virtual machine that listen.
fn listeners(target: &Started) -> usize {
    let threads = fs::read_dir(format!("/proc/{}/task", target.pid())).unwrap().flatten();
    let names = threads.filter_map(|thread| fs::read_to_string(thread.path().join("comm")).ok());
    names.filter(|name| name.trim() == "Attach Listener").count()
}

/// A virtual machine with these flags, in a folder of its own.
fn java(name: &str, folder: &Path, flags: &[&str]) -> Option<(Cgroup, Started)> {
    let source = folder.join("Rest.java");
    fs::write(&source, JAVA).unwrap();
    let compiled = Command::new("javac").arg("-d").arg(folder).arg(source).status();
    if !compiled.is_ok_and(|status| status.success()) {
        missing("a JDK");
        return None;
    }
    let (cgroup, mut java) = place(name, "java")?;
    java.args(flags).arg("-cp").arg(folder).arg("Rest").current_dir(folder);
    let started = Started::new(&mut java);
    Some((cgroup, started))
}

#[test]
fn a_java_virtual_machine_tells_its_native_memory_and_keeps_no_file_of_ours() {
    let folder = tempfile::tempdir().unwrap();
    let flags = ["-Xmx64m", "-XX:NativeMemoryTracking=summary"];
    let Some((cgroup, target)) = java("attach-nmt", folder.path(), &flags) else { return };
    let waterfall = asked(&cgroup);
    let process = only(&waterfall);
    let told = process.told.as_ref().unwrap_or_else(|| panic!("{:#?}", waterfall.gaps));
    println!("{} amounts, RSS {:+}, threads {:+}", told.amounts.len(), told.rss_change_bytes, told.thread_change);
    let amount =
        |name: &str| told.amounts.iter().find(|it| it.name == name).unwrap_or_else(|| panic!("{name}: {told:#?}"));
    // Its own number of what was read from outside.
    assert_eq!(Some(amount("Java Heap").bytes), process.runtime.heap.committed_bytes);
    assert!(amount("total").bytes > amount("Java Heap").bytes);
    // Threads that compile come and go beside it.
    assert_eq!(listeners(&target), 1, "the listener stays");
    assert!(!folder.path().join(format!(".attach_pid{}", target.pid())).exists());
    // Asked again, it listens already.
    let again = asked(&cgroup);
    let told = only(&again).told.as_ref().unwrap_or_else(|| panic!("{:#?}", again.gaps));
    assert!(told.amounts.len() > 5 && listeners(&target) == 1);
}

#[test]
fn a_java_virtual_machine_that_must_not_or_cannot_answer_is_left_alone() {
    let nmt = "-XX:NativeMemoryTracking=summary";
    for (name, flags, because) in [
        ("attach-off", vec!["-Xmx64m"], "native memory tracking is off"),
        ("attach-disabled", vec!["-Xmx64m", nmt, "-XX:+DisableAttachMechanism"], "-XX:+DisableAttachMechanism"),
        ("attach-rs", vec!["-Xmx64m", nmt, "-Xrs"], "-Xrs"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let Some((cgroup, target)) = java(name, folder.path(), &flags) else { return };
        let before = target.footprint_at_rest();
        let waterfall = asked(&cgroup);
        assert_eq!(only(&waterfall).told, None, "{flags:?}");
        assert!(waterfall.gaps.len() == 1 && waterfall.gaps[0].because.contains(because), "{:#?}", waterfall.gaps);
        assert!(is_alive(&target), "{flags:?}");
        assert_eq!(target.footprint(), before, "{flags:?}");
    }
}

/// Node.js with a script; the port of its inspector is this test's own.
fn node(port: u16, script: &str) -> Option<(Cgroup, Started)> {
    if !Command::new("node").arg("--version").stdout(Stdio::null()).status().is_ok_and(|status| status.success()) {
        missing("Node.js");
        return None;
    }
    let (cgroup, mut node) = place(&format!("attach-{port}"), "node")?;
    let started = Started::new(node.arg(format!("--inspect-port={port}")).args(["-e", script]).stderr(Stdio::null()));
    Some((cgroup, started))
}

#[test]
fn node_tells_its_memory_and_its_inspector_is_closed_again() {
    let script = "globalThis.kept = Buffer.alloc(8 << 20, 1); console.log('ready'); setInterval(() => {}, 1000)";
    let Some((cgroup, target)) = node(9391, script) else { return };
    let waterfall = asked(&cgroup);
    let told = only(&waterfall).told.as_ref().unwrap_or_else(|| panic!("{:#?}", waterfall.gaps));
    println!("{} amounts, RSS {:+}, threads {:+}", told.amounts.len(), told.rss_change_bytes, told.thread_change);
    let amount =
        |name: &str| told.amounts.iter().find(|it| it.name == name).unwrap_or_else(|| panic!("{name}: {told:#?}"));
    assert!((8 << 20..9 << 20).contains(&amount("process.memoryUsage arrayBuffers").bytes.0), "{told:#?}");
    assert!(amount("v8.getHeapStatistics total_heap_size").bytes.0 > 1 << 20);
    let open = TcpStream::connect_timeout(&([127, 0, 0, 1], 9391).into(), Duration::from_secs(1));
    assert!(open.is_err() && is_alive(&target));
}

#[test]
fn a_port_that_is_in_use_is_not_talked_to() {
    let Some((cgroup, target)) = node(9392, "console.log('ready'); setInterval(() => {}, 1000)") else { return };
    let _other = std::net::TcpListener::bind(("127.0.0.1", 9392)).unwrap();
    let waterfall = asked(&cgroup);
    assert_eq!(only(&waterfall).told, None);
    assert!(waterfall.gaps[0].because.contains("9392 is in use"), "{:#?}", waterfall.gaps);
    assert!(is_alive(&target));
}
