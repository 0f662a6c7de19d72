//! Killed before the program ran, or the limit is too small to start in.

use super::start::{failure, init_was_lost, is_roomy, limit, limit_is_too_small, tiny};
use super::{Cause, Finding, Found, Proof, advice, kernel, killing, quote};
use crate::case::{Case, CaseKill, Life};
use crate::diagnosis::{Advice, Composition, Confidence, Verdict};
use crate::units::Bytes;

pub(super) const CAUSE: Cause = Cause { verdict: Verdict::StartOom, judge, advise };

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
    let files = Composition::of(report.kill.it).shmem_bytes?;
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
