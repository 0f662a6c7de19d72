//! Targets for the tests that look at real processes.
#![allow(dead_code, reason = "each test file uses a part of it")]
#![allow(unreachable_pub, reason = "a module that several test crates include")]

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

/// A process that said that it is ready, in a line on standard output. It ends with the test.
pub struct Started {
    child: Child,
    /// The line.
    pub line: String,
}

impl Started {
    /// Starts it and waits for the line.
    pub fn new(command: &mut Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).spawn().expect("the target starts");
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        Self { child, line: line.trim().to_owned() }
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The number behind `key=` in its line.
    pub fn number(&self, key: &str) -> u64 {
        let words = self.line.split_whitespace().filter_map(|word| word.split_once('='));
        let mut values = words.filter(|(name, _)| *name == key).map(|(_, value)| value);
        values.next().and_then(|value| value.parse().ok()).unwrap_or_else(|| panic!("{key} in {:?}", self.line))
    }

    /// What looking must not change: resident set, page tables, threads.
    pub fn footprint(&self) -> [String; 3] {
        let status = fs::read_to_string(format!("/proc/{}/status", self.pid())).unwrap();
        let rollup = fs::read_to_string(format!("/proc/{}/smaps_rollup", self.pid())).unwrap();
        let line =
            |text: &str, key: &str| text.lines().find(|line| line.starts_with(key)).unwrap_or_default().to_owned();
        [line(&rollup, "Rss:"), line(&status, "VmPTE:"), line(&status, "Threads:")]
    }
}

impl Started {
    /// The footprint once it rests: behind its line a target still has to fall asleep, and may touch new pages for it.
    pub fn footprint_at_rest(&self) -> [String; 3] {
        let mut before = self.footprint();
        for _ in 0..100 {
            std::thread::sleep(std::time::Duration::from_millis(50));
            let now = self.footprint();
            if now == before {
                break;
            }
            before = now;
        }
        before
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The folder with the sources of targets.
pub fn sources(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/runtimes").join(name)
}

/// Where the installers `tests/runtimes/get-NAME` put runtimes.
pub fn cache() -> PathBuf {
    let home = || PathBuf::from(std::env::var("HOME").unwrap_or_default()).join(".cache/oomph-runtimes");
    std::env::var("OOMPH_CACHE").map_or_else(|_| home(), PathBuf::from)
}

/// Prints what a runtime said of itself beside what was read of it from outside, for the table that
/// `cargo xtask accuracy` writes. `build` tells builds or collectors of one version apart.
pub fn measured(runtime: &str, version: &str, build: &str, number: &str, said: u64, read: u64) {
    println!("measured: {runtime}\t{version}\t{build}\t{number}\t{said}\t{read}");
}

#[path = "../../../../tests/support/component.rs"]
mod component;

/// Says that a component is missing; a failure where all are demanded.
pub fn missing(what: &str) {
    component::missing(&format!("missing: {what}"));
}
