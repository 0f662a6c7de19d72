//! The document `oomph.dev/waterfall/v1`: its field names and the meaning of `null` are a published contract.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::PartKind;
use crate::diagnosis::GapReport;
use crate::runtime;
use crate::units::Bytes;

/// The name and version of the document's shape.
pub const SCHEMA: &str = "oomph.dev/waterfall/v1";

/// The JSON Schema of [`Document`].
pub fn schema() -> schemars::Schema {
    schemars::schema_for!(Document)
}

/// Where the memory of some containers went.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Document {
    /// Always `oomph.dev/waterfall/v1`.
    pub schema: &'static str,
    /// One per container, the one with the least headroom first.
    pub waterfalls: Vec<Waterfall>,
    /// What was not learned about any of them.
    pub gaps: Vec<GapReport>,
}

/// Where the charged memory of one cgroup went. The parts and what is unexplained add up to `chargedBytes`, always.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Waterfall {
    /// Whose memory it is.
    pub subject: Subject,
    /// When it was read.
    pub at: Option<Timestamp>,
    /// 1 or 2.
    pub cgroup_version: u8,
    /// How it was read.
    pub source: Source,
    /// `memory.current` (version 2) or `memory.usage_in_bytes` (version 1).
    pub charged_bytes: Bytes,
    /// The most that was charged: `memory.peak` or `memory.max_usage_in_bytes`; null where the kernel does not tell (v2 before 5.19).
    pub peak_bytes: Option<Bytes>,
    /// Its own limit; null where it has none.
    pub limit_bytes: Option<Bytes>,
    /// `memory.high`; null where it has none.
    pub high_bytes: Option<Bytes>,
    /// What the kernel cannot take back: the number that predicts a kill.
    pub unreclaimable_bytes: Bytes,
    /// How much more it may come to need before a kill: the smallest over the cgroup and those above it; null without a limit.
    pub headroom_bytes: Option<Bytes>,
    /// The cgroup and those above it that have a limit, from the cgroup up.
    pub limits: Vec<LevelLimit>,
    /// How often limits were met.
    pub events: Events,
    /// Time lost to memory pressure, in percent over the last ten seconds; null where the kernel does not measure it.
    pub pressure: Pressure,
    /// Memory that is not in `chargedBytes`.
    pub outside: Outside,
    /// The numbers that people compare, and what each of them counts.
    pub views: Vec<View>,
    /// Where the memory went.
    pub parts: Vec<Part>,
    /// `chargedBytes` less the parts; negative when pages came or went between two reads.
    pub unexplained_bytes: i64,
    /// The processes, by pid.
    pub processes: Vec<Process>,
    /// What could not be read.
    pub gaps: Vec<GapReport>,
    /// What grew or shrank since an earlier look; only there when two looks were asked for.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub grew: Option<Vec<Growth>>,
}

/// How a part changed between two looks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Growth {
    /// The part.
    pub kind: PartKind,
    /// Its name.
    pub name: String,
    /// The process whose it is.
    pub pid: Option<u32>,
    /// How much more there is; negative where there is less.
    pub bytes: i64,
}

/// Whose memory it is. Empty names are null.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Subject {
    /// The cgroup's path below the hierarchy's root.
    pub cgroup: Option<String>,
    /// Namespace.
    pub namespace: Option<String>,
    /// Pod.
    pub pod: Option<String>,
    /// The pod's uid.
    pub pod_uid: Option<String>,
    /// Container; of Docker and Podman its name.
    pub container: Option<String>,
    /// Container id, bare.
    pub container_id: Option<String>,
}

/// How a waterfall was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Source {
    /// From outside, on its node.
    Node,
    /// By commands run inside the container, whose memory is charged to it.
    Exec,
    /// From a recording of `oomph run`.
    Recording,
}

/// A limit at some level of the hierarchy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LevelLimit {
    /// The cgroup's path.
    pub cgroup: String,
    /// Its limit.
    pub limit_bytes: Bytes,
    /// What is charged to it and all below it.
    pub usage_bytes: Option<Bytes>,
    /// How much more that cannot be reclaimed it takes to reach this limit; null where the kernel does not tell enough.
    #[serde(default)]
    pub headroom_bytes: Option<Bytes>,
}

/// Counters since the cgroup was made; null where the kernel has none.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Events {
    /// Times that `memory.high` was exceeded.
    pub high: Option<u64>,
    /// Times that the limit was met and memory had to be reclaimed (`failcnt` in version 1). Ordinary for users of page cache.
    pub max: Option<u64>,
    /// Times that reclaim failed and the OOM killer was called.
    pub oom: Option<u64>,
    /// Processes killed.
    pub oom_kill: Option<u64>,
}

/// Pressure stall information (Documentation/accounting/psi.rst).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Pressure {
    /// Percent of time in which some task waited for memory.
    pub some_avg10: Option<f64>,
    /// Percent of time in which all tasks waited for memory.
    pub full_avg10: Option<f64>,
}

/// Memory that is not charged to `memory.current`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Outside {
    /// In swap.
    pub swap_bytes: Option<Bytes>,
    /// Swapped out and kept compressed (the pool itself is charged as kernel memory).
    pub zswap_bytes: Option<Bytes>,
    /// Huge pages of hugetlbfs.
    pub hugetlb_bytes: Option<Bytes>,
}

/// A number that people know, beside the kernel's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct View {
    /// Where it is seen: `kubectl top`, `docker stats`, `VmRSS`.
    pub name: String,
    /// What it shows now.
    pub bytes: Bytes,
    /// What it counts, and what it leaves out.
    pub includes: String,
}

/// A part of the memory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Part {
    /// What it is; `oomph explain KIND` tells more.
    pub kind: PartKind,
    /// The same in words, or a file's or runtime area's name.
    pub name: String,
    /// How much.
    pub bytes: Bytes,
    /// Counted page by page or by the kernel; false: estimated or rebuilt.
    pub exact: bool,
    /// The kernel can take it back under pressure.
    pub reclaimable: bool,
    /// The process whose it is; null for what belongs to the cgroup.
    pub pid: Option<u32>,
    /// Where the number comes from.
    pub from: String,
    /// What it consists of, as far as known: inside `bytes`, not beside them.
    pub parts: Vec<Part>,
}

/// A process of the cgroup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Process {
    /// The host's pid; of one read from inside its container, the container's.
    pub pid: u32,
    /// Its name.
    pub comm: String,
    /// Resident memory, page by page (from inside a container: `VmRSS`); it counts shared pages in full, also those charged to others.
    pub rss_bytes: Option<Bytes>,
    /// Anonymous memory in huge pages.
    pub anon_huge_bytes: Option<Bytes>,
    /// Memory in swap.
    pub swap_bytes: Option<Bytes>,
    /// Page tables.
    pub page_table_bytes: Option<Bytes>,
    /// Threads.
    pub threads: Option<u32>,
    /// Open file descriptors.
    pub file_descriptors: Option<u64>,
    /// How many it may have (the soft `RLIMIT_NOFILE`); 2^64 - 1 where there is no limit.
    #[serde(default)]
    pub file_descriptor_limit: Option<u64>,
    /// The table that it makes for all that it may have; only there for a program that is known to make one, where it is
    /// large.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub descriptor_table: Option<DescriptorTable>,
    /// Its runtime.
    pub runtime: Runtime,
    /// What the runtime says of itself; only there when it was asked (`--attach`) and answered.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub told: Option<Told>,
}

/// A table with a place for every file that a process may open, whether it opens it or not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DescriptorTable {
    /// As the program's source calls it.
    pub name: String,
    /// How much it takes: computed from the limit, not measured.
    pub bytes: Bytes,
    /// Bytes of one place.
    pub bytes_each: Bytes,
    /// Where that is known from.
    pub from: String,
    /// What bounds it.
    pub knob: String,
}

/// What a runtime said when it was asked, and what the asking changed in the process.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Told {
    /// How it was asked: `VM.native_memory`, `the inspector`.
    pub by: String,
    /// What it said, by its own names. They overlap, and need not agree with the pages.
    pub amounts: Vec<ToldAmount>,
    /// `VmRSS` after less before.
    pub rss_change_bytes: i64,
    /// Threads after less before.
    pub thread_change: i64,
}

/// An amount as a runtime tells it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ToldAmount {
    /// As the runtime calls it.
    pub name: String,
    /// How much; of a Java virtual machine what it has committed.
    pub bytes: Bytes,
    /// The addresses that it reserved for it; null where it does not tell.
    pub reserved_bytes: Option<Bytes>,
}

/// A runtime as it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Runtime {
    /// Which.
    pub name: runtime::Name,
    /// Its version.
    pub version: Option<String>,
    /// Its figures were read and checked.
    pub resolved: bool,
    /// Its heap.
    pub heap: Heap,
    /// HotSpot's direct buffer pool.
    pub direct_bytes: Option<Bytes>,
    /// V8's array buffers.
    pub external_bytes: Option<Bytes>,
    /// Which malloc it uses.
    pub allocator: Option<runtime::Allocator>,
    /// Settings in force that bound or shape memory.
    pub flags: Vec<Flag>,
}

/// A runtime's heap; see [`runtime::Heap`] for what each number is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Heap {
    /// Used by objects.
    pub used_bytes: Option<Bytes>,
    /// Taken from the system.
    pub committed_bytes: Option<Bytes>,
    /// The most that it may become.
    pub max_bytes: Option<Bytes>,
}

/// A setting in force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Flag {
    /// As the runtime calls it.
    pub name: String,
    /// Its value; sizes are whole bytes.
    pub value: String,
    /// `command line`, `environment JAVA_TOOL_OPTIONS`, `default`, `runtime`.
    pub from: String,
}
