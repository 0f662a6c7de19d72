//! The class that the kubelet gives the pod, and the order of death that follows from it.

use super::{Finding, Level, Scene};
use crate::fact::Qos;
use crate::kubelet;
use crate::lint::subject::NODE;

super::rule!("qos-class", Warning, Workload(judge));

fn judge<'a>(scene: &Scene<'_, 'a>) -> Vec<Finding<'a>> {
    let workload = scene.workload;
    // Of amounts that cannot be read the API server makes no pod.
    let is_unread = workload.amounts().any(|(amount, _)| amount.quantity.is_none());
    if is_unread || workload.containers.iter().any(super::Container::is_patch) {
        return Vec::new();
    }
    let pod = scene.pod();
    let Some(first) = scene.subjects().find(|it| it.container.kind == super::ContainerKind::App) else {
        return Vec::new();
    };
    let place = first.container.title_node();
    match kubelet::qos(pod) {
        Some(Qos::BestEffort) => vec![
            Finding::new(Level::Warning, place, "the pod is BestEffort: it is the first to die and to be evicted")
                .label("no container has a request or a limit")
                .note("its processes have oom_score_adj 1000: whenever the node runs out, the kernel picks them first")
                .help("request the memory that it uses"),
        ],
        Some(Qos::Burstable) => {
            let adj = pod.containers.iter().map(|container| kubelet::oom_score_adj(pod, container, Some(NODE)));
            let highest = adj.flatten().max().map_or_else(String::new, |adj| format!("oom_score_adj up to {adj}"));
            vec![
                Finding::new(Level::Info, place, format!("the pod is Burstable: {highest}"))
                    .note("Guaranteed asks for requests equal to limits, of memory and of CPU, in every container")
                    .assume("a node with 16 GiB"),
            ]
        }
        _ => Vec::new(),
    }
}
