//! Lines that containers, kubelets and runtimes wrote and that tell how a container ended.

use jiff::Timestamp;

use super::{Subject, kill::Task};

/// A telling line of a container's log.
#[derive(Debug, Clone, PartialEq)]
pub struct LogSign {
    /// Whose log, as far as its name or source tells.
    pub subject: Subject,
    /// What it tells.
    pub sign: Sign,
    /// The line's own time, where it has one.
    pub at: Option<Timestamp>,
    /// The line, cut to 300 characters.
    pub line: String,
    /// True when few lines (50) follow it before the log ends: it belongs to the end, not to an error survived long before.
    pub near_end: bool,
}

/// What a log line tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Sign {
    /// `java.lang.OutOfMemoryError: Java heap space`, `GC overhead limit exceeded` and their OpenJ9 and native-image kin.
    JvmHeap,
    /// `OutOfMemoryError: Metaspace`, `Compressed class space`, `PermGen space`.
    JvmMetaspace,
    /// `OutOfMemoryError: Direct buffer memory`, `Cannot reserve N bytes of direct buffer memory`, Netty's `OutOfDirectMemoryError`.
    JvmDirect,
    /// `OutOfMemoryError: GC overhead limit exceeded`.
    JvmGcOverhead,
    /// `OutOfMemoryError: unable to create native thread`, `pthread_create failed (EAGAIN)`: pids limit or memory.
    JvmThread,
    /// `There is insufficient memory for the Java Runtime Environment to continue`: the JVM's own mmap or malloc failed (errno 12).
    JvmNative,
    /// `Requested array size exceeds VM limit`: a request no heap could meet.
    JvmArraySize,
    /// `Terminating due to java.lang.OutOfMemoryError` (ExitOnOutOfMemoryError, exit 3; CrashOnOutOfMemoryError aborts).
    JvmExitOnOom,
    /// `FATAL ERROR: ... JavaScript heap out of memory`, `Last few GCs`.
    V8Heap,
    /// `RangeError: Array buffer allocation failed`, `ERR_WORKER_OUT_OF_MEMORY`.
    V8Other,
    /// `fatal error: runtime: out of memory`, `runtime: cannot allocate memory`.
    GoOom,
    /// `runtime: failed to create new OS thread`, `fork/exec: resource temporarily unavailable` in Go.
    GoThread,
    /// `MemoryError`, `numpy ... Unable to allocate`.
    PythonMemoryError,
    /// `System.OutOfMemoryException`.
    DotnetOom,
    /// `failed to allocate memory (NoMemoryError)`.
    RubyNoMemory,
    /// `Allowed memory size of N bytes exhausted`.
    PhpMemoryLimit,
    /// `memory allocation of N bytes failed` (Rust).
    RustAllocFailed,
    /// `terminate called after throwing an instance of 'std::bad_alloc'`, `std::bad_alloc`.
    CppBadAlloc,
    /// Redis' `Out Of Memory allocating N bytes!`, Erlang's `eheap_alloc: Cannot allocate N bytes of memory`.
    AllocFailed,
    /// `Cannot allocate memory` (ENOMEM) of any program.
    Enomem,
    /// `fork: retry: Resource temporarily unavailable`, `Cannot fork`: EAGAIN, the pids limit or RLIMIT_NPROC.
    ForkRefused,
    /// `signal: killed`, `Killed`, worker `was sent SIGKILL! Perhaps out of memory?`: a child died of signal 9.
    ChildKilled,
    /// `Bus error`, `SIGBUS`, `No space left on device` on /dev/shm.
    BusError,
    /// A shell's or runtime's `Segmentation fault`.
    Segfault,
    /// The program says it got SIGTERM: `received SIGTERM`, `Shutting down gracefully`.
    SigtermReceived,
}

impl Sign {
    /// The runtime ran into its own memory limit: the process was not killed from outside for it.
    pub fn is_runtime_limit(self) -> bool {
        use Sign::{
            AllocFailed, CppBadAlloc, DotnetOom, GoOom, JvmArraySize, JvmDirect, JvmExitOnOom, JvmGcOverhead, JvmHeap,
            JvmMetaspace, JvmNative, PhpMemoryLimit, PythonMemoryError, RubyNoMemory, RustAllocFailed, V8Heap, V8Other,
        };
        matches!(
            self,
            JvmHeap
                | JvmMetaspace
                | JvmDirect
                | JvmGcOverhead
                | JvmNative
                | JvmArraySize
                | JvmExitOnOom
                | V8Heap
                | V8Other
                | GoOom
                | PythonMemoryError
                | DotnetOom
                | RubyNoMemory
                | PhpMemoryLimit
                | RustAllocFailed
                | CppBadAlloc
                | AllocFailed
        )
    }
}

/// A telling line of the kubelet's, runtime's or systemd's log.
#[derive(Debug, Clone, PartialEq)]
pub struct NodeNote {
    /// Whom it names.
    pub subject: Subject,
    /// What it tells.
    pub kind: NodeNoteKind,
    /// When.
    pub at: Option<Timestamp>,
    /// Grace period in seconds, where the line gives one.
    pub grace_seconds: Option<i64>,
    /// A process, where named.
    pub process: Option<Task>,
    /// The line, cut to 300 characters.
    pub line: String,
}

/// Kinds of [`NodeNote`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NodeNoteKind {
    /// `failed liveness probe, will be restarted`, `Container X failed liveness probe`.
    LivenessFailed,
    /// The same for the startup probe.
    StartupFailed,
    /// `Killing container with a grace period`.
    Killing,
    /// `eviction manager: ... evicting pod`, `pods ranked for eviction`.
    Evicting,
    /// containerd's `TaskOOM event`, CRI-O's and Docker's OOM lines, kubelet's `Created an OOM event` and `System OOM encountered`.
    RuntimeOom,
    /// kubelet's `System OOM encountered`: a kill that was not of a container's own cgroup.
    SystemOom,
    /// A node shutdown seen by the kubelet.
    Shutdown,
    /// Preemption for a critical pod.
    Preempting,
    /// An orchestrator's own stop: Nomad's `force killing`, an engine's stop timeout.
    ForceKill,
    /// An exec probe or exec that failed as the container died.
    ExecFailed,
}
