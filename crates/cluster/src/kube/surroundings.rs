//! What stands around the pods: their nodes, the namespace's limits, and what is used right now.

use std::collections::BTreeSet;

use futures::{StreamExt, stream};
use serde::Deserialize;

use super::api::Api;
use super::glance::Metadata;
use super::list::{list, request_name};
use super::pods::Found;
use super::{Clock, Missing, Permission, fetch, refused};
use oomph_core::artifact::{Captured, Status};

/// Conditions, boot id, capacity, taints.
pub(super) const NODES: Permission = Permission {
    name: "nodes",
    group: "",
    resource: "nodes",
    verbs: &["get"],
    cluster_wide: true,
    without: "the node's boot, conditions, cordon and taints are not known",
    risk: "",
};

/// Limits that a pod got without asking.
pub(super) const LIMIT_RANGES: Permission = Permission {
    name: "limit ranges",
    group: "",
    resource: "limitranges",
    verbs: &["list"],
    cluster_wide: false,
    without: "it is not known whether the namespace set the limit",
    risk: "",
};

/// What pods use now.
pub(super) const POD_METRICS: Permission = Permission {
    name: "pod metrics",
    group: "metrics.k8s.io",
    resource: "pods",
    verbs: &["list"],
    cluster_wide: false,
    without: "what the pods use now is not known",
    risk: "",
};

/// What nodes use now.
pub(super) const NODE_METRICS: Permission = Permission {
    name: "node metrics",
    group: "metrics.k8s.io",
    resource: "nodes",
    verbs: &["get"],
    cluster_wide: true,
    without: "what the nodes use now is not known",
    risk: "",
};

/// Nodes read at most; those of troubled pods come first.
const MOST_NODES: usize = 100;
/// Namespaces whose limits and usage are read at most.
const MOST_NAMESPACES: usize = 50;

/// The nodes themselves.
pub(super) async fn nodes(api: &Api, found: &Found, clock: Clock) -> Captured {
    let until = clock.source();
    let read = |node: String| {
        let path = format!("/api/v1/nodes/{node}");
        async move { fetch(api, &path, &NODES, None, Missing::Tell, until).await.0 }
    };
    // One refusal stands for all: ask for the first alone.
    let mut names = found.nodes.iter().take(MOST_NODES).cloned();
    let Some(first) = names.next() else { return Captured::default() };
    let mut captured = read(first).await;
    if captured.sources.iter().any(|source| source.status == Status::Forbidden) {
        return captured;
    }
    for part in stream::iter(names).map(read).buffered(8).collect::<Vec<_>>().await {
        captured.append(part);
    }
    if found.nodes.len() > MOST_NODES {
        let because = format!("of {} nodes the first {MOST_NODES} were read", found.nodes.len());
        captured.gap("the other nodes", because, "oomph why -n NAMESPACE");
    }
    captured
}

fn namespaces(found: &Found) -> impl Iterator<Item = String> + use<> {
    let all: BTreeSet<_> = found.troubled.iter().map(|pod| pod.metadata.namespace.clone()).collect();
    all.into_iter().filter(|namespace| !namespace.is_empty()).take(MOST_NAMESPACES)
}

/// The limit ranges of the namespaces with trouble.
pub(super) async fn limit_ranges(api: &Api, found: &Found, clock: Clock) -> Captured {
    let until = clock.source();
    let read = stream::iter(namespaces(found)).map(|namespace| async move {
        let path = format!("/api/v1/namespaces/{namespace}/limitranges");
        let name = request_name(&path, &[]);
        let mut captured = Captured::default();
        match list(api, &path, &[], until, |_| true).await {
            Ok(listing) => captured.append(listing.into_captured(LIMIT_RANGES.name, &name)),
            Err(refusal) => {
                refused(&mut captured, &name, &LIMIT_RANGES, Some(&namespace), &refusal, Missing::Tell);
            }
        }
        captured
    });
    read.buffered(4).fold(Captured::default(), joined).await
}

/// What metrics-server says. It need not be installed, and what is used now tells little of what died: a status, never a gap.
pub(super) async fn usage(api: &Api, found: &Found, clock: Clock) -> Captured {
    #[derive(Deserialize)]
    struct Named {
        metadata: Metadata,
    }
    let until = clock.source();
    let kept: BTreeSet<_> =
        found.troubled.iter().map(|pod| (pod.metadata.namespace.as_str(), pod.metadata.name.as_str())).collect();
    let kept = &kept;
    let pods = stream::iter(namespaces(found)).map(|namespace| async move {
        let path = format!("/apis/metrics.k8s.io/v1beta1/namespaces/{namespace}/pods");
        let name = request_name(&path, &[]);
        let wanted = |json: &str| {
            serde_json::from_str::<Named>(json)
                .is_ok_and(|named| kept.contains(&(named.metadata.namespace.as_str(), named.metadata.name.as_str())))
        };
        let mut captured = Captured::default();
        match list(api, &path, &[], until, wanted).await {
            Ok(listing) => captured.append(listing.into_captured(POD_METRICS.name, &name)),
            Err(refusal) => {
                refused(&mut captured, &name, &POD_METRICS, Some(&namespace), &refusal, Missing::Silent);
            }
        }
        captured
    });
    let mut captured = pods.buffered(4).fold(Captured::default(), joined).await;
    if captured.artifacts.is_empty() {
        return captured;
    }
    let of_troubled: BTreeSet<_> = found.troubled.iter().filter_map(|pod| pod.spec.node_name.clone()).collect();
    let nodes = stream::iter(of_troubled.into_iter().take(MOST_NODES)).map(|node| async move {
        let path = format!("/apis/metrics.k8s.io/v1beta1/nodes/{node}");
        fetch(api, &path, &NODE_METRICS, None, Missing::Silent, until).await.0
    });
    captured.append(nodes.buffered(4).fold(Captured::default(), joined).await);
    captured
}

async fn joined(mut all: Captured, part: Captured) -> Captured {
    all.append(part);
    all
}
