//! Starts that failed: what the runtime says of them, and the limit that may be why. What the causes of a container that
//! never ran share.

use super::{Proof, killing, quote};
use crate::case::{Case, Seen, is_start_failure};
use crate::fact::Event;
use crate::units::{Bytes, Quantity};

/// Reasons of a terminated state that mean: never ran.
const NEVER_RAN: [&str; 4] = ["StartError", "ContainerCannotRun", "RunContainerError", "CreateContainerError"];

/// No runtime can start a process in less: CRI-O refuses under 12 MiB (internal/config/node), Docker under 6 MiB.
const TOO_SMALL_TO_START: Bytes = Bytes::mib(1);

/// What runtimes say when a limit is too small to apply or to start in.
const TOO_LOW: [&str; 9] = [
    "should be at least",
    "Minimum memory limit",
    "minimum memory limit",
    "memory limit too low",
    "memory.limit_in_bytes",
    "memory.max",
    "memory.memsw.limit_in_bytes",
    "unable to set memory limit",
    "memory limit could be too low",
];

/// The end that is diagnosed is that of a start: the program itself never ran.
pub(super) fn never_ran(case: &Case<'_>) -> bool {
    case.reason().is_some_and(|reason| NEVER_RAN.contains(&reason))
}

/// What runc says when its init process ended before it could take the program's place (libcontainer/process_linux.go,
/// v1.0 to v1.3): whatever killed it, in a small cgroup most often the kernel.
const INIT_LOST: [&str; 3] = [
    "getting the final child's pid from pipe caused: EOF",
    "read init-p: connection reset by peer",
    "cannot start a container that has stopped",
];

/// Below this runtimes' inits are at times killed before the program runs: as much as CRI-O asks for, and some.
const TIGHT_TO_START: Bytes = Bytes::mib(16);

/// The runtime's own init process ended before the program ran.
pub(super) fn init_was_lost(message: &str) -> bool {
    INIT_LOST.iter().any(|words| message.contains(words))
}

/// It did not start, and its limit is a slip of the unit, below what any program starts in, or refused by the runtime.
pub(super) fn limit_is_too_small(case: &Case<'_>) -> bool {
    let Some((message, _)) = failure(case) else { return false };
    let tight = limit(case).is_some_and(|limit| limit.bytes() < TIGHT_TO_START);
    tiny(case).is_some() || init_was_lost(&message) && tight || TOO_LOW.iter().any(|words| message.contains(words))
}

/// Something could start in the limit if nothing else filled it.
pub(super) fn is_roomy(case: &Case<'_>) -> bool {
    limit(case).is_some_and(|limit| limit.bytes() >= TIGHT_TO_START)
}

/// A limit that is a slip of the unit.
pub(super) fn tiny(case: &Case<'_>) -> Option<Quantity> {
    limit(case).filter(|limit| limit.is_fractional() || limit.bytes() < TOO_SMALL_TO_START)
}

/// The runtime's words about a container or sandbox that did not start.
pub(super) fn failure(case: &Case<'_>) -> Option<(String, Proof)> {
    if let Some(end) = case.termination().filter(|_| never_ran(case)) {
        return Some((end.message.clone().unwrap_or_default(), quote::termination(case)?));
    }
    if case.death.is_none()
        && let Some((reason, message)) = case.waiting()
        && NEVER_RAN.contains(&reason)
        && !message.is_empty()
    {
        let proof = Proof {
            says: format!("the runtime could not start it ({reason})"),
            from: case.from.clone()?.join("/state/waiting"),
            excerpt: quote::cut_middle(message, 300),
        };
        return Some((message.to_owned(), proof));
    }
    let event = failed_start(case)?;
    if case.termination().is_some_and(|end| end.exit_code.is_some()) {
        return None;
    }
    Some((event.it.message.clone(), quote::event(&event, "the runtime could not start it")))
}

/// The last event of a start that failed, unless a later start did not: the container was started then, or a program of
/// it was killed.
pub(super) fn failed_start<'a>(case: &Case<'a>) -> Option<Seen<'a, Event>> {
    let started = case.events.iter().filter(|event| event.it.reason == "Started");
    let started = started.filter_map(|event| event.it.last.or(event.it.first));
    let ran = started.chain(killing::of_programs(case)).max();
    let failed = |event: &&Seen<'a, Event>| {
        let at = event.it.last.or(event.it.first);
        let overcome = ran.zip(at).is_some_and(|(ran, at)| ran > at);
        event.it.warning && is_start_failure(&event.it.reason) && !overcome && !case.is_running()
    };
    case.events.iter().rev().find(failed).copied()
}

/// The smallest limit of the container or its pod.
pub(super) fn limit(case: &Case<'_>) -> Option<Quantity> {
    let own = case.container.and_then(|container| container.resources.memory_limit);
    let pod = case.pod_spec()?;
    let smallest = pod.containers.iter().filter_map(|container| container.resources.memory_limit).min();
    own.or(pod.resources.memory_limit).or(smallest)
}
