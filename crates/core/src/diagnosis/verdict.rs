//! The verdicts, what can have ended a container: one line each, with a page of its own.

use std::fmt;

use schemars::JsonSchema;
use serde::Serialize;

macro_rules! verdicts {
    ($($(#[$doc:meta])* $variant:ident $id:literal)*) => {
        /// What ended a container's main process, or its pod. The order is that of the published table.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema)]
        pub enum Verdict {
            $($(#[$doc])* #[serde(rename = $id)] $variant,)*
        }

        impl Verdict {
            /// Every verdict, in the order of the published table.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// The id as printed and as JSON has it.
            pub const fn id(self) -> &'static str {
                match self { $(Self::$variant => $id),* }
            }

            /// Its page, in markdown. It begins with `# ID` and its second paragraph says what the verdict means.
            pub const fn page(self) -> &'static str {
                match self { $(Self::$variant => include_str!(concat!("../cause/pages/", $id, ".md"))),* }
            }
        }
    };
}

verdicts! {
    /// The container's memory limit was hit and the kernel killed its main process.
    ContainerLimitOom "container-limit-oom"
    /// The pod's memory limit was hit and the kernel killed a container's main process.
    PodLimitOom "pod-limit-oom"
    /// The limit of /kubepods or of a QoS slice was hit: the node's allocatable memory.
    NodeAllocatableOom "node-allocatable-oom"
    /// The node itself ran out of memory and the kernel killed the container's main process.
    NodeOom "node-oom"
    /// The kernel killed a child; the main process then ended by itself.
    ChildOom "child-oom"
    /// The kernel killed a child and the container runs on: the API shows nothing.
    ChildOomInvisible "child-oom-invisible"
    /// Killed before the program ran, or the limit is too small to start in.
    StartOom "start-oom"
    /// Systemd-oomd, earlyoom, Talos or their like killed it.
    UserspaceOomKiller "userspace-oom-killer"
    /// Nothing died yet: it thrashes or is throttled at its limit.
    MemoryStall "memory-stall"
    /// The kubelet evicted the pod: the node was low on memory.
    KubeletMemoryEviction "kubelet-memory-eviction"
    /// The kubelet evicted the pod: the node was low on disk.
    KubeletDiskEviction "kubelet-disk-eviction"
    /// The kubelet evicted the pod: the node was low on process ids.
    KubeletPidEviction "kubelet-pid-eviction"
    /// The kubelet evicted the pod: it wrote more than its ephemeral-storage limit.
    EphemeralLimitEviction "ephemeral-limit-eviction"
    /// The pod was evicted through the eviction API.
    ApiEviction "api-eviction"
    /// The pod was evicted through the API from a cordoned node.
    NodeDrain "node-drain"
    /// The pod was evicted by a NoExecute taint.
    TaintEviction "taint-eviction"
    /// The pod was preempted for one of higher priority.
    Preempted "preempted"
    /// The node was shut down.
    NodeShutdown "node-shutdown"
    /// A person or client deleted the pod.
    UserDeleted "user-deleted"
    /// A controller deleted the pod: scale-down, rollout or clean-up.
    ControllerDeleted "controller-deleted"
    /// The kubelet restarted the container: its liveness or startup probe failed.
    LivenessKill "liveness-kill"
    /// The kubelet restarted the container for a changed spec or a resize.
    KubeletRestart "kubelet-restart"
    /// The pod or job ran longer than its deadline.
    Deadline "deadline"
    /// SIGTERM from outside that nothing else explains.
    ExternalSigterm "external-sigterm"
    /// SIGKILL from outside that nothing else explains.
    ExternalSigkill "external-sigkill"
    /// Never ran: its memory request did not fit.
    AdmissionRejectedMemory "admission-rejected-memory"
    /// Never ran: refused for a reason other than memory.
    AdmissionRejectedOther "admission-rejected-other"
    /// The runtime hit its own limit (heap, metaspace, direct memory), not the cgroup's.
    RuntimeHeapOom "runtime-heap-oom"
    /// The process aborted (SIGABRT, 134).
    NativeAbort "native-abort"
    /// The process died of SIGBUS (135): a full /dev/shm, hugetlb, or a truncated file.
    BusError "bus-error"
    /// The process crashed (SIGSEGV, 139).
    Segfault "segfault"
    /// A fork or thread was refused by the pids limit.
    PidsLimit "pids-limit"
    /// The program ended by itself with an error.
    AppError "app-error"
    /// The container never started.
    StartError "start-error"
    /// Nobody saw the end; the 137 is a placeholder.
    StatusLost "status-lost"
    /// Ended well.
    Completed "completed"
    /// The evidence does not say.
    Undetermined "undetermined"
}

impl Verdict {
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

    /// The verdict with this id.
    pub fn from_id(id: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|verdict| verdict.id() == id)
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.id())
    }
}
