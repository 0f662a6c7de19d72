//! A kernel report in the document's shape.

use crate::diagnosis::{CandidateReport, KillReport, TaskReport, VictimReport};
use crate::fact::{Candidate, KernelKill};

/// Pages of 4 KiB: what badness is counted in on nearly every machine.
const PAGE: u64 = 4096;

/// The report of the kill with this number.
pub fn kill_report(number: usize, kill: &KernelKill) -> KillReport {
    let total = kill.total.map(|total| total.0 / PAGE);
    let mut candidates: Vec<CandidateReport> = kill
        .candidates
        .iter()
        .map(|row| CandidateReport {
            pid: row.pid,
            comm: row.comm.to_string(),
            rss_bytes: row.rss,
            oom_score_adj: row.oom_score_adj,
            points: total.and_then(|total| points(row, total)),
        })
        .collect();
    candidates.sort_by_key(|row| std::cmp::Reverse((row.points, row.rss_bytes)));
    KillReport {
        id: format!("k{}", number + 1),
        node: kill.node.clone(),
        boot_id: kill.boot_id.clone(),
        at: kill.at,
        at_from: kill.at_from,
        uptime_seconds: kill.uptime_seconds,
        constraint: kill.constraint,
        oom_memcg: kill.oom_memcg.clone(),
        task_memcg: kill.task_memcg.clone(),
        level: kill.level,
        trigger: kill
            .trigger
            .as_ref()
            .map(|task| TaskReport { pid: task.pid, comm: task.comm.clone() })
            .unwrap_or_default(),
        usage_bytes: kill.memory.and_then(|memory| memory.usage),
        limit_bytes: kill.memory.and_then(|memory| memory.limit),
        limit_hit: kill.limit_hit,
        swap_usage_bytes: kill.swap.and_then(|swap| swap.usage),
        swap_limit_bytes: kill.swap.and_then(|swap| swap.limit),
        group: kill.group,
        sysrq: kill.sysrq,
        pod_uid: kill.pod_uid.clone(),
        container_id: kill.container_id.clone(),
        runtime: kill.runtime.clone(),
        qos_class: kill.qos,
        victims: kill
            .victims
            .iter()
            .map(|victim| VictimReport {
                pid: victim.pid,
                comm: victim.comm.clone(),
                total_vm_bytes: victim.total_vm,
                anon_rss_bytes: victim.anon_rss,
                file_rss_bytes: victim.file_rss,
                shmem_rss_bytes: victim.shmem_rss,
                uid: victim.uid,
                oom_score_adj: victim.oom_score_adj,
            })
            .collect(),
        candidates,
    }
}

/// The kernel's badness in pages: rss + page tables + swap + `oom_score_adj` thousandths of the total
/// (mm/oom_kill.c `oom_badness`, 2.6.36 to 6.18); a process at -1000 is never chosen.
fn points(row: &Candidate, total_pages: u64) -> Option<i64> {
    if row.oom_score_adj == -1000 {
        return None;
    }
    let bytes = row.rss.0.checked_add(row.pgtables.0)?.checked_add(row.swap.0)?;
    let share = i64::from(row.oom_score_adj).checked_mul(i64::try_from(total_pages / 1000).ok()?)?;
    i64::try_from(bytes / PAGE).ok()?.checked_add(share)
}
