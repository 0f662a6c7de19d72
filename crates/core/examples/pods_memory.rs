//! How much memory `why` takes for a cluster's pods: the peak of the whole process, the listing's bytes included, as a
//! part of the listing's size. The contract is less than 1.5.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "it measures this program and gives up where it cannot"
)]

use std::time::Instant;

use oomph_core::artifact::Artifact;
use oomph_core::why::{Ask, why};

#[path = "../benches/listing/mod.rs"]
mod listing;

fn main() {
    let artifacts = [Artifact::new("pods.json", listing::pods(100_000_000))];
    let size = artifacts[0].bytes.len() as f64;
    let before = peak();
    let began = Instant::now();
    let document = why(&artifacts, Vec::new(), Vec::new(), &Ask::default());
    let took = began.elapsed();
    let (peak, deaths) = (peak(), document.diagnoses.len());
    println!("{deaths} deaths in {:.0} MB, told in {took:.1?}", size / 1e6);
    println!("peak {:.0} MB, {:.3} times the size ({:.3} before)", peak / 1e6, peak / size, before / size);
}

/// The most memory that the process ever had, in bytes (`VmHWM`, proc_pid_status(5)).
fn peak() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<f64>().unwrap() * 1024.0
}
