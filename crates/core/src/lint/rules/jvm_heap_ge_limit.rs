//! A heap that alone takes the whole limit.

use std::cmp::Reverse;

use super::{Finding, Level, Scene, Subject};
use crate::budget::jvm::{self, BesideHeap, heap_flag};
use crate::budget::{limit_for_growing, round_down, scaled};
use crate::lint::runtime::jvm::{Jvm, Refused, cpus};
use crate::lint::surroundings::Surroundings;
use crate::lint::tree::At;
use crate::lint::workload::{Amount, ContainerKind, Object};
use crate::runtime::flags::size;
use crate::units::Bytes;

super::rule!("jvm-heap-ge-limit", Error, Program(judge), Workload(judge_pod), Object(judge_options));

fn judge<'a>(subject: &Subject<'_, 'a>) -> Vec<Finding<'a>> {
    let Some(it) = subject.jvm() else { return Vec::new() };
    let mut findings: Vec<Finding<'a>> = it.refused().iter().map(refused).collect();
    let Some(limit) = subject.limit().filter(|_| findings.is_empty() && !it.is_heap_unknown()) else {
        return findings;
    };
    let given = it.max_heap();
    if let Some(heap) = given.as_ref().filter(|heap| heap.value >= limit.bytes) {
        let relation = if heap.value == limit.bytes { "equals the" } else { "is more than the" };
        let message = format!("the heap's maximum of {} {relation} limit of {}", heap.value, limit.bytes);
        findings.push(
            Finding::new(Level::Error, heap.part.place, message).label(format!("the heap may grow to {}", heap.value)),
        );
    }
    let (heap, flag) = it.heap(limit.bytes);
    let ram = it.max_ram().filter(|ram| given.is_none() && ram.value > limit.bytes);
    let share = flag.filter(|_| given.is_none() && it.takes_all(limit.bytes));
    if let Some(flag) = share.filter(|flag| ram.as_ref().is_none_or(|ram| ram.part != **flag)) {
        let percent = u128::from(heap.0) * 100 / u128::from(limit.bytes.0.max(1));
        let message = format!("the heap may take {percent} % of the limit of {}", limit.bytes);
        findings.push(Finding::new(Level::Error, flag.place, message).label(format!("the heap may grow to {heap}")));
    }
    if let Some(ram) = ram {
        // A share of too much may still be little enough.
        let level = if heap >= limit.bytes { Level::Error } else { Level::Warning };
        let message = format!("the JVM is told that it has {}, and the limit is {}", ram.value, limit.bytes);
        findings.push(
            Finding::new(level, ram.part.place, message)
                .label(format!("percentages are taken of this: the heap may grow to {heap}"))
                .help("remove the flag: the JVM reads the limit itself"),
        );
    }
    if findings.is_empty() {
        return findings;
    }
    let tmpfs = subject.tmpfs();
    let usual = help(it, limit.bytes, cpus(subject), tmpfs);
    let complete = |mut finding: Finding<'a>| {
        finding.help.get_or_insert_with(|| usual.clone());
        finding.assumed.extend(it.assumed());
        if tmpfs.0 > 0 {
            finding.notes.push(format!("files in memory may take {tmpfs} of the limit"));
        }
        finding
            .related(limit.place, limit.says())
            .note("metaspace, compiled code, thread stacks and direct buffers come on top of the heap")
    };
    findings.into_iter().map(complete).collect()
}

/// Heaps of several containers that together take the limit of the pod, of which none does alone.
fn judge_pod<'a>(scene: &Scene<'_, 'a>) -> Vec<Finding<'a>> {
    let Some(limit) = scene.workload.resources.memory_limit else { return Vec::new() };
    let Some(most) = limit.bytes() else { return Vec::new() };
    let lasting = scene.subjects().filter(|it| it.container.kind != ContainerKind::Init);
    let mut heaps: Vec<_> = lasting.filter_map(|it| it.jvm()?.max_heap()).collect();
    heaps.sort_by_key(|heap| Reverse(heap.value));
    let sum = Bytes(heaps.iter().fold(0, |sum, heap| heap.value.0.saturating_add(sum)));
    let Some((largest, others)) = heaps.split_first().filter(|(it, others)| it.value < most && !others.is_empty())
    else {
        return Vec::new();
    };
    if sum < most {
        return Vec::new();
    }
    let message = format!("the heaps of {} JVMs may take {sum} together, and the pod's limit is {most}", heaps.len());
    let mut finding = Finding::new(Level::Error, largest.part.place, message)
        .label(format!("the heap may grow to {}", largest.value))
        .related(limit.node, format!("the kernel kills at {most} for the whole pod"))
        .help("smaller heaps, or a higher limit for the pod");
    for other in others {
        finding = finding.related(other.part.place, format!("and this one to {}", other.value));
    }
    vec![finding]
}

fn refused<'a>(it: &Refused<'a>) -> Finding<'a> {
    let message = format!("the JVM refuses `{}`: {}", it.part.text, it.why);
    let finding = Finding::new(Level::Error, it.part.place, message).label("the JVM ends as it starts");
    match &it.meant {
        Some(meant) => finding.help(format!("write `{meant}`, if that is meant")),
        None => finding,
    }
}

/// Strimzi: `jvmOptions` beside `resources`, wherever the two stand together.
fn judge_options<'a>(object: &Object<'a>, _: &Surroundings<'a>) -> Vec<Finding<'a>> {
    let over = options(object).into_iter().filter(|it| it.heap >= it.limit);
    let finding = |Options { heap, limit, place, limit_place, .. }| {
        Finding::new(Level::Error, place, format!("the heap's maximum of {heap} reaches the limit of {limit}"))
            .label(format!("the heap may grow to {heap}"))
            .related(limit_place, format!("the kernel kills at {limit}, everything included"))
            .note("metaspace, compiled code, thread stacks and direct buffers come on top of the heap")
    };
    over.map(finding).collect()
}

/// `jvmOptions` of Strimzi beside `resources`.
pub(super) struct Options<'a> {
    /// The mapping.
    pub node: At<'a>,
    /// `-Xmx`.
    pub heap: Bytes,
    pub place: At<'a>,
    pub limit: Bytes,
    pub limit_place: At<'a>,
}

pub(super) fn options<'a>(object: &Object<'a>) -> Vec<Options<'a>> {
    let mut all = Vec::new();
    if object.group().ends_with("strimzi.io") {
        walk(object.node, &mut all, 0);
    }
    all
}

fn walk<'a>(node: At<'a>, all: &mut Vec<Options<'a>>, depth: usize) {
    let found = || {
        let options = node.get("jvmOptions")?;
        let place = options.get("-Xmx")?;
        let limit = Amount::read(node.path(&["resources", "limits", "memory"])?);
        let heap = Bytes(size(place.text()?)?);
        Some(Options { node: options, heap, place, limit: limit.bytes()?, limit_place: limit.node })
    };
    all.extend(found());
    for child in node.own_children().filter(|_| depth < 16) {
        walk(child, all, depth + 1);
    }
}

/// What a service with nothing known about it needs beside its heap.
pub(super) fn beside(it: &Jvm<'_>, limit: Bytes, tmpfs: Bytes) -> BesideHeap {
    BesideHeap { rest: tmpfs, ..BesideHeap::usual(&it.caps(limit)) }
}

/// A heap that fits the limit beside what is usual, and beside what its caps allow in full: that is what an error is
/// measured by.
pub(super) fn fitting_heap(it: &Jvm<'_>, limit: Bytes, cpus: u32, tmpfs: Bytes) -> Option<Bytes> {
    let collector = it.collector(limit, cpus);
    let usual = jvm::heap_for_limit(limit, &beside(it, limit, tmpfs), collector, Bytes(0))?;
    let room = Bytes(limit.0.checked_sub(it.caps(limit).written().0)?.checked_sub(tmpfs.0)?);
    let heap = round_down(scaled(room, 1000, 1000 + collector.overhead()));
    // A heap that takes all of the room is one that takes the limit.
    let heap = if heap == room { Bytes(heap.0.saturating_sub(1 << 20)) } else { heap };
    Some(usual.min(heap)).filter(|heap| *heap >= Bytes::mib(2))
}

/// A heap that is smaller than the present one, and a limit that is higher, with which there is nothing to say.
pub(super) fn help(it: &Jvm<'_>, limit: Bytes, cpus: u32, tmpfs: Bytes) -> String {
    let present = it.heap(limit).0;
    let needed = |limit: Bytes| {
        let caps = it.caps(limit);
        let full = Bytes(caps.written().0.saturating_add(caps.heap.0));
        let planned = scaled(caps.heap, 1000 + it.collector(limit, cpus).overhead(), 1000).0;
        let usual = Bytes(planned.saturating_add(beside(it, limit, Bytes(0)).planned().0));
        Bytes(usual.max(full).0.saturating_add(tmpfs.0))
    };
    let wanted = limit_for_growing(limit, needed).filter(|wanted| *wanted > limit);
    let wanted = wanted.map(|wanted| format!("a limit of at least {}Mi", wanted.0 >> 20));
    let fitting = fitting_heap(it, limit, cpus, tmpfs).filter(|heap| *heap < present);
    match (fitting, wanted) {
        // With less than a quarter of its heap it is another program.
        (Some(heap), Some(wanted)) if heap.0 < present.0 / 4 => {
            format!("{wanted}: beside the rest of a JVM this one leaves {heap} for the heap")
        }
        (Some(heap), Some(wanted)) => {
            format!("{} for this limit, or {wanted}; `oomph size` measures what is needed", heap_flag(heap))
        }
        (Some(heap), None) => format!("{} for this limit; a higher one gives the heap more too", heap_flag(heap)),
        (None, Some(wanted)) => format!("{wanted}: beside the rest of a JVM this one leaves no room for a heap"),
        (None, None) => "a smaller heap, or caps that are".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use crate::lint::{Source, lint};

    /// What helps against the first finding on a heap of so much under a limit.
    fn help(heap: &str, limit: &str) -> String {
        let text =
            format!("services:\n  a:\n    image: a\n    mem_limit: {limit}\n    command: java {heap} -jar a.jar\n");
        let document = lint(&[Source { name: "compose.yaml".into(), text }]);
        let found = document.findings.into_iter().find(|it| it.rule.starts_with("jvm-he"));
        found.expect("the heap is too large").help.into_iter().collect()
    }

    #[test]
    fn heaps_under_the_limit_of_a_pod_are_added_up() {
        let found = |heap: &str| {
            let container = |name: &str, heap: &str| {
                format!("  - {{name: {name}, image: registry/a:1, command: [java, -Xmx{heap}, -jar, a.jar]}}\n")
            };
            let (a, b) = (container("a", "1200m"), container("b", heap));
            let text = format!(
                "kind: Pod\napiVersion: v1\nmetadata: {{name: a}}\nspec:\n  resources: {{requests: {{memory: 2Gi}}, limits: \
                 {{memory: 2Gi}}}}\n  containers:\n{a}{b}"
            );
            let document = lint(&[Source { name: "a.yaml".into(), text }]);
            let found = document.findings.into_iter().filter(|it| it.rule == "jvm-heap-ge-limit");
            found.map(|it| it.region.line).collect::<Vec<_>>()
        };
        assert_eq!((found("1200m"), found("1300m"), found("256m")), (vec![7], vec![8], vec![]));
    }

    #[test]
    fn a_heap_that_would_be_another_programs_is_not_proposed() {
        let fitting = help("-Xmx900m", "1g");
        assert!(fitting.starts_with("-Xmx") && fitting.contains(" for this limit, or a limit"), "{fitting}");
        let help = help("-Xmx200m -XX:+UseSerialGC", "256m");
        assert!(help.starts_with("a limit of at least") && help.contains("leaves 3"), "{help}");
    }
}
