//! What a source brought home: bytes, what it could not read, and how reading went.

use oomph_core::artifact::Artifact;
use oomph_core::fact::Gap;

/// Everything that one capture learned. Half a cluster is still evidence, so there is no error in it.
#[derive(Debug, Clone, Default)]
pub struct Captured {
    /// The bytes.
    pub artifacts: Vec<Artifact>,
    /// What was not learned.
    pub gaps: Vec<Gap>,
    /// How reading went: one for every artifact, of the same name, and one for each source that gave none.
    pub sources: Vec<SourceStatus>,
}

/// How reading one source went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceStatus {
    /// The artifact's name where there is one, else what would have been its name.
    pub name: String,
    /// What it is to people: `pods`, `events`, `kernel log`.
    pub kind: &'static str,
    /// How it went.
    pub status: ReadStatus,
    /// Why it is not [`ReadStatus::Read`]; else empty.
    pub because: String,
}

/// How reading went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ReadStatus {
    /// All that was asked for was read.
    Read,
    /// Some of it: cut by a deadline or a bound.
    Partial,
    /// It is there, and this user may not read it.
    Forbidden,
    /// It is not there, or did not answer.
    Absent,
}

impl ReadStatus {
    /// As the documents write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Partial => "partial",
            Self::Forbidden => "forbidden",
            Self::Absent => "absent",
        }
    }
}

impl Captured {
    /// Adds an artifact that was read whole.
    pub fn read(&mut self, kind: &'static str, artifact: Artifact) {
        self.status(artifact.name.clone(), kind, ReadStatus::Read, "");
        self.artifacts.push(artifact);
    }

    /// Adds an artifact of which some is missing.
    pub fn partial(&mut self, kind: &'static str, artifact: Artifact, because: impl Into<String>) {
        self.status(artifact.name.clone(), kind, ReadStatus::Partial, because);
        self.artifacts.push(artifact);
    }

    /// Notes how a source went.
    pub fn status(
        &mut self,
        name: impl Into<String>,
        kind: &'static str,
        status: ReadStatus,
        because: impl Into<String>,
    ) {
        self.sources.push(SourceStatus { name: name.into(), kind, status, because: because.into() });
    }

    /// Notes something that was not learned; the same one is noted once.
    pub fn gap(&mut self, what: impl Into<String>, because: impl Into<String>, command: impl Into<String>) {
        self.note(Gap { what: what.into(), because: because.into(), command: command.into() });
    }

    /// Takes in what another source brought.
    pub fn join(&mut self, other: Self) {
        self.artifacts.extend(other.artifacts);
        self.sources.extend(other.sources);
        other.gaps.into_iter().for_each(|gap| self.note(gap));
    }

    fn note(&mut self, gap: Gap) {
        if !self.gaps.contains(&gap) {
            self.gaps.push(gap);
        }
    }
}
