//! Real Node.js processes of every version at hand, read from outside and compared with what they say of themselves.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test that cannot go on fails; figures are printed")]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use oomph_core::runtime::{self, EffectiveFlag, Name, Reading};
use oomph_core::waterfall::PartKind;
use oomph_node::process::{Frames, Process};

mod support;

use support::{Started, cache, measured, missing, sources};

/// Those that `get-node` brings without being asked for others.
const VERSIONS: [u32; 6] = [16, 18, 20, 22, 24, 26];

/// Every version that is there, and a word for each that must be and is not.
fn versions() -> Vec<(String, PathBuf)> {
    let folder = cache().join("node");
    for version in VERSIONS.iter().filter(|version| !folder.join(version.to_string()).join("node").exists()) {
        missing(&format!("Node.js {version} (tests/runtimes/get-node)"));
    }
    let there = std::fs::read_dir(&folder).into_iter().flatten().flatten();
    let mut found: Vec<_> = there
        .map(|entry| (entry.file_name().to_string_lossy().into_owned(), entry.path().join("node")))
        // A folder of a whole version, `22.0.0`, is for looking at by hand.
        .filter(|(version, program)| !version.contains('.') && program.exists())
        .collect();
    found.sort();
    found
}

/// Starts a program of `tests/runtimes/node` with options of Node.js and words of its own.
fn start(program: &Path, options: &[&str], script: &str, words: &[&str]) -> Started {
    Started::new(Command::new(program).args(options).arg(sources("node").join(script)).args(words))
}

fn look(it: &Started) -> Reading {
    let process = Process::look(it.pid(), &mut Frames::default()).unwrap();
    runtime::read(&process.target(None))
}

/// How often a program is started until it agrees with what is read of it.
const STARTS: usize = 6;

/// Starts a program, looks at it, and compares what is read with what it says; starts it anew where they differ. A
/// runtime that was left alone still collects and compiles now and then, after it has counted itself. What is read
/// wrongly never agrees.
fn agreed(
    version: &str,
    start: impl Fn() -> Started,
    compared: impl Fn(&Started, &Reading) -> Result<(), String>,
) -> (Started, Reading) {
    let mut differed = Vec::new();
    for _ in 0..STARTS {
        let it = start();
        let reading = look(&it);
        match compared(&it, &reading) {
            Ok(()) => {
                for difference in differed {
                    println!("node {version}, started anew: {difference}");
                }
                return (it, reading);
            }
            Err(difference) => differed.push(difference),
        }
    }
    panic!("node {version}: {differed:#?}")
}

/// Compares the sums of all isolates. Heap, limit and array buffers are exact; of what is used, the process allocates
/// `share` ten thousandths more between counting and keeping still.
fn compare(version: &str, it: &Started, reading: &Reading, share: u64) -> Result<(), String> {
    let bytes = |amount: Option<oomph_core::units::Bytes>, what: &str| {
        amount.map(|amount| amount.0).ok_or_else(|| format!("no {what}: {:?}", reading.gaps))
    };
    let (used, said) = (bytes(reading.heap.used, "used")?, it.number("heapUsed"));
    let numbers = [
        ("used heap", said, used),
        ("total heap", it.number("heapTotal"), bytes(reading.heap.committed, "committed")?),
        ("heap limit", it.number("limit"), bytes(reading.heap.max, "max")?),
        ("array buffers", it.number("arrayBuffers"), bytes(reading.external, "external")?),
    ];
    if !reading.resolved {
        return Err(format!("not resolved: {:?}", reading.gaps));
    }
    near("used heap", used, said, used * share / 10_000)?;
    for (number, said, read) in &numbers[1..] {
        near(number, *read, *said, 0)?;
    }
    for (number, said, read) in numbers {
        measured("V8 in Node.js", version, "", number, said, read);
    }
    Ok(())
}

/// What a program may allocate between counting and keeping still, of what is used: ten thousandths.
const LITTLE: u64 = 6;

/// What it may compile meanwhile into one space: bytes.
const COMPILED: u64 = 16 << 10;

fn near(what: &str, read: u64, said: u64, tolerance: u64) -> Result<(), String> {
    let near = read.abs_diff(said) <= tolerance;
    near.then_some(()).ok_or_else(|| format!("{what}: read {read}, said {said}"))
}

#[test]
fn a_quiet_program_is_read_as_it_counts_itself_and_is_not_changed() {
    for (version, program) in versions() {
        let start = || start(&program, &[], "quiet.js", &[]);
        let (it, reading) = agreed(&version, start, |it, reading| {
            compare(&version, it, reading, LITTLE)?;
            // Space by space.
            reading.inside.iter().try_for_each(|inside| {
                let Some(space) = inside.name.strip_prefix("objects in ") else { return Ok(()) };
                let said = it.number(&format!("{}.used", space.replace([' ', '-'], "_")));
                near(inside.name, inside.bytes.0, said, COMPILED)
            })
        });
        let said = Command::new(&program).arg("--version").output().unwrap();
        assert_eq!(reading.version.as_deref(), Some(String::from_utf8_lossy(&said.stdout).trim()));
        let before = it.footprint_at_rest();
        look(&it);
        assert_eq!(it.footprint(), before, "{version}");
    }
}

#[test]
fn pages_of_the_heap_are_told_apart_by_space_and_none_overlaps() {
    for (version, program) in versions() {
        let it = start(&program, &[], "quiet.js", &[]);
        let reading = look(&it);
        let mut areas = reading.areas.clone();
        areas.sort_by_key(|area| area.at.start);
        assert!(areas.windows(2).all(|pair| pair[0].at.end <= pair[1].at.start), "{version}");
        let length = |name: &str| -> u64 {
            areas.iter().filter(|area| area.name == name).map(|area| area.at.end - area.at.start).sum()
        };
        for name in ["old space", "code space", "large object space"] {
            let said = it.number(&name.replace(' ', "_"));
            let found = length(name);
            println!("node {version}: {name} {said}, pages of {found}");
            // A page that was just given back still names its space.
            assert!(found.abs_diff(said) <= said / 20 + (512 << 10), "{version}: {name} {said}, pages of {found}");
        }
        assert!(areas.iter().all(|area| (area.part == PartKind::V8Code) == area.name.contains("code")), "{version}");
    }
}

#[test]
fn worker_threads_are_counted_and_told_apart() {
    for (version, program) in versions() {
        let start = || start(&program, &[], "quiet.js", &["workers=2", "buffers=40"]);
        let (_, reading) = agreed(&version, start, |it, reading| {
            // Workers now and then take another 64 KiB when all is counted.
            compare(&version, it, reading, 15)?;
            let (main, workers) =
                (objects(reading, "objects in old space")?, objects(reading, "objects in workers' old space")?);
            near("objects in old space", main, it.number("old_space.used"), COMPILED)?;
            (workers > main * 3 / 2).then_some(()).ok_or_else(|| format!("workers: {workers}, main thread: {main}"))
        });
        assert!(reading.areas.iter().any(|area| area.name == "workers' old space"), "{version}");
    }
}

fn objects(reading: &Reading, name: &str) -> Result<u64, String> {
    let found = reading.inside.iter().find(|inside| inside.name == name);
    found.map(|inside| inside.bytes.0).ok_or_else(|| format!("no {name}: {:?}", reading.gaps))
}

#[test]
fn flags_are_told_with_their_origin() {
    for (version, program) in versions() {
        let words = ["objects=1000", "buffers=1"];
        let options = ["--max-old-space-size=347", "--max_semi_space_size=8"];
        let start = || start(&program, &options, "quiet.js", &words);
        let (_, reading) = agreed(&version, start, |it, reading| compare(&version, it, reading, LITTLE));
        let flag = |name: &str, bytes: u64, from: &str| EffectiveFlag {
            name: name.to_owned(),
            value: bytes.to_string(),
            from: from.to_owned(),
        };
        let line = "command line";
        assert_eq!(
            reading.flags,
            [flag("--max-old-space-size", 347 << 20, line), flag("--max-semi-space-size", 8 << 20, line)],
            "{version}"
        );
        let mut command = Command::new(&program);
        command.env("NODE_OPTIONS", "--max-old-space-size=300").arg(sources("node").join("quiet.js")).args(words);
        let reading = look(&Started::new(&mut command));
        assert_eq!(reading.flags[0], flag("--max-old-space-size", 300 << 20, "environment NODE_OPTIONS"), "{version}");
    }
}

#[test]
fn other_programs_with_such_an_engine_are_recognised_and_not_read() {
    for (name, words, runtime) in [("bun", &["-e"][..], Name::Native), ("deno", &["eval"], Name::V8)] {
        let program = cache().join(name).join(name);
        if !program.exists() {
            missing(&format!("{name} (tests/runtimes/get-node)"));
            continue;
        }
        let script = "console.log('ready'); setInterval(() => {}, 100000)";
        let reading = look(&Started::new(Command::new(&program).args(words).arg(script)));
        println!("{name}: {:?}, {:?}", reading.name, reading.gaps);
        assert_eq!((reading.name, reading.resolved, reading.gaps.is_empty()), (runtime, false, false), "{name}");
    }
}

#[test]
fn a_busy_program_with_threads_that_came_and_went_is_read_or_said_not_to_be() {
    for (version, program) in versions() {
        let it = start(&program, &[], "busy.js", &[]);
        let (mut read, mut used, mut slowest) = (0, 0, 0);
        for _ in 0..10 {
            let process = Process::look(it.pid(), &mut Frames::default()).unwrap();
            let begin = Instant::now();
            let reading = runtime::read(&process.target(None));
            slowest = slowest.max(begin.elapsed().as_millis());
            assert_eq!(reading.name, Name::V8);
            let Some(committed) = reading.heap.committed else {
                assert!(!reading.resolved && !reading.gaps.is_empty(), "{version}");
                println!("node {version}: {:?}", reading.gaps);
                continue;
            };
            read += 1;
            used += u32::from(reading.heap.used.is_some());
            let resident = process.residency.total();
            assert!(committed.0 > 8 << 20 && committed.0 < resident * 4, "{version}: {committed:?} of {resident}");
            assert!(reading.heap.used.is_none_or(|used| used <= committed), "{version}");
        }
        println!("node {version}: heap of {read}, objects of {used} in 10 while busy, slowest {slowest} ms");
        assert!(read >= 5, "{version}: {read}");
    }
}
