//! Processes that allocate, fork, start programs and end as fast as they can, looked at meanwhile.
//!
//! `OOMPH_SOAK=1` makes it five times as long.
#![allow(clippy::print_stdout, clippy::unwrap_used, reason = "it is all test code, and a skipped test says why")]

use std::fs;
use std::time::{Duration, Instant};

use cgroup::Cgroup;
use oomph_node::process::{Frames, Process, is_gone};
use oomph_node::snapshot;
use support::Started;

#[path = "support/cgroup.rs"]
mod cgroup;
mod support;

/// One allocates and frees, one forks children that do so and end, one starts itself over and over. Each counts its
/// rounds in a file.
const RESTLESS: &str = "
import mmap, os, sys
folder = sys.argv[1]
def rounds(name, one):
    count = mmap.mmap(os.open(folder + '/' + name, os.O_RDWR | os.O_CREAT), 0x1000, flags=mmap.MAP_SHARED) \
        if os.path.getsize(folder + '/' + name) else None
    number = 0
    while True:
        one()
        number += 1
        count[0:8] = number.to_bytes(8, 'little')
def allocate():
    x = mmap.mmap(-1, 2 << 20)
    y = mmap.mmap(-1, 1 << 20, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    for at in range(0, 1 << 20, 4096): x[at] = y[at] = 1
def fork():
    child = os.fork()
    if child == 0:
        allocate()
        os._exit(0)
    os.waitpid(child, 0)
for name in 'allocate', 'fork':
    with open(folder + '/' + name, 'wb') as file: file.truncate(0x1000)
if os.fork() == 0: rounds('allocate', allocate)
if os.fork() == 0: rounds('fork', fork)
if os.fork() == 0:
    with open(folder + '/exec.sh', 'w') as file: file.write('echo x >> \"$1\"; exec sh \"$0\" \"$1\"')
    os.execvp('sh', ['sh', folder + '/exec.sh', folder + '/exec'])
print('ready', flush=True)
os.wait()
";

#[test]
fn processes_that_never_rest_are_looked_at_without_harm_and_every_error_is_honest() {
    let Some(cgroup) = Cgroup::new("races") else { return support::missing("root and a memory cgroup") };
    let looks = if std::env::var_os("OOMPH_SOAK").is_some() { 10_000 } else { 2_000 };
    let folder = tempfile::tempdir().unwrap();
    let mut command = cgroup.python(RESTLESS);
    command.arg(folder.path());
    let target = Started::new(&mut command);
    let rounds = || {
        let count = |name: &str| {
            let bytes = fs::read(folder.path().join(name)).unwrap();
            u64::from_le_bytes(bytes[..8].try_into().unwrap())
        };
        [count("allocate"), count("fork"), fs::metadata(folder.path().join("exec")).map_or(0, |file| file.len())]
    };

    let began = Instant::now();
    let (mut seen, mut gone, mut busy, mut read) = (0, 0, 0, 0_u64);
    while seen + gone + busy < looks {
        let mut frames = Frames::charged_to([cgroup.inode()]).unwrap_or_default();
        let pids = fs::read_to_string(cgroup.folder().join("cgroup.procs")).unwrap();
        for pid in pids.lines().map(|pid| pid.parse().unwrap()) {
            match Process::look(pid, &mut frames) {
                Ok(process) => {
                    seen += 1;
                    read += read_all(&process);
                }
                Err(error) if is_gone(&error) => {
                    gone += 1;
                    assert!(has_ended(pid), "{pid}: {error}");
                }
                Err(error) => {
                    busy += 1;
                    assert_eq!(error.kind(), std::io::ErrorKind::ResourceBusy, "{error}");
                }
            }
        }
        if seen % 50 < 4 {
            let snapshot = snapshot::look(&cgroup.hierarchy, &cgroup.path);
            let names: Vec<&str> = snapshot.gaps.iter().map(|gap| gap.because.as_str()).collect();
            let expected =
                |gap: &&str| gap.starts_with("/proc/kpagecgroup") || gap.starts_with("it starts one program");
            assert!(names.iter().all(expected), "{names:?}");
            assert!(snapshot.processes.len() >= 2);
        }
    }
    let took = began.elapsed();
    let now = rounds();
    println!("{seen} looked at, {gone} gone, {busy} busy, {read} places read in {took:?}; rounds {now:?}");
    assert!(seen > looks / 4);
    // They still make their rounds.
    let began = Instant::now();
    while rounds().iter().zip(now).any(|(later, sooner)| *later <= sooner) {
        assert!(began.elapsed() < Duration::from_mins(1), "{now:?} {:?}", rounds());
        std::thread::sleep(Duration::from_millis(50));
    }
    drop(target);
}

/// Reads a word of every run, and says of how many there was one.
fn read_all(process: &Process) -> u64 {
    let target = process.target(None);
    let addresses: Vec<u64> = process.residency.runs().iter().map(|run| run.at.start).collect();
    let there = target.memory.gather(&addresses, 8, &mut Vec::new());
    assert_eq!(there.len(), addresses.len());
    there.iter().filter(|there| **there).count() as u64
}

fn has_ended(pid: u32) -> bool {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    // Memory goes before the rest of a process does.
    !status.contains("VmRSS:")
}
