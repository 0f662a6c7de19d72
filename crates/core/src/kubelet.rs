//! What the kubelet computes from a pod: QoS class, `oom_score_adj`, the pod's memory limit.
//!
//! Sources: pkg/apis/core/v1/helper/qos/qos.go, pkg/kubelet/qos/policy.go, pkg/kubelet/cm/helpers_linux.go,
//! pkg/kubelet/types/pod_update.go; Kubernetes v1.37.

use crate::fact::{Container, ContainerKind, Pod, Qos, Resources};
use crate::units::{Bytes, Quantity};

/// `oom_score_adj` of Guaranteed and node-critical pods.
const GUARANTEED_ADJ: i64 = -997;
/// `oom_score_adj` of BestEffort pods.
const BEST_EFFORT_ADJ: i64 = 1000;
/// Priority from which on a pod is critical to its node (`system-node-critical` is 2000001000).
const CRITICAL_PRIORITY: i64 = 2_000_000_000;

/// The QoS class: the API's word where it is there, else by the rules.
pub fn qos(pod: &Pod) -> Option<Qos> {
    if pod.qos.is_some() {
        return pod.qos;
    }
    if !pod.complete {
        return None;
    }
    // Pod-level resources, where set, decide alone (KEP-2837).
    if pod.resources != Resources::default() {
        return Some(class([&pod.resources].into_iter()));
    }
    let counted = pod.containers.iter().filter(|container| container.kind != ContainerKind::Ephemeral);
    Some(class(counted.map(|container| &container.resources)))
}

fn class<'a>(resources: impl Iterator<Item = &'a Resources>) -> Qos {
    let (mut any, mut all) = (false, true);
    for it in resources {
        let set = |quantity: Option<Quantity>| quantity.filter(|quantity| !quantity.is_zero());
        let (memory_limit, cpu_limit) = (set(it.memory_limit), set(it.cpu_limit));
        // A request that is not given is the limit (API defaulting).
        let memory_request = set(it.memory_request).or(memory_limit);
        let cpu_request = set(it.cpu_request).or(cpu_limit);
        any |= memory_limit.is_some() || cpu_limit.is_some() || memory_request.is_some() || cpu_request.is_some();
        all &=
            memory_limit.is_some() && cpu_limit.is_some() && memory_request == memory_limit && cpu_request == cpu_limit;
    }
    match (any, all) {
        (false, _) => Qos::BestEffort,
        (true, true) => Qos::Guaranteed,
        (true, false) => Qos::Burstable,
    }
}

/// `oom_score_adj` that the kubelet gives a container's processes; `None` where the node's capacity or the spec is not known.
pub fn oom_score_adj(pod: &Pod, container: &Container, capacity: Option<Bytes>) -> Option<i32> {
    let adj = match qos(pod)? {
        _ if pod.priority.is_some_and(|priority| priority >= CRITICAL_PRIORITY) => GUARANTEED_ADJ,
        Qos::Guaranteed => GUARANTEED_ADJ,
        Qos::BestEffort => BEST_EFFORT_ADJ,
        Qos::Burstable => burstable(pod, container, capacity?)?,
    };
    i32::try_from(adj).ok()
}

/// 1000 minus the thousandths of the node's memory that the container requests, within 3..=999.
fn burstable(pod: &Pod, container: &Container, capacity: Bytes) -> Option<i64> {
    let capacity = i128::from(capacity.0);
    if capacity == 0 {
        return None;
    }
    let spare = spare_pod_request(pod);
    let thousandths = |request: u64| 1000 - (1000 * (i128::from(request) + spare)) / capacity;
    let request = |container: &Container| effective_request(container);
    let mut adj = thousandths(request(container));
    if container.kind == ContainerKind::Sidecar {
        // A sidecar must not die before the containers that it serves.
        let smallest = regular(pod).map(request).min();
        adj = smallest.map_or(adj, |smallest| adj.min(thousandths(smallest)));
    }
    let adj = i64::try_from(adj).ok()?;
    Some(match adj {
        low if low < 1000 + GUARANTEED_ADJ => 1000 + GUARANTEED_ADJ,
        BEST_EFFORT_ADJ => BEST_EFFORT_ADJ - 1,
        adj => adj,
    })
}

fn regular(pod: &Pod) -> impl Iterator<Item = &Container> {
    pod.containers.iter().filter(|container| container.kind == ContainerKind::App)
}

fn effective_request(container: &Container) -> u64 {
    container.resources.request_bytes().or(container.resources.limit_bytes()).unwrap_or_default().0
}

/// What the pod-level request leaves over, shared evenly by its containers.
fn spare_pod_request(pod: &Pod) -> i128 {
    let Some(request) = pod.resources.request_bytes().or(pod.resources.limit_bytes()) else { return 0 };
    let counted: Vec<&Container> = pod
        .containers
        .iter()
        .filter(|container| matches!(container.kind, ContainerKind::App | ContainerKind::Sidecar))
        .collect();
    let used: u64 = counted.iter().map(|container| effective_request(container)).sum();
    i128::from(request.0.saturating_sub(used)) / (counted.len().max(1) as i128)
}

/// The limit of the pod's cgroup: its own, or the sum where every container has one (init containers run before, so
/// the larger of both counts).
pub fn pod_limit(pod: &Pod) -> Option<Bytes> {
    if let Some(limit) = pod.resources.limit_bytes() {
        return Some(limit);
    }
    let mut running = 0_u64;
    let mut largest_init = 0_u64;
    let mut sidecars = 0_u64;
    for container in &pod.containers {
        let limit = || container.resources.limit_bytes().filter(|limit| limit.0 > 0).map(|limit| limit.0);
        match container.kind {
            ContainerKind::App => running += limit()?,
            ContainerKind::Sidecar => {
                sidecars += limit()?;
                largest_init = largest_init.max(sidecars);
            }
            ContainerKind::Init => largest_init = largest_init.max(sidecars + limit()?),
            ContainerKind::Ephemeral | ContainerKind::Sandbox => {}
        }
    }
    let limit = (running + sidecars).max(largest_init);
    (limit > 0 && pod.complete).then_some(Bytes(limit))
}
