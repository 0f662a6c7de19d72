//! The memory settings that were in force, who set them, and what the memory consisted of.

use crate::case::Case;
use crate::cause::was_resized_since;
use crate::diagnosis::{Composition, MemoryReport};
use crate::fact::{KernelKill, Level, Resources};
use crate::kubelet;

/// Settings and composition of a case.
pub(super) fn of(case: &Case<'_>) -> MemoryReport {
    let pod = case.pod_spec();
    let capacity = case.node.and_then(|node| node.it.memory_capacity).map(crate::units::Quantity::bytes);
    let of_life = || case.life_kills();
    let report = if case.is_gone() { of_life().max_by_key(|kill| kill.kill.at) } else { of_life().next() };
    let report = report.map(|kill| kill.kill.it);
    let spec = case.container.map(|container| &container.resources);
    let applied = case.container.and_then(|container| container.applied.as_ref());
    // A cgroup that it made for itself has a limit of its own.
    let own = |kill: &&KernelKill| kill.level == Some(Level::Container) && kill.below_the_container().is_none();
    let by_kernel = report.filter(own).and_then(|kill| kill.memory?.limit);
    let by_engine = case.engine.and_then(|engine| engine.it.memory_limit);
    // What was resized after the end was not in force.
    let stale = was_resized_since(case);
    let applied = applied.filter(|_| !stale);
    let spec = spec.filter(|_| !stale);
    let stated = applied.and_then(Resources::limit_bytes).or_else(|| spec?.limit_bytes()).or(by_engine);
    let of_pod = report.filter(|kill| kill.level == Some(Level::Pod)).and_then(|kill| kill.memory?.limit);
    MemoryReport {
        request_bytes: applied.and_then(Resources::request_bytes).or_else(|| spec?.request_bytes()),
        // The kernel's own number is what was in force at the kill.
        limit_bytes: by_kernel.or(stated),
        limit_from: if stale {
            by_kernel.map(|_| "kernel log".to_owned())
        } else {
            limit_from(case, by_kernel.is_some())
        },
        pod_limit_bytes: if stale { of_pod } else { pod.and_then(kubelet::pod_limit) },
        qos_class: pod.and_then(kubelet::qos).or_else(|| report?.qos),
        oom_score_adj: pod
            .zip(case.container)
            .and_then(|(pod, container)| kubelet::oom_score_adj(pod, container, capacity))
            .or_else(|| report?.victims.first()?.oom_score_adj),
        composition: report.map(Composition::of).unwrap_or_default(),
    }
}

/// Who set the limit, by the marks that VPA, LimitRanger and resizes leave.
fn limit_from(case: &Case<'_>, by_kernel: bool) -> Option<String> {
    let name = case.container.and_then(|container| container.name.as_deref());
    let has_limit = case.container.is_some_and(|container| container.resources.memory_limit.is_some());
    let Some(pod) = case.pod_spec() else {
        let engine = case.engine.and_then(|engine| engine.it.memory_limit);
        let from = if case.is_command() { "oomph run" } else { "engine" };
        return engine.map(|_| from.to_owned()).or_else(|| by_kernel.then(|| "kernel log".to_owned()));
    };
    if !has_limit {
        return by_kernel.then(|| "kernel log".to_owned());
    }
    let resized = pod.managers.iter().any(|manager| {
        manager.subresource.as_deref() == Some("resize")
            && (manager.container.is_none() || manager.container.as_deref() == name)
    });
    let vpa = pod.managers.iter().any(|manager| manager.name.contains("vpa"))
        || pod
            .memory_annotations
            .iter()
            .any(|(key, _)| key.contains("vpaUpdates") || key.contains("vpaObservedContainers"));
    let ranged = pod.memory_annotations.iter().any(|(key, value)| {
        key == "kubernetes.io/limit-ranger"
            && value
                .split(';')
                .any(|part| part.contains("memory limit for container") && name.is_some_and(|name| part.contains(name)))
    });
    let from = match (vpa, resized, ranged) {
        (true, _, _) => "VPA",
        (_, true, _) => "resize",
        (_, _, true) => "LimitRange",
        _ if pod.complete || pod.owner.is_some() => "template",
        _ => return None,
    };
    Some(from.to_owned())
}
