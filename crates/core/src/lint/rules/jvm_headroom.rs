//! A limit that leaves too little beside the heap.

use super::jvm_heap_ge_limit::{Options, help, options};
use super::{Finding, Level, Subject};
use crate::budget::jvm::{CLASSES_ASSUMED, Caps, Collector, THREADS_ASSUMED, metaspace_of_classes};
use crate::budget::scaled;
use crate::lint::runtime::jvm::{Jvm, cpus};
use crate::lint::surroundings::Surroundings;
use crate::lint::workload::Object;
use crate::runtime::flags::size;
use crate::units::Bytes;

super::rule!("jvm-headroom", Error, Program(judge), Object(judge_options));

fn judge<'a>(subject: &Subject<'_, 'a>) -> Vec<Finding<'a>> {
    let Some(limit) = subject.limit() else { return Vec::new() };
    let Some(it) = subject.jvm() else { return Vec::new() };
    let Some(room) = Room::of(subject, it, limit.bytes) else { return Vec::new() };
    if room.expected <= limit.bytes && room.given < limit.bytes {
        return Vec::new();
    }
    let heap = it.heap(limit.bytes);
    let level = if room.given >= limit.bytes { Level::Error } else { Level::Warning };
    let place = heap.1.map_or(limit.place, |part| part.place);
    let over = Bytes(room.expected.0.saturating_sub(limit.bytes.0));
    let message = match level {
        Level::Error => format!("what the flags allow is {}, and the limit is {}", room.given, limit.bytes),
        _ => format!("a heap of {} leaves {over} too little of the limit of {}", heap.0, limit.bytes),
    };
    let label = match &heap.1 {
        Some(_) => format!("the heap may grow to {}", heap.0),
        None => format!("the heap may grow to {} of these, by default", heap.0),
    };
    let mut finding = Finding::new(level, place, message).label(label).note(room.budget(limit.bytes));
    if heap.1.is_some() {
        finding = finding.related(limit.place, limit.says());
    }
    finding.assumed.push(room.assumed());
    finding.assumed.extend(it.assumed());
    vec![finding.help(help(it, limit.bytes, cpus(subject), room.tmpfs))]
}

/// Strimzi: `jvmOptions` beside `resources`, where the heap alone does not take it all. Its images ask for G1
/// (`docker-images/kafka-based/kafka/scripts/kafka_run.sh`, by Kafka's own `kafka-run-class.sh`).
fn judge_options<'a>(object: &Object<'a>, _: &Surroundings<'a>) -> Vec<Finding<'a>> {
    let finding = |it: Options<'a>| {
        let of = |name: &str| it.node.path(&["-XX", name]).and_then(|node| Some(Bytes(size(node.text()?)?)));
        let caps = Caps {
            heap: it.heap,
            metaspace: of("MaxMetaspaceSize"),
            code_cache: of("ReservedCodeCacheSize"),
            direct: of("MaxDirectMemorySize"),
            ..Caps::default()
        };
        let need = caps.expected(Collector::G1);
        if it.heap >= it.limit || need <= it.limit {
            return None;
        }
        let over = Bytes(need.0.saturating_sub(it.limit.0));
        let message = format!("a heap of {} leaves {over} too little of the limit of {}", it.heap, it.limit);
        let room =
            Room { given: it.heap, expected: need, worst: need, caps, collector: Collector::G1, tmpfs: Bytes(0) };
        let finding = Finding::new(Level::Warning, it.place, message)
            .label(format!("the heap may grow to {}", it.heap))
            .related(it.limit_place, format!("the kernel kills at {}, everything included", it.limit))
            .note(room.budget(it.limit))
            .assume(room.assumed())
            .help(format!("a limit of at least {}Mi, or a smaller -Xmx", need.0.div_ceil(1 << 20)));
        Some(finding)
    };
    options(object).into_iter().filter_map(finding).collect()
}

/// What a JVM comes to need, against what it may have.
pub(super) struct Room {
    /// Caps that are written down, and tmpfs.
    pub given: Bytes,
    /// With what had to be assumed.
    pub expected: Bytes,
    /// What its caps allow together.
    pub worst: Bytes,
    caps: Caps,
    collector: Collector,
    tmpfs: Bytes,
}

/// Threads of an ordinary service.
const THREADS: u64 = THREADS_ASSUMED / 5;

impl Room {
    /// `None` where the heap alone takes the limit, which is said elsewhere, and where the heap is not known.
    pub(super) fn of(subject: &Subject<'_, '_>, it: &Jvm<'_>, limit: Bytes) -> Option<Self> {
        let caps = it.caps(limit);
        if it.is_heap_unknown() || it.takes_all(limit) {
            return None;
        }
        let collector = it.collector(limit, cpus(subject));
        let tmpfs = subject.tmpfs();
        let is_given = it.heap(limit).1.is_some();
        // Of a default that may be none there is nothing to say.
        if !is_given && it.is_default_unknown() {
            return None;
        }
        let heap = if is_given { caps.heap } else { Bytes(0) };
        Some(Self {
            given: Bytes(caps.written().0.saturating_add(heap.0).saturating_add(tmpfs.0)),
            expected: Bytes(caps.expected(collector).0.saturating_add(tmpfs.0)),
            worst: Bytes(caps.worst_case(collector).0.saturating_add(tmpfs.0)),
            caps,
            collector,
            tmpfs,
        })
    }

    /// The sum, in words.
    fn budget(&self, limit: Bytes) -> String {
        let part = |name: &str, cap: Option<Bytes>, usual: Bytes| match cap {
            Some(cap) if cap <= usual => format!("{name} {cap}"),
            Some(cap) => format!("{name} ~{usual} (capped at {cap})"),
            None => format!("{name} ~{usual} (uncapped)"),
        };
        let caps = &self.caps;
        let mut sum = vec![
            format!("heap {}", caps.heap),
            format!("its collector {}", scaled(caps.heap, self.collector.overhead(), 1000)),
            part("metaspace", caps.metaspace, metaspace_of_classes(CLASSES_ASSUMED)),
            part("compiled code", caps.code_cache, Bytes::mib(50)),
            part("direct buffers", caps.direct, Bytes::mib(16)),
            format!("{THREADS} threads"),
        ];
        if self.tmpfs.0 > 0 {
            sum.push(format!("files in memory {}", self.tmpfs));
        }
        format!("budget: {} = {} of {limit}", sum.join(" + "), self.expected)
    }

    /// What had to be assumed.
    fn assumed(&self) -> String {
        format!("{CLASSES_ASSUMED} classes, {THREADS} threads, {:?} collector", self.collector)
    }
}
