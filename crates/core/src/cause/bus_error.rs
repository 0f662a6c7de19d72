//! The process died of SIGBUS, exit code 135: a full /dev/shm, hugetlb pages, or a truncated file.

use super::{Cause, Finding, Found, advice, kernel, killing, quote};
use crate::case::Case;
use crate::diagnosis::{Advice, Confidence, Verdict};

pub(super) const CAUSE: Cause = Cause { verdict: Verdict::BusError, judge, advise };

fn judge(case: &Case<'_>) -> Finding {
    let killed = killing::of_main(case);
    if !case.was_signaled(7) || killed {
        return Finding::Absent;
    }
    let mut proofs: Vec<_> = quote::termination(case).into_iter().collect();
    proofs.extend(
        case.signs
            .iter()
            .find(|sign| sign.it.sign == crate::fact::Sign::BusError)
            .map(|sign| quote::sign(sign, "its log tells of a bus error or a full file system")),
    );
    Found::new(Confidence::Likely, format!("{} died of SIGBUS.", kernel::capital(&case.noun())), proofs)
        .oom_kill(kernel::oom_kill(case, kernel::excluded(case)))
        .into()
}

fn advise(case: &Case<'_>) -> Vec<Advice> {
    let mounted = case.container.map(|container| container.tmpfs_mounts.as_slice()).unwrap_or_default();
    let size = |volume: &String| {
        let bound = case.pod_spec()?.tmpfs.iter().find(|tmpfs| &tmpfs.volume == volume)?.size_limit?;
        Some(format!("{volume}, at most {bound}"))
    };
    let volumes: Vec<String> = mounted.iter().map(|volume| size(volume).unwrap_or_else(|| volume.clone())).collect();
    let action = match volumes.as_slice() {
        [] => "check /dev/shm (64 MiB where nothing is mounted there) and memory-mapped files".to_owned(),
        volumes => format!("check its memory-backed volumes ({}) and memory-mapped files", volumes.join("; ")),
    };
    vec![advice::advice(
        action,
        "touching a mapped page that the file system cannot back raises SIGBUS",
        "files in memory are charged to the container's memory",
    )]
}
