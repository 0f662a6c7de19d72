//! Java virtual machines of all versions at hand, with each of their collectors, against what their own beans say.

use std::process::{Command, Stdio};

use oomph_core::runtime::{self, Name, Reading};
use oomph_node::process::{Frames, Process};

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
    let process = Process::look(target.pid(), &mut Frames::default()).unwrap();
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
            println!("JDK {} {name}: heap and direct buffers 0 B off", reading.version.unwrap_or_default());
        }
    }
}

fn heap_and_buffers_are_exact(target: &Started, reading: &Reading, what: &str) {
    assert_eq!(reading.heap.used.unwrap().0, target.number("used"), "used, {what}");
    assert_eq!(reading.heap.committed.unwrap().0, target.number("committed"), "committed, {what}");
    assert_eq!(reading.heap.max.unwrap().0, 256 << 20, "max, {what}");
    assert_eq!(reading.direct.unwrap_or_else(|| panic!("direct, {what}")).0, target.number("direct"), "direct, {what}");
}

#[test]
fn heap_and_buffers_after_a_collection_are_what_the_beans_say_with_every_collector() {
    for_each_collector(&["60", "8", "4"], heap_and_buffers_are_exact);
}

#[test]
fn heap_and_buffers_before_any_collection_are_what_the_beans_say_with_every_collector() {
    for_each_collector(&["15", "3", "0", "no-gc"], heap_and_buffers_are_exact);
}

#[test]
fn dump() {
    for_each_collector(&["30", "4", "10"], |target, reading, what| {
        let process = Process::look(target.pid(), &mut Frames::default()).unwrap();
        let mut sums = std::collections::BTreeMap::new();
        let mut rest = 0;
        for run in process.residency.runs() {
            let mut at = run.at.start;
            while at < run.at.end {
                let area = reading.areas.iter().find(|area| area.at.contains(&at));
                let mapping = process.mappings.iter().find(|m| m.holds(at)).unwrap();
                if let Some(area) = area {
                    *sums.entry((area.part.id(), area.name)).or_insert(0) += 4;
                } else if mapping.inode == 0 {
                    rest += 4;
                }
                at += 4096;
            }
        }
        println!("{}", what.split(':').next().unwrap());
        println!("  {:?}", reading.gaps);
        println!(
            "  committed metaspace {} K, threads {}, rest anon {rest} K",
            target.number("metaspace") >> 10,
            target.number("threads")
        );
        println!("  {sums:?}");
    });
}
