//! OOM counters and sizes of a cgroup, from its own files or from cAdvisor.

use jiff::Timestamp;

use super::Subject;
use crate::units::Bytes;

/// Counters of one cgroup at one moment.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Counters {
    /// Whose, as far as the path or labels tell.
    pub subject: Subject,
    /// What the subject is.
    pub of: CountersOf,
    /// The cgroup's path, where known.
    pub cgroup: Option<String>,
    /// When they were read.
    pub at: Option<Timestamp>,
    /// `oom_kill` of `memory.events` or `memory.oom_control`; `container_oom_events_total` of cAdvisor (which counts log lines it saw).
    pub oom_kill: Option<u64>,
    /// `oom` of `memory.events`.
    pub oom: Option<u64>,
    /// `max` of `memory.events`, `memory.failcnt`.
    pub max: Option<u64>,
    /// `high` of `memory.events`.
    pub high: Option<u64>,
    /// `oom_group_kill` of `memory.events`.
    pub oom_group_kill: Option<u64>,
    /// `under_oom` of `memory.oom_control`: processes hang at the limit right now.
    pub under_oom: Option<bool>,
    /// The counters are of this cgroup alone (`memory.events.local`, v1), not of its whole tree.
    pub local: bool,
    /// Usage.
    pub usage: Option<Bytes>,
    /// Limit.
    pub limit: Option<Bytes>,
    /// `memory.stat` keys of weight: (key, value). Bytes for sizes, counts for `workingset_refault_*` and the like.
    pub stat: Vec<(String, u64)>,
    /// PSI `full avg10`, percent.
    pub pressure_full_avg10: Option<f64>,
}

/// What a [`Counters`] is of.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum CountersOf {
    /// Not known.
    #[default]
    Unknown,
    /// A container.
    Container,
    /// A pod.
    Pod,
    /// `/kubepods` or a slice.
    Slice,
    /// The node.
    Node,
}
