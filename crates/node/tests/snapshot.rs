//! Snapshots of real cgroups, checked against the kernel's own counters.
#![allow(clippy::print_stdout, clippy::unwrap_used, reason = "it is all test code, and a skipped test says why")]

use cgroup::Cgroup;
use oomph_node::snapshot::{self, Snapshot};
use support::Started;

#[path = "support/cgroup.rs"]
mod cgroup;
mod support;

/// The kernel's counters may be behind by so much: a batch of pages for each CPU (`MEMCG_CHARGE_BATCH`).
fn stock() -> u64 {
    64 * 4096 * std::thread::available_parallelism().unwrap().get() as u64
}

/// Bytes that no earlier process has too.
fn anonymous(snapshot: &Snapshot) -> u64 {
    let runs = snapshot.processes.iter().flat_map(|process| process.residency.runs());
    runs.filter(|run| !run.page.file && !run.page.counted).map(|run| run.at.end - run.at.start).sum()
}

#[test]
fn memory_that_forked_processes_share_adds_up_to_what_the_cgroup_is_charged() {
    let Some(pod) = Cgroup::new("forks") else { return support::missing("root and a memory cgroup") };
    pod.limit(1 << 30);
    let container = pod.child("container");
    let target = Started::new(&mut container.python(
        "import os, time\n\
         x = bytearray(b'x') * (64 << 20)\n\
         r, w = os.pipe()\n\
         if os.fork() == 0:\n    \
             for at in range(0, 32 << 20, 4096): x[at] = 1\n    \
             os.write(w, b'x'); time.sleep(600)\n\
         os.read(r, 1)\n\
         print('ready', flush=True)\n\
         time.sleep(600)",
    ));
    let before = target.footprint();
    for cgroup in [&container, &pod] {
        let snapshot = snapshot::look(&cgroup.hierarchy, &cgroup.path);
        assert_eq!(snapshot.processes.len(), 2);
        let (counted, charged) = (anonymous(&snapshot), cgroup.stat("total_rss", "anon"));
        println!("{counted} counted, {charged} charged");
        assert!(counted >= 96 << 20);
        assert!(counted.abs_diff(charged) <= stock(), "{counted} {charged}");
        let gaps = snapshot.gaps.iter().filter(|gap| !gap.because.contains("kpagecgroup"));
        assert_eq!(gaps.count(), 0, "{:?}", snapshot.gaps);
    }
    let snapshot = snapshot::look(&container.hierarchy, &container.path);
    assert_eq!(snapshot.above[0].cgroup, pod.path);
    let snapshot = snapshot::look(&pod.hierarchy, &pod.path);
    assert_eq!(snapshot.below[0].cgroup, container.path);
    assert!(snapshot.own.files.contains_key("memory.stat"));
    assert_eq!(target.footprint(), before);
}

#[test]
fn an_empty_cgroup_has_files_and_no_gaps() {
    let Some(empty) = Cgroup::new("empty") else { return support::missing("root and a memory cgroup") };
    let snapshot = snapshot::look(&empty.hierarchy, &empty.path);
    assert!(snapshot.processes.is_empty());
    assert!(snapshot.own.files.len() > 5, "{:?}", snapshot.own.files.keys());
    let gaps = snapshot.gaps.iter().filter(|gap| !gap.because.contains("kpagecgroup"));
    assert_eq!(gaps.count(), 0, "{:?}", snapshot.gaps);
}
