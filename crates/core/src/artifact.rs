//! What a source read, verbatim: the complete input of every judgement.

use jiff::Timestamp;

use crate::fact::{Gap, Subject};

/// The place of an artifact in the list that one run was given. Evidence refers to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ArtifactId(pub u32);

/// Bytes as a source read them, with what the source knew about them.
#[derive(Debug, Clone)]
pub struct Artifact {
    /// What people call it: a file's path as given, `/dev/kmsg`, `GET /api/v1/pods`. Printed as the source of evidence.
    pub name: String,
    /// What it is, where the source knows. `None`: detected from the content.
    pub kind: Option<Kind>,
    /// Whom it is about, where the source knows (a container's log, a cgroup's counters, a node's kernel log).
    pub about: Subject,
    /// When it was read; for a file that somebody pasted, not known.
    pub at: Option<Timestamp>,
    /// When the machine it comes from was booted, where the source knows: turns seconds since boot into moments.
    pub booted: Option<Timestamp>,
    /// The bytes, not interpreted.
    pub bytes: Vec<u8>,
}

impl Artifact {
    /// An artifact of unknown kind about nobody in particular, as a file is.
    pub fn new(name: impl Into<String>, bytes: impl Into<Vec<u8>>) -> Self {
        Self { name: name.into(), kind: None, about: Subject::default(), at: None, booted: None, bytes: bytes.into() }
    }
}

/// The kinds of artifact. One file may hold several; see [`crate::decode::detect`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Kubernetes objects as JSON: one object, a `List` of any kinds, a bare status or a fragment of one.
    KubernetesJson,
    /// The same as YAML, several documents allowed, fragments with broken indentation allowed.
    KubernetesYaml,
    /// `kubectl describe` of pods, nodes or anything with events, whole or in part.
    Describe,
    /// `kubectl get` tables of pods or events.
    Table,
    /// A kernel log in any of the shapes that people paste.
    KernelLog,
    /// `docker inspect` or `podman inspect` of containers.
    EngineInspect,
    /// `docker events` or `podman events`, as JSON lines or text.
    EngineEvents,
    /// `crictl inspect` or `crictl inspectp`.
    CriInspect,
    /// What a container wrote on stdout and stderr.
    ContainerLog,
    /// A cgroup's `memory.events` (v2), `memory.events.local` or `memory.oom_control` (v1).
    MemoryEvents,
    /// A cgroup's `memory.stat`.
    MemoryStat,
    /// Prometheus text exposition: the kubelet's cAdvisor or resource endpoint.
    Metrics,
    /// The kubelet's or the runtime's own log.
    NodeLog,
    /// A recording of `oomph run`.
    Recording,
    /// A sentence or list by which another tool tells how a container ended.
    Message,
}

impl Kind {
    /// What people call it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::KubernetesJson | Self::KubernetesYaml => "Kubernetes objects",
            Self::Describe => "kubectl describe",
            Self::Table => "kubectl get",
            Self::KernelLog => "kernel log",
            Self::EngineInspect => "engine inspect",
            Self::EngineEvents => "engine events",
            Self::CriInspect => "crictl inspect",
            Self::ContainerLog => "container log",
            Self::MemoryEvents => "memory events",
            Self::MemoryStat => "memory.stat",
            Self::Metrics => "metrics",
            Self::NodeLog => "node log",
            Self::Recording => "recording",
            Self::Message => "message",
        }
    }
}

/// All that a source gave. Capture never fails: half a cluster is still evidence, and what is missing is said.
#[derive(Debug, Clone, Default)]
pub struct Captured {
    /// What was read.
    pub artifacts: Vec<Artifact>,
    /// What was not, why, and the command that would show it.
    pub gaps: Vec<Gap>,
    /// How each place that was looked at answered, in the order of looking.
    pub sources: Vec<SourceStatus>,
    /// What was named and is not there, a sentence each that ends in the remedy.
    pub unknown: Vec<String>,
}

impl Captured {
    /// Adds an artifact that was read whole.
    pub fn read(&mut self, kind: impl Into<String>, artifact: Artifact) {
        self.sources.push(SourceStatus::read(artifact.name.clone(), kind));
        self.artifacts.push(artifact);
    }

    /// Adds an artifact of which some is missing, and why.
    pub fn partial(&mut self, kind: impl Into<String>, artifact: Artifact, because: impl Into<String>) {
        self.not_read(artifact.name.clone(), kind, Status::Partial, because);
        self.artifacts.push(artifact);
    }

    /// Notes a place that was not read whole, and why.
    pub fn not_read(
        &mut self,
        name: impl Into<String>,
        kind: impl Into<String>,
        status: Status,
        because: impl Into<String>,
    ) {
        self.sources.push(SourceStatus::not_read(name, kind, status, because));
    }

    /// Notes something that was not learned; the same one is noted once.
    pub fn gap(&mut self, what: impl Into<String>, because: impl Into<String>, command: impl Into<String>) {
        self.note(Gap { what: what.into(), because: because.into(), command: command.into() });
    }

    /// Adds what another source gave.
    pub fn append(&mut self, mut other: Self) {
        self.artifacts.append(&mut other.artifacts);
        self.sources.append(&mut other.sources);
        self.unknown.append(&mut other.unknown);
        other.gaps.into_iter().for_each(|gap| self.note(gap));
    }

    fn note(&mut self, gap: Gap) {
        if !self.gaps.contains(&gap) {
            self.gaps.push(gap);
        }
    }
}

/// How one place answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceStatus {
    /// The place: `/dev/kmsg`, `GET /api/v1/pods`. Artifacts read from it have the same name or begin with it.
    pub name: String,
    /// What it holds, in plain words: `kernel log`, `pods`, `cgroup counters`.
    pub kind: String,
    /// How it answered.
    pub status: Status,
    /// Why it is not [`Status::Read`]; empty when it is.
    pub because: String,
}

impl SourceStatus {
    /// A place that was read whole.
    pub fn read(name: impl Into<String>, kind: impl Into<String>) -> Self {
        Self { name: name.into(), kind: kind.into(), status: Status::Read, because: String::new() }
    }

    /// A place that was not read whole, and why.
    pub fn not_read(
        name: impl Into<String>,
        kind: impl Into<String>,
        status: Status,
        because: impl Into<String>,
    ) -> Self {
        Self { name: name.into(), kind: kind.into(), status, because: because.into() }
    }
}

/// The ways in which a place answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Status {
    /// Read whole.
    Read,
    /// Read in part: cut, overwritten, timed out half-way.
    Partial,
    /// Not permitted.
    Forbidden,
    /// Not there, or out of reach.
    Absent,
}
