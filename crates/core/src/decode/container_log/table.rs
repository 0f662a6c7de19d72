//! The words of runtimes, shells and libraries that tell how a container ended.

use std::ops::Range;

use crate::decode::words::Words;
use crate::fact::Sign;

/// Words, what they mean, and a word that must stand in the same line too.
pub(super) const TABLE: &[(&str, Sign, &str)] = &[
    ("Java heap space", Sign::JvmHeap, "OutOfMemoryError"),
    ("GC overhead limit exceeded", Sign::JvmGcOverhead, "OutOfMemoryError"),
    ("Metaspace", Sign::JvmMetaspace, "OutOfMemoryError"),
    ("Compressed class space", Sign::JvmMetaspace, "OutOfMemoryError"),
    ("PermGen space", Sign::JvmMetaspace, "OutOfMemoryError"),
    ("Direct buffer memory", Sign::JvmDirect, "OutOfMemoryError"),
    ("bytes of direct buffer memory", Sign::JvmDirect, "annot reserve"),
    ("OutOfDirectMemoryError", Sign::JvmDirect, ""),
    ("unable to create native thread", Sign::JvmThread, ""),
    ("unable to create new native thread", Sign::JvmThread, ""),
    ("pthread_create failed (EAGAIN)", Sign::JvmThread, ""),
    ("Requested array size exceeds VM limit", Sign::JvmArraySize, ""),
    ("There is insufficient memory for the Java Runtime Environment", Sign::JvmNative, ""),
    ("Native memory allocation (", Sign::JvmNative, "failed"),
    ("Terminating due to java.lang.OutOfMemoryError", Sign::JvmExitOnOom, ""),
    ("Aborting due to java.lang.OutOfMemoryError", Sign::JvmExitOnOom, ""),
    ("java/lang/OutOfMemoryError", Sign::JvmHeap, "JVM"),
    ("Garbage-collected heap size exceeded", Sign::JvmHeap, ""),
    ("JavaScript heap out of memory", Sign::V8Heap, ""),
    ("<--- Last few GCs --->", Sign::V8Heap, ""),
    ("Reached heap limit Allocation failed", Sign::V8Heap, ""),
    ("Ineffective mark-compacts near heap limit", Sign::V8Heap, ""),
    ("CALL_AND_RETRY_LAST", Sign::V8Heap, ""),
    ("Array buffer allocation failed", Sign::V8Other, ""),
    ("ERR_WORKER_OUT_OF_MEMORY", Sign::V8Other, ""),
    ("Committing semi space failed", Sign::V8Heap, ""),
    ("fatal error: runtime: out of memory", Sign::GoOom, ""),
    ("runtime: out of memory: cannot allocate", Sign::GoOom, ""),
    ("runtime: cannot allocate memory", Sign::GoOom, ""),
    ("fatal error: failed to reserve page summary memory", Sign::GoOom, ""),
    ("failed to create new OS thread", Sign::GoThread, ""),
    // Before Python's, whose word is the end of theirs.
    ("failed to allocate memory (NoMemoryError)", Sign::RubyNoMemory, ""),
    ("NoMemoryError", Sign::RubyNoMemory, "failed to allocate"),
    ("[FATAL] failed to allocate memory", Sign::RubyNoMemory, ""),
    ("MemoryError", Sign::PythonMemoryError, ""),
    ("DefaultCPUAllocator: can't allocate memory", Sign::PythonMemoryError, ""),
    ("System.OutOfMemoryException", Sign::DotnetOom, ""),
    // Redis' and Erlang's words when malloc refuses (src/server.c `redisOutOfMemoryHandler`, 7.2; erl_alloc.c, OTP 26).
    ("Out Of Memory allocating ", Sign::AllocFailed, " bytes!"),
    ("_alloc: Cannot allocate ", Sign::AllocFailed, "bytes of memory"),
    ("_alloc: Cannot reallocate ", Sign::AllocFailed, "bytes of memory"),
    ("bytes exhausted (tried to allocate", Sign::PhpMemoryLimit, "llowed memory size"),
    ("memory allocation of ", Sign::RustAllocFailed, "bytes failed"),
    ("std::bad_alloc", Sign::CppBadAlloc, ""),
    ("Perhaps out of memory?", Sign::ChildKilled, ""),
    ("signal 9 (SIGKILL)", Sign::ChildKilled, ""),
    ("exited on signal 9", Sign::ChildKilled, ""),
    ("killed by signal 9", Sign::ChildKilled, ""),
    ("was terminated by signal 9", Sign::ChildKilled, ""),
    ("signal: killed", Sign::ChildKilled, ""),
    ("Killed signal terminated program", Sign::ChildKilled, ""),
    ("was terminated abruptly", Sign::ChildKilled, "process pool"),
    ("TerminatedWorkerError", Sign::ChildKilled, ""),
    ("Cannot allocate memory", Sign::Enomem, ""),
    ("fork: retry: ", Sign::ForkRefused, ""),
    ("Resource temporarily unavailable", Sign::ForkRefused, "fork"),
    ("can't fork", Sign::ForkRefused, ""),
    ("annot fork", Sign::ForkRefused, ""),
    ("Bus error", Sign::BusError, ""),
    ("SIGBUS", Sign::BusError, ""),
    ("Segmentation fault", Sign::Segfault, ""),
    ("SIGSEGV", Sign::Segfault, ""),
    ("received SIGTERM", Sign::SigtermReceived, ""),
    ("Received SIGTERM", Sign::SigtermReceived, ""),
    ("signal 15 (SIGTERM) received", Sign::SigtermReceived, ""),
];

/// One of these stands in every line of the table: they are searched for first, over the whole log.
pub(super) static RARE: Words = Words::of(&[
    "OutOfMemory",
    "emory",
    "native thread",
    "VM limit",
    "pthread_create failed",
    "heap",
    "Last few GCs",
    "CALL_AND_RETRY",
    "buffer allocation failed",
    "OUT_OF_MEMORY",
    "semi space",
    "OS thread",
    "bytes exhausted",
    "bad_alloc",
    "signal 9",
    "signal: killed",
    "Killed",
    "abruptly",
    "TerminatedWorkerError",
    "fork",
    "Bus error",
    "SIG",
    "Segmentation",
    "GC overhead",
]);

/// One of these stands in every line that tells something: the table's, a shell's word for a child that was killed, and
/// .NET's last.
pub(super) static TOLD: Words = Words::of(
    &const {
        let mut words = ["Killed"; TABLE.len() + 2];
        words[0] = "Out of memory.";
        let mut row = 0;
        while row < TABLE.len() {
            words[row + 1] = TABLE[row].0;
            row += 1;
        }
        words
    },
);

/// The places of the table's words in [`TOLD`]. No word of the table overlaps with the end of another one there.
pub(super) const TABLED: Range<usize> = 1..TABLE.len() + 1;
