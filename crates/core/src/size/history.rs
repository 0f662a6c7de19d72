//! The memory history of one container: what every source of `oomph size` delivers and every judgement reads.

use crate::units::Bytes;

/// Stands in a column where nothing was measured at that moment.
pub const MISSING: u64 = u64::MAX;

/// How fine histories are asked for, replayed and counted: five minutes, in seconds. The highest value of each counts.
pub const STEP: i64 = 300;

/// Whose history it is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Subject {
    /// Namespace; empty outside of a cluster.
    pub namespace: String,
    /// Kind of the owner: `Deployment`, `CronJob`; empty where there is none.
    pub kind: String,
    /// Name of the owner, or of a trace's series.
    pub name: String,
    /// Container.
    pub container: String,
    /// Pod or run; empty where the source does not tell replicas apart.
    pub replica: String,
}

/// The history of one container of one replica: columns of the same length, ordered by time. A column that the source
/// does not have is empty; a single value that it does not have is [`MISSING`].
#[derive(Debug, Clone, Default, PartialEq)]
pub struct History {
    /// Whose.
    pub subject: Subject,
    /// When: seconds, of Unix time where the source knows it.
    pub at: Vec<i64>,
    /// What was used: the working set, or what the source has instead; bytes.
    pub used: Vec<u64>,
    /// The limit in force; bytes.
    pub limit: Vec<u64>,
    /// The runtime's heap in use; bytes.
    pub heap: Vec<u64>,
    /// Anonymous memory; bytes.
    pub rss: Vec<u64>,
    /// Page cache with tmpfs; bytes.
    pub cache: Vec<u64>,
    /// Kills for memory, by when they happened, with the limit in force where it is known.
    pub kills: Vec<Kill>,
    /// The request in force at the end, where the source knows it.
    pub request: Option<Bytes>,
    /// The version of the workload that it ran: the ReplicaSet of a Deployment's pod; empty where it is not known.
    pub revision: String,
}

/// A kill for memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kill {
    /// When: seconds, on the clock of [`History::at`].
    pub at: i64,
    /// The limit in force.
    pub limit: Option<Bytes>,
}
