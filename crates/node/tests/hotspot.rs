//! Java virtual machines of all versions at hand, with each of their collectors, against what their own beans say.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test that cannot go on fails; figures are printed")]

use std::fs;
use std::process::{Command, Stdio};

use oomph_core::runtime::{self, Name, Reading};
use oomph_core::waterfall::PartKind;
use oomph_node::process::{Frames, Process};

mod support;
use support::{Started, cache, measured, missing};

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
fn for_each_collector(told: &[&str], check: impl Fn(&Started, &Reading, &str, (u32, &str))) {
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
            check(&target, &reading, &what, (version, name));
        }
    }
}

fn heap_and_buffers_are_exact(target: &Started, reading: &Reading, what: &str, (version, collector): (u32, &str)) {
    let direct = reading.direct.unwrap_or_else(|| panic!("direct, {what}"));
    for (number, said, read) in [
        ("heap used", target.number("used"), reading.heap.used.unwrap()),
        ("heap committed", target.number("committed"), reading.heap.committed.unwrap()),
        ("heap max", 256 << 20, reading.heap.max.unwrap()),
        ("direct buffers", target.number("direct"), direct),
    ] {
        measured("HotSpot", &version.to_string(), collector, number, said, read.0);
        assert_eq!(read.0, said, "{number}, {what}");
    }
}

#[test]
fn heap_and_buffers_after_a_collection_are_what_the_beans_say_with_every_collector() {
    for_each_collector(&["60", "8", "4"], heap_and_buffers_are_exact);
}

#[test]
fn heap_and_buffers_before_any_collection_are_what_the_beans_say_with_every_collector() {
    for_each_collector(&["15", "3", "0", "no-gc"], heap_and_buffers_are_exact);
}

/// Resident bytes of a part, counted page by page, each by the first area that holds it.
fn resident(process: &Process, reading: &Reading, part: PartKind) -> u64 {
    let pages = process.residency.runs().iter().flat_map(|run| run.at.clone().step_by(4096));
    let area = |page: &u64| reading.areas.iter().find(|area| area.at.contains(page));
    pages.filter(|page| area(page).is_some_and(|area| area.part == part)).count() as u64 * 4096
}

/// `Rss:  95788 kB`.
fn resident_kib(footprint: &[String; 3]) -> u64 {
    footprint[0].split_whitespace().nth(1).and_then(|kib| kib.parse().ok()).expect("a number of kB")
}

#[test]
fn areas_hold_what_the_beans_say_and_looking_changes_nothing() {
    for_each_collector(&["30", "4", "10"], |target, _, what, _| {
        let before = target.footprint();
        let process = Process::look(target.pid(), &mut Frames::default()).unwrap();
        let reading = runtime::read(&process.target(None));
        let after = target.footprint();
        assert_eq!(before[1..], after[1..], "page tables and threads, {what}");
        // Virtual machines touch a page of their own now and then.
        assert!(resident_kib(&after).abs_diff(resident_kib(&before)) <= 16, "{before:?}, {after:?}, {what}");
        // JDK 11's Shenandoah puts the class space where nothing marks its end, and the probe says so.
        let unmarked = what.starts_with("JDK 11 Shenandoah");
        let excused = |what: &str| what.contains("malloc") || unmarked && what.contains("class space");
        let gaps: Vec<_> = reading.gaps.iter().filter(|gap| !excused(&gap.what)).collect();
        assert!(gaps.is_empty(), "{what}");

        // Not all that is committed was touched, and nothing else lies there.
        let metaspace = resident(&process, &reading, PartKind::JvmMetaspace)
            + resident(&process, &reading, PartKind::JvmClassSpace);
        let committed = target.number("metaspace");
        assert!(
            metaspace <= committed && (unmarked || metaspace >= committed / 10 * 7),
            "{metaspace} of {committed} B, {what}"
        );

        // 30 MiB of arrays are in the heap; ZGC's is seen in up to three places.
        let heap = resident(&process, &reading, PartKind::JvmHeap);
        assert!((30 << 20..256 << 20).contains(&heap), "{heap}, {what}");
        assert!(resident(&process, &reading, PartKind::JvmCodeCache) > 256 << 10, "{what}");

        // Threads that the beans do not show (compilers) are Java threads as well.
        let stacks = reading.areas.iter().filter(|area| area.name == "Java threads");
        let stacks: Vec<_> = stacks.map(|area| area.at.clone()).collect();
        assert!(stacks.len() as u64 >= target.number("threads"), "{what}");
        let pointers = process.threads.iter().filter_map(|thread| thread.stack_pointer);
        let held = pointers.filter(|pointer| stacks.iter().any(|stack| stack.contains(pointer))).count();
        assert!(held + 1 >= stacks.len(), "{held} of {}, {what}", stacks.len());
    });
}

#[test]
fn direct_buffers_that_netty_allocates_past_java_nio_are_counted_beside() {
    for version in VERSIONS {
        let mut flags = vec!["-Xmx64m", "-Dio.netty.tryReflectionSetAccessible=true"];
        if version > 8 {
            flags.push("--add-opens=java.base/java.nio=ALL-UNNAMED");
        }
        let Some(target) = start(version, &flags, &["1", "2", "0", "netty"]) else { continue };
        let reading = read(&target);
        let inside = reading.inside.iter().find(|inside| inside.name.starts_with("Netty"));
        let inside = inside.unwrap_or_else(|| panic!("{version}: {reading:?}"));
        assert_eq!((inside.part, inside.bytes.0), (PartKind::Malloc, target.number("netty")), "{version}");
        assert_eq!(reading.direct.unwrap().0, target.number("direct"), "{version}");
        measured("HotSpot", &version.to_string(), "", "Netty's direct buffers", target.number("netty"), inside.bytes.0);
    }
}

fn flag<'a>(reading: &'a Reading, name: &str) -> Option<(&'a str, &'a str)> {
    let flag = reading.flags.iter().find(|flag| flag.name == name)?;
    Some((&flag.value, &flag.from))
}

#[test]
fn flags_are_told_as_they_are_in_force_with_where_they_came_from() {
    for version in VERSIONS {
        let Some(mut java) = java(version) else { continue };
        java.env("JAVA_TOOL_OPTIONS", "-XX:MaxMetaspaceSize=64m -Xmx80m -Xss600k");
        java.env("_JAVA_OPTIONS", "-Xss640k");
        let target = Started::new(
            java.args(["-Xmx96m", "-XX:+UseParallelGC", "-Dsecret=-Xms1m"]).args(["Told", "1", "1", "0", "-Xms7m"]),
        );
        let reading = read(&target);
        let what = format!("JDK {version}: {:?}", reading.flags);
        assert_eq!(flag(&reading, "MaxHeapSize"), Some(("100663296", "command line")), "{what}");
        assert_eq!(flag(&reading, "ThreadStackSize"), Some(("655360", "environment _JAVA_OPTIONS")), "{what}");
        assert_eq!(flag(&reading, "MaxMetaspaceSize"), Some(("67108864", "environment JAVA_TOOL_OPTIONS")), "{what}");
        assert_eq!(flag(&reading, "UseParallelGC"), Some(("true", "command line")), "{what}");
        assert_eq!(flag(&reading, "InitialHeapSize").unwrap().1, "ergonomics", "{what}");
        // java.nio takes what the beans call the heap's maximum, which leaves out one survivor space.
        let direct = target.number("max").to_string();
        assert_eq!(flag(&reading, "MaxDirectMemorySize"), Some((direct.as_str(), "default")), "{what}");
        assert_eq!(flag(&reading, "memory seen at start"), None, "{what}");
        assert!(!format!("{reading:?}").contains("secret"), "{what}");
        println!("JDK {version}: flags and their sources as set");
    }
}

/// A cgroup of its own with a limit of 1 GiB, removed on drop.
struct Limited(std::path::PathBuf);

impl Limited {
    fn new() -> Option<Self> {
        let folder = std::path::PathBuf::from(format!("/sys/fs/cgroup/memory/oomph-hotspot-{}", std::process::id()));
        let made = fs::create_dir(&folder).and_then(|()| fs::write(folder.join("memory.limit_in_bytes"), "1073741824"));
        if made.is_err() {
            missing("root and a version 1 memory cgroup");
        }
        made.ok().map(|()| Self(folder))
    }
}

impl Drop for Limited {
    fn drop(&mut self) {
        let _ = fs::remove_dir(&self.0);
    }
}

#[test]
fn the_memory_that_the_virtual_machine_saw_at_its_start_is_the_containers_limit() {
    let Some(limited) = Limited::new() else { return };
    // The others run in a root of their own, where there is no /sys to see a limit in.
    for version in [17, 25] {
        let Some(java) = java(version) else { continue };
        let join = format!("echo $$ > {}/cgroup.procs && exec \"$0\" Told 1 0 0", limited.0.display());
        let target = Started::new(Command::new("sh").args(["-c", &join]).arg(java.get_program()));
        let reading = read(&target);
        let (seen, from) = flag(&reading, "memory seen at start").unwrap();
        assert_eq!((seen.parse::<u64>().unwrap(), from), (1 << 30, "ergonomics"), "{version}");
        println!("JDK {version}: saw its limit");
    }
}

#[test]
fn other_virtual_machines_are_recognised_and_said_to_be_unreadable() {
    let folder = tempfile::tempdir().unwrap();
    let compile = |name: &str, source: &str, flags: &[&str]| {
        let file = folder.path().join(format!("{name}.c"));
        fs::write(&file, source).unwrap();
        let mut cc = Command::new("cc");
        let made = cc.arg(&file).arg("-o").arg(folder.path().join(name)).args(flags).status();
        made.is_ok_and(|status| status.success())
    };
    let wait = "#include <stdio.h>\n#include <unistd.h>\nint main() { puts(\"ready\"); fflush(stdout); pause(); }\n";
    let native_image = format!("__attribute__((section(\".svm_heap\"))) int heap = 1;\n{wait}");
    let library = folder.path().join("libj9vm29.so").display().to_string();
    let made = compile("native-image", &native_image, &[])
        && compile("libj9vm29.so", "int j9 = 1;\n", &["-shared", "-fPIC"])
        && compile("openj9", wait, &["-Wl,--no-as-needed", &library]);
    if !made {
        return missing("a C compiler");
    }
    for (program, named) in [("native-image", "GraalVM"), ("openj9", "OpenJ9")] {
        let target = Started::new(&mut Command::new(folder.path().join(program)));
        let reading = read(&target);
        assert_eq!((reading.name, reading.resolved), (Name::Native, false));
        assert!(reading.gaps.iter().any(|gap| gap.what.contains(named)), "{:?}", reading.gaps);
    }
}
