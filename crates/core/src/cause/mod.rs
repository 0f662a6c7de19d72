//! The causes: one file each, one word in the table. The order is precedence among findings of equal confidence.
//!
//! A cause looks at a case and says whether it is absent, ruled out by a fact, or found, and with what proof. The rule
//! for its confidence stands on its page (`pages/ID.md`), which is also what `oomph explain` prints.

use crate::case::Case;
use crate::diagnosis::{Advice, Confidence, Missing, Verdict, VictimKind};
use crate::fact::{Level, Locus};

mod advice;
mod cordon;
mod counted;
mod due;
mod job;
mod kernel;
mod killing;
mod level;
mod probe;
mod probe_advice;
mod quote;
mod refusal;
mod removal;
mod sidecar;
mod signal;
mod start;
mod stop;
mod told_on_node;
mod victim;

pub(crate) use advice::WITHOUT_HISTORY;
pub(crate) use kernel::beside_the_end;
pub(crate) use level::was_resized_since;
pub(crate) use removal::consumer;
pub(crate) use stop::grace_expired;

/// A cause of death.
#[derive(Debug)]
pub struct Cause {
    /// The verdict it leads to.
    pub verdict: Verdict,
    /// Looks at a case.
    pub judge: fn(&Case<'_>) -> Finding,
    /// What to do about it.
    pub advise: fn(&Case<'_>) -> Vec<Advice>,
}

/// What a cause says of a case.
#[derive(Debug)]
pub enum Finding {
    /// Nothing speaks for it.
    Absent,
    /// A fact excludes it, though it could look like it.
    RuledOut(String),
    /// It is so.
    Found(Box<Found>),
}

/// A cause that is found.
#[derive(Debug, Clone)]
pub struct Found {
    /// How sure.
    pub confidence: Confidence,
    /// Whether the OOM killer killed a process in that life.
    pub oom_kill: Option<bool>,
    /// The cgroup whose limit fired, and how sure that is.
    pub level: Option<(Level, Confidence)>,
    /// Which process was killed.
    pub victim: Option<VictimKind>,
    /// One sentence.
    pub summary: String,
    /// What proves it; never empty.
    pub proofs: Vec<Proof>,
    /// What would tell more.
    pub missing: Vec<Missing>,
}

/// A sentence and the place that it rests on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    /// The sentence.
    pub says: String,
    /// The place.
    pub from: Locus,
    /// The words themselves.
    pub excerpt: String,
}

impl Found {
    /// A finding that no kill of the kernel is part of.
    fn new(confidence: Confidence, summary: impl Into<String>, proofs: Vec<Proof>) -> Self {
        Self {
            confidence,
            oom_kill: Some(false),
            level: None,
            victim: None,
            summary: summary.into(),
            proofs,
            missing: Vec::new(),
        }
    }

    /// With another answer to whether the OOM killer killed a process.
    fn oom_kill(mut self, answer: Option<bool>) -> Self {
        self.oom_kill = answer;
        self
    }

    /// With something that would tell more.
    fn missing(mut self, what: impl Into<String>, command: impl Into<String>) -> Self {
        self.missing.push(Missing { what: what.into(), command: command.into() });
        self
    }
}

impl From<Found> for Finding {
    fn from(found: Found) -> Self {
        Self::Found(Box::new(found))
    }
}

/// Declares the modules and the table in one go; the order is the precedence.
macro_rules! causes {
    ($($name:ident),* $(,)?) => {
        $(mod $name;)*

        /// Every cause, in the order of precedence.
        pub static CAUSES: &[Cause] = &[$($name::CAUSE),*];
    };
}

causes! {
    admission_rejected_memory,
    admission_rejected_other,
    start_oom,
    container_limit_oom,
    pod_limit_oom,
    node_allocatable_oom,
    node_oom,
    userspace_oom_killer,
    kubelet_memory_eviction,
    kubelet_disk_eviction,
    kubelet_pid_eviction,
    ephemeral_limit_eviction,
    preempted,
    taint_eviction,
    node_shutdown,
    node_drain,
    api_eviction,
    deadline,
    liveness_kill,
    kubelet_restart,
    child_oom,
    pids_limit,
    runtime_heap_oom,
    controller_deleted,
    user_deleted,
    start_error,
    segfault,
    native_abort,
    bus_error,
    external_sigterm,
    external_sigkill,
    status_lost,
    app_error,
    completed,
    child_oom_invisible,
    memory_stall,
    undetermined,
}
