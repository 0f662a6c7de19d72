//! How long it takes to read a Java virtual machine with a heap of 1 GiB, once its page table was looked at. The budget
//! is 50 ms for both together. Needs the JDKs that `tests/runtimes/get-jdk` brings.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use divan::Bencher;
use oomph_core::runtime;
use oomph_node::process::{Frames, Process};

fn main() {
    divan::main();
}

/// Ends with the measurement.
struct Started(Child);

impl Drop for Started {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A virtual machine whose program keeps 900 MiB; none where the version is not at hand.
fn start(version: u32) -> Option<Started> {
    let home = || PathBuf::from(std::env::var("HOME").unwrap_or_default()).join(".cache/oomph-runtimes");
    let cache = std::env::var("OOMPH_CACHE").map_or_else(|_| home(), PathBuf::from);
    let mut java = Command::new(cache.join(format!("jdk/{version}/java")));
    java.args(["-Xmx1200m", "-Xms1g", "-XX:+UseG1GC", "Told", "900", "16", "50"]).stdout(Stdio::piped());
    let mut child = java.spawn().ok()?;
    let output = child.stdout.take()?;
    BufReader::new(output).read_line(&mut String::new()).ok()?;
    Some(Started(child))
}

#[divan::bench(args = [8, 11, 17, 21, 25], sample_count = 20, sample_size = 1)]
fn read(bencher: Bencher<'_, '_>, version: u32) {
    let Some(target) = start(version) else { return };
    let process = Process::look(target.0.id(), &mut Frames::default()).expect("the target runs");
    bencher.bench(|| runtime::read(&process.target(None)));
}

#[divan::bench(args = [25], sample_count = 20, sample_size = 1)]
fn look_and_read(bencher: Bencher<'_, '_>, version: u32) {
    let Some(target) = start(version) else { return };
    bencher.bench(|| {
        let process = Process::look(target.0.id(), &mut Frames::default()).expect("the target runs");
        runtime::read(&process.target(None))
    });
}
