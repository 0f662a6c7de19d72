//! A share of the limit for the heap that leaves too little of every limit.

use super::{Finding, Level, Subject};
use crate::budget::jvm::heap_for_limit;
use crate::lint::runtime::jvm::{cpus, fit};
use crate::lint::workload::Platform;
use crate::units::Bytes;

super::rule!("dockerfile-heap-whole", Warning, Program(judge));

/// Limits from 256 MiB to 64 GiB, each twice the one before: larger ones are not given to one container.
const LIMITS: std::ops::RangeInclusive<u32> = 28..=36;

fn judge<'a>(subject: &Subject<'_, 'a>) -> Vec<Finding<'a>> {
    let (Some(it), Platform::Dockerfile) = (subject.jvm(), subject.scene.workload.platform) else { return Vec::new() };
    let Some(percentage) = it.percentage().filter(|_| it.max_heap().is_none() && !it.is_heap_unknown()) else {
        return Vec::new();
    };
    let fits = |limit: Bytes| it.caps(limit).expected(it.collector(limit, cpus(subject))) <= limit;
    let mut limits = LIMITS.map(|power| Bytes(1 << power));
    if limits.any(fits) {
        return Vec::new();
    }
    let example = Bytes(1 << 30);
    let collector = it.collector(example, cpus(subject));
    let need = it.caps(example).expected(collector);
    let message = format!("a heap of {} % leaves room for the rest of the JVM under no limit", percentage.value);
    let finding = Finding::new(Level::Warning, percentage.part.place, message)
        .label(format!("of a limit of {example} the heap may take {}", it.heap(example).0))
        .note(format!("with its collector, metaspace, compiled code and threads it then needs {need} of {example}"))
        .assume("limits up to 64 GiB");
    let fitting = heap_for_limit(example, &fit::beside(it, example, Bytes(0)), collector, Bytes(0));
    let finding = match fitting {
        Some(heap) => {
            let share = heap.0.saturating_mul(100) / example.0;
            finding.help(format!("-XX:MaxRAMPercentage={share} fits a limit of {example}; larger limits allow more"))
        }
        None => finding,
    };
    let mut finding = finding.by_default(subject.container.node.tree());
    finding.assumed.extend(it.assumed());
    vec![finding]
}
