//! How long it takes to read a runtime from outside, beside two floors: looking at the process's page table, which every
//! waterfall needs, and the same reads of its memory with nothing made of them.
//!
//! Budgets for look and read together: 50 ms for a JVM with 1 GiB of heap, 20 ms for Go and Node.js, 200 ms for a CPython
//! of 1 GiB. A runtime that `tests/runtimes/get-NAME` has not brought is left out.

use std::cell::RefCell;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use divan::Bencher;
use oomph_core::runtime::{self, Memory, Target};
use oomph_node::process::{Frames, Process};

fn main() {
    divan::main();
}

/// Targets by name: each says a line when it is ready, and then rests.
const TARGETS: [&str; 4] = ["hotspot", "v8", "go", "cpython"];

/// Ends with the measurement.
struct Started(Child);

impl Drop for Started {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The newest version at hand.
fn command(name: &str) -> Option<Command> {
    let home = || PathBuf::from(std::env::var("HOME").unwrap_or_default()).join(".cache/oomph-runtimes");
    let cache = std::env::var("OOMPH_CACHE").map_or_else(|_| home(), PathBuf::from);
    let sources = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/runtimes");
    let newest = |folder: &str, program: &str| {
        let entries = std::fs::read_dir(cache.join(folder)).into_iter().flatten().flatten();
        let mut found: Vec<PathBuf> =
            entries.map(|entry| entry.path()).filter(|it| it.join(program).exists()).collect();
        found.sort();
        found.pop().map(|it| it.join(program))
    };
    let program = match name {
        "hotspot" => newest("jdk", "java")?,
        "v8" => newest("node", "node")?,
        "go" => newest("golang", "stripped")?,
        _ => PathBuf::from("python3"),
    };
    let mut command = Command::new(program);
    match name {
        "hotspot" => command.args(["-Xmx1200m", "-Xms1g", "-XX:+UseG1GC", "Told", "900", "16", "50"]),
        "v8" => command.arg("--max-old-space-size=2000").arg(sources.join("node/quiet.js")).arg("objects=2000000"),
        "go" => &mut command,
        // Blocks of pymalloc alone: that is what there is to read.
        _ => command.args(["-c", "x = [bytes(400) for _ in range(2300000)]; print('ready', flush=True); input()"]),
    };
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    Some(command)
}

fn start(name: &str) -> Option<Started> {
    let mut started = Started(command(name)?.spawn().ok()?);
    let mut line = String::new();
    BufReader::new(started.0.stdout.take()?).read_line(&mut line).ok()?;
    (!line.is_empty()).then_some(started)
}

fn look(target: &Started) -> Process {
    Process::look(target.0.id(), &mut Frames::default()).expect("the target runs")
}

/// Looks at the process, and reads its runtime: all that the budget is for.
#[divan::bench(args = TARGETS, sample_count = 20, sample_size = 1)]
fn look_and_read(bencher: Bencher<'_, '_>, name: &str) {
    let Some(target) = start(name) else { return };
    bencher.bench_local(|| runtime::read(&look(&target).target(None)).resolved);
}

/// The first floor: the look alone.
#[divan::bench(args = TARGETS, sample_count = 20, sample_size = 1)]
fn look_only(bencher: Bencher<'_, '_>, name: &str) {
    let Some(target) = start(name) else { return };
    bencher.bench_local(|| look(&target).residency.total());
}

/// The runtime alone.
#[divan::bench(args = TARGETS, sample_count = 20, sample_size = 1)]
fn read(bencher: Bencher<'_, '_>, name: &str) {
    let Some(target) = start(name) else { return };
    let process = look(&target);
    bencher.bench_local(|| runtime::read(&process.target(None)).resolved);
}

/// The second floor: the same bytes of its memory, read and dropped.
#[divan::bench(args = TARGETS, sample_count = 20, sample_size = 1)]
fn read_the_same_bytes(bencher: Bencher<'_, '_>, name: &str) {
    let Some(target) = start(name) else { return };
    let process = look(&target);
    let noted = Noted { memory: process.target(None).memory, reads: RefCell::default() };
    runtime::read(&Target { memory: &noted, ..process.target(None) });
    let reads = noted.reads.into_inner();
    let mut bytes = Vec::new();
    bencher.bench_local(|| {
        for read in &reads {
            match read {
                Read::One(address, length) => {
                    bytes.resize(*length, 0);
                    noted.memory.read(*address, &mut bytes);
                }
                Read::Many(addresses, size) => drop(noted.memory.gather(addresses, *size, &mut bytes)),
            }
        }
    });
}

/// A read that a probe asked for.
enum Read {
    One(u64, usize),
    Many(Vec<u64>, usize),
}

/// A process's memory that remembers what was read of it.
struct Noted<'a> {
    memory: &'a dyn Memory,
    reads: RefCell<Vec<Read>>,
}

impl Memory for Noted<'_> {
    fn read(&self, address: u64, into: &mut [u8]) -> bool {
        self.reads.borrow_mut().push(Read::One(address, into.len()));
        self.memory.read(address, into)
    }

    fn gather(&self, addresses: &[u64], size: usize, into: &mut Vec<u8>) -> Vec<bool> {
        self.reads.borrow_mut().push(Read::Many(addresses.to_vec(), size));
        self.memory.gather(addresses, size, into)
    }
}
