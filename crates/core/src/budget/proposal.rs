//! From a waterfall at its worst to the limit and the flags that would have held.

use schemars::JsonSchema;
use serde::Serialize;

use super::jvm::{self, BesideHeap, Collector};
use super::{golang, limit_for_peak, round_up, scaled, v8};
use crate::runtime::Name;
use crate::units::Bytes;
use crate::waterfall::{Part, PartKind, Process, Waterfall};

/// What to set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Proposal {
    /// The memory limit.
    pub limit_bytes: Bytes,
    /// The memory request.
    pub request_bytes: Bytes,
    /// Runtime flags that belong to the limit.
    pub flags: Vec<FlagProposal>,
}

/// A runtime's flag to set with the limit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct FlagProposal {
    /// Where it is given: `JAVA_TOOL_OPTIONS`, `NODE_OPTIONS`, `GOMEMLIMIT`.
    pub variable: String,
    /// What to put there.
    pub value: String,
    /// Why.
    pub why: String,
}

/// The proposal for a container whose memory was at its worst as `peak` shows: the limit for what it needed, and for
/// each runtime the flag that keeps it within that limit. `wanted` is the unreclaimable memory that
/// is to be planned for where more is known than the waterfall tells (a peak between two looks).
pub fn propose(peak: &Waterfall, wanted: Option<Bytes>) -> Proposal {
    let unreclaimable = wanted.unwrap_or_default().max(peak.unreclaimable_bytes);
    // Programs and libraries are page cache that is read again at once: without it the container thrashes.
    let cache = sum(peak, |part| part.kind == PartKind::Code);
    let measured = limit_for_heaps(peak, limit_for_peak(unreclaimable, cache, Bytes(0)));
    Proposal { limit_bytes: measured, request_bytes: round_up(unreclaimable), flags: flags(peak, measured) }
}

/// The flags of all runtimes in a container for a limit, beside what else was measured at its peak.
pub fn flags(peak: &Waterfall, limit: Bytes) -> Vec<FlagProposal> {
    peak.processes.iter().filter_map(|process| of_runtime(peak, process, limit)).map(|(flag, _)| flag).collect()
}

/// The limit, raised until the flags that belong to it leave every runtime the heap that it had: a flag that is smaller
/// ends the program at the limit of the runtime instead of the container's.
pub fn limit_for_heaps(peak: &Waterfall, mut limit: Bytes) -> Bytes {
    let holds = |limit: Bytes| {
        let flag_and_process = |process| Some((of_runtime(peak, process, limit), had(peak, process)?));
        let mut heaps = peak.processes.iter().filter_map(flag_and_process);
        heaps.all(|(flag, had)| flag.is_some_and(|(_, allowed)| allowed >= had))
    };
    // Twice the peak and more is no question of flags: then the runtime's rest is not known well enough.
    let most = Bytes(limit.0.saturating_mul(3));
    let first = limit;
    while !holds(limit) {
        limit = round_up(scaled(limit, 105, 100));
        if limit > most {
            return first;
        }
    }
    limit
}

/// What a runtime's own limit must leave it, by what it had at the peak: the JVM's committed heap, which its collector
/// found large enough; of Go's memory a quarter more, for a collector that has no room runs all the time. V8 takes what
/// it needs of its heap, and a limit that is not given is no smaller.
fn had(peak: &Waterfall, process: &Process) -> Option<Bytes> {
    let of = |kind: PartKind| sum(peak, |part| part.kind == kind && part.pid == Some(process.pid));
    match process.runtime.name {
        Name::Hotspot => {
            let resident = of(PartKind::JvmHeap);
            Some(process.runtime.heap.committed_bytes.unwrap_or(scaled(resident, 5, 4)).max(resident))
                .filter(|heap| heap.0 > 0)
        }
        Name::Go => {
            let own = Bytes(of(PartKind::GoHeap).0 + of(PartKind::GoStacks).0 + of(PartKind::GoRuntime).0);
            Some(scaled(own, 5, 4)).filter(|own| own.0 > 0)
        }
        _ => None,
    }
}

fn sum(waterfall: &Waterfall, is: impl Fn(&Part) -> bool) -> Bytes {
    Bytes(waterfall.parts.iter().filter(|part| is(part)).map(|part| part.bytes.0).sum())
}

/// The flag of a process's runtime for a limit, and how much it allows.
fn of_runtime(peak: &Waterfall, process: &Process, limit: Bytes) -> Option<(FlagProposal, Bytes)> {
    let of = |kind: PartKind| sum(peak, |part| part.kind == kind && part.pid == Some(process.pid));
    // What cannot be taken back and is not the runtime's heap.
    let beside = |heap: Bytes| Bytes(peak.unreclaimable_bytes.0.saturating_sub(heap.0));
    match process.runtime.name {
        Name::Hotspot => {
            let collector = collector(process);
            let heap = of(PartKind::JvmHeap);
            let direct = process.runtime.direct_bytes.unwrap_or_default();
            let known =
                of(PartKind::JvmMetaspace).0 + of(PartKind::JvmClassSpace).0 + of(PartKind::JvmCodeCache).0 + direct.0;
            let gc = scaled(heap, collector.overhead(), 1000);
            let beside = BesideHeap {
                metaspace: Bytes(of(PartKind::JvmMetaspace).0 + of(PartKind::JvmClassSpace).0),
                code_cache: of(PartKind::JvmCodeCache),
                direct,
                rest: Bytes(beside(heap).0.saturating_sub(known).saturating_sub(gc.0)),
                ..BesideHeap::default()
            };
            let heap = jvm::heap_for_limit(limit, &beside, collector, Bytes(0))?;
            let flag = FlagProposal {
                variable: "JAVA_TOOL_OPTIONS".into(),
                value: jvm::heap_flag(heap),
                why: format!(
                    "the rest of the JVM was measured at {} and grows; the heap takes what is left",
                    beside.planned()
                ),
            };
            Some((flag, heap))
        }
        Name::V8 => {
            let major = process.runtime.version.as_deref().and_then(major)?;
            let heap = Bytes(of(PartKind::V8Heap).0 + of(PartKind::V8Code).0);
            let external = process.runtime.external_bytes.unwrap_or_default();
            let rest = Bytes(beside(heap).0.saturating_sub(external.0));
            let old = v8::old_space_for_limit(major, limit, external, rest, Bytes(0))?;
            let flag = FlagProposal {
                variable: "NODE_OPTIONS".into(),
                value: format!("--max-old-space-size={old}"),
                why: format!(
                    "buffers and native memory were measured at {}; the young generation comes on top",
                    Bytes(external.0 + rest.0)
                ),
            };
            Some((flag, Bytes::mib(old)))
        }
        Name::Go => {
            let own = Bytes(of(PartKind::GoHeap).0 + of(PartKind::GoStacks).0 + of(PartKind::GoRuntime).0);
            let outside = beside(own);
            let memory_limit = golang::memory_limit(limit, outside, Bytes(0))?;
            let flag = FlagProposal {
                variable: "GOMEMLIMIT".into(),
                value: golang::variable(memory_limit),
                why: format!("{outside} were measured outside of what Go counts"),
            };
            Some((flag, memory_limit))
        }
        _ => None,
    }
}

/// The collector in force, by the flag that says so.
fn collector(process: &Process) -> Collector {
    let on = |name: &str| process.runtime.flags.iter().any(|flag| flag.name == name && flag.value == "true");
    let table = [
        ("UseParallelGC", Collector::Parallel),
        ("UseG1GC", Collector::G1),
        ("UseZGC", Collector::Z),
        ("UseShenandoahGC", Collector::Shenandoah),
    ];
    table.into_iter().find(|(name, _)| on(name)).map_or(Collector::Serial, |(_, collector)| collector)
}

/// The major version of `v20.11.0`.
fn major(version: &str) -> Option<u32> {
    version.trim_start_matches('v').split('.').next()?.parse().ok()
}
