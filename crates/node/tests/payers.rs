//! Who pays for a page, as the kernel tells: page cache of a file that another cgroup read first.
#![allow(clippy::print_stdout, clippy::unwrap_used, reason = "it is all test code, and a skipped test says why")]

use std::process::Command;

use cgroup::Cgroup;
use oomph_node::process::{Frames, Process};
use support::Started;

#[path = "support/cgroup.rs"]
mod cgroup;
mod support;

const FILE: u64 = 100 << 20;
const CACHED: u64 = 60 << 20;

/// The kernel's counters may be behind by so much: a batch of pages for each CPU (`MEMCG_CHARGE_BATCH`).
fn stock() -> u64 {
    64 * 4096 * std::thread::available_parallelism().unwrap().get() as u64
}

#[test]
fn a_page_is_charged_to_whoever_touched_it_first() {
    let (Some(first), Some(second)) = (Cgroup::new("first"), Cgroup::new("second")) else {
        return support::missing("root and a memory cgroup");
    };
    let Ok(mut frames) = Frames::charged_to([second.inode()]) else {
        return support::missing("/proc/kpagecgroup");
    };
    let file = tempfile::NamedTempFile::new().unwrap();
    let path = file.path().display();
    let mut write = Command::new("python3");
    write.arg("-c").arg(format!(
        "import os\nf = os.open('{path}', os.O_RDWR)\nfor _ in range({FILE} >> 20): os.write(f, b'x' * (1 << 20))\n\
         os.fsync(f); os.posix_fadvise(f, 0, 0, os.POSIX_FADV_DONTNEED)"
    ));
    assert!(write.status().unwrap().success());
    let read = format!("f = open('{path}', 'rb', 0)\nn = 0\nwhile n < {CACHED}: n += len(f.read(1 << 20))");
    assert!(first.python(&read).status().unwrap().success());

    let mapped = Started::new(&mut second.python(&format!(
        "import mmap, time\nf = open('{path}', 'rb')\nx = mmap.mmap(f.fileno(), 0, prot=mmap.PROT_READ)\n\
         for at in range(0, {FILE}, 4096): x[at]\nprint('ready', flush=True)\ntime.sleep(600)"
    )));
    let process = Process::look(mapped.pid(), &mut frames).unwrap();
    let name = file.path().to_string_lossy();
    let mapping = process.mappings.iter().find(|mapping| mapping.name == name).unwrap();
    let (mut here, mut elsewhere) = (0, 0);
    for run in process.residency.within(mapping.start..mapping.end) {
        let bytes = run.at.end - run.at.start;
        *if run.page.charged_here.unwrap() { &mut here } else { &mut elsewhere } += bytes;
    }
    let cache = second.stat("cache", "file");
    let others = process.residency.runs().iter().filter(|run| run.page.charged_here == Some(true));
    let all: u64 = others.map(|run| run.at.end - run.at.start).sum();
    println!("of the file here {here}, elsewhere {elsewhere}; of all here {all}; the kernel's count {cache}");
    assert_eq!(here + elsewhere, FILE);
    assert!(elsewhere >= CACHED);
    assert!(all.abs_diff(cache) <= stock(), "{all} {cache}");
    assert!(process.residency.runs().iter().all(|run| run.page.file == run.page.charged_here.is_some()));
    drop(mapped);
}

#[test]
fn a_page_of_a_removed_cgroup_counts_for_the_one_above_it() {
    let Some(pod) = Cgroup::new("pod") else { return support::missing("root and a memory cgroup") };
    let Ok(mut frames) = Frames::charged_to([pod.inode()]) else {
        return support::missing("/proc/kpagecgroup");
    };
    let dead = pod.child("dead");
    let file = tempfile::NamedTempFile::new_in("/dev/shm").unwrap();
    let path = file.path().display();
    let write = format!("f = open('{path}', 'wb', 0)\nfor _ in range(16): f.write(b'x' * (1 << 20))");
    assert!(dead.python(&write).status().unwrap().success());
    drop(dead);
    let live = pod.child("live");
    let mapped = Started::new(&mut live.python(&format!(
        "import mmap, time\nf = open('{path}', 'rb')\nx = mmap.mmap(f.fileno(), 0, prot=mmap.PROT_READ)\n\
         for at in range(0, 16 << 20, 4096): x[at]\nprint('ready', flush=True)\ntime.sleep(600)"
    )));
    let process = Process::look(mapped.pid(), &mut frames).unwrap();
    let name = file.path().to_string_lossy();
    let mapping = process.mappings.iter().find(|mapping| mapping.name == name).unwrap();
    assert_eq!(process.residency.bytes_in(mapping.start..mapping.end), 16 << 20);
    for run in process.residency.within(mapping.start..mapping.end) {
        assert_eq!(run.page.charged_here, Some(true));
    }
    drop(mapped);
}
