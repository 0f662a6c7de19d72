//! Killed before the program ran, or the limit is too small to start in.

use super::{Cause, Finding, Found, Proof, advice, kernel, killing, quote, start_error};
use crate::case::{Case, CaseKill, Life};
use crate::diagnose::composition;
use crate::diagnosis::{Advice, Confidence, Verdict};
use crate::units::{Bytes, Quantity};

pub(super) const CAUSE: Cause = Cause { verdict: Verdict::StartOom, judge, advise };

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

fn judge(case: &Case<'_>) -> Finding {
    if let Some(killing) = killing::of(case).filter(|killing| killing.verdict == Verdict::StartOom) {
        let mut proofs: Vec<Proof> = killing.report.map(quote::kill).into_iter().collect();
        proofs.extend(quote::termination(case));
        proofs.extend(failure(case).map(|(_, proof)| proof).filter(|_| proofs.is_empty()));
        if proofs.is_empty() {
            return Finding::Absent;
        }
        let of_engine = case.engine.and_then(|engine| engine.it.memory_limit).map(|limit| format!(" of {limit}"));
        let kept = kept(case, &killing);
        let why = match &kept {
            Some(kept) => format!(
                "files that it had left in its memory-backed volumes ({}) still filled {} of its {}",
                kept.volumes.join(", "),
                kept.files,
                kept.limit
            ),
            None => format!(
                "its memory limit{} {} to start in",
                limit(case).map(|limit| format!(" of {limit}")).or(of_engine).unwrap_or_default(),
                if is_roomy(case) { "had no room left" } else { "is too small" }
            ),
        };
        // Of a run the victim is a copy of oomph that was to become the program.
        let who = if case.is_command() { "its process".to_owned() } else { kernel::who(&killing) };
        let summary = format!("The kernel killed {who} before {} ran: {why}.", case.noun());
        proofs.extend(kept.map(|kept| kept.proof));
        proofs.extend(
            first_kill(case).map(|kill| Proof {
                says: format!("an earlier life: {}", quote::kill(kill).says),
                ..quote::kill(kill)
            }),
        );
        let mut found = Found::new(killing.confidence, summary, proofs).oom_kill(Some(true));
        found.level = killing.level;
        found.victim = Some(killing.victim);
        return found.into();
    }
    let Some((message, proof)) = failure(case).filter(|_| limit_is_too_small(case)) else { return Finding::Absent };
    let who = kernel::capital(&case.noun());
    let summary = match tiny(case) {
        Some(limit) => format!(
            "{who} cannot start: its memory limit {limit} is {}{}.",
            limit.bytes(),
            if limit.is_fractional() {
                ", since the suffix m is milli: thousandths of a byte"
            } else {
                ", too small to start in"
            }
        ),
        None if init_was_lost(&message) => format!(
            "{who} cannot start: the runtime lost its init process, which a memory limit{} may be too small for.",
            limit(case).map(|limit| format!(" of {limit}")).unwrap_or_default()
        ),
        None => format!("{who} cannot start: the runtime says that its memory limit is too low."),
    };
    Found::new(Confidence::Likely, summary, vec![proof])
        .oom_kill(None)
        .missing("whether the kernel killed the runtime's init process", kernel::kernel_log_command(case))
        .into()
}

/// What an earlier life left behind: files in memory, charged to the pod until it goes.
struct Kept<'a> {
    files: Bytes,
    limit: Bytes,
    volumes: &'a [String],
    proof: Proof,
}

/// A container that ran before is killed at its start, and most of the memory is files while it mounts an emptyDir in
/// memory: those outlive the container, and stay charged to the pod.
fn kept<'a>(case: &Case<'a>, killing: &killing::Killing<'_, '_>) -> Option<Kept<'a>> {
    let volumes = case.container.map(|container| container.tmpfs_mounts.as_slice()).filter(|list| !list.is_empty())?;
    let ran_before = case.status().and_then(|status| status.restart_count) > Some(0);
    let report = killing.report.filter(|_| ran_before)?;
    let files = composition(report.kill.it).shmem_bytes?;
    let limit = report.kill.memory?.limit?;
    (files.0 > limit.0 / 2).then(|| Kept {
        files,
        limit,
        volumes,
        proof: Proof {
            says: format!(
                "of the {limit} that the kernel counted, {files} were files in memory, and {} is such a volume",
                volumes.join(", ")
            ),
            from: report.kill.from.clone(),
            excerpt: format!("shmem {}", files.0),
        },
    })
}

/// The first kill of an earlier life of it: what made it start again.
fn first_kill<'c, 'a>(case: &'c Case<'a>) -> Option<&'c CaseKill<'a>> {
    case.kills.iter().find(|kill| kill.life == Life::Earlier && !kill.kill.victims.is_empty())
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
fn is_roomy(case: &Case<'_>) -> bool {
    limit(case).is_some_and(|limit| limit.bytes() >= TIGHT_TO_START)
}

fn tiny(case: &Case<'_>) -> Option<Quantity> {
    limit(case).filter(|limit| limit.is_fractional() || limit.bytes() < TOO_SMALL_TO_START)
}

/// The runtime's words about a container or sandbox that did not start.
fn failure(case: &Case<'_>) -> Option<(String, Proof)> {
    let start_reason = |reason: &str| {
        matches!(reason, "StartError" | "ContainerCannotRun" | "RunContainerError" | "CreateContainerError")
    };
    if let Some(end) = case.termination().filter(|end| end.reason.as_deref().is_some_and(start_reason)) {
        return Some((end.message.clone().unwrap_or_default(), quote::termination(case)?));
    }
    if case.death.is_none()
        && let Some((reason, message)) = case.waiting()
        && start_reason(reason)
        && !message.is_empty()
    {
        let proof = Proof {
            says: format!("the runtime could not start it ({reason})"),
            from: case.from.clone()?.join("/state/waiting"),
            excerpt: quote::cut_middle(message, 300),
        };
        return Some((message.to_owned(), proof));
    }
    let event = start_error::failed_start(case)?;
    if case.termination().is_some_and(|end| end.exit_code.is_some()) {
        return None;
    }
    Some((event.it.message.clone(), quote::event(&event, "the runtime could not start it")))
}

/// The smallest limit of the container or its pod.
fn limit(case: &Case<'_>) -> Option<Quantity> {
    let own = case.container.and_then(|container| container.resources.memory_limit);
    let pod = case.pod_spec()?;
    let smallest = pod.containers.iter().filter_map(|container| container.resources.memory_limit).min();
    own.or(pod.resources.memory_limit).or(smallest)
}

fn advise(case: &Case<'_>) -> Vec<Advice> {
    if let Some(kept) = killing::of(case).and_then(|killing| kept(case, &killing)) {
        return vec![
            advice::advice(
                format!(
                    "bound its memory-backed volumes ({}) with a sizeLimit well below the limit",
                    kept.volumes.join(", ")
                ),
                "files in an emptyDir of medium Memory count as its memory and survive its restarts: the container cannot start again beside them",
                "writes beyond the bound fail",
            ),
            advice::advice(
                "delete the pod once that is done",
                "the files go only with the pod; a restart of the container keeps them",
                "what is in the volume is lost",
            ),
        ];
    }
    match limit(case).filter(|limit| limit.is_fractional()) {
        Some(limit) => vec![advice::unit_slip(case, limit)],
        None if is_roomy(case) => {
            let tmpfs = case.container.and_then(advice::memory_volumes);
            vec![tmpfs.unwrap_or_else(|| {
                advice::advice(
                    "find what fills its memory before it starts: the pod's other containers, or files in memory",
                    "the limit is large enough to start in when it is empty",
                    "none",
                )
            })]
        }
        None => vec![advice::advice(
            "set a memory limit that the runtime and the program can start in (at least 16Mi)",
            "the runtime's own init needs several MiB inside the container's cgroup before the program runs",
            "none below that: nothing starts",
        )],
    }
}
