//! A limit that leaves too little beside the heap.

use super::{Finding, Level, Subject};
use crate::budget::jvm::{Caps, Collector};
use crate::lint::runtime::jvm::{Room, cpus, fit};
use crate::lint::surroundings::Surroundings;
use crate::lint::workload::Object;
use crate::lint::workload::strimzi::{Options, options};
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
    vec![finding.help(fit::help(it, limit.bytes, cpus(subject), subject.tmpfs()))]
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
        let room = Room::of_caps(caps, Collector::G1);
        let need = room.expected;
        if it.heap >= it.limit || need <= it.limit {
            return None;
        }
        let over = Bytes(need.0.saturating_sub(it.limit.0));
        let message = format!("a heap of {} leaves {over} too little of the limit of {}", it.heap, it.limit);
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
