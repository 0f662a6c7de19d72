//! From a waterfall at its worst to the limit and the flags that would have held.

use schemars::JsonSchema;
use serde::Serialize;

use super::jvm::{self, BesideHeap, Collector};
use super::told::Within;
use super::{golang, limit_for_peak, margin_within, round_up, scaled, v8, workers};
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
    pub(super) fn new(
        usual: &str,
        now: Option<&Flag>,
        value: String,
        written: impl Fn(Bytes) -> String,
        why: String,
    ) -> Self {
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

/// The flags of all runtimes in a container for a limit, beside what else was measured at its peak, and how many workers
/// it holds where that is fewer. None for a runtime
/// that the limit leaves less than it held: such a flag ends the program, or lets its collector run all the time.
pub fn flags(peak: &Waterfall, limit: Bytes) -> Vec<FlagProposal> {
    let leaves_enough = |process: &Process, allowed| least(peak, process).is_none_or(|least| allowed >= least);
    let flag = |process| of_runtime(peak, process, limit).filter(|(_, allowed)| leaves_enough(process, *allowed));
    let flags = peak.processes.iter().filter_map(flag).map(|(flag, _)| flag);
    flags.chain(workers::flag(peak, limit)).collect()
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

/// What a runtime's own limit is to leave it, by what it had at the peak: the JVM's committed heap, which its collector
/// found large enough, and never less than [`least`].
fn had(peak: &Waterfall, process: &Process) -> Option<Bytes> {
    let of = |kind: PartKind| sum(peak, |part| part.kind == kind && part.pid == Some(process.pid));
    let wanted = match process.runtime.name {
        Name::Hotspot => {
            let resident = of(PartKind::JvmHeap);
            let committed = process.runtime.heap.committed_bytes.unwrap_or(scaled(resident, 5, 4));
            committed.max(resident)
        }
        // Without its version no flag is known.
        Name::V8 => {
            process.runtime.version.as_deref().and_then(major)?;
            scaled(Bytes(of(PartKind::V8Heap).0 + of(PartKind::V8Code).0), 5, 4)
        }
        _ => Bytes(0),
    };
    Some(wanted.max(least(peak, process).unwrap_or_default())).filter(|heap| heap.0 > 0)
}

/// Less than this is no limit for a runtime: what it used at the peak, or of Go all that it held, and a quarter more, for
/// a collector that has no room runs all the time.
fn least(peak: &Waterfall, process: &Process) -> Option<Bytes> {
    match process.runtime.name {
        Name::Hotspot | Name::V8 => process.runtime.heap.used_bytes.map(|used| scaled(used, 5, 4)),
        Name::Go => {
            let held = held_by_go(peak, process);
            (held.0 > 0).then(|| Bytes(held.0.saturating_add((held.0 / 4).max(golang::ROOM_LEAST.0))))
        }
        _ => None,
    }
}

/// What Go held by its own count, which is what `GOMEMLIMIT` bounds: its heap also where no page of it is in memory, and
/// the stacks and work buffers among the heap's addresses.
fn held_by_go(peak: &Waterfall, process: &Process) -> Bytes {
    let of = |kind: PartKind| sum(peak, |part| part.kind == kind && part.pid == Some(process.pid));
    let heap = of(PartKind::GoHeap);
    let own = |part: &&Part| part.kind == PartKind::GoHeap && part.pid == Some(process.pid);
    let inside = peak.parts.iter().filter(own).flat_map(|part| &part.parts);
    let beside = inside.filter(|part| golang::BESIDE_HEAP.contains(&part.name.as_str())).map(|part| part.bytes.0);
    let committed = process.runtime.heap.committed_bytes.unwrap_or_default().0.saturating_add(beside.sum());
    let apart = of(PartKind::GoStacks).0.saturating_add(of(PartKind::GoRuntime).0);
    Bytes(heap.0.max(committed).saturating_add(apart))
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
            let mut why = format!(
                "of the limit of {limit} {} are planned for the rest of the JVM, which was measured at {} and grows, and \
                 {} are a margin; the heap and its collector take what is left",
                beside.planned(),
                measured,
                margin_within(limit, Bytes(0))
            );
            let mut value = jvm::heap_flag(heap);
            if let Some((most, because)) = direct_memory(process, heap) {
                value = format!("{value} {}", jvm::direct_flag(most));
                why = format!("{why}; {because}");
            }
            let now = flag(process, &["MaxHeapSize"]);
            let flag = FlagProposal::new("JAVA_TOOL_OPTIONS", now, value, jvm::heap_flag, why);
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

/// The most that direct buffers must be allowed beside a heap of this size, and why. Without a flag of their own the
/// heap's maximum bounds them too, so that a lower one would end a program for which the heap is large enough.
fn direct_memory(process: &Process, heap: Bytes) -> Option<(Bytes, String)> {
    if flag(process, &["MaxDirectMemorySize"]).is_some() {
        return None;
    }
    let follows = "direct buffers may take as much as the heap where nothing else is said";
    let Some(direct) = process.runtime.direct_bytes else {
        // How many there are is not known: they keep the bound that they had.
        let now = process.runtime.heap.max_bytes.filter(|now| heap < *now)?;
        return Some((now, format!("{follows}, which is {now} until now")));
    };
    let planned = jvm::direct_planned(direct);
    (direct.0 > 0 && jvm::direct_allowed(heap) < planned)
        .then(|| (planned, format!("{follows}, and {direct} were in use")))
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

    /// The same JVM, 120 MiB larger by direct buffers, with its heap bounded by 200 MiB.
    fn with_direct_buffers(direct: Option<u64>, given: Option<&str>) -> Waterfall {
        let mut peak = peak("hotspot", "17", "jvm-heap", "MaxHeapSize", "command line");
        peak.unreclaimable_bytes = Bytes::mib(180);
        let runtime = &mut peak.processes[0].runtime;
        runtime.direct_bytes = direct.map(Bytes::mib);
        runtime.heap.max_bytes = Some(Bytes::mib(200));
        let flag = |from: &str| Flag {
            name: "MaxDirectMemorySize".into(),
            value: (1_u64 << 30).to_string(),
            from: from.to_owned(),
        };
        runtime.flags.push(flag(given.unwrap_or("default")));
        peak
    }

    #[test]
    fn a_lower_heap_leaves_direct_buffers_what_they_had() {
        let of = |direct, given| propose(&with_direct_buffers(direct, given), None).flags.remove(0);
        let it = of(Some(120), None);
        assert!(it.value.starts_with("-Xmx") && it.value.ends_with("m -XX:MaxDirectMemorySize=144m"), "{it:?}");
        assert!(it.why.ends_with("as the heap where nothing else is said, and 120 MiB were in use"), "{it:?}");
        assert!(!of(Some(120), Some("command line")).value.contains("Direct"), "they have a bound of their own");
        assert!(!of(Some(0), None).value.contains("Direct") && !of(Some(8), None).value.contains("Direct"));
        let it = of(None, None);
        assert!(it.value.ends_with(" -XX:MaxDirectMemorySize=200m"), "how many there are is not known: {it:?}");
    }

    #[test]
    fn no_flag_is_below_what_a_runtime_used() {
        let peak = peak("hotspot", "17", "jvm-heap", "MaxHeapSize", "default");
        let heaps: Vec<_> = (16..300).filter_map(|limit| flags(&peak, Bytes::mib(limit)).pop()).collect();
        let heap = |flag: &FlagProposal| flag.value["-Xmx".len()..flag.value.len() - 1].parse::<u64>().unwrap();
        assert_eq!(heaps.iter().map(heap).min(), Some(23), "18 MiB were used");
    }

    #[test]
    fn gos_limit_is_above_what_go_held() {
        // 20 MiB of heap are resident and 24 committed, of 60 MiB.
        let mut peak = peak("go", "go1.22.1", "go-heap", "", "default");
        peak.processes[0].runtime.heap.committed_bytes = Some(Bytes::mib(24));
        let it = propose(&peak, None);
        let limit: u64 = it.flags[0].value.trim_end_matches("MiB").parse().unwrap();
        assert!(limit >= 30, "{it:?}");
        assert!(it.limit_bytes >= Bytes::mib(limit + 40), "the rest fits beside: {it:?}");
        // Nearly nothing of it is Go's: a collector with no room for its smallest heap would run all the time.
        peak.parts[0].bytes = Bytes::mib(1);
        peak.processes[0].runtime.heap.committed_bytes = Some(Bytes::mib(4));
        let it = propose(&peak, None);
        let limit: u64 = it.flags[0].value.trim_end_matches("MiB").parse().unwrap();
        assert!(limit >= 8, "{it:?}");
        assert!(flags(&peak, Bytes(it.limit_bytes.0 - (12 << 20))).is_empty());
    }

    #[test]
    fn the_reason_of_a_heap_adds_up() {
        let it = propose(&peak("hotspot", "17", "jvm-heap", "MaxHeapSize", "default"), None);
        // 40 MiB are beside the heap, and less what the collector needs.
        assert!(it.flags[0].why.contains("was measured at 39.9 MiB and grows, and 64 MiB are a margin"), "{it:?}");
    }
}
