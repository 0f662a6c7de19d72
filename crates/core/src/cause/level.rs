//! Which limit was hit, and so which verdict: as the kernel's report names it, else by what is left of the evidence.

use super::counted;
use super::told_on_node::{self, Told};
use crate::case::{Case, CaseKill, Life, Seen, Tie};
use crate::diagnosis::{Confidence, Verdict};
use crate::fact::{Event, Level, Resources};
use crate::kubelet;
use crate::units::Bytes;

/// Which knob a kill of the main process points to.
pub(super) fn verdict_of(case: &Case<'_>, kill: &CaseKill<'_>) -> Verdict {
    let report = kill.kill.it;
    let limit = report.memory.and_then(|memory| memory.limit);
    if report.level.is_none() && report.constraint.is_none() {
        // The reaper's line alone tells neither a cgroup's kill from the node's.
        return if case.death.is_some() { without_report(case).0 } else { Verdict::Undetermined };
    }
    if kill.tie == Tie::Moment && report.level.is_none() {
        return without_report(case).0;
    }
    verdict_at(case, report.level, limit, report.pod_uid.is_some())
}

/// The same, by the level alone; `limit` is the one that was hit, `of_pod`: the victim's cgroup is a pod's.
pub(super) fn verdict_at(case: &Case<'_>, level: Option<Level>, limit: Option<Bytes>, of_pod: bool) -> Verdict {
    match level {
        Some(Level::Pod) if pod_limit_is_the_containers(case, limit) => Verdict::ContainerLimitOom,
        Some(Level::Pod) => Verdict::PodLimitOom,
        Some(Level::NodeAllocatable) => Verdict::NodeAllocatableOom,
        Some(Level::Slice) if of_pod || case.pod.is_some() => Verdict::NodeAllocatableOom,
        Some(Level::Node | Level::Cpuset | Level::Mempolicy) => Verdict::NodeOom,
        // A node that is itself a container (kind, LXC): its outer limit is the node's memory.
        Some(Level::Lxc | Level::EcsTask | Level::UserUnit | Level::Other) if of_pod => Verdict::NodeOom,
        _ => Verdict::ContainerLimitOom,
    }
}

/// The pod's limit is nothing but the limit of its only limited container: the kubelet sums the containers' limits
/// into the pod's cgroup when every one has a limit (pkg/kubelet/cm/helpers_linux.go `ResourceConfigForPod`, v1.37).
fn pod_limit_is_the_containers(case: &Case<'_>, limit: Option<Bytes>) -> bool {
    let Some(pod) = case.pod_spec() else { return false };
    if pod.resources.memory_limit.is_some() {
        return false;
    }
    if case.is_gone() {
        return case.is_alone_in_its_pod() && pod.containers.len() == 1;
    }
    let Some(own) = case.container.and_then(container_limit) else { return false };
    let limited = pod.containers.iter().filter(|container| container_limit(container).is_some()).count();
    limited == 1 && (limit.is_none_or(|limit| page_round(limit) == page_round(own)) || was_resized_since(case))
}

/// The pod was resized in place after the end: what spec and status say now may not have been in force.
pub(crate) fn was_resized_since(case: &Case<'_>) -> bool {
    let (Some(pod), Some(end)) = (case.pod_spec(), case.finished()) else { return false };
    let name = case.container.and_then(|container| container.name.as_deref());
    let of_resize = pod.managers.iter().filter(|manager| {
        manager.subresource.as_deref() == Some("resize")
            && (manager.container.is_none() || manager.container.as_deref() == name)
    });
    let by_manager = of_resize.filter_map(|manager| manager.at).any(|at| at > end);
    by_manager || resize_since(case).is_some()
}

/// The kubelet's word for such a resize, which names the containers.
pub(super) fn resize_since<'a>(case: &Case<'a>) -> Option<Seen<'a, Event>> {
    let end = case.finished()?;
    let name = case.container.and_then(|container| container.name.as_deref());
    let names_it = |event: &Event| name.is_none_or(|name| event.message.contains(&format!("\"name\":\"{name}\"")));
    let resized = |event: &&Seen<'_, Event>| {
        matches!(event.it.reason.as_str(), "ResizeStarted" | "ResizeCompleted") && names_it(event.it)
    };
    case.events.iter().filter(resized).find(|event| event.it.last.or(event.it.first) > Some(end)).copied()
}

/// Limits are set in whole pages; 64 KiB pages are the largest in use (arm64, ppc64le).
fn page_round(bytes: Bytes) -> u64 {
    bytes.0 / 65_536
}

/// The limit that the node has applied, else the one of the spec.
pub(super) fn container_limit(container: &crate::fact::Container) -> Option<Bytes> {
    let applied = container.applied.as_ref().and_then(Resources::limit_bytes);
    // Zero sets none (pkg/kubelet/kuberuntime/kuberuntime_container_linux.go, v1.37).
    applied.or_else(|| container.resources.limit_bytes()).filter(|limit| limit.0 > 0)
}

/// Which level an OOMKilled of the main process most likely means: by the counters of the cgroups, by an earlier kill,
/// by events, else from the limits that are there.
pub(super) fn without_report(case: &Case<'_>) -> (Verdict, Option<(Level, Confidence)>, Confidence) {
    let earlier = case.kills.iter().rev().find(|kill| kill.life != Life::Present && !kill.kill.victims.is_empty());
    if let Some(kill) = earlier.filter(|kill| kill.kill.level.is_some()) {
        let level = kill.kill.level.map(|level| (level, Confidence::Likely));
        return (verdict_of(case, kill), level, Confidence::Likely);
    }
    if let Some(counted) = counted::level(case) {
        let verdict = verdict_at(case, Some(counted.level), None, case.pod.is_some());
        return (verdict, Some((counted.level, counted.confidence)), counted.confidence);
    }
    let told = told_on_node::level(case);
    if told == Some(Told::Node) {
        return (Verdict::NodeOom, Some((Level::Node, Confidence::Likely)), Confidence::Likely);
    }
    let engine = case.engine.and_then(|engine| engine.it.memory_limit);
    if case.container.and_then(container_limit).or(engine).is_some() {
        return (Verdict::ContainerLimitOom, Some((Level::Container, Confidence::Likely)), Confidence::Likely);
    }
    if case.pod_spec().is_some_and(|pod| kubelet::pod_limit(pod).is_some()) {
        return (Verdict::PodLimitOom, Some((Level::Pod, Confidence::Likely)), Confidence::Likely);
    }
    if told == Some(Told::AboveThePod) {
        let level = Some((Level::NodeAllocatable, Confidence::Likely));
        return (Verdict::NodeAllocatableOom, level, Confidence::Likely);
    }
    if case.pod.is_none() && case.engine.is_some_and(|engine| engine.it.unlimited) {
        return (Verdict::NodeOom, Some((Level::Node, Confidence::Possible)), Confidence::Possible);
    }
    if has_no_limit(case) {
        return (
            Verdict::NodeAllocatableOom,
            Some((Level::NodeAllocatable, Confidence::Possible)),
            Confidence::Possible,
        );
    }
    (Verdict::ContainerLimitOom, Some((Level::Container, Confidence::Possible)), Confidence::Likely)
}

/// The artifact shows the container's resources, and there is no limit on memory at any level of the pod.
fn has_no_limit(case: &Case<'_>) -> bool {
    case.pod_spec().is_some_and(|pod| {
        let shown = pod.complete || pod.qos.is_some();
        shown && kubelet::pod_limit(pod).is_none() && case.container.is_some_and(|own| container_limit(own).is_none())
    })
}
