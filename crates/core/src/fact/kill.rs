//! Kills: what the kernel's log says about its OOM killer, and what userspace killers say about themselves.

use compact_str::CompactString;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Locus, subject::Qos};
use crate::units::Bytes;

/// One invocation of the OOM killer, whole or as much as the text shows. A kill of a group is one of these.
#[derive(Debug, Clone, Default, PartialEq)]
#[allow(clippy::struct_excessive_bools, reason = "independent facts, each a field of its own in the report")]
pub struct KernelKill {
    /// The log's node, where a line or the source names it.
    pub node: Option<String>,
    /// Boot id, where the log is known to be of one boot.
    pub boot_id: Option<String>,
    /// Wall-clock time.
    pub at: Option<Timestamp>,
    /// Where `at` comes from.
    pub at_from: Option<AtFrom>,
    /// The line names its zone. False: `at` reads its date as UTC and may be off by whole quarter hours.
    pub at_zone_known: bool,
    /// The year is known, from the line or from when the log was read. False: `at` stands in 1972 (a leap year, as
    /// syslog dates have no year) and must be moved by whole years, or not be shown.
    pub at_year_known: bool,
    /// Seconds since boot.
    pub uptime_seconds: Option<f64>,
    /// What ran out, by meaning (kernels 5.0 and 5.1 print `CONSTRAINT_NONE` for memory cgroups too).
    pub constraint: Option<Constraint>,
    /// The cgroup whose limit fired.
    pub oom_memcg: Option<String>,
    /// The victim's cgroup.
    pub task_memcg: Option<String>,
    /// The level of `oom_memcg`, or `Node` for a global kill.
    pub level: Option<Level>,
    /// The process whose allocation could not be met. It is often not the victim.
    pub trigger: Option<Task>,
    /// The `memory:` line (v2: `memory: usage`; v1 the same).
    pub memory: Option<MemoryLine>,
    /// The `memory+swap:` line (v1) or `swap:` line (v2).
    pub swap: Option<MemoryLine>,
    /// The `kmem:` line (v1).
    pub kmem: Option<MemoryLine>,
    /// Which counter was full.
    pub limit_hit: Option<LimitHit>,
    /// `Memory cgroup stats` of the cgroup whose limit fired: (key, bytes), as `memory.stat` names them.
    pub stats: Vec<(String, Bytes)>,
    /// All processes of `task_memcg` were killed (`memory.oom.group`).
    pub group: bool,
    /// Asked for through SysRq-f.
    pub sysrq: bool,
    /// Pod uid in `task_memcg` or `oom_memcg`, with dashes.
    pub pod_uid: Option<String>,
    /// Container id in `task_memcg`.
    pub container_id: Option<String>,
    /// `containerd`, `cri-o`, `docker`, `podman` (libpod), where the path tells.
    pub runtime: Option<String>,
    /// QoS class in the path.
    pub qos: Option<Qos>,
    /// Distinct processes killed, in the order printed. Empty: the report shows no kill (cut, or no killable process).
    pub victims: Vec<Victim>,
    /// The task table: who could have been chosen.
    pub candidates: Vec<Candidate>,
    /// Total memory in pages that the scores are relative to, where the report gives it (limit or RAM), in bytes.
    pub total: Option<Bytes>,
    /// Where the first line of the report, the `oom-kill:` (or `Task in`) line and the first kill line stand.
    pub lines: Vec<(Locus, String)>,
}

impl KernelKill {
    /// The part of `oom_memcg` below the container's own cgroup, where the limit of a cgroup fired that a program in the
    /// container made: `/sub`.
    pub fn below_the_container(&self) -> Option<&str> {
        let (path, id) = (self.oom_memcg.as_deref()?, self.container_id.as_deref()?);
        let after = &path[path.rfind(id)? + id.len()..];
        let below = &after[after.find('/')?..];
        (below.len() > 1).then_some(below)
    }
}

/// A process in a report.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Task {
    /// Process id as printed; the trigger's is a thread id.
    pub pid: Option<u32>,
    /// Command name, at most 15 bytes.
    pub comm: Option<String>,
}

/// A process that was killed. Sizes are of the first line that prints them; a size cut in the middle is unknown.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Victim {
    /// Process id.
    pub pid: Option<u32>,
    /// Command name.
    pub comm: Option<String>,
    /// Address space.
    pub total_vm: Option<Bytes>,
    /// Resident anonymous memory.
    pub anon_rss: Option<Bytes>,
    /// Resident file pages.
    pub file_rss: Option<Bytes>,
    /// Resident shared memory.
    pub shmem_rss: Option<Bytes>,
    /// Page tables.
    pub pgtables: Option<Bytes>,
    /// User id.
    pub uid: Option<u32>,
    /// `oom_score_adj`, from the kill line, else its row of the task table.
    pub oom_score_adj: Option<i32>,
}

/// A row of the task table.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Candidate {
    /// Thread group id (the process id).
    pub pid: u32,
    /// Command name; the kernel keeps 15 bytes of it, which need no allocation.
    pub comm: CompactString,
    /// Resident memory.
    pub rss: Bytes,
    /// Page tables.
    pub pgtables: Bytes,
    /// Swapped out.
    pub swap: Bytes,
    /// `oom_score_adj`.
    pub oom_score_adj: i32,
    /// User id.
    pub uid: u32,
}

/// A line `memory: usage 102400kB, limit 102400kB, failcnt 143`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct MemoryLine {
    /// Usage.
    pub usage: Option<Bytes>,
    /// Limit; none where the kernel prints its "no limit".
    pub limit: Option<Bytes>,
    /// How often the limit was hit.
    pub failcnt: Option<u64>,
}

/// Where a kill's time comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub enum AtFrom {
    /// The line's own date.
    #[serde(rename = "log")]
    Log,
    /// Seconds since boot plus a boot time that is known.
    #[serde(rename = "boot time")]
    BootTime,
}

/// What the allocation was confined to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Constraint {
    /// A memory cgroup's limit.
    Memcg,
    /// The whole node.
    None,
    /// The memory nodes of a cpuset.
    Cpuset,
    /// The memory nodes of a NUMA policy.
    Mempolicy,
}

/// Which cgroup's limit fired, in the terms of Kubernetes and its neighbours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// A container's own cgroup (or one inside it).
    Container,
    /// A pod's cgroup.
    Pod,
    /// `/kubepods`: the node's allocatable memory.
    NodeAllocatable,
    /// A QoS slice or another systemd slice or service.
    Slice,
    /// The node's memory.
    Node,
    /// A cpuset's memory nodes.
    Cpuset,
    /// A NUMA policy's memory nodes.
    Mempolicy,
    /// An LXC container's cgroup.
    Lxc,
    /// An Amazon ECS task's cgroup.
    EcsTask,
    /// A user's systemd unit.
    UserUnit,
    /// A cgroup of another kind.
    Other,
}

/// Which counter of the cgroup was full.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
pub enum LimitHit {
    /// `memory.limit_in_bytes`, `memory.max`.
    #[serde(rename = "memory")]
    Memory,
    /// `memory.memsw.limit_in_bytes` (v1), or memory and swap both at their limits (v2).
    #[serde(rename = "memory+swap")]
    MemorySwap,
    /// `memory.kmem.limit_in_bytes` (v1).
    #[serde(rename = "kernel memory")]
    KernelMemory,
}

/// A kill by a userspace killer.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct UserspaceKill {
    /// `systemd-oomd`, `earlyoom`, `Talos OOM controller`, `oomd`, `nohang`.
    pub killer: String,
    /// When.
    pub at: Option<Timestamp>,
    /// The node.
    pub node: Option<String>,
    /// The cgroup it killed, where named.
    pub cgroup: Option<String>,
    /// The process it killed, where named.
    pub process: Option<Task>,
    /// Pod uid in the cgroup.
    pub pod_uid: Option<String>,
    /// Container id in the cgroup.
    pub container_id: Option<String>,
    /// The line.
    pub line: String,
}

/// Another line of the kernel's log that matters.
#[derive(Debug, Clone, PartialEq)]
pub struct KernelNote {
    /// What it says.
    pub kind: KernelNoteKind,
    /// When.
    pub at: Option<Timestamp>,
    /// The node.
    pub node: Option<String>,
    /// The process it names.
    pub process: Option<Task>,
    /// The cgroup it names.
    pub cgroup: Option<String>,
    /// The line.
    pub line: String,
}

/// Kinds of [`KernelNote`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum KernelNoteKind {
    /// `app[123]: segfault at ...`, `traps: ... general protection fault`.
    Segfault,
    /// `cgroup: fork rejected by pids controller in /kubepods/...`.
    PidsLimit,
    /// `... callbacks suppressed`: lines were lost.
    Suppressed,
    /// `Out of memory and no killable processes...`, `panic_on_oom`.
    NoVictim,
    /// A reboot: the log starts over.
    Boot,
}
