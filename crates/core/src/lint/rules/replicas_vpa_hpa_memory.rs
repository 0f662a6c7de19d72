//! Two autoscalers that pull at the same memory.

use super::{Finding, Level, Scene};
use crate::budget::scaled;
use crate::lint::runtime::jvm::Jvm;
use crate::lint::surroundings::{Surroundings, home};
use crate::lint::tree::At;
use crate::lint::workload::{Amount, ContainerKind, Object, memory_metric};
use crate::units::Bytes;

super::rule!("replicas-vpa-hpa-memory", Warning, Object(judge), Workload(judge_bounds));

/// Below this no container starts (see `limit-below-runtime-min`).
const FLOOR: Bytes = Bytes::mib(12);

fn judge<'a>(object: &Object<'a>, surroundings: &Surroundings<'a>) -> Vec<Finding<'a>> {
    // An amount is no share of the request, and does not change with it.
    let Some(metric) = memory_metric(object).filter(|metric| metric.is_share) else { return Vec::new() };
    let target = metric.target;
    let name = target.text_of("name").unwrap_or("");
    let known = surroundings.containers(object.namespace, kind(target), name).filter(|all| !all.is_empty());
    let measured = |container: &&str| metric.container.is_none_or(|it| it == *container);
    let same = surroundings.vertical.iter().filter(|vertical| {
        let other = vertical.node.path(&["spec", "targetRef"]);
        home(vertical.namespace) == home(object.namespace) && other.is_some_and(|other| names_same(target, other))
    });
    let acts = |vertical: &&Object<'a>| match (known, metric.container) {
        (Some(known), _) => {
            known.iter().copied().filter(measured).any(|name| policy(vertical, name).is_none_or(takes_memory))
        }
        (None, Some(name)) => policy(vertical, name).is_none_or(takes_memory),
        // Containers that are not in the input may be those that are named, and may be others.
        (None, None) => policies(vertical).next().is_none() || policies(vertical).any(takes_memory),
    };
    let of_memory = same.filter(acts).filter_map(|vertical| Some((vertical, is_on(vertical)?)));
    let finding = |(vertical, place_of): (&Object<'a>, At<'a>)| {
        Finding::new(
            Level::Warning,
            metric.place,
            format!("{} and {} both act on the memory of {}/{name}", object.title(), vertical.title(), kind(target)),
        )
        .label("adds replicas when memory is used")
        .related(place_of, "changes the request that the usage is measured by")
        .note("a higher request lowers the share that is used, so replicas go, so usage rises, and so on")
        .help("scale out by CPU or by requests, or take memory from the VPA (controlledResources: [cpu])")
    };
    of_memory.map(finding).collect()
}

/// Where a VPA says that it acts; none where it only recommends.
fn is_on<'a>(vertical: &Object<'a>) -> Option<At<'a>> {
    let spec = vertical.node.get("spec")?;
    let mode = spec.path(&["updatePolicy", "updateMode"]);
    let is_off = mode.and_then(At::text) == Some("Off");
    if is_off { None } else { mode.or_else(|| spec.get("targetRef")) }
}

fn policies<'a>(vertical: &Object<'a>) -> impl Iterator<Item = At<'a>> + use<'a> {
    vertical.node.path(&["spec", "resourcePolicy", "containerPolicies"]).into_iter().flat_map(At::items)
}

/// The policy of a container: its own, or that of all others (`GetContainerResourcePolicy`, pkg/utils/vpa, VPA 1.x).
fn policy<'a>(vertical: &Object<'a>, container: &str) -> Option<At<'a>> {
    let of = |name: &str| policies(vertical).find(|policy| policy.text_of("containerName") == Some(name));
    of(container).or_else(|| of("*"))
}

/// A policy that lets memory be changed.
fn takes_memory(policy: At<'_>) -> bool {
    let listed = policy.get("controlledResources");
    let is_listed = listed.is_none_or(|listed| listed.items().any(|it| it.text() == Some("memory")));
    is_listed && policy.text_of("mode") != Some("Off")
}

fn kind(target: At<'_>) -> &str {
    target.text_of("kind").unwrap_or("Deployment")
}

fn names_same(a: At<'_>, b: At<'_>) -> bool {
    kind(a) == kind(b) && a.text_of("name").is_some() && a.text_of("name") == b.text_of("name")
}

/// Bounds of a VPA that the container cannot live with. They bound the request, and the limit keeps its proportion to it
/// (`controlledValues: RequestsAndLimits`, the default).
fn judge_bounds<'a>(scene: &Scene<'_, 'a>) -> Vec<Finding<'a>> {
    let object = scene.workload.object;
    let is_target = |vertical: &&Object<'a>| {
        let target = vertical.node.path(&["spec", "targetRef"]);
        let is_named =
            |target: At<'_>| target.text_of("kind") == Some(object.kind) && target.text_of("name") == Some(object.name);
        target.is_some_and(is_named) && home(vertical.namespace) == home(object.namespace) && is_on(vertical).is_some()
    };
    let mut findings = Vec::new();
    for vertical in scene.surroundings.vertical.iter().filter(is_target) {
        for subject in scene.subjects().filter(|it| it.container.kind != ContainerKind::Init) {
            let Some(policy) = policy(vertical, subject.container.name).filter(|it| takes_memory(*it)) else {
                continue;
            };
            let Some(limit) = subject.own_limit() else { continue };
            if policy.text_of("controlledValues") == Some("RequestsOnly") {
                continue;
            }
            let request = subject.request().map_or(limit.bytes, |request| request.bytes);
            let bound = |name: &str| {
                let amount = Amount::read(policy.path(&[name, "memory"])?);
                let bytes = amount.bytes()?;
                Some((amount.node, bytes, scaled(bytes, limit.bytes.0, request.0)))
            };
            let title = subject.container.title();
            let heap = subject.jvm().and_then(Jvm::max_heap);
            if let (Some((node, most, limit)), Some(heap)) = (bound("maxAllowed"), heap)
                && limit <= heap.value
            {
                let means = if limit == most { String::new() } else { format!(", a limit of {limit}") };
                let message =
                    format!("the VPA may give {title} at most {most}{means}, and its heap may take {}", heap.value);
                findings.push(
                    Finding::new(Level::Warning, node, message)
                        .label("limits are scaled with the request")
                        .related(heap.part.place, format!("the heap may grow to {}", heap.value))
                        .help("raise maxAllowed above what the program needs, or lower the heap"),
                );
            }
            if let Some((node, least, _)) = bound("minAllowed").filter(|(_, _, limit)| *limit < FLOOR) {
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
