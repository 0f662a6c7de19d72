//! How far what is read of a runtime from outside is off what the runtime says of itself: the tests of the probes print
//! it, and `docs/reference/accuracy.md` keeps it.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};

use crate::root;

/// The tests of `oomph-node` that print what they measured.
const TESTS: [&str; 5] = ["hotspot", "v8", "golang", "python", "malloc"];

/// A number of a runtime, as a row of the table names it.
type Row = (String, String, String);

/// What was measured, by runtime, version and number.
#[derive(Debug, Default)]
pub struct Measured(BTreeMap<Row, Cell>);

#[derive(Debug, Default)]
struct Cell {
    /// How often it was compared, over all builds and collectors.
    times: usize,
    /// The largest difference, and what the runtime said then; bytes.
    off: u64,
    of: u64,
}

impl Measured {
    /// Takes a line of a test's output, where it is one of a measurement.
    pub fn take(&mut self, line: &str) {
        let Some(rest) = line.strip_prefix("measured: ") else { return };
        let fields: Vec<&str> = rest.split('\t').collect();
        let [runtime, version, _, number, said, read] = fields[..] else { return };
        let (Ok(said), Ok(read)) = (said.parse::<u64>(), read.parse::<u64>()) else { return };
        let cell = self.0.entry((runtime.to_owned(), version.to_owned(), number.to_owned())).or_default();
        cell.times += 1;
        if cell.times == 1 || said.abs_diff(read) > cell.off {
            (cell.off, cell.of) = (said.abs_diff(read), said);
        }
    }

    /// Rows that the committed table does not have.
    pub fn missing(&self) -> Vec<String> {
        let table = fs::read_to_string(path()).unwrap_or_default();
        let known: Vec<String> = table.lines().map(start).collect();
        let rows = self.0.iter().map(|(row, cell)| start(&line(row, cell)));
        rows.filter(|row| !known.contains(row)).collect()
    }

    fn page(&self) -> String {
        let mut rows: Vec<_> = self.0.iter().collect();
        rows.sort_by_key(|((runtime, version, number), _)| (runtime.clone(), release(version), number.clone()));
        let lines: String = rows.into_iter().map(|(row, cell)| line(row, cell)).collect();
        format!("{HEAD}{lines}")
    }
}

const HEAD: &str = "\
# How exact the probes are

What `oomph inspect` reads of a runtime from outside, beside what the runtime says of itself at the same moment. The
tests in `crates/node/tests` start a program that allocates known amounts and then rests, compare, and fail where the
difference is larger than they allow; the largest difference over all collectors and builds is shown. Of a Go program
that is the best of up to four starts, because its scavenger gives memory back between its words and our look.
V8 compiles and allocates a little between counting and resting.

Written by `cargo xtask accuracy` on Linux, x86-64.

| runtime | version | number | compared | largest difference |
| --- | --- | --- | --- | --- |
";

fn line((runtime, version, number): &Row, cell: &Cell) -> String {
    let share = match cell.off {
        0 => String::new(),
        off => format!(" ({:.3} %)", 100.0 * off as f64 / cell.of.max(1) as f64),
    };
    format!("| {runtime} | {version} | {number} | {} x | {} B{share} |\n", cell.times, cell.off)
}

/// A row without what differs from run to run.
fn start(line: &str) -> String {
    line.split('|').take(4).map(str::trim).collect::<Vec<_>>().join(" | ")
}

/// `1.19` as numbers, for sorting.
fn release(version: &str) -> Vec<u32> {
    version.split('.').filter_map(|number| number.parse().ok()).collect()
}

fn path() -> PathBuf {
    root().join("docs/reference/accuracy.md")
}

/// Runs the tests of the probes and writes the table.
pub fn write() -> Result<()> {
    let mut command = Command::new(env!("CARGO"));
    command.args(["test", "--package", "oomph-node"]).args(TESTS.iter().flat_map(|test| ["--test", test]));
    command.args(["--", "--show-output"]).current_dir(root()).stdout(Stdio::piped());
    let mut child = command.spawn().context("cannot run cargo")?;
    let mut measured = Measured::default();
    for line in BufReader::new(child.stdout.take().context("cargo has no output")?).lines() {
        measured.take(&line?);
    }
    ensure!(child.wait()?.success(), "the tests of the probes failed: cargo test --package oomph-node shows how");
    fs::write(path(), measured.page()).context("cannot write docs/reference/accuracy.md")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_difference_of_all_builds_is_kept() {
        let mut measured = Measured::default();
        for line in [
            "measured: Go\t0.9\tpie\theap used\t1000\t1000",
            "measured: Go\t1.19\tpie\theap used\t1000\t1000",
            "measured: Go\t1.19\tcgo\theap used\t2000\t1990",
            "measured: Go\t1.19\tcgo\theap used\tmany\t1990",
            "ok",
        ] {
            measured.take(line);
        }
        let page = measured.page();
        let rows: Vec<_> = page.lines().filter(|line| line.starts_with("| Go")).collect();
        assert_eq!(rows, ["| Go | 0.9 | heap used | 1 x | 0 B |", "| Go | 1.19 | heap used | 2 x | 10 B (0.500 %) |"]);
        assert!(measured.missing().iter().any(|row| row.contains("0.9")), "a version that never was is in no table");
    }
}
