//! What the kubelet computes from a pod: QoS class, `oom_score_adj`, the pod's memory limit.
//!
//! Sources: pkg/apis/core/v1/helper/qos/qos.go, pkg/kubelet/qos/policy.go, pkg/kubelet/cm/helpers_linux.go,
//! pkg/kubelet/types/pod_update.go; Kubernetes v1.37.2. Memory from DRA claims (alpha there) is not counted.

use crate::fact::{Container, ContainerKind, Pod, Qos, Resources};
use crate::units::{Bytes, Quantity};

/// `oom_score_adj` of Guaranteed and node-critical pods.
const GUARANTEED_ADJ: i64 = -997;
/// `oom_score_adj` of BestEffort pods.
const BEST_EFFORT_ADJ: i64 = 1000;
/// The priority class of pods that are killed last; its priority is 2000001000.
const NODE_CRITICAL: &str = "system-node-critical";

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
        _ if pod.priority_class.as_deref() == Some(NODE_CRITICAL) => GUARANTEED_ADJ,
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

/// What the pod-level request leaves over, shared evenly by its containers, init containers included.
fn spare_pod_request(pod: &Pod) -> i128 {
    let Some(request) = pod.resources.request_bytes().or(pod.resources.limit_bytes()) else { return 0 };
    let of_pod = |container: &&Container| !matches!(container.kind, ContainerKind::Ephemeral | ContainerKind::Sandbox);
    let used = aggregate(pod, |container| Some(effective_request(container))).unwrap_or_default();
    let count = pod.containers.iter().filter(of_pod).count();
    i128::from(request.0.saturating_sub(used)) / (count.max(1) as i128)
}

/// The limit of the pod's cgroup: its own, or that of its containers together where every one has a limit.
pub fn pod_limit(pod: &Pod) -> Option<Bytes> {
    let own = pod.resources.limit_bytes();
    let sum = || {
        aggregate(pod, |container| container.resources.limit_bytes().map(|limit| limit.0).filter(|limit| *limit > 0))
    };
    own.or_else(|| sum().filter(|sum| *sum > 0 && pod.complete).map(Bytes))
}

/// What the containers need together: those that run at once add up, and init containers run before them, one by one,
/// beside the sidecars started so far (k8s.io/component-helpers/resource `AggregateContainerRequests`).
fn aggregate(pod: &Pod, amount: impl Fn(&Container) -> Option<u64>) -> Option<u64> {
    let (mut running, mut sidecars, mut init) = (0_u64, 0_u64, 0_u64);
    for container in &pod.containers {
        match container.kind {
            ContainerKind::App => running = running.saturating_add(amount(container)?),
            ContainerKind::Sidecar => {
                sidecars = sidecars.saturating_add(amount(container)?);
                init = init.max(sidecars);
            }
            ContainerKind::Init => init = init.max(sidecars.saturating_add(amount(container)?)),
            ContainerKind::Ephemeral | ContainerKind::Sandbox => {}
        }
    }
    Some(running.saturating_add(sidecars).max(init))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NODE: Option<Bytes> = Some(Bytes::mib(16 * 1024));

    fn container(kind: ContainerKind, request: &str, limit: &str) -> Container {
        let quantity = |text: &str| text.parse().ok();
        Container {
            kind,
            resources: Resources {
                memory_request: quantity(request),
                memory_limit: quantity(limit),
                ..Resources::default()
            },
            ..Container::default()
        }
    }

    fn pod(containers: Vec<Container>) -> Pod {
        Pod { complete: true, containers, ..Pod::default() }
    }

    fn adj(pod: &Pod, index: usize) -> i32 {
        oom_score_adj(pod, &pod.containers[index], NODE).unwrap()
    }

    #[test]
    fn a_pod_without_resources_is_best_effort_and_dies_first() {
        let pod = pod(vec![container(ContainerKind::App, "", "")]);
        assert_eq!((qos(&pod), adj(&pod, 0)), (Some(Qos::BestEffort), 1000));
    }

    #[test]
    fn a_burstable_container_is_spared_by_its_share_of_the_node() {
        let pod = pod(vec![container(ContainerKind::App, "1638400Ki", "2Gi"), container(ContainerKind::App, "", "")]);
        assert_eq!(qos(&pod), Some(Qos::Burstable));
        assert_eq!((adj(&pod, 0), adj(&pod, 1)), (1000 - 97, 999));
    }

    #[test]
    fn a_request_of_the_whole_node_stays_above_guaranteed() {
        let pod = pod(vec![container(ContainerKind::App, "16Gi", "")]);
        assert_eq!(adj(&pod, 0), 3);
    }

    #[test]
    fn a_sidecar_dies_no_earlier_than_what_it_serves() {
        let pod = pod(vec![container(ContainerKind::Sidecar, "16Mi", ""), container(ContainerKind::App, "8Gi", "")]);
        assert_eq!((adj(&pod, 0), adj(&pod, 1)), (500, 500));
    }

    #[test]
    fn what_the_pod_requests_beyond_its_containers_is_shared() {
        let resources = Resources { memory_request: "8Gi".parse().ok(), ..Resources::default() };
        let containers = vec![container(ContainerKind::App, "", ""), container(ContainerKind::App, "", "")];
        let pod = Pod { resources, ..pod(containers) };
        assert_eq!(adj(&pod, 0), 750);
    }

    #[test]
    fn only_the_node_critical_class_is_spared_as_guaranteed() {
        let burstable = || pod(vec![container(ContainerKind::App, "1Gi", "")]);
        let cluster = Pod {
            priority: Some(2_000_000_000),
            priority_class: Some("system-cluster-critical".into()),
            ..burstable()
        };
        let node = Pod { priority_class: Some(NODE_CRITICAL.into()), ..burstable() };
        assert_eq!((adj(&cluster, 0), adj(&node, 0)), (938, -997));
    }

    #[test]
    fn the_pod_has_a_limit_only_where_every_container_has() {
        let mut whole = pod(vec![
            container(ContainerKind::Init, "", "1Gi"),
            container(ContainerKind::App, "", "256Mi"),
            container(ContainerKind::App, "", "256Mi"),
        ]);
        assert_eq!(pod_limit(&whole), Some(Bytes::mib(1024)));
        whole.containers.push(container(ContainerKind::App, "64Mi", ""));
        assert_eq!(pod_limit(&whole), None);
    }
}
