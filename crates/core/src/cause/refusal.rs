//! The words in which the scheduler, the kubelet and the API server's admission refuse a pod.

use super::removal::{self, Short};
use super::{Proof, quote};
use crate::case::{Case, Seen};
use crate::fact::Event;

/// Whether memory was what was lacking.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lack {
    /// Some node has all but the memory.
    Memory,
    /// Memory among other things; no node is known that lacks memory alone.
    Mixed,
    /// Memory is not named.
    Other,
}

/// The scheduler's last word on a pod that waits for a node, and what was lacking by it.
pub(super) fn unschedulable<'a>(case: &Case<'a>) -> Option<(Seen<'a, Event>, Lack)> {
    let pod = case.pod_spec()?;
    let pending = pod.phase.as_deref().is_none_or(|phase| phase == "Pending") && pod.node.is_none();
    let failed = case.events.iter().filter(|event| event.it.reason == "FailedScheduling" && pending);
    let event = *failed.max_by_key(|event| event.it.last)?;
    Some((event, lack(&event.it.message)))
}

/// The kubelet's OutOfmemory, an admission under memory pressure, or the scheduler's Insufficient memory.
pub(super) fn for_memory(case: &Case<'_>) -> Option<Proof> {
    if case.pod?.pod.node.is_some() && case.death.is_some() {
        return None;
    }
    let pod = case.pod_spec()?;
    if pod.reason.as_deref().is_some_and(|reason| reason.eq_ignore_ascii_case("OutOfmemory")) {
        return quote::pod_reason(
            case,
            "the kubelet refused the pod: its memory request does not fit what is left of the node",
        );
    }
    if let Some(proof) = for_pressure(case) {
        return Some(proof);
    }
    // pkg/kubelet/cm/memorymanager/policy_static.go (v1.37).
    if pod.reason.as_deref() == Some("UnexpectedAdmissionError")
        && pod.message.as_deref().is_some_and(|message| message.contains("[memorymanager]"))
    {
        return quote::pod_reason(case, "the kubelet refused the pod: no NUMA node has the memory that it asks for");
    }
    let of_kubelet = || case.events.iter().rev().find(|event| event.it.reason.eq_ignore_ascii_case("OutOfmemory"));
    let of_scheduler = unschedulable(case).filter(|(_, lack)| *lack == Lack::Memory).map(|(event, _)| event);
    let event = of_scheduler.or_else(|| of_kubelet().copied())?;
    Some(quote::event(&event, "no node has that much memory left to promise"))
}

/// The node already had memory pressure (pkg/kubelet/eviction/eviction_manager.go `Admit`, v1.37).
pub(super) fn for_pressure(case: &Case<'_>) -> Option<Proof> {
    let (message, proof) = removal::eviction(case)?;
    let refused = removal::short_of(&message) == Some(Short::Refused) && message.contains("MemoryPressure");
    refused.then(|| Proof { says: "the kubelet refused the pod: the node already had memory pressure".into(), ..proof })
}

/// Reads `0/3 nodes are available: 1 Insufficient memory, 2 Insufficient cpu. preemption: ...`. Each reason stands with
/// the number of nodes that have it, and a node may have several (pkg/scheduler/framework/types.go `FitError`, v1.37).
fn lack(message: &str) -> Lack {
    if !message.contains("Insufficient memory") {
        return Lack::Other;
    }
    let Some((nodes, others)) = counts(message) else { return Lack::Memory };
    // Where the other reasons together do not reach every node, one is left that lacks memory alone.
    if others.iter().sum::<u32>() < nodes { Lack::Memory } else { Lack::Mixed }
}

/// The number of nodes, and on how many of them each reason other than memory holds.
fn counts(message: &str) -> Option<(u32, Vec<u32>)> {
    let (nodes, reasons) = message.split_once(" nodes are available: ")?;
    let nodes = nodes.rsplit('/').next()?.trim().parse().ok()?;
    let reasons = reasons.split(" preemption:").next()?.trim_end_matches(['.', ' ']);
    let others = reasons.split(", ").filter(|reason| !reason.ends_with("Insufficient memory"));
    // A part without a number belongs to the reason before it (`1 node(s) had taints {a: b, c: d}`).
    Some((nodes, others.filter_map(|reason| reason.split(' ').next()?.parse().ok()).collect()))
}

/// The API server refused every pod of a workload, and whether for memory.
pub(super) fn unmade<'a>(case: &Case<'a>) -> Option<(Seen<'a, Event>, bool)> {
    if case.pod.is_some() {
        return None;
    }
    let event = *case.events.iter().find(|event| event.it.reason == "FailedCreate")?;
    Some((event, is_for_memory(&event.it.message)))
}

/// The workload in words: `ReplicaSet web-7f9c5d`.
pub(super) fn workload(event: &Event) -> String {
    let words = [&event.object.kind, &event.object.name].into_iter().flatten();
    words.map(String::as_str).collect::<Vec<_>>().join(" ")
}

/// A quota names what the pod asks for of the resources that it would exceed (`exceeded quota: tight, requested:
/// limits.memory=128Mi, used: ...`) or has to set (`must specify limits.memory for: app`); a limit range the usage that it
/// bounds (`maximum memory usage per Container is 32Mi`). What others write is their own.
fn is_for_memory(message: &str) -> bool {
    if let Some((_, rest)) = message.split_once("exceeded quota: ") {
        let asked = rest.split_once("requested: ").map_or("", |(_, asked)| asked);
        return asked.split(", used: ").next().unwrap_or_default().contains("memory=");
    }
    let specified = message.split_once("must specify ").is_some_and(|(_, what)| what.contains("memory"));
    let bounded = ["maximum memory usage per ", "minimum memory usage per ", "memory max limit to request ratio per "];
    specified || bounded.iter().any(|words| message.contains(words))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_what_lacks_where_some_node_has_all_else() {
        for (message, expected) in [
            ("0/1 nodes are available: 1 Insufficient memory. preemption: 0/1 nodes are available", Lack::Memory),
            ("0/3 nodes are available: 1 node(s) had untolerated taint {a: b}, 2 Insufficient memory.", Lack::Memory),
            ("0/5 nodes are available: 2 Insufficient cpu, 3 Insufficient memory. preemption: x", Lack::Memory),
            ("0/2 nodes are available: 1 Insufficient memory, 1 Too many pods, 2 Insufficient cpu. p", Lack::Mixed),
            ("0/2 nodes are available: 1 Insufficient cpu, 1 Insufficient memory, 1 Too many pods.", Lack::Mixed),
            ("0/1 nodes are available: 1 Insufficient cpu. preemption: 0/1 nodes are available", Lack::Other),
            ("Insufficient memory", Lack::Memory),
        ] {
            assert_eq!(lack(message), expected, "{message}");
        }
    }

    #[test]
    fn a_quota_is_of_memory_where_memory_is_what_it_lacks() {
        let quota = |asked: &str| {
            format!(
                "pods \"a\" is forbidden: exceeded quota: q, requested: {asked}, used: limits.memory=1Gi, limited: limits.memory=2Gi"
            )
        };
        assert!(is_for_memory(&quota("limits.memory=2Gi")) && is_for_memory(&quota("pods=1,requests.memory=2Gi")));
        assert!(!is_for_memory(&quota("pods=1")));
        assert!(is_for_memory("is forbidden: maximum memory usage per Container is 32Mi, but limit is 128M"));
        assert!(is_for_memory("is forbidden: failed quota: q: must specify limits.memory for: app"));
        assert!(!is_for_memory("is forbidden: violates PodSecurity: no memory of it"));
    }
}
