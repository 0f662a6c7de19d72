//! Docker or Podman, through the engine's socket.

use std::time::Duration;

use jiff::Timestamp;
use oomph_cluster::docker::{self, Answered, Ask};
use oomph_core::artifact::{Captured, SourceStatus, Status};
use oomph_core::fact::Gap;

use super::{Answer, Gathered, Then};

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

/// How long the engines together may take.
const WITHIN: Duration = Duration::from_secs(10);

/// Asks every engine that listens. The kernel's log belongs to the answer where one of them runs on this machine.
pub(super) async fn gather(containers: &Containers, now: Timestamp) -> Answer {
    let names = match containers {
        Containers::All => Vec::new(),
        Containers::Named(name) => vec![name.clone()],
    };
    let endpoints = match docker::endpoints(|name| std::env::var(name).ok()) {
        Ok(endpoints) => endpoints,
        Err(error) => return failed(error.to_string()),
    };
    let booted = oomph_node::clock::booted(now);
    let ask = Ask { endpoints: &endpoints, names: &names, now, booted, within: WITHIN };
    match docker::capture(&ask).await {
        Ok(Answered { captured, local }) => Answer {
            gathered: Gathered { captured, failures: Vec::new() },
            then: if local { Then::KernelLog } else { Then::Nothing },
        },
        Err(error @ docker::NoEngine::NoSuchContainer { .. }) => {
            failed(format!("{error}; list them with: docker ps -a"))
        }
        Err(error) => failed(format!("{error}; start the engine, set DOCKER_HOST, or run as a user who may ask it")),
    }
}

fn failed(because: String) -> Answer {
    let captured = Captured {
        sources: vec![SourceStatus::not_read("Docker or Podman", "engine", Status::Absent, &because)],
        gaps: vec![Gap {
            what: "the engine's containers".into(),
            because: because.clone(),
            command: "docker info".into(),
        }],
        ..Captured::default()
    };
    Answer { gathered: Gathered { captured, failures: vec![because] }, then: Then::Nothing }
}
