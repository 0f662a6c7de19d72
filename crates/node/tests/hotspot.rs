//! Java virtual machines of all versions at hand, with each of their collectors, against what their own beans say.

use std::collections::HashSet;
use std::process::{Command, Stdio};

use oomph_core::runtime::{self, Name, Reading};
use oomph_node::process::Process;

mod support;
use support::{Started, cache, missing};

/// Collectors by the flags that choose them, and the versions that have them.
const COLLECTORS: &[(&str, &[&str], &[u32])] = &[
    ("Serial", &["-XX:+UseSerialGC"], &[8, 11, 17, 21, 25]),
    ("Parallel", &["-XX:+UseParallelGC"], &[8, 11, 17, 21, 25]),
    ("CMS", &["-XX:+UseConcMarkSweepGC"], &[8, 11]),
    ("G1", &["-XX:+UseG1GC"], &[8, 11, 17, 21, 25]),
    ("Shenandoah", &["-XX:+UnlockExperimentalVMOptions", "-XX:+UseShenandoahGC"], &[11, 17, 21, 25]),
    (
        "generational Shenandoah",
        &["-XX:+UnlockExperimentalVMOptions", "-XX:+UseShenandoahGC", "-XX:ShenandoahGCMode=generational"],
        &[25],
    ),
    ("ZGC", &["-XX:+UnlockExperimentalVMOptions", "-XX:+UseZGC"], &[11, 17, 21]),
    ("generational ZGC", &["-XX:+UseZGC", "-XX:+ZGenerational"], &[21]),
    ("generational ZGC", &["-XX:+UseZGC"], &[25]),
    ("Epsilon", &["-XX:+UnlockExperimentalVMOptions", "-XX:+UseEpsilonGC", "-Xlog:disable"], &[11, 17, 21, 25]),
];

const VERSIONS: [u32; 5] = [8, 11, 17, 21, 25];

/// The program `java` of a version, which finds the target's classes by itself.
fn java(version: u32) -> Option<Command> {
    let program = cache().join(format!("jdk/{version}/java"));
    let runs =
        Command::new(&program).arg("-version").stderr(Stdio::null()).status().is_ok_and(|status| status.success());
    if !runs {
        missing(&format!("JDK {version}; run tests/runtimes/get-jdk"));
    }
    runs.then(|| {
        let mut command = Command::new(program);
        command.stderr(Stdio::null());
        command
    })
}

/// A virtual machine with `flags` whose program allocates MiB of heap and of direct buffers, and threads.
fn start(version: u32, flags: &[&str], told: &[&str]) -> Option<Started> {
    let mut java = java(version)?;
    Some(Started::new(java.args(flags).arg("Told").args(told)))
}

fn read(target: &Started) -> Reading {
    let process = Process::look(target.pid(), &mut HashSet::new()).unwrap();
    runtime::read(&process.target(None))
}

/// Runs `check` for each version and collector at hand, and prints a line for each.
fn for_each_collector(told: &[&str], check: impl Fn(&Started, &Reading, &str)) {
    for version in VERSIONS {
        for (name, flags, versions) in COLLECTORS {
            if !versions.contains(&version) {
                continue;
            }
            let flags: Vec<&str> = ["-Xmx256m", "-Xms64m"].iter().chain(*flags).copied().collect();
            let Some(target) = start(version, &flags, told) else { break };
            let reading = read(&target);
            let what = format!("JDK {version} {name}: {}, gaps {:?}", target.line, reading.gaps);
            assert_eq!((reading.name, reading.resolved), (Name::Hotspot, true), "{what}");
            check(&target, &reading, &what);
            println!("JDK {} {name}: heap 0 B off", reading.version.unwrap_or_default());
        }
    }
}

fn heap_is_exact(target: &Started, reading: &Reading, what: &str) {
    assert_eq!(reading.heap.used.unwrap().0, target.number("used"), "used, {what}");
    assert_eq!(reading.heap.committed.unwrap().0, target.number("committed"), "committed, {what}");
    assert_eq!(reading.heap.max.unwrap().0, 256 << 20, "max, {what}");
}

#[test]
fn the_heap_after_a_collection_is_what_the_beans_say_with_every_collector() {
    for_each_collector(&["60", "8", "4"], heap_is_exact);
}

#[test]
fn the_heap_before_any_collection_is_what_the_beans_say_with_every_collector() {
    for_each_collector(&["15", "0", "0", "no-gc"], heap_is_exact);
}
