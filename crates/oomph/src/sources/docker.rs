//! Docker or Podman, through the engine's socket.

use jiff::Timestamp;
use oomph_core::artifact::Captured;

/// Which containers the engine is asked about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Containers {
    /// Every one.
    All,
    /// The one of this name or id.
    Named(String),
}

impl From<String> for Containers {
    /// An empty name stands for all: `--docker` alone.
    fn from(name: String) -> Self {
        if name.is_empty() { Self::All } else { Self::Named(name) }
    }
}

/// Asks the engine.
pub(super) async fn gather(containers: &Containers, now: Timestamp) -> Captured {
    let name = match containers {
        Containers::All => None,
        Containers::Named(name) => Some(name.as_str()),
    };
    oomph_cluster::docker::capture(name, now).await
}
