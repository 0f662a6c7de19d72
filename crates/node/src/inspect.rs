//! A cgroup's waterfall: the snapshot, each process's runtime, and the core's arithmetic.

use std::collections::BTreeMap;
use std::fs;

use oomph_core::cgroup_path::cgroup_names;
use oomph_core::fact;
use oomph_core::runtime::{self, Reading};
use oomph_core::units::Bytes;
use oomph_core::waterfall::{Charge, Level, Measured, Seen, Source, Subject, Version, Waterfall, measure};

use crate::hierarchy::Hierarchy;
use crate::snapshot::{self, CgroupFiles, Snapshot};

/// Looks at a cgroup and says where its memory went. `subject` tells whose it is, as far as the caller knows.
pub fn inspect(hierarchy: &Hierarchy, cgroup: &str, subject: Subject) -> Waterfall {
    let snapshot = snapshot::look(hierarchy, cgroup);
    explain(&snapshot, Subject { cgroup: Some(cgroup.to_owned()), ..subject })
}

/// The waterfall of what was read. The processes' memory is read now.
fn explain(snapshot: &Snapshot, subject: Subject) -> Waterfall {
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
        anon_huge: process.anon_huge,
    });
    measure(&Measured {
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
    })
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
