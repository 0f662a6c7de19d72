//! Containers and events as Docker, Podman and CRI runtimes tell them.

use jiff::Timestamp;

use super::Subject;
use crate::units::Bytes;

/// `docker inspect`, `podman inspect` or `crictl inspect` of one container.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct EngineContainer {
    /// Names; Kubernetes' own from the `io.kubernetes.*` labels.
    pub subject: Subject,
    /// `docker`, `podman`, `cri`.
    pub engine: String,
    /// `exited`, `running`, `created`, `dead`, `restarting`, `paused`.
    pub status: Option<String>,
    /// `State.OOMKilled`. False proves nothing (Podman on cgroup v1, pod-level kills, old Docker).
    pub oom_killed: Option<bool>,
    /// Exit code.
    pub exit_code: Option<i32>,
    /// The wait status, where who started it tells it.
    pub wait_status: Option<WaitStatus>,
    /// CRI reason (`OOMKilled`, `Error`, `Completed`).
    pub reason: Option<String>,
    /// `State.Error`, or the CRI message.
    pub error: Option<String>,
    /// Start; placeholders of year 1 are none.
    pub started: Option<Timestamp>,
    /// End; placeholders of year 1 are none.
    pub finished: Option<Timestamp>,
    /// `HostConfig.Memory`, `linux.resources.memory.limit`; none where zero (no limit).
    pub memory_limit: Option<Bytes>,
    /// The document says that there is no limit on memory.
    pub unlimited: bool,
    /// `HostConfig.MemorySwap`; none where zero or -1.
    pub memory_swap: Option<Bytes>,
    /// `HostConfig.OomKillDisable`.
    pub oom_kill_disable: bool,
    /// `HostConfig.OomScoreAdj`.
    pub oom_score_adj: Option<i32>,
    /// `RestartCount`.
    pub restart_count: Option<u32>,
    /// `Config.StopTimeout`, seconds.
    pub stop_timeout_seconds: Option<i64>,
    /// `Config.StopSignal`.
    pub stop_signal: Option<String>,
    /// `State.Pid` or CRI `info.pid` of the running container.
    pub pid: Option<u32>,
    /// Cgroup path, where the document tells it.
    pub cgroup: Option<String>,
    /// `State.Dead` or an engine note that the host rebooted while it ran.
    pub host_rebooted: bool,
}

/// What wait(2) tells the parent of a process: 137 of an exit code may be a code of its own, here it is told from SIGKILL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WaitStatus {
    /// It left with this code.
    Exited(i32),
    /// This signal ended it.
    Signaled(i32),
    /// This signal ended it between fork and exec: the program never ran.
    NeverRan(i32),
}

/// One event of an engine.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct EngineEvent {
    /// Bare container id.
    pub container_id: Option<String>,
    /// Container name.
    pub name: Option<String>,
    /// `oom`, `kill`, `die`, `died`, `stop`, `start`, `create`, `destroy`, `remove`, `restart`, `exec_die`, `health_status: unhealthy`.
    pub action: String,
    /// `signal` attribute of `kill`.
    pub signal: Option<i32>,
    /// `exitCode` attribute of `die`.
    pub exit_code: Option<i32>,
    /// When.
    pub at: Option<Timestamp>,
}
