//! Fuzzing: every target of `fuzz/`, each for a while, stopping at the first crash.
//!
//! All targets begin with the same seeds, cut from the fixtures: what tells a target nothing, libFuzzer lays aside, and a
//! decoder is right to be shown what is not its own.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::{root, say};

/// The largest input that is tried, in bytes.
const LARGEST: usize = 16 << 10;

/// Where the seeds come from, under the root.
const FIXTURES: [&str; 3] = ["fixtures", "tests/deaths", "crates/core/tests/kernel_logs"];

/// Runs the targets (all where none is named) for so many minutes each.
pub fn run(minutes: u64, targets: &[String]) -> Result<()> {
    let targets = if targets.is_empty() { all()? } else { targets.to_vec() };
    let seeds = root().join("fuzz/seeds");
    say(&format!("fuzz: {} seeds", sow(&seeds)?));
    for target in targets {
        say(&format!("fuzz: {target} for {minutes} min"));
        let corpus = root().join("fuzz/corpus").join(&target);
        fs::create_dir_all(&corpus)?;
        let status = Command::new("cargo")
            .args(["+nightly", "fuzz", "run", &target])
            .args([&corpus, &seeds])
            .arg("--")
            .arg(format!("-max_total_time={}", minutes * 60))
            .arg(format!("-max_len={LARGEST}"))
            .args(["-timeout=10", "-rss_limit_mb=4096"])
            .current_dir(root())
            .status()
            .context("cannot run cargo fuzz; install it with: cargo install cargo-fuzz")?;
        ensure!(status.success(), "fuzz target {target} failed; its input is in fuzz/artifacts/{target}");
    }
    Ok(())
}

fn all() -> Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(root().join("fuzz/fuzz_targets"))? {
        let path = entry?.path();
        names.extend(path.file_stem().and_then(|stem| stem.to_str()).map(str::to_owned));
    }
    names.sort();
    Ok(names)
}

/// Writes the seeds anew and says how many they are.
fn sow(seeds: &Path) -> Result<usize> {
    if seeds.exists() {
        fs::remove_dir_all(seeds)?;
    }
    fs::create_dir_all(seeds)?;
    let mut count = 0;
    for folder in FIXTURES {
        for path in files(&root().join(folder))? {
            for seed in cut(&fs::read(&path)?) {
                fs::write(seeds.join(format!("{count:05}")), seed)?;
                count += 1;
            }
        }
    }
    Ok(count)
}

fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))? {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(files(&path)?);
        } else {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

/// A file as seeds: whole where it is small, else the items of its list, else pieces of whole lines.
fn cut(bytes: &[u8]) -> Vec<Vec<u8>> {
    if bytes.len() <= LARGEST {
        return vec![bytes.to_vec()];
    }
    if let Ok(list) = serde_json::from_slice::<Value>(bytes)
        && let Some(items) = list["items"].as_array()
    {
        return items.iter().map(|item| item.to_string().into_bytes()).collect();
    }
    let mut pieces: Vec<Vec<u8>> = vec![Vec::new()];
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        if pieces.last().is_some_and(|piece| piece.len() + line.len() > LARGEST / 2) {
            pieces.push(Vec::new());
        }
        pieces.last_mut().expect("there is one from the start").extend(line);
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_large_list_is_cut_into_its_items() {
        let list = serde_json::json!({"items": vec![serde_json::json!({"kind": "Pod"}); LARGEST]});
        let seeds = cut(list.to_string().as_bytes());
        assert_eq!((seeds.len(), seeds[0].as_slice()), (LARGEST, &b"{\"kind\":\"Pod\"}"[..]));
    }

    #[test]
    fn a_large_log_is_cut_between_lines_and_nothing_is_lost() {
        let log = "[    1.000000] a line of the kernel\n".repeat(2_000);
        let seeds = cut(log.as_bytes());
        assert!(seeds.len() > 1 && seeds.iter().all(|seed| seed.ends_with(b"\n") && seed.len() <= LARGEST));
        assert_eq!(seeds.concat(), log.as_bytes());
    }
}
