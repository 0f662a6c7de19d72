//! What stretch of time an artifact covers, and where it may be silent without a reason.

use std::fmt;

use jiff::Timestamp;

use crate::artifact::ArtifactId;

/// What stretch of time an artifact covers, so that silence in it can be judged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Coverage {
    /// The artifact.
    pub artifact: ArtifactId,
    /// What it covers.
    pub of: CoverageOf,
    /// The node it speaks of, where known.
    pub node: Option<String>,
    /// Id of the boot it speaks of (`/proc/sys/kernel/random/boot_id`, without dashes), where known.
    pub boot_id: Option<String>,
    /// The first moment covered.
    pub from: Option<Timestamp>,
    /// The last moment covered.
    pub to: Option<Timestamp>,
    /// Why silence in it proves nothing. Empty: complete between `from` and `to`.
    pub holes: Vec<Hole>,
}

impl Coverage {
    /// A hole of logs whose dates name no zone: `from` and `to` read them as UTC and may be off by hours. Whoever finds
    /// the zone by other means (a kill in it that matches a death) may lift it.
    pub const NO_ZONE: &'static str = "its dates name no zone and are read as UTC";
}

/// Something that is, or may be, missing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hole {
    /// How that is known (`line 7 says that lines were lost`, `only lines about kills were kept`).
    pub because: String,
    /// The first and the last moment that it may be of; `None`: any.
    pub between: Option<(Timestamp, Timestamp)>,
}

impl Hole {
    /// What is missing may be of any moment.
    pub fn anywhere(because: impl Into<String>) -> Self {
        Self { because: because.into(), between: None }
    }

    /// May something be missing that happened between these moments?
    pub fn touches(&self, first: Timestamp, last: Timestamp) -> bool {
        self.between.is_none_or(|(from, to)| from <= last && first <= to)
    }
}

impl fmt::Display for Hole {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.because)?;
        match self.between {
            Some((from, to)) => write!(out, " between {from} and {to}"),
            None => Ok(()),
        }
    }
}

/// What a coverage is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CoverageOf {
    /// A node's kernel log.
    KernelLog,
    /// A namespace's or cluster's events.
    Events,
    /// Engine events (Docker, Podman).
    EngineEvents,
    /// Pods, as the API lists them.
    Pods,
    /// A container's log.
    ContainerLog,
    /// Anything else.
    Other,
}
