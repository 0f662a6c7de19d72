//! Whether a node was cordoned when a pod was evicted from it.

use jiff::{SignedDuration, Timestamp};

use super::{Proof, quote, removal, stop};
use crate::case::{Case, Seen};
use crate::diagnosis::Confidence;
use crate::fact::{Event, Node};

/// How late the kubelet tells that its node was cordoned: its `nodeStatusUpdateFrequency` of 10 s, and its jitter of half
/// of that (pkg/kubelet/kubelet_node_status.go `recordNodeSchedulableEvent`, v1.37).
const LATE: SignedDuration = SignedDuration::from_secs(15);

/// The node was cordoned when the pod was evicted: it is still, or its kubelet told of it at that time.
pub(super) fn at_the_eviction(case: &Case<'_>) -> Option<(Proof, Confidence)> {
    let cordoned = |node: &Seen<'_, Node>| {
        let tainted = |taint: &String| taint.starts_with("node.kubernetes.io/unschedulable");
        node.it.unschedulable || node.it.taints.iter().any(tainted)
    };
    let now = case.node.filter(cordoned).map(|node| Proof {
        says: "its node is cordoned, as a drain does first".into(),
        from: node.from.join("/spec/unschedulable"),
        excerpt: "unschedulable: true".into(),
    });
    now.map(|proof| (proof, Confidence::Proven)).or_else(|| cordoned_then(case))
}

/// The kubelet's word that its node was cordoned, with no word between it and the eviction that this was over. Its words
/// come late: it looks at its node when it reports, every ten seconds.
fn cordoned_then(case: &Case<'_>) -> Option<(Proof, Confidence)> {
    let node = case.pod_spec()?.node.as_deref()?;
    let stopped = || stop::stopping(case).filter(|_| case.is_gone())?.it.first;
    let evicted = removal::disruption(case).and_then(|condition| condition.since).or_else(stopped)?;
    let of_node = |event: &Seen<'_, Event>| {
        event.it.object.kind.as_deref() == Some("Node") && event.it.object.name.as_deref() == Some(node)
    };
    let told = |reason: &str| case.index.events.with_reason(reason).filter(of_node).collect::<Vec<_>>();
    let moments = |event: &Seen<'_, Event>| [event.it.first, event.it.last];
    let over: Vec<Timestamp> = told("NodeSchedulable").iter().flat_map(moments).flatten().collect();
    let stands =
        |at: Timestamp| at.duration_since(evicted) <= LATE && !over.iter().any(|over| (at..=evicted).contains(over));
    let cordons = told("NodeNotSchedulable");
    let (event, at) =
        cordons.iter().find_map(|event| Some((event, moments(event).into_iter().flatten().find(|at| stands(*at))?)))?;
    let proof = quote::event(event, "its node was cordoned at that time, as a drain does first");
    Some((proof, if at <= evicted { Confidence::Proven } else { Confidence::Likely }))
}
