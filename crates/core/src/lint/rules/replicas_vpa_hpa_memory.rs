//! Two autoscalers that pull at the same memory.

use super::{Finding, Level, Scene};
use crate::lint::runtime::jvm::Jvm;
use crate::lint::surroundings::Surroundings;
use crate::lint::tree::At;
use crate::lint::workload::{Amount, Object, memory_metric};
use crate::units::Bytes;

super::rule!("replicas-vpa-hpa-memory", Warning, Object(judge), Workload(judge_bounds));

/// Below this no container starts (see `limit-below-runtime-min`).
const FLOOR: Bytes = Bytes::mib(12);

fn judge<'a>(object: &Object<'a>, surroundings: &Surroundings<'a>) -> Vec<Finding<'a>> {
    let Some((place, target)) = memory_metric(object) else { return Vec::new() };
    let same = surroundings.vertical.iter().filter(|vertical| {
        let other = vertical.node.path(&["spec", "targetRef"]);
        vertical.namespace == object.namespace && other.is_some_and(|other| names_same(target, other))
    });
    let of_memory = same.filter_map(|vertical| Some((vertical, controls_memory(vertical)?)));
    let finding = |(vertical, place_of): (&Object<'a>, At<'a>)| {
        Finding::new(
            Level::Warning,
            place,
            format!("{} and {} both act on the memory of {}", object.title(), vertical.title(), named(target)),
        )
        .label("adds replicas when memory is used")
        .related(place_of, "changes the request that the usage is measured by")
        .note("a higher request lowers the share that is used, so replicas go, so usage rises, and so on")
        .help("scale out by CPU or by requests, or take memory from the VPA (controlledResources: [cpu])")
    };
    of_memory.map(finding).collect()
}

/// Where a VPA says that it changes memory; none where it does not.
fn controls_memory<'a>(vertical: &Object<'a>) -> Option<At<'a>> {
    let spec = vertical.node.get("spec")?;
    let mode = spec.path(&["updatePolicy", "updateMode"]);
    if mode.and_then(At::text) == Some("Off") {
        return None;
    }
    let policies: Vec<At<'a>> =
        spec.path(&["resourcePolicy", "containerPolicies"]).into_iter().flat_map(At::items).collect();
    let leaves_memory = |policy: &At<'a>| {
        let listed = policy.get("controlledResources");
        let is_off = policy.text_of("mode") == Some("Off");
        is_off || listed.is_some_and(|listed| !listed.items().any(|it| it.text() == Some("memory")))
    };
    let all = policies.iter().find(|policy| policy.text_of("containerName") == Some("*"));
    if all.is_some_and(leaves_memory) && policies.iter().all(leaves_memory) {
        return None;
    }
    mode.or_else(|| spec.get("targetRef"))
}

fn names_same(a: At<'_>, b: At<'_>) -> bool {
    let kind = |node: At<'_>| node.text_of("kind").unwrap_or("Deployment").to_owned();
    kind(a) == kind(b) && a.text_of("name").is_some() && a.text_of("name") == b.text_of("name")
}

fn named(target: At<'_>) -> String {
    format!("{}/{}", target.text_of("kind").unwrap_or("Deployment"), target.text_of("name").unwrap_or(""))
}

/// Bounds of a VPA that the container cannot live with.
fn judge_bounds<'a>(scene: &Scene<'_, 'a>) -> Vec<Finding<'a>> {
    let object = scene.workload.object;
    let mut findings = Vec::new();
    for vertical in &scene.surroundings.vertical {
        let target = vertical.node.path(&["spec", "targetRef"]);
        let is_target = target.is_some_and(|target| {
            target.text_of("kind") == Some(object.kind) && target.text_of("name") == Some(object.name)
        });
        if !is_target || vertical.namespace != object.namespace || controls_memory(vertical).is_none() {
            continue;
        }
        let policies = vertical.node.path(&["spec", "resourcePolicy", "containerPolicies"]);
        for policy in policies.into_iter().flat_map(At::items) {
            let of = policy.text_of("containerName").unwrap_or("*");
            let amount = |name: &str| {
                let amount = Amount::read(policy.path(&[name, "memory"])?);
                Some((amount.node, amount.bytes()?))
            };
            for subject in scene.subjects().filter(|it| of == "*" || of == it.container.name) {
                let heap = subject.jvm().and_then(Jvm::max_heap);
                if let (Some((node, most)), Some(heap)) = (amount("maxAllowed"), heap)
                    && most <= heap.value
                {
                    let title = subject.container.title();
                    let message =
                        format!("the VPA may give {title} at most {most}, and its heap may take {}", heap.value);
                    findings.push(
                        Finding::new(Level::Warning, node, message)
                            .label("limits are scaled with the request")
                            .related(heap.part.place, format!("the heap may grow to {}", heap.value))
                            .help("raise maxAllowed above what the program needs, or lower the heap"),
                    );
                }
            }
            if let Some((node, least)) = amount("minAllowed").filter(|(_, least)| *least < FLOOR) {
                findings.push(
                    Finding::new(Level::Warning, node, format!("the VPA may go down to {least}, where nothing starts"))
                        .help(format!(
                            "set minAllowed.memory to at least {FLOOR}, and to what the program starts with"
                        )),
                );
            }
        }
    }
    findings
}
