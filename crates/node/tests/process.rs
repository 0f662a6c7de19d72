//! Real processes, looked at from outside.
#![allow(clippy::print_stdout, clippy::unwrap_used, reason = "it is all test code, and a skipped test says why")]

use std::fs;
use std::process::Command;
use std::time::{Duration, Instant};

use oomph_core::process::{Mapping, smaps};
use oomph_node::process::{Frames, Process, is_gone};
use support::Started;

mod support;

fn python(script: &str) -> Started {
    let script = format!(
        "import ctypes, mmap, os, time\nlibc = ctypes.CDLL(None)\n{script}\nprint('ready', flush=True)\ntime.sleep(600)"
    );
    Started::new(Command::new("python3").args(["-c", &script]))
}

fn look(it: &Started) -> Process {
    Process::look(it.pid(), &mut Frames::default()).unwrap()
}

fn smaps_of(it: &Started) -> Vec<oomph_core::process::Smap> {
    smaps(&fs::read_to_string(format!("/proc/{}/smaps", it.pid())).unwrap())
}

/// Demands that every mapping holds what the kernel says, to the byte.
fn compare_with_smaps(it: &Started, process: &Process) {
    let smaps = smaps_of(it);
    assert_eq!(smaps.len(), process.mappings.len());
    for (mapping, smap) in process.mappings.iter().zip(smaps) {
        assert_eq!(mapping.start, smap.start);
        if mapping.backing() != oomph_core::process::Backing::Kernel {
            let counted = process.residency.bytes_in(mapping.start..mapping.end);
            assert_eq!(counted, smap.resident.0, "{mapping:x?}");
        }
    }
}

#[test]
fn the_pages_of_a_quiet_process_add_up_to_its_resident_set_and_looking_changes_nothing() {
    let it = python("x = bytearray(b'x') * (64 << 20)");
    let before = it.footprint();
    let process = look(&it);
    compare_with_smaps(&it, &process);
    let target = process.target(None);
    let heap = process.residency.runs().iter().find(|run| !run.page.file).unwrap().at.start;
    assert!(target.memory.u64(heap).is_some());
    assert_eq!(it.footprint(), before);
    let open = fs::read_dir(format!("/proc/{}/fd", it.pid())).unwrap().count();
    assert_eq!(process.descriptors, Some(open as u64));
    assert_eq!(process.threads.len(), 1);
}

#[test]
fn many_places_are_read_at_once_and_those_that_are_not_there_are_told() {
    let it = python("x = bytearray(b'x') * (8 << 20)");
    let process = look(&it);
    let target = process.target(None);
    let run = process.residency.runs().iter().find(|run| run.at.end - run.at.start > 4 << 20).unwrap();
    let addresses: Vec<u64> = run.at.clone().step_by(4096).chain([0x1000]).chain([run.at.start]).collect();
    let mut bytes = Vec::new();
    let there = target.memory.gather(&addresses, 16, &mut bytes);
    assert_eq!(there.iter().filter(|there| !**there).count(), 1);
    assert!(!there[addresses.len() - 2]);
    assert_eq!(&bytes[..16], &target.memory.bytes(run.at.start, 16).unwrap());
    assert_eq!(bytes.len(), addresses.len() * 16);
}

#[test]
fn nothing_is_read_of_a_process_that_has_ended_or_runs_another_program() {
    let folder = tempfile::tempdir().unwrap();
    let go = folder.path().join("go");
    let it = Started::new(Command::new("python3").arg("-c").arg(format!(
        "import os, time\nx = bytearray(b'x') * (8 << 20)\nprint('ready', flush=True)\n\
         while not os.path.exists('{}'): time.sleep(0.01)\nos.execvp('sleep', ['sleep', '600'])",
        go.display()
    )));
    let process = look(&it);
    let first = process.residency.runs()[0].at.start;
    let target = process.target(None);
    assert!(target.memory.u64(first).is_some());
    fs::write(go, "").unwrap();
    while fs::read_to_string(format!("/proc/{}/comm", it.pid())).unwrap() != "sleep\n" {
        std::thread::sleep(Duration::from_millis(10));
    }
    assert_eq!(target.memory.u64(first), None);
    assert_eq!(target.memory.gather(&[first, first + 8], 8, &mut Vec::new()), [false, false]);
    let pid = it.pid();
    drop(it);
    assert!(is_gone(&Process::look(pid, &mut Frames::default()).unwrap_err()));
}

#[test]
fn pages_of_zeros_are_no_part_of_a_process() {
    let it = python(
        "SIZE = 64 << 20\n\
         small = mmap.mmap(-1, SIZE, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)\n\
         small.madvise(15)\n\
         huge = mmap.mmap(-1, SIZE, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)\n\
         huge.madvise(14)\n\
         for at in range(0, SIZE, 4096): small[at], huge[at]\n\
         for at in range(0, SIZE, 1 << 20): small[at] = 1",
    );
    let process = look(&it);
    compare_with_smaps(&it, &process);
    assert!(process.residency.total() < 40 << 20, "{}", process.residency.total());
}

#[test]
fn huge_pages_are_counted_as_the_kernel_counts_them() {
    let it = python(
        "x = mmap.mmap(-1, 65 << 20, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)\n\
         x.madvise(14)\n\
         for at in range(0, 33 << 20, 4096): x[at] = 1",
    );
    let process = look(&it);
    compare_with_smaps(&it, &process);
    let rollup = fs::read_to_string(format!("/proc/{}/smaps_rollup", it.pid())).unwrap();
    assert_eq!(process.anon_huge, oomph_core::process::anon_huge(&rollup));
}

#[test]
fn huge_pages_of_hugetlbfs_are_no_part_of_a_process() {
    let free = fs::read_to_string("/proc/sys/vm/nr_hugepages").unwrap();
    if free.trim() == "0" {
        return println!("skipped: no pages are set aside in vm.nr_hugepages");
    }
    let it = python(
        "x = mmap.mmap(-1, 4 << 20, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | 0x40000)\nx[0] = 1; x[3 << 20] = 1",
    );
    let process = look(&it);
    compare_with_smaps(&it, &process);
    assert_eq!(process.status.hugetlb.unwrap().0, 4 << 20);
}

#[test]
fn terabytes_of_reserved_addresses_cost_nothing() {
    let it = python(
        "x = mmap.mmap(-1, 16 << 40, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | 0x4000)\n\
         y = mmap.mmap(-1, 16 << 40, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | 0x4000, prot=0)\n\
         for at in range(0, 16 << 40, 160 << 30): x[at] = 1",
    );
    if !oomph_node_has_scan() {
        return support::missing("PAGEMAP_SCAN (Linux 6.7)");
    }
    let began = Instant::now();
    let process = look(&it);
    let took = began.elapsed();
    println!("32 TiB looked at in {took:?}");
    compare_with_smaps(&it, &process);
    assert!(took < Duration::from_secs(2), "{took:?}");
}

fn oomph_node_has_scan() -> bool {
    let version = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap();
    let mut numbers = version.split('.').map(|number| number.parse::<u32>().unwrap_or(0));
    (numbers.next(), numbers.next()) >= (Some(6), Some(7))
}

#[test]
fn memory_that_may_not_be_touched_any_more_is_still_there() {
    let it = python(
        "x = mmap.mmap(-1, 8 << 20)\n\
         y = mmap.mmap(-1, 8 << 20, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)\n\
         for at in range(0, 8 << 20, 4096): y[at] = 1\n\
         at = ctypes.addressof(ctypes.c_char.from_buffer(y))\n\
         assert libc.mprotect(ctypes.c_void_p(at), 8 << 20, 0) == 0",
    );
    let process = look(&it);
    compare_with_smaps(&it, &process);
    let barred = |mapping: &&Mapping| !mapping.readable && mapping.length() >= 8 << 20;
    let held: u64 = process
        .mappings
        .iter()
        .filter(barred)
        .map(|mapping| process.residency.bytes_in(mapping.start..mapping.end))
        .sum();
    assert!(held >= 8 << 20, "{held}");
}

#[test]
fn guard_regions_are_not_in_swap() {
    let it = python(
        "x = mmap.mmap(-1, 8 << 20, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)\n\
         at = ctypes.addressof(ctypes.c_char.from_buffer(x))\n\
         libc.madvise(ctypes.c_void_p(at), 4 << 20, 102)",
    );
    let process = look(&it);
    compare_with_smaps(&it, &process);
    assert_eq!(process.residency.swapped, process.status.swapped.unwrap().0);
}

#[test]
fn memory_that_is_mapped_twice_is_counted_once() {
    if Frames::charged_to([]).is_err() {
        return support::missing("CAP_SYS_ADMIN, which shows page frames");
    }
    let it = python(
        "fd = os.memfd_create('heap')\n\
         os.ftruncate(fd, 16 << 20)\n\
         views = [mmap.mmap(fd, 16 << 20) for _ in range(3)]\n\
         for at in range(0, 16 << 20, 4096): views[0][at] = 1; views[1][at]; views[2][at]",
    );
    let process = look(&it);
    compare_with_smaps(&it, &process);
    let heap = process.mappings.iter().filter(|mapping| mapping.name == "/memfd:heap");
    let runs = heap.flat_map(|mapping| process.residency.within(mapping.start..mapping.end));
    let (mut once, mut again) = (0, 0);
    for run in runs {
        *if run.page.counted { &mut again } else { &mut once } += run.at.end - run.at.start;
    }
    assert_eq!((once, again), (16 << 20, 32 << 20));
}

#[test]
fn a_process_whose_first_thread_has_ended_is_looked_at_through_another() {
    let it = python(
        "import threading\n\
         def stay():\n    print('ready', flush=True)\n    time.sleep(600)\n\
         x = bytearray(b'x') * (32 << 20)\n\
         threading.Thread(target=stay).start()\n\
         libc.pthread_exit(None)",
    );
    let began = Instant::now();
    while !fs::read_to_string(format!("/proc/{}/status", it.pid())).unwrap().contains("State:\tZ") {
        assert!(began.elapsed() < Duration::from_secs(10));
        std::thread::sleep(Duration::from_millis(10));
    }
    let process = look(&it);
    assert!(process.residency.total() > 32 << 20);
    assert_eq!(process.pid, it.pid());
}
