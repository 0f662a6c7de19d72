//! The kernel's kills: one in full, several in one line each.

use super::super::clean::one_line;
use super::{Labelled, moment};
use crate::diagnosis::{CandidateReport, Diagnosis, Document, KillReport, TaskReport, VictimReport};
use crate::fact::{AtFrom, Constraint, LimitHit};

/// What the kernel reported of one kill.
pub(in crate::report) fn kill_facts(kill: &KillReport) -> Vec<Labelled> {
    let mut out = Vec::new();
    let mut at: Vec<String> = Vec::new();
    at.extend(kill.at.map(|at| {
        let from = if kill.at_from == Some(AtFrom::BootTime) { " (boot time + uptime)" } else { "" };
        format!("{}{from}", moment(at))
    }));
    at.extend(
        kill.uptime_seconds.filter(|uptime| uptime.is_finite()).map(|uptime| format!("[{uptime:.6}] since boot")),
    );
    at.extend(kill.node.as_ref().map(|node| format!("node {node}")));
    if !at.is_empty() {
        out.push(("at", at.join(", ")));
    }
    if let Some(constraint) = kill.constraint {
        let words = match constraint {
            Constraint::Memcg => "a memory cgroup's limit",
            Constraint::None => "the node's memory",
            Constraint::Cpuset => "the memory nodes of a cpuset",
            Constraint::Mempolicy => "the memory nodes of a NUMA policy",
        };
        let how = if kill.sysrq { ", asked for through SysRq" } else { "" };
        out.push(("ran out", format!("{words}{how}")));
    }
    out.extend(kill.oom_memcg.as_ref().map(|path| ("limit of", path.clone())));
    if let Some(path) = kill.task_memcg.as_ref().filter(|path| kill.oom_memcg.as_ref() != Some(*path)) {
        out.push(("victim in", path.clone()));
    }
    if let Some(usage) = kill.usage_bytes {
        let limit = kill.limit_bytes.map(|limit| format!(" of {limit}")).unwrap_or_default();
        out.push(("memory", format!("{usage}{limit}")));
    }
    match kill.limit_hit {
        Some(LimitHit::MemorySwap) => {
            let usage = kill.swap_usage_bytes.map(|usage| format!(": {usage}")).unwrap_or_default();
            let limit = kill.swap_limit_bytes.map(|limit| format!(" of {limit}")).unwrap_or_default();
            out.push(("full", format!("the counter of swap (cgroup v1: of memory and swap together){usage}{limit}")));
        }
        Some(LimitHit::KernelMemory) => out.push(("full", "kernel memory".to_owned())),
        Some(LimitHit::Memory) | None => {}
    }
    if kill.trigger != TaskReport::default() {
        out.push(("asked by", process(&kill.trigger)));
    }
    if kill.victims.is_empty() {
        out.push(("killed", "no process: the report is cut, or nothing could be killed".to_owned()));
    }
    for victim in kill.victims.iter().take(VICTIMS) {
        out.push(("killed", victim_words(victim)));
    }
    if kill.victims.len() > VICTIMS {
        out.push(("killed", format!("and {} more", kill.victims.len() - VICTIMS)));
    }
    if kill.group {
        out.push(("group", "all of its processes together (memory.oom.group)".to_owned()));
    }
    out
}

/// Victims listed one by one.
const VICTIMS: usize = 6;

fn process(task: &TaskReport) -> String {
    match (&task.comm, task.pid) {
        (Some(comm), Some(pid)) => format!("{comm} (pid {pid})"),
        (Some(comm), None) => comm.clone(),
        (None, Some(pid)) => format!("pid {pid}"),
        (None, None) => "a process".to_owned(),
    }
}

fn victim_words(victim: &VictimReport) -> String {
    let mut out = process(&TaskReport { pid: victim.pid, comm: victim.comm.clone() });
    let sizes =
        [("anonymous", victim.anon_rss_bytes), ("files", victim.file_rss_bytes), ("shared", victim.shmem_rss_bytes)];
    for (label, bytes) in sizes {
        if let Some(bytes) = bytes {
            out = format!("{out}, {label} {bytes}");
        }
    }
    match victim.oom_score_adj {
        Some(adj) => format!("{out}, oom_score_adj {adj}"),
        None => out,
    }
}

/// A table: head, which columns are of numbers, rows.
pub(in crate::report) type Table = (Vec<&'static str>, Vec<bool>, Vec<Vec<String>>);

/// The five processes with the largest badness. `None` where every process of the report was killed, for then nobody
/// was next. The kernel counts its points in pages.
pub(in crate::report) fn next_victims(kill: &KillReport) -> Option<Table> {
    let killed = |pid: u32| kill.victims.iter().any(|victim| victim.pid == Some(pid));
    if kill.candidates.iter().all(|candidate| killed(candidate.pid)) {
        return None;
    }
    let mut order: Vec<_> = kill.candidates.iter().collect();
    order.sort_by_key(|candidate| std::cmp::Reverse(candidate.points));
    let with_points = order.iter().any(|candidate| candidate.points.is_some());
    let mut head = vec!["PID", "PROCESS", "RESIDENT", "OOM_SCORE_ADJ"];
    let mut right = vec![true, false, true, true];
    if with_points {
        head.push("POINTS (PAGES)");
        right.push(true);
    }
    head.push("");
    right.push(false);
    let row = |candidate: &CandidateReport| {
        let mut row = vec![
            candidate.pid.to_string(),
            one_line(&candidate.comm),
            candidate.rss_bytes.to_string(),
            candidate.oom_score_adj.to_string(),
        ];
        if with_points {
            row.push(candidate.points.map(|points| points.to_string()).unwrap_or_default());
        }
        row.push(if killed(candidate.pid) { "killed".to_owned() } else { String::new() });
        row
    };
    Some((head, right, order.into_iter().take(5).map(row).collect()))
}

/// Kernel kills in one line each, the newest first; at most `most` of them.
pub(in crate::report) fn kill_table(kills: &[&KillReport], most: usize) -> Table {
    let mut order = kills.to_vec();
    order.sort_by_key(|kill| std::cmp::Reverse(kill.at));
    let row = |kill: &&KillReport| {
        let victim = kill.victims.first().map(|victim| TaskReport { pid: victim.pid, comm: victim.comm.clone() });
        let limit = kill.oom_memcg.as_deref().unwrap_or(match kill.constraint {
            Some(Constraint::None) => "the node",
            _ => "",
        });
        vec![
            one_line(&kill.id),
            kill.at.map(moment).unwrap_or_default(),
            victim.map(|victim| one_line(&process(&victim))).unwrap_or_default(),
            one_line(limit),
        ]
    };
    let rows = order.iter().take(most).map(row).collect();
    (vec!["KILL", "AT", "KILLED", "LIMIT OF"], vec![false; 4], rows)
}

/// The kernel kills that no diagnosis claims: of a process outside containers, or of a container nobody knows by name.
pub(in crate::report) fn unclaimed(document: &Document) -> Vec<&KillReport> {
    // Who asked for one by name, and was told of it, did not ask for others.
    let told = |well: &Vec<String>| !well.is_empty() || !document.diagnoses.is_empty();
    if document.named.as_ref().is_some_and(told) {
        return Vec::new();
    }
    let claims =
        |diagnosis: &Diagnosis, kill: &KillReport| diagnosis.kills.contains(&kill.id) || is_in_pod(diagnosis, kill);
    let unclaimed = |kill: &&KillReport| !document.diagnoses.iter().any(|diagnosis| claims(diagnosis, kill));
    document.kernel_kills.iter().filter(unclaimed).collect()
}

/// Kernel kills in the diagnosis' pod that no diagnosis claims: of earlier lives.
pub(in crate::report) fn earlier<'d>(document: &'d Document, diagnosis: &Diagnosis) -> Vec<&'d KillReport> {
    let claimed = |kill: &KillReport| document.diagnoses.iter().any(|it| it.kills.contains(&kill.id));
    document.kernel_kills.iter().filter(|kill| is_in_pod(diagnosis, kill) && !claimed(kill)).collect()
}

fn is_in_pod(diagnosis: &Diagnosis, kill: &KillReport) -> bool {
    kill.pod_uid.is_some() && kill.pod_uid == diagnosis.subject.pod_uid
}
