//! What the kernel's OOM killer did, in the document.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use crate::fact::{AtFrom, Constraint, Level, LimitHit, Qos};
use crate::units::Bytes;

/// One invocation of the kernel's OOM killer.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct KillReport {
    /// `k1`, `k2`, ... in the order of the evidence.
    pub id: String,
    /// Node.
    pub node: Option<String>,
    /// Boot id, without dashes.
    pub boot_id: Option<String>,
    /// Wall-clock time.
    pub at: Option<Timestamp>,
    /// Where the time comes from.
    pub at_from: Option<AtFrom>,
    /// Seconds since boot.
    pub uptime_seconds: Option<f64>,
    /// What ran out, by meaning.
    pub constraint: Option<Constraint>,
    /// The cgroup whose limit fired.
    pub oom_memcg: Option<String>,
    /// The victim's cgroup.
    pub task_memcg: Option<String>,
    /// The level of the cgroup whose limit fired.
    pub level: Option<Level>,
    /// Whose allocation could not be met.
    pub trigger: TaskReport,
    /// The `memory:` line's usage, whatever counter was hit.
    pub usage_bytes: Option<Bytes>,
    /// The `memory:` line's limit.
    pub limit_bytes: Option<Bytes>,
    /// Which counter was full.
    pub limit_hit: Option<LimitHit>,
    /// Usage of memory+swap (v1) or swap (v2).
    pub swap_usage_bytes: Option<Bytes>,
    /// Its limit.
    pub swap_limit_bytes: Option<Bytes>,
    /// All processes of the cgroup were killed together.
    pub group: bool,
    /// Asked for through SysRq.
    pub sysrq: bool,
    /// Pod uid, with dashes.
    pub pod_uid: Option<String>,
    /// Bare container id.
    pub container_id: Option<String>,
    /// Container runtime.
    pub runtime: Option<String>,
    /// QoS class.
    pub qos_class: Option<Qos>,
    /// Who was killed, each once.
    pub victims: Vec<VictimReport>,
    /// Who could have been, largest badness first.
    pub candidates: Vec<CandidateReport>,
}

/// A process.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TaskReport {
    /// Process (or thread) id.
    pub pid: Option<u32>,
    /// Command name.
    pub comm: Option<String>,
}

/// A process that was killed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct VictimReport {
    /// Process id.
    pub pid: Option<u32>,
    /// Command name.
    pub comm: Option<String>,
    /// Address space.
    pub total_vm_bytes: Option<Bytes>,
    /// Resident anonymous memory.
    pub anon_rss_bytes: Option<Bytes>,
    /// Resident file pages.
    pub file_rss_bytes: Option<Bytes>,
    /// Resident shared memory.
    pub shmem_rss_bytes: Option<Bytes>,
    /// User id.
    pub uid: Option<u32>,
    /// `oom_score_adj`.
    pub oom_score_adj: Option<i32>,
}

/// A process that could have been killed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CandidateReport {
    /// Process id.
    pub pid: u32,
    /// Command name.
    pub comm: String,
    /// Resident memory.
    pub rss_bytes: Bytes,
    /// `oom_score_adj`.
    pub oom_score_adj: i32,
    /// The kernel's badness in pages, as `oom_badness` computes it (mm/oom_kill.c since 2.6.36); `null` where the total is not in the report.
    pub points: Option<i64>,
}
