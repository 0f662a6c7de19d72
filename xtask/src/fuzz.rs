//! Fuzzing: every target of `fuzz/`, each for a while, stopping at the first crash.

use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::{root, say};

/// Runs the targets (all where none is named) for so many minutes each.
pub fn run(minutes: u64, targets: &[String]) -> Result<()> {
    let targets = if targets.is_empty() { all()? } else { targets.to_vec() };
    for target in targets {
        say(&format!("fuzz: {target} for {minutes} min"));
        let status = Command::new("cargo")
            .args(["+nightly", "fuzz", "run", &target, "--"])
            .arg(format!("-max_total_time={}", minutes * 60))
            .args(["-max_len=16384", "-timeout=10"])
            .current_dir(root())
            .status()
            .context("cannot run cargo fuzz; install it with: cargo install cargo-fuzz")?;
        ensure!(status.success(), "fuzz target {target} failed; its input is in fuzz/artifacts/{target}");
    }
    Ok(())
}

fn all() -> Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(root().join("fuzz/fuzz_targets"))? {
        let path = entry?.path();
        names.extend(path.file_stem().and_then(|stem| stem.to_str()).map(str::to_owned));
    }
    names.sort();
    Ok(names)
}
