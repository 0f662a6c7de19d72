//! Go programs by every version from 1.19 to 1.27, stripped or not, position-independent or not, with C code or
//! without, against what their own `runtime.MemStats` says.
#![allow(clippy::print_stdout, reason = "tests print their figures")]

use std::fs;
use std::process::{Command, Stdio};
use std::time::Instant;

use oomph_core::runtime::golang::{self, Statistics};
use oomph_core::runtime::{self, Name};
use oomph_node::process::{Frames, Process};

mod support;
use support::{Started, cache, missing};

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
    let Some(release) = names.into_iter().max_by_key(|name| name.len()) else {
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

#[test]
fn every_counter_is_the_one_that_the_program_prints() {
    for minor in MINORS {
        for kind in KINDS {
            let Some((release, mut command)) = program(minor, kind) else { continue };
            let target = Started::new(&mut command);
            let before = target.footprint();
            let (reading, statistics, took) = look(&target, |process| {
                let began = Instant::now();
                let reading = runtime::read(&process.target(None));
                let took = began.elapsed();
                (reading, golang::statistics(&process.target(None)), took)
            });
            assert_eq!(target.footprint(), before, "{release} {kind} was changed");
            assert!(reading.resolved && reading.gaps.is_empty(), "{release} {kind}: {:?}", reading.gaps);
            assert_eq!((reading.name, reading.version.as_deref()), (Name::Go, Some(format!("go{release}").as_str())));
            let off: Vec<_> = amounts(&target, &statistics.unwrap())
                .into_iter()
                .filter(|(_, said, read)| said != read)
                .map(|(name, said, read)| format!("{name} {}", read.cast_signed() - said.cast_signed()))
                .collect();
            println!("go {release} {kind}: 13 counters, {} off {off:?}, {took:?}", off.len());
            assert!(off.is_empty(), "{release} {kind}: {off:?}");
            assert_eq!(reading.heap.used.unwrap().0, target.number("HeapAlloc"));
            assert_eq!(reading.heap.committed.unwrap().0, target.number("HeapSys") - target.number("HeapReleased"));
        }
    }
}
