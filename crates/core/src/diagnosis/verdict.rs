//! The verdicts: what can have ended a container.

use std::fmt;

use schemars::JsonSchema;
use serde::Serialize;

/// What ended a container's main process, or its pod. The order is that of the published table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// The container's memory limit was hit and the kernel killed its main process.
    ContainerLimitOom,
    /// The pod's memory limit was hit and the kernel killed a container's main process.
    PodLimitOom,
    /// The limit of /kubepods or of a QoS slice was hit: the node's allocatable memory.
    NodeAllocatableOom,
    /// The node itself ran out of memory and the kernel killed the container's main process.
    NodeOom,
    /// The kernel killed a child; the main process then ended by itself.
    ChildOom,
    /// The kernel killed a child and the container runs on: the API shows nothing.
    ChildOomInvisible,
    /// Killed before the program ran, or the limit is too small to start in.
    StartOom,
    /// Systemd-oomd, earlyoom, Talos or their like killed it.
    UserspaceOomKiller,
    /// Nothing died yet: it thrashes or is throttled at its limit.
    MemoryStall,
    /// The kubelet evicted the pod: the node was low on memory.
    KubeletMemoryEviction,
    /// The kubelet evicted the pod: the node was low on disk.
    KubeletDiskEviction,
    /// The kubelet evicted the pod: the node was low on process ids.
    KubeletPidEviction,
    /// The kubelet evicted the pod: it wrote more than its ephemeral-storage limit.
    EphemeralLimitEviction,
    /// The pod was evicted through the eviction API.
    ApiEviction,
    /// The pod was evicted through the API from a cordoned node.
    NodeDrain,
    /// The pod was evicted by a NoExecute taint.
    TaintEviction,
    /// The pod was preempted for one of higher priority.
    Preempted,
    /// The node was shut down.
    NodeShutdown,
    /// A person or client deleted the pod.
    UserDeleted,
    /// A controller deleted the pod: scale-down, rollout or clean-up.
    ControllerDeleted,
    /// The kubelet restarted the container: its liveness or startup probe failed.
    LivenessKill,
    /// The kubelet restarted the container for a changed spec or a resize.
    KubeletRestart,
    /// The pod or job ran longer than its deadline.
    Deadline,
    /// SIGTERM from outside that nothing else explains.
    ExternalSigterm,
    /// SIGKILL from outside that nothing else explains.
    ExternalSigkill,
    /// Never ran: its memory request did not fit.
    AdmissionRejectedMemory,
    /// Never ran: refused for a reason other than memory.
    AdmissionRejectedOther,
    /// The runtime hit its own limit (heap, metaspace, direct memory), not the cgroup's.
    RuntimeHeapOom,
    /// The process aborted (SIGABRT, 134).
    NativeAbort,
    /// The process died of SIGBUS (135): a full /dev/shm, hugetlb, or a truncated file.
    BusError,
    /// The process crashed (SIGSEGV, 139).
    Segfault,
    /// A fork or thread was refused by the pids limit.
    PidsLimit,
    /// The program ended by itself with an error.
    AppError,
    /// The container never started.
    StartError,
    /// Nobody saw the end; the 137 is a placeholder.
    StatusLost,
    /// Ended well.
    Completed,
    /// The evidence does not say.
    Undetermined,
}

impl Verdict {
    /// Every verdict, in the order of the published table.
    pub const ALL: [Self; 37] = [
        Self::ContainerLimitOom,
        Self::PodLimitOom,
        Self::NodeAllocatableOom,
        Self::NodeOom,
        Self::ChildOom,
        Self::ChildOomInvisible,
        Self::StartOom,
        Self::UserspaceOomKiller,
        Self::MemoryStall,
        Self::KubeletMemoryEviction,
        Self::KubeletDiskEviction,
        Self::KubeletPidEviction,
        Self::EphemeralLimitEviction,
        Self::ApiEviction,
        Self::NodeDrain,
        Self::TaintEviction,
        Self::Preempted,
        Self::NodeShutdown,
        Self::UserDeleted,
        Self::ControllerDeleted,
        Self::LivenessKill,
        Self::KubeletRestart,
        Self::Deadline,
        Self::ExternalSigterm,
        Self::ExternalSigkill,
        Self::AdmissionRejectedMemory,
        Self::AdmissionRejectedOther,
        Self::RuntimeHeapOom,
        Self::NativeAbort,
        Self::BusError,
        Self::Segfault,
        Self::PidsLimit,
        Self::AppError,
        Self::StartError,
        Self::StatusLost,
        Self::Completed,
        Self::Undetermined,
    ];

    /// It is itself a kill by the kernel's OOM killer.
    pub const fn is_kill(self) -> bool {
        matches!(
            self,
            Self::ContainerLimitOom
                | Self::PodLimitOom
                | Self::NodeAllocatableOom
                | Self::NodeOom
                | Self::ChildOom
                | Self::ChildOomInvisible
                | Self::StartOom
        )
    }

    /// The id as printed and as JSON has it.
    pub const fn id(self) -> &'static str {
        match self {
            Self::ContainerLimitOom => "container-limit-oom",
            Self::PodLimitOom => "pod-limit-oom",
            Self::NodeAllocatableOom => "node-allocatable-oom",
            Self::NodeOom => "node-oom",
            Self::ChildOom => "child-oom",
            Self::ChildOomInvisible => "child-oom-invisible",
            Self::StartOom => "start-oom",
            Self::UserspaceOomKiller => "userspace-oom-killer",
            Self::MemoryStall => "memory-stall",
            Self::KubeletMemoryEviction => "kubelet-memory-eviction",
            Self::KubeletDiskEviction => "kubelet-disk-eviction",
            Self::KubeletPidEviction => "kubelet-pid-eviction",
            Self::EphemeralLimitEviction => "ephemeral-limit-eviction",
            Self::ApiEviction => "api-eviction",
            Self::NodeDrain => "node-drain",
            Self::TaintEviction => "taint-eviction",
            Self::Preempted => "preempted",
            Self::NodeShutdown => "node-shutdown",
            Self::UserDeleted => "user-deleted",
            Self::ControllerDeleted => "controller-deleted",
            Self::LivenessKill => "liveness-kill",
            Self::KubeletRestart => "kubelet-restart",
            Self::Deadline => "deadline",
            Self::ExternalSigterm => "external-sigterm",
            Self::ExternalSigkill => "external-sigkill",
            Self::AdmissionRejectedMemory => "admission-rejected-memory",
            Self::AdmissionRejectedOther => "admission-rejected-other",
            Self::RuntimeHeapOom => "runtime-heap-oom",
            Self::NativeAbort => "native-abort",
            Self::BusError => "bus-error",
            Self::Segfault => "segfault",
            Self::PidsLimit => "pids-limit",
            Self::AppError => "app-error",
            Self::StartError => "start-error",
            Self::StatusLost => "status-lost",
            Self::Completed => "completed",
            Self::Undetermined => "undetermined",
        }
    }

    /// The verdict with this id.
    pub fn from_id(id: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|verdict| verdict.id() == id)
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.id())
    }
}
