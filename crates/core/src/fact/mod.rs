//! Facts: what the evidence says, each with the place where it says so.

use crate::artifact::ArtifactId;

mod counters;
mod coverage;
mod engine;
mod event;
mod kill;
mod log;
mod node;
mod pod;
mod subject;

pub use counters::{Counters, CountersOf};
pub use coverage::{Coverage, CoverageOf, Hole};
pub use engine::{EngineContainer, EngineEvent, WaitStatus};
pub use event::{Event, ObjectRef};
pub use kill::{
    AtFrom, Candidate, Constraint, KernelKill, KernelNote, KernelNoteKind, Level, LimitHit, MemoryLine, Task,
    UserspaceKill, Victim,
};
pub use log::{LogSign, NodeNote, NodeNoteKind, Sign};
pub use node::{LimitRange, Node, Revision};
pub use pod::{
    Condition, Container, ContainerStatus, FieldManager, Flag, Owner, Pod, Probe, Resources, State, Termination, Tmpfs,
};
pub use subject::{ContainerKind, Qos, Subject};

/// One thing that an artifact says.
#[derive(Debug, Clone, PartialEq)]
pub struct Fact {
    /// What it says.
    pub what: What,
    /// Where it says so.
    pub from: Locus,
}

/// The kinds of fact. Large ones are boxed so that a list of facts stays small.
#[derive(Debug, Clone, PartialEq)]
pub enum What {
    /// A pod: as much of its spec and status as the artifact shows.
    Pod(Box<Pod>),
    /// A Kubernetes event.
    Event(Box<Event>),
    /// A node: conditions, capacity, boot id.
    Node(Box<Node>),
    /// A namespace's default or bounding limits.
    LimitRange(Box<LimitRange>),
    /// A revision of a workload's template (a ReplicaSet or ControllerRevision).
    Revision(Box<Revision>),
    /// One invocation of the kernel's OOM killer.
    Kill(Box<KernelKill>),
    /// A kill by systemd-oomd, earlyoom, Talos or their like.
    UserspaceKill(Box<UserspaceKill>),
    /// Another line of the kernel that matters here: a segfault, a fork refused, lines lost.
    KernelNote(Box<KernelNote>),
    /// A container as Docker, Podman or a CRI runtime describes it.
    EngineContainer(Box<EngineContainer>),
    /// An event of Docker or Podman.
    EngineEvent(Box<EngineEvent>),
    /// A line that a container wrote and that tells how it ended.
    LogSign(Box<LogSign>),
    /// A line of the kubelet's or runtime's log that tells how a container ended.
    NodeNote(Box<NodeNote>),
    /// OOM counters and sizes of a cgroup or container.
    Counters(Box<Counters>),
}

/// Where in the evidence something stands.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Locus {
    /// The artifact.
    pub artifact: ArtifactId,
    /// The place in it.
    pub place: Place,
}

/// A place in an artifact.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Place {
    /// The artifact as a whole.
    Whole,
    /// A line of a text, counted from 1.
    Line(u32),
    /// A JSON pointer (RFC 6901); for YAML the same, behind `#N` for the N-th document (from 1) where there are several.
    Pointer(Box<str>),
}

impl Locus {
    /// The whole of an artifact.
    pub fn whole(artifact: ArtifactId) -> Self {
        Self { artifact, place: Place::Whole }
    }

    /// A line, counted from 1.
    pub fn line(artifact: ArtifactId, line: usize) -> Self {
        Self { artifact, place: Place::Line(u32::try_from(line).unwrap_or(u32::MAX)) }
    }

    /// A JSON pointer.
    pub fn pointer(artifact: ArtifactId, pointer: impl Into<Box<str>>) -> Self {
        Self { artifact, place: Place::Pointer(pointer.into()) }
    }

    /// The same place, deeper: `rest` begins with `/`. Lines and wholes have no depth and stay as they are.
    #[must_use]
    pub fn join(&self, rest: &str) -> Self {
        let place = match &self.place {
            Place::Pointer(base) => Place::Pointer(format!("{base}{rest}").into()),
            other => other.clone(),
        };
        Self { artifact: self.artifact, place }
    }

    /// As printed in `locator`: `line 12`, `/items/3/status`, or nothing for a whole artifact.
    pub fn locator(&self) -> String {
        match &self.place {
            Place::Whole => String::new(),
            Place::Line(line) => format!("line {line}"),
            Place::Pointer(pointer) => pointer.to_string(),
        }
    }
}

/// What was not learned, why, and the command that would show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gap {
    /// What is not known: `the kernel log of node-a`.
    pub what: String,
    /// Why: `forbidden: nodes/proxy`, `line 12 is not JSON`.
    pub because: String,
    /// The command that would fill it; empty where there is none.
    pub command: String,
}
