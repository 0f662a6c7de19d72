//! Go programs by every version from 1.19 to 1.27, stripped or not, position-independent or not, with C code or
//! without, against what their own `runtime.MemStats` says.
#![allow(clippy::print_stdout, reason = "tests print their figures")]
#![allow(clippy::unwrap_used, reason = "all of it is test code")]

use std::fs;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use oomph_core::runtime::golang::{self, Statistics};
use oomph_core::runtime::{self, Area, Name};
use oomph_core::waterfall::PartKind;
use oomph_node::process::{Frames, Process};

mod support;
use support::{Started, cache, measured, missing};

const MINORS: std::ops::RangeInclusive<u32> = 19..=27;
const KINDS: [&str; 5] = ["plain", "stripped", "pie", "cgo", "cgo-pie"];

/// The release of a minor version whose programs are at hand, and the command that starts the one of `kind`.
fn program(minor: u32, kind: &str) -> Option<(String, Command)> {
    let releases = fs::read_dir(cache().join("golang")).into_iter().flatten().flatten();
    let mut names: Vec<String> = releases.filter_map(|entry| entry.file_name().into_string().ok()).collect();
    names.retain(|name| {
        (name == &format!("1.{minor}") || name.starts_with(&format!("1.{minor}.")))
            && cache().join("golang").join(name).join(kind).exists()
    });
    let Some(release) = names.into_iter().max_by_key(String::len) else {
        missing(&format!("Go 1.{minor} {kind}; run tests/runtimes/get-go"));
        return None;
    };
    let mut command = Command::new(cache().join("golang").join(&release).join(kind));
    // An input that stays open: the program waits for it.
    command.stdin(Stdio::piped()).env_remove("GOMEMLIMIT").env_remove("GOGC");
    Some((release, command))
}

fn look<T>(target: &Started, of: impl Fn(&Process) -> T) -> T {
    of(&Process::look(target.pid(), &mut Frames::default()).unwrap())
}

/// What looking must not change, once the runtime's own threads have come to rest.
fn quiet(target: &Started) -> [String; 3] {
    let mut before = target.footprint();
    for _ in 0..50 {
        std::thread::sleep(Duration::from_millis(100));
        let now = target.footprint();
        if now == before {
            break;
        }
        before = now;
    }
    before
}

/// Each amount as the program says it, and as it was read.
fn amounts(target: &Started, it: &Statistics) -> Vec<(&'static str, u64, u64)> {
    let pairs = [
        ("HeapAlloc", it.heap_alloc.0),
        ("HeapInuse", it.heap_in_use.0),
        ("HeapReleased", it.heap_released.0),
        ("HeapIdle", it.heap_free.0 + it.heap_released.0),
        ("HeapSys", it.heap_in_use.0 + it.heap_free.0 + it.heap_released.0),
        ("StackInuse", it.stacks_in_use.0),
        ("StackSys", it.stacks_in_use.0 + it.stacks_apart.0),
        ("MSpanSys", it.mspan_sys.0),
        ("MCacheSys", it.mcache_sys.0),
        ("BuckHashSys", it.buckhash_sys.0),
        ("GCSys", it.gc_apart.0 + it.gc_in_heap.0),
        ("OtherSys", it.other_sys.0),
        ("Sys", it.sys().0),
    ];
    pairs.into_iter().map(|(name, read)| (name, target.number(name), read)).collect()
}

/// Starts of a target before its counters must have been met: a scavenger of its own may give memory back between its
/// words and our look, however quiet the program is.
const TRIES: usize = 4;

#[test]
fn every_counter_is_the_one_that_the_program_prints() {
    for minor in MINORS {
        for kind in KINDS {
            let tries = (0..TRIES).map(|_| counters_off(minor, kind));
            let mut last = None;
            for off in tries {
                last = off;
                if last.as_ref().is_none_or(Vec::is_empty) {
                    break;
                }
            }
            assert!(last.as_ref().is_none_or(Vec::is_empty), "1.{minor} {kind}: {last:?}");
        }
    }
}

/// The counters of a new target that are not what it printed; none where this version is not there.
fn counters_off(minor: u32, kind: &str) -> Option<Vec<String>> {
    let (release, mut command) = program(minor, kind)?;
    let target = Started::new(&mut command);
    let before = quiet(&target);
    let (reading, statistics, took) = look(&target, |process| {
        let began = Instant::now();
        let reading = runtime::read(&process.target(None));
        let took = began.elapsed();
        (reading, golang::statistics(&process.target(None)), took)
    });
    let unchanged = target.footprint() == before;
    assert!(reading.resolved && reading.gaps.is_empty(), "{release} {kind}: {:?}", reading.gaps);
    assert_eq!((reading.name, reading.version.as_deref()), (Name::Go, Some(format!("go{release}").as_str())));
    let numbers: Vec<_> = amounts(&target, &statistics.unwrap())
        .into_iter()
        .chain([
            ("heap used", target.number("HeapAlloc"), reading.heap.used.unwrap().0),
            (
                "heap committed",
                target.number("HeapSys") - target.number("HeapReleased"),
                reading.heap.committed.unwrap().0,
            ),
        ])
        .collect();
    let mut off: Vec<_> = numbers
        .iter()
        .filter(|(_, said, read)| said != read)
        .map(|(name, said, read)| format!("{name} {}", read.cast_signed() - said.cast_signed()))
        .collect();
    if !unchanged {
        off.push("its footprint".into());
    }
    println!("go {release} {kind}: {} counters, {} off {off:?}, {took:?}", numbers.len(), off.len());
    if off.is_empty() {
        for (number, said, read) in numbers {
            measured("Go", &format!("1.{minor}"), kind, number, said, read);
        }
    }
    Some(off)
}

/// Bytes of `part` that are in memory, and bytes of anonymous memory that nobody claims. The program's own data and
/// what the runtime keeps in it are not counted: they are pages of its file.
fn resident(process: &Process, part: PartKind, areas: &[Area]) -> (u64, u64) {
    let claims = |address: u64| areas.iter().find(|area| area.at.contains(&address)).map(|area| area.part);
    let anonymous = process.mappings.iter().filter(|it| it.inode == 0 && !it.name.starts_with("[stack"));
    let runs = anonymous.flat_map(|it| process.residency.within(it.start..it.end));
    let pages = runs.flat_map(|run| run.at.step_by(4096)).map(claims);
    pages.fold((0, 0), |(of, nobody), claimed| match claimed {
        Some(claimed) if claimed == part => (of + 4096, nobody),
        None => (of, nobody + 4096),
        Some(_) => (of, nobody),
    })
}

#[test]
fn the_heap_is_told_from_the_runtimes_structures_and_from_mappings_of_the_program() {
    for minor in MINORS {
        for kind in KINDS {
            let Some((release, mut command)) = program(minor, kind) else { continue };
            let target = Started::new(&mut command);
            look(&target, |process| {
                let reading = runtime::read(&process.target(None));
                let it = golang::statistics(&process.target(None)).unwrap();
                let claims = |at: u64| reading.areas.iter().find(|area| area.at.contains(&at)).map(|area| area.part);
                assert_eq!(claims(target.number("object")), Some(PartKind::GoHeap), "{release} {kind}");
                let goes_on = [0, 8 << 20, (16 << 20) - 1].map(|offset| claims(target.number("mapped") + offset));
                assert_eq!(goes_on, [None; 3], "{release} {kind}");
                let of_go = matches!(claims(target.number("native")), Some(PartKind::GoHeap | PartKind::GoRuntime));
                assert!(!of_go, "{release} {kind}");

                // Every page with an object was written to; stacks were in part; what was given back is not there.
                let (heap, nobody) = resident(process, PartKind::GoHeap, &reading.areas);
                let ready = it.heap_in_use.0 + it.heap_free.0 + it.stacks_in_use.0 + it.gc_in_heap.0;
                let (of_runtime, _) = resident(process, PartKind::GoRuntime, &reading.areas);
                let apart = it.mapped_ready.0 - ready;
                let left = nobody.saturating_sub(16 << 20);
                println!(
                    "go {release} {kind}: heap {heap} of {ready}, runtime {of_runtime} of {apart}, unclaimed {left}"
                );
                assert!(heap <= ready && heap * 100 >= it.heap_alloc.0 * 99, "{release} {kind}: {heap} of {ready}");
                assert!(
                    of_runtime * 2 >= it.mspan_sys.0 && of_runtime <= apart + (2 << 20),
                    "{release} {kind}: {of_runtime} of {apart}"
                );
                // C's libraries have anonymous memory of their own.
                let most = if kind.starts_with("cgo") { 1 << 20 } else { 256 << 10 };
                assert!(left <= most, "{release} {kind}: {left}");
            });
        }
    }
}

#[test]
fn the_limit_and_the_percentage_in_force_are_told_with_where_they_came_from() {
    let flags = |kind: &str, arguments: &[&str], environment: &[(&str, &str)]| {
        let (_, mut command) = program(*MINORS.end(), kind)?;
        let target = Started::new(command.args(arguments).envs(environment.iter().copied()));
        let flags = look(&target, |process| runtime::read(&process.target(None)).flags);
        let go = flags.into_iter().filter(|flag| flag.name.starts_with("GO"));
        Some(go.map(|flag| format!("{}={} {}", flag.name, flag.value, flag.from)).collect::<Vec<_>>())
    };
    let Some(plain) = flags("stripped", &[], &[]) else { return };
    assert_eq!(plain, ["GOMEMLIMIT=off default", "GOGC=100 default"]);
    let given = flags("stripped", &[], &[("GOMEMLIMIT", "400MiB"), ("GOGC", "off")]).unwrap();
    assert_eq!(given, ["GOMEMLIMIT=419430400 environment GOMEMLIMIT", "GOGC=off environment GOGC"]);
    let set = flags("stripped", &["limit"], &[("GOMEMLIMIT", "400MiB")]).unwrap();
    assert_eq!(set, ["GOMEMLIMIT=314572800 runtime", "GOGC=50 runtime"]);
}
