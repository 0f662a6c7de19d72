//! A cgroup's waterfall: the snapshot, each process's runtime, and the core's arithmetic.

use std::collections::BTreeMap;
use std::fs;

use oomph_core::cgroup_path::cgroup_names;
use oomph_core::diagnosis::GapReport;
use oomph_core::fact;
use oomph_core::runtime::{self, Reading, Tear};
use oomph_core::units::Bytes;
use oomph_core::waterfall::{
    Charge, Level, Measured, Moment, Seen, Source, Subject, Version, Waterfall, charged_ahead, measure,
};

use crate::hierarchy::Hierarchy;
use crate::process::{self, Process};
use crate::snapshot::{self, CgroupFiles, Snapshot};

/// Looks at a cgroup and says where its memory went. `subject` tells whose it is, as far as the caller knows.
///
/// What runs is not stopped: a look that is not of one moment is repeated, up to three times; then a gap says so.
pub fn inspect(hierarchy: &Hierarchy, cgroup: &str, subject: &Subject) -> Waterfall {
    look(hierarchy, cgroup, subject, LOOKS_MAX).waterfall
}

/// The same with a single look, for whoever looks again anyway.
pub fn glance(hierarchy: &Hierarchy, cgroup: &str, subject: &Subject) -> Waterfall {
    look(hierarchy, cgroup, subject, 1).waterfall
}

/// A look and three more.
pub const LOOKS_MAX: usize = 4;

/// What came of some looks.
#[derive(Debug)]
pub struct Looked {
    /// The last look, or the best where each was torn.
    pub waterfall: Waterfall,
    /// Why the torn ones were.
    pub torn: Vec<String>,
}

/// Looks until a look is of one moment, at most `most` times.
pub fn look(hierarchy: &Hierarchy, cgroup: &str, subject: &Subject, most: usize) -> Looked {
    let mut torn = Vec::new();
    let mut looks: Vec<(Moment, Waterfall)> = Vec::new();
    loop {
        let (moment, waterfall) = look_once(hierarchy, cgroup, subject);
        let because = moment.torn(&waterfall, looks.last().map(|(moment, waterfall)| (moment, waterfall)));
        let Some(because) = because else { return Looked { waterfall, torn } };
        torn.push(because);
        looks.push((moment, waterfall));
        if looks.len() >= most {
            return Looked { waterfall: best(looks, cgroup, &torn), torn };
        }
    }
}

/// The look of those torn that contradicts itself least. A cgroup whose processes have all ended tells the least.
fn best(looks: Vec<(Moment, Waterfall)>, cgroup: &str, torn: &[String]) -> Waterfall {
    let count = looks.len();
    let tears = |(moment, waterfall): &(Moment, Waterfall)| {
        let contradicting = moment.left.len() + moment.tears.len();
        (waterfall.processes.is_empty(), contradicting, waterfall.unexplained_bytes.unsigned_abs())
    };
    let best = looks.into_iter().min_by_key(tears);
    let (_, mut waterfall) = best.expect("at least one look was taken");
    waterfall.gaps.push(GapReport {
        what: format!("the memory of {cgroup} at one moment"),
        because: match torn.last() {
            Some(because) if count == 1 => because.clone(),
            because => format!("it was looked at {count} times; the last time {}", because.map_or("", String::as_str)),
        },
        command: format!("oomph inspect --cgroup {cgroup}"),
    });
    waterfall
}

fn look_once(hierarchy: &Hierarchy, cgroup: &str, subject: &Subject) -> (Moment, Waterfall) {
    let snapshot = snapshot::look(hierarchy, cgroup);
    let (tears, waterfall) = explain(&snapshot, Subject { cgroup: Some(cgroup.to_owned()), ..subject.clone() });
    let moment = Moment {
        charged_before: charge_of(snapshot.version, &snapshot.before.files).usage,
        ahead: charged_ahead(snapshot.cgroups as u64, processors(), process::page()),
        left: snapshot.processes.iter().filter(|process| process.has_left()).map(|process| process.pid).collect(),
        tears,
    };
    (moment, waterfall)
}

/// The waterfall of what was read, and which processes' runtimes contradicted themselves. Their memory is read now.
fn explain(snapshot: &Snapshot, subject: Subject) -> (Vec<(u32, Tear)>, Waterfall) {
    let charge =
        |files: &CgroupFiles| Level { cgroup: files.cgroup.clone(), charge: charge_of(snapshot.version, &files.files) };
    let levels: Vec<Level> = std::iter::once(&snapshot.own).chain(&snapshot.above).map(charge).collect();
    let limit = levels.iter().filter_map(|level| level.charge.limit).min();
    let read: Vec<Reading> = snapshot.processes.iter().map(|it| runtime::read(&it.target(limit))).collect();
    // Of a pod alone: what is charged to it and to none of its containers was left by dead ones. Another cgroup with
    // cgroups below may have processes of its own.
    let is_pod = cgroup_names(&snapshot.own.cgroup).level == fact::Level::Pod;
    let below: Vec<Bytes> = snapshot.below.iter().filter_map(|files| charge(files).charge.usage).collect();
    let processes = snapshot.processes.iter().zip(&read).map(|(process, reading)| Seen {
        pid: process.pid,
        status: &process.status,
        mappings: &process.mappings,
        residency: &process.residency,
        reading,
        file_descriptors: process.descriptors,
        file_descriptor_limit: process.descriptor_limit,
        anon_huge: process.anon_huge,
    });
    // What lies in swap is not read, and is missing in every look.
    let in_memory = |process: &&Process| process.residency.swapped == 0;
    let torn = snapshot.processes.iter().zip(&read).filter(|(process, _)| in_memory(process));
    let tears = torn.filter_map(|(process, reading)| Some((process.pid, reading.tear.clone()?))).collect();
    let waterfall = measure(&Measured {
        subject,
        at: Some(snapshot.at),
        version: snapshot.version,
        source: Source::Node,
        below: (is_pod && !below.is_empty()).then(|| Bytes(below.iter().map(|usage| usage.0).sum())),
        processes: processes.collect(),
        some_unread: !snapshot.gaps.is_empty(),
        swap_free: swap_free(),
        gaps: snapshot.gaps.iter().chain(snapshot.processes.iter().flat_map(|it| &it.gaps)).cloned().collect(),
        levels,
    });
    (tears, waterfall)
}

fn charge_of(version: Version, files: &BTreeMap<String, Vec<u8>>) -> Charge {
    Charge::from_files(version, files.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice())))
}

/// What may still go to swap on this machine (`SwapFree` of /proc/meminfo); nothing where it is not told.
fn swap_free() -> Bytes {
    let meminfo = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let line = meminfo.lines().find_map(|line| line.strip_prefix("SwapFree:"));
    let kib = line.and_then(|line| line.trim().strip_suffix("kB")?.trim().parse().ok());
    Bytes::kib(kib.unwrap_or(0))
}

/// Processors that may hold a stock of charged pages: `0-3,6`, those that are online.
fn processors() -> u64 {
    let online = fs::read_to_string("/sys/devices/system/cpu/online").unwrap_or_default();
    let count = |range: &str| {
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        Some(last.parse::<u64>().ok()?.checked_sub(first.parse().ok()?)? + 1)
    };
    online.trim().split(',').filter_map(count).sum::<u64>().max(1)
}
