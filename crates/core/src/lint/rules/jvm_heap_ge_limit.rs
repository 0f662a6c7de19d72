//! A heap that alone takes the whole limit.

use std::cmp::Reverse;

use super::{Finding, Level, Scene, Subject};
use crate::lint::runtime::jvm::{Refused, cpus, fit};
use crate::lint::surroundings::Surroundings;
use crate::lint::workload::strimzi::{Options, options};
use crate::lint::workload::{ContainerKind, Object};
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
    let usual = fit::help(it, limit.bytes, cpus(subject), tmpfs);
    let complete = |mut finding: Finding<'a>| {
        finding.help.get_or_insert_with(|| usual.clone().into());
        finding.assumed.extend(it.assumed());
        if tmpfs.0 > 0 {
            finding.notes.push(format!("files in memory may take {tmpfs} of the limit").into());
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
