//! Memory histories of real systems, as the shared traces have them.

#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "tests read files, and one that cannot go on fails")]

use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;

use flate2::read::GzDecoder;
use oomph_core::size::History;

pub(crate) const MIB: f64 = 1_048_576.0;

/// The rows of a table, each as values by the names of the header.
pub(crate) fn rows(path: &Path) -> Vec<BTreeMap<String, String>> {
    let bytes = std::fs::read(path).unwrap();
    let mut text = String::new();
    if path.extension().is_some_and(|it| it == "gz") {
        GzDecoder::new(bytes.as_slice()).read_to_string(&mut text).unwrap();
    } else {
        text = String::from_utf8(bytes).unwrap();
    }
    let mut lines = text.lines();
    let names: Vec<String> =
        lines.next().unwrap().split(',').map(|name| name.trim_start_matches('\u{feff}').to_owned()).collect();
    lines.map(|line| names.iter().cloned().zip(line.split(',').map(str::to_owned)).collect()).collect()
}

/// A history for each series, from rows of (series, seconds, bytes).
pub(crate) fn histories(rows: impl Iterator<Item = (String, i64, f64)>) -> BTreeMap<String, History> {
    let mut all: BTreeMap<String, Vec<(i64, u64)>> = BTreeMap::new();
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "bytes")]
    rows.for_each(|(name, at, bytes)| all.entry(name).or_default().push((at, bytes as u64)));
    let history = |mut points: Vec<(i64, u64)>| {
        points.sort_unstable();
        let (at, used) = points.into_iter().unzip();
        History { at, used, ..History::default() }
    };
    all.into_iter().map(|(name, points)| (name, history(points))).collect()
}

pub(crate) fn number(row: &BTreeMap<String, String>, name: &str) -> Option<f64> {
    row.get(name)?.parse().ok()
}

/// The pods of a shop that runs for eight days, or of one of the parts (`train`: nothing was injected).
pub(crate) fn sockshop(traces: &Path, split: Option<&str>) -> BTreeMap<String, History> {
    let rows = rows(&traces.join("sockshop-k8s-7d/pods.csv.gz"));
    let rows = rows.iter().filter(|row| split.is_none_or(|split| row["split"] == split));
    histories(
        rows.filter_map(|row| Some((row["pod"].clone(), row["t_unix_s"].parse().ok()?, number(row, "working_set_b")?))),
    )
}

/// The pods of two shops, each on two days.
pub(crate) fn nezha(traces: &Path) -> BTreeMap<String, History> {
    let rows = rows(&traces.join("nezha-k8s/pods.csv.gz"));
    histories(rows.iter().filter_map(|row| {
        let name = format!("{} {}", row["day"], row["pod"]);
        Some((name, row["t_unix_s"].parse().ok()?, number(row, "mem_mi")? * MIB))
    }))
}

/// Containers that serve models, for most of a day. The trace has shares of a limit that it does not tell: 16 GiB here.
pub(crate) fn genai(traces: &Path) -> BTreeMap<String, History> {
    let rows = rows(&traces.join("alibaba-genai-pods/pods_mem_util.csv.gz"));
    histories(rows.iter().filter_map(|row| {
        Some((row["pod"].clone(), row["t_s"].parse().ok()?, number(row, "mem_util_frac")? * 16384.0 * MIB))
    }))
}
