//! From a waterfall at its worst to the limit and the flags that would have held.

use schemars::JsonSchema;
use serde::Serialize;

use super::jvm::{self, BesideHeap, Collector};
use super::told::Within;
use super::{golang, limit_for_peak, margin_within, round_up, scaled, v8};
use crate::runtime::Name;
use crate::units::Bytes;
use crate::waterfall::{Flag, Part, PartKind, Process, Waterfall};

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
    /// Where it is given: `JAVA_TOOL_OPTIONS`, `NODE_OPTIONS`, `GOMEMLIMIT`, or `command line` where what stands there
    /// beats every variable.
    pub variable: String,
    /// What to put there.
    pub value: String,
    /// What it takes the place of: the flag on the command line; null where a variable is set.
    pub replaces: Option<String>,
    /// Why.
    pub why: String,
    /// The whole text of the manifest that it stands in, with it; none where that is not known.
    #[serde(skip)]
    #[schemars(skip)]
    pub within: Option<Within>,
}

/// Where a flag stands that no variable beats, as a process's flags name it.
pub(super) const COMMAND_LINE: &str = "command line";

impl FlagProposal {
    /// What to do, in one line.
    pub fn setting(&self) -> String {
        match &self.replaces {
            Some(old) => format!("{} in the place of {old} on the command line", self.value),
            None => format!("{}={}", self.variable, self.value),
        }
    }

    /// A flag for where `now` is given, so that it has an effect: on the command line, or in a variable that beats the
    /// usual one.
    fn new(usual: &str, now: Option<&Flag>, value: String, written: impl Fn(Bytes) -> String, why: String) -> Self {
        let replaces = now.filter(|flag| flag.from == COMMAND_LINE).map(|flag| match flag.value.parse() {
            Ok(bytes) if !flag.name.ends_with("percentage") => written(Bytes(bytes)),
            _ => format!("{}={}", flag.name, flag.value),
        });
        let variable = match (&replaces, now.and_then(|flag| flag.from.strip_prefix("environment "))) {
            (Some(_), _) => COMMAND_LINE,
            (None, Some(variable)) => variable,
            (None, None) => usual,
        };
        Self { variable: variable.to_owned(), value, replaces, why, within: None }
    }
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
/// found large enough, and no less than was in use; of Go's memory and of V8's heap a quarter more, for a collector that
/// has no room runs all the time.
fn had(peak: &Waterfall, process: &Process) -> Option<Bytes> {
    let of = |kind: PartKind| sum(peak, |part| part.kind == kind && part.pid == Some(process.pid));
    match process.runtime.name {
        Name::Hotspot => {
            let resident = of(PartKind::JvmHeap);
            let heap = &process.runtime.heap;
            let committed = heap.committed_bytes.unwrap_or(scaled(resident, 5, 4));
            Some(committed.max(resident).max(heap.used_bytes.unwrap_or_default())).filter(|heap| heap.0 > 0)
        }
        // Without its version no flag is known.
        Name::V8 => {
            process.runtime.version.as_deref().and_then(major)?;
            Some(scaled(Bytes(of(PartKind::V8Heap).0 + of(PartKind::V8Code).0), 5, 4)).filter(|heap| heap.0 > 0)
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
            let measured = Bytes(beside(heap).0.saturating_sub(gc.0));
            let beside = BesideHeap {
                metaspace: Bytes(of(PartKind::JvmMetaspace).0 + of(PartKind::JvmClassSpace).0),
                code_cache: of(PartKind::JvmCodeCache),
                direct,
                rest: Bytes(beside(heap).0.saturating_sub(known).saturating_sub(gc.0)),
                ..BesideHeap::default()
            };
            let heap = jvm::heap_for_limit(limit, &beside, collector, Bytes(0))?;
            let why = format!(
                "of the limit of {limit} {} are planned for the rest of the JVM, which was measured at {} and grows, and \
                 {} are a margin; the heap and its collector take what is left",
                beside.planned(),
                measured,
                margin_within(limit, Bytes(0))
            );
            let now = flag(process, &["MaxHeapSize"]);
            let flag = FlagProposal::new("JAVA_TOOL_OPTIONS", now, jvm::heap_flag(heap), jvm::heap_flag, why);
            Some((flag, heap))
        }
        Name::V8 => {
            let major = process.runtime.version.as_deref().and_then(major)?;
            let heap = Bytes(of(PartKind::V8Heap).0 + of(PartKind::V8Code).0);
            let external = process.runtime.external_bytes.unwrap_or_default();
            let rest = Bytes(beside(heap).0.saturating_sub(external.0));
            let old = v8::old_space_for_limit(major, limit, external, rest, Bytes(0))?;
            let why = format!(
                "buffers and native memory were measured at {}; the young generation comes on top",
                Bytes(external.0 + rest.0)
            );
            let written = |old: Bytes| format!("--max-old-space-size={}", old.0 >> 20);
            let now = flag(process, &["--max-old-space-size-percentage", "--max-old-space-size"]);
            let flag = FlagProposal::new("NODE_OPTIONS", now, written(Bytes::mib(old)), written, why);
            Some((flag, Bytes::mib(old)))
        }
        Name::Go => {
            let own = Bytes(of(PartKind::GoHeap).0 + of(PartKind::GoStacks).0 + of(PartKind::GoRuntime).0);
            let outside = beside(own);
            let memory_limit = golang::memory_limit(limit, outside, Bytes(0))?;
            let why = format!("{outside} were measured outside of what Go counts");
            let value = golang::variable(memory_limit);
            Some((FlagProposal::new("GOMEMLIMIT", None, value, golang::variable, why), memory_limit))
        }
        _ => None,
    }
}

/// The first of these flags that somebody gave.
fn flag<'a>(process: &'a Process, names: &[&str]) -> Option<&'a Flag> {
    let given = |flag: &&Flag| flag.from == COMMAND_LINE || flag.from.starts_with("environment ");
    names.iter().find_map(|name| process.runtime.flags.iter().filter(given).find(|flag| flag.name == *name))
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

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// A process of 60 MiB, 20 of which are the heap, and a flag of 300 or 400 MiB that was given somewhere.
    fn peak(runtime: &str, version: &str, heap: &str, flag: &str, from: &str) -> Waterfall {
        serde_json::from_value(json!({"subject": {}, "cgroupVersion": 2, "source": "node",
            "chargedBytes": 60 << 20, "unreclaimableBytes": 60 << 20, "limits": [], "events": {}, "pressure": {},
            "outside": {}, "views": [], "unexplainedBytes": 0, "gaps": [],
            "parts": [{"kind": heap, "name": "", "bytes": 20 << 20, "exact": true, "reclaimable": false, "pid": 1,
                "from": "", "parts": []}],
            "processes": [{"pid": 1, "comm": "x", "rssBytes": 60 << 20, "runtime": {"name": runtime,
                "version": version, "resolved": true, "heap": {"usedBytes": 18 << 20},
                "flags": [{"name": flag, "value": (300 << 20).to_string(), "from": from}]}}]}))
        .unwrap()
    }

    #[test]
    fn a_flag_on_the_command_line_is_replaced_there() {
        let of = |from: &str| propose(&peak("hotspot", "17", "jvm-heap", "MaxHeapSize", from), None).flags.remove(0);
        let it = of("command line");
        assert_eq!((it.variable.as_str(), it.replaces.as_deref()), ("command line", Some("-Xmx300m")));
        assert!(it.setting().ends_with(" in the place of -Xmx300m on the command line"), "{}", it.setting());
        let it = of("environment _JAVA_OPTIONS");
        assert_eq!((it.variable.as_str(), it.replaces), ("_JAVA_OPTIONS", None));
        assert_eq!(of("default").variable, "JAVA_TOOL_OPTIONS");
        let node = peak("v8", "v20.1.0", "v8-heap", "--max-old-space-size", "command line");
        assert_eq!(propose(&node, None).flags[0].replaces.as_deref(), Some("--max-old-space-size=300"));
    }

    #[test]
    fn a_limit_leaves_the_heap_of_node_what_it_had() {
        let it = propose(&peak("v8", "v20.1.0", "v8-heap", "", "default"), None);
        let old: u64 = it.flags[0].value.rsplit('=').next().unwrap().parse().unwrap();
        assert!(old >= 25, "{it:?}");
        assert!(v8::need(Bytes::mib(old), v8::young_beside(20, it.limit_bytes), Bytes(0)) <= it.limit_bytes);
    }

    #[test]
    fn the_reason_of_a_heap_adds_up() {
        let it = propose(&peak("hotspot", "17", "jvm-heap", "MaxHeapSize", "default"), None);
        // 40 MiB are beside the heap, and less what the collector needs.
        assert!(it.flags[0].why.contains("was measured at 39.9 MiB and grows, and 64 MiB are a margin"), "{it:?}");
    }
}
