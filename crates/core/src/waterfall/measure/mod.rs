//! From what was read of a cgroup and its processes to its waterfall.

use jiff::Timestamp;

use super::charge::less;
use super::descriptors;
use super::kernel::{charged, kernel};
use super::pages::Pages;
use super::views::views;
use super::zgc::heaps_in_shared_memory;
use super::{
    Charge, Events, Flag, Heap, LevelLimit, Outside, Part, PartKind, Pressure, Process, Runtime, Source, Subject,
    Version, Waterfall,
};
use crate::diagnosis::GapReport;
use crate::fact::Gap;
use crate::process::{Mapping, Residency, Status};
use crate::runtime::Reading;
use crate::units::Bytes;

/// Everything that was read of one cgroup.
#[derive(Debug)]
pub struct Measured<'a> {
    /// Whose memory it is.
    pub subject: Subject,
    /// When it was read.
    pub at: Option<Timestamp>,
    /// The interface.
    pub version: Version,
    /// How it was read.
    pub source: Source,
    /// The cgroup, and then those above it.
    pub levels: Vec<Level>,
    /// Of a pod, what is charged to its containers' cgroups together; `None` where there are none, and of others.
    pub below: Option<Bytes>,
    /// Its processes and those of the cgroups below.
    pub processes: Vec<Seen<'a>>,
    /// Some process could not be read: what the pages do not show is then its.
    pub some_unread: bool,
    /// What may still go to swap on this machine.
    pub swap_free: Bytes,
    /// What could not be read.
    pub gaps: Vec<Gap>,
}

/// A cgroup and what the kernel counts of it.
#[derive(Debug, Clone)]
pub struct Level {
    /// Its path.
    pub cgroup: String,
    /// Its counters.
    pub charge: Charge,
}

/// A process that was looked at.
#[derive(Debug)]
pub struct Seen<'a> {
    /// The host's pid.
    pub pid: u32,
    /// Its counters.
    pub status: &'a Status,
    /// Its mappings.
    pub mappings: &'a [Mapping],
    /// Its pages.
    pub residency: &'a Residency,
    /// What its runtime's probe learned.
    pub reading: &'a Reading,
    /// Open file descriptors.
    pub file_descriptors: Option<u64>,
    /// How many it may have.
    pub file_descriptor_limit: Option<u64>,
    /// Anonymous memory in huge pages.
    pub anon_huge: Option<Bytes>,
}

impl Seen<'_> {
    /// Its resident memory: page by page, or as the kernel counts it where its pages were not looked at.
    pub(super) fn resident(&self) -> Option<Bytes> {
        if self.mappings.is_empty() { self.status.resident } else { Some(Bytes(self.residency.total())) }
    }

    fn swapped(&self) -> Option<Bytes> {
        if self.mappings.is_empty() { self.status.swapped } else { Some(Bytes(self.residency.swapped)) }
    }
}

/// The waterfall. The parts and what is unexplained add up to the charge, whatever was read.
pub fn measure(measured: &Measured<'_>) -> Waterfall {
    let charge = &measured.levels.first().map(|own| charged(measured.version, own)).unwrap_or_default();
    let mut pages = Pages::default();
    measured.processes.iter().for_each(|seen| pages.add(seen));

    let mut parts = anonymous(measured, charge, &pages);
    parts.extend(files(measured, charge, &pages));
    parts.extend(kernel(measured, charge));
    parts.retain(|part| part.bytes.0 > 0);
    parts.sort_by_key(|part| (part.kind, std::cmp::Reverse(part.bytes)));
    inside(measured, &mut parts);

    let charged = charge.usage.unwrap_or_default();
    let explained: u64 = parts.iter().map(|part| part.bytes.0).sum();
    let least = measured.levels.iter().filter_map(|level| level.charge.limit).min();
    let mut gaps: Vec<Gap> = measured.gaps.clone();
    gaps.extend(measured.processes.iter().flat_map(|seen| seen.reading.gaps.iter().cloned()));
    Waterfall {
        subject: measured.subject.clone(),
        at: measured.at,
        cgroup_version: match measured.version {
            Version::V1 => 1,
            Version::V2 => 2,
        },
        source: measured.source,
        charged_bytes: charged,
        peak_bytes: charge.peak,
        limit_bytes: charge.limit,
        high_bytes: charge.high,
        unreclaimable_bytes: charge.unreclaimable(measured.swap_free).unwrap_or_default(),
        headroom_bytes: headroom(measured),
        limits: limits(measured),
        events: Events {
            high: charge.events_high,
            max: charge.events_max,
            oom: charge.events_oom,
            oom_kill: charge.events_oom_kill,
        },
        pressure: Pressure { some_avg10: charge.pressure_some, full_avg10: charge.pressure_full },
        outside: Outside { swap_bytes: charge.swap, zswap_bytes: charge.zswap, hugetlb_bytes: charge.hugetlb },
        views: views(charge, &measured.processes),
        parts,
        unexplained_bytes: i64::try_from(i128::from(charged.0) - i128::from(explained)).unwrap_or(i64::MIN),
        processes: measured.processes.iter().map(|seen| process(seen, least)).collect(),
        gaps: gaps.into_iter().map(GapReport::from).collect(),
        grew: None,
    }
}

/// A part that the kernel counts for the cgroup as a whole.
pub(super) fn counted(kind: PartKind, name: &str, bytes: Bytes, from: &str) -> Part {
    Part {
        kind,
        name: if name.is_empty() { kind.title().to_owned() } else { name.to_owned() },
        bytes,
        exact: true,
        reclaimable: kind.is_reclaimable(),
        pid: None,
        from: from.to_owned(),
        parts: Vec::new(),
    }
}

/// Anonymous memory: page by page where all processes could be read.
fn anonymous(measured: &Measured<'_>, charge: &Charge, pages: &Pages) -> Vec<Part> {
    let mut parts = pages.anon_parts();
    let rest = less(charge.anon.unwrap_or_default(), Bytes(pages.anon_total()));
    if measured.processes.is_empty() || measured.source == Source::Exec {
        parts.push(counted(PartKind::Anonymous, "anonymous memory", rest, "memory.stat"));
    } else if measured.some_unread {
        parts.push(counted(
            PartKind::Anonymous,
            "of processes that could not be read",
            rest,
            "memory.stat less page tables",
        ));
    }
    parts
}

/// Page cache and shared memory: what processes map, and the rest by the kernel's count.
fn files(measured: &Measured<'_>, charge: &Charge, pages: &Pages) -> Vec<Part> {
    let file = charge.file.unwrap_or_default();
    let shmem = charge.shmem.unwrap_or_default();
    let mut mapped_shared = pages.file_parts(true, Some(shmem));
    heaps_in_shared_memory(measured, shmem, &mut mapped_shared);
    let shared: u64 = mapped_shared.iter().map(|part| part.bytes.0).sum();
    let most = charge.file_mapped.map(|mapped| less(mapped, Bytes(shared)));
    let mapped = pages.file_parts(false, most);
    let cache = less(file, shmem);
    let cached: u64 = mapped.iter().map(|part| part.bytes.0).sum();
    let from = match measured.source {
        Source::Exec => "memory.stat",
        _ => "memory.stat less page tables",
    };
    let mut tmpfs = counted(PartKind::Tmpfs, "", less(shmem, Bytes(shared)), from);
    if let Some(orphaned) = orphaned(measured, charge).filter(|orphaned| orphaned.0 > 0) {
        let inside = Bytes(orphaned.0.min(tmpfs.bytes.0));
        tmpfs.parts.push(counted(PartKind::Orphaned, "", inside, "the pod's charge less its containers'"));
    }
    let rest = counted(PartKind::PageCache, "", less(cache, Bytes(cached)), from);
    mapped_shared.into_iter().chain(mapped).chain([tmpfs, rest]).collect()
}

/// What is charged to the cgroup and to none below it: left by containers that are gone (or by processes of its own).
fn orphaned(measured: &Measured<'_>, charge: &Charge) -> Option<Bytes> {
    Some(less(charge.usage?, measured.below?))
}

/// Amounts that a probe knows inside a part, together at most as much as the part has. They take the place of the
/// names of its address ranges, which they would overlap.
fn inside(measured: &Measured<'_>, parts: &mut [Part]) {
    for seen in &measured.processes {
        for part in parts.iter_mut().filter(|part| part.pid == Some(seen.pid)) {
            let mut known = seen.reading.inside.iter().filter(|inside| inside.part == part.kind).peekable();
            if known.peek().is_none() {
                continue;
            }
            let mut rest = part.bytes;
            part.parts.clear();
            for inside in known {
                let bytes = Bytes(inside.bytes.0.min(rest.0));
                rest = less(rest, bytes);
                part.parts.push(Part {
                    exact: bytes == inside.bytes,
                    pid: part.pid,
                    ..counted(part.kind, inside.name, bytes, "the process's memory")
                });
            }
        }
    }
}

/// The least that any level leaves.
fn headroom(measured: &Measured<'_>) -> Option<Bytes> {
    measured.levels.iter().filter_map(|level| left(measured, level)).min()
}

/// What a level's limit leaves.
fn left(measured: &Measured<'_>, level: &Level) -> Option<Bytes> {
    Some(less(level.charge.limit?, level.charge.unreclaimable(measured.swap_free)?))
}

fn limits(measured: &Measured<'_>) -> Vec<LevelLimit> {
    let limit = |level: &Level| {
        Some(LevelLimit {
            cgroup: level.cgroup.clone(),
            limit_bytes: level.charge.limit?,
            usage_bytes: level.charge.usage,
            headroom_bytes: left(measured, level),
        })
    };
    measured.levels.iter().filter_map(limit).collect()
}

fn process(seen: &Seen<'_>, limit: Option<Bytes>) -> Process {
    let Reading { name, version, resolved, heap, direct, external, allocator, flags, .. } = seen.reading;
    Process {
        pid: seen.pid,
        comm: seen.status.name.clone(),
        rss_bytes: seen.resident(),
        anon_huge_bytes: seen.anon_huge,
        swap_bytes: seen.swapped(),
        page_table_bytes: seen.status.page_tables,
        threads: seen.status.threads,
        file_descriptors: seen.file_descriptors,
        file_descriptor_limit: seen.file_descriptor_limit,
        descriptor_table: seen
            .file_descriptor_limit
            .and_then(|soft| descriptors::table(&seen.status.name, soft, seen.resident().unwrap_or_default(), limit)),
        runtime: Runtime {
            name: *name,
            version: version.clone(),
            resolved: *resolved,
            heap: Heap { used_bytes: heap.used, committed_bytes: heap.committed, max_bytes: heap.max },
            direct_bytes: *direct,
            external_bytes: *external,
            allocator: *allocator,
            flags: flags
                .iter()
                .map(|flag| Flag { name: flag.name.clone(), value: flag.value.clone(), from: flag.from.clone() })
                .collect(),
        },
        told: None,
    }
}

#[cfg(test)]
mod tests;
