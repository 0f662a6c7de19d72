//! Real processes, looked at from outside.

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use oomph_node::process::{Frames, Process};

/// A process that has said that it is ready.
struct Started(Child);

impl Drop for Started {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn python(script: &str) -> Started {
    let mut child = Command::new("python3").args(["-c", script]).stdout(Stdio::piped()).spawn().expect("python3 runs");
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    Started(child)
}

fn kib(text: &str, key: &str) -> u64 {
    let line = text.lines().find_map(|line| line.strip_prefix(key)).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

#[test]
fn the_pages_of_a_quiet_process_add_up_to_its_resident_set_and_looking_changes_nothing() {
    let it = python("import time; x = bytearray(b'x') * (64 << 20); print('ready', flush=True); time.sleep(60)");
    let rollup = || fs::read_to_string(format!("/proc/{}/smaps_rollup", it.0.id())).unwrap();
    let status = || fs::read_to_string(format!("/proc/{}/status", it.0.id())).unwrap();
    let (before, tables) = (kib(&rollup(), "Rss:"), kib(&status(), "VmPTE:"));
    let process = Process::look(it.0.id(), &mut Frames::default()).unwrap();
    assert!(process.residency.total().abs_diff(before << 10) <= 16 << 10, "{} {before}", process.residency.total());
    let target = process.target(None);
    let heap = process.residency.runs().iter().find(|run| !run.page.file).unwrap().at.start;
    assert!(target.memory.u64(heap).is_some());
    assert_eq!((kib(&rollup(), "Rss:"), kib(&status(), "VmPTE:")), (before, tables));
}

#[test]
fn many_places_are_read_at_once_and_those_that_are_not_there_are_told() {
    let it = python("import time; x = bytearray(b'x') * (8 << 20); print('ready', flush=True); time.sleep(60)");
    let process = Process::look(it.0.id(), &mut Frames::default()).unwrap();
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
