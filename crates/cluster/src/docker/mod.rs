//! Docker and Podman as sources: inspect documents, events and the end of the logs, as the engines sent them.
//!
//! What an engine says of a kill is little: `OOMKilled` is false under Podman 4 on cgroup v1 and when a child died. The
//! kernel's log knows, and belongs to the answer where the engine is [`Answered::local`]; the caller adds it.

use std::collections::HashSet;
use std::fmt::Write as _;
use std::time::Duration;

use jiff::Timestamp;
use oomph_core::artifact::{Captured, SourceStatus, Status};
use oomph_core::fact::Gap;
use tokio::time::Instant;

mod container;
mod endpoint;
mod engine;
mod events;
mod http;
mod log;

use container::Containers;
pub use endpoint::{Endpoint, NoEndpoint, endpoints};
use engine::Engine;
use http::NoAnswer;

/// What to capture.
#[derive(Debug)]
pub struct Ask<'a> {
    /// Where engines may listen; see [`endpoints`].
    pub endpoints: &'a [Endpoint],
    /// Names or ids of containers. Empty: every container, with the logs of those that ended badly or lost a process.
    pub names: &'a [String],
    /// The time.
    pub now: Timestamp,
    /// When this machine booted. It becomes the artifacts' `booted` of what a local engine says: a container that was
    /// running before that moment went down with the host.
    pub booted: Option<Timestamp>,
    /// How long the engines together may take.
    pub within: Duration,
}

/// What the engines answered.
#[derive(Debug, Default)]
pub struct Answered {
    /// What they said.
    pub captured: Captured,
    /// One of them runs on this machine's kernel, so that the kernel's log speaks of its containers.
    pub local: bool,
}

/// Why there is no answer at all.
#[derive(Debug, thiserror::Error)]
pub enum NoEngine {
    /// No engine answered.
    #[error("no Docker or Podman answers; tried {}", list(.tried))]
    Silent {
        /// Where, and why not.
        tried: Vec<(Endpoint, String)>,
    },
    /// A container was named that no engine has.
    #[error("no container {name:?}; tried {}", list(.tried))]
    NoSuchContainer {
        /// The name.
        name: String,
        /// Where, and what was answered.
        tried: Vec<(Endpoint, String)>,
    },
}

fn list(tried: &[(Endpoint, String)]) -> String {
    let mut text = String::new();
    for (endpoint, because) in tried {
        let separator = if text.is_empty() { "" } else { ", " };
        let _ = write!(text, "{separator}{endpoint} ({because})");
    }
    text
}

/// Asks every engine, one after the other.
pub async fn capture(ask: &Ask<'_>) -> Result<Answered, NoEngine> {
    let deadline = Instant::now() + ask.within;
    let mut answered = Answered::default();
    let mut tried = Vec::new();
    let mut found = HashSet::new();
    let mut silent = true;
    for endpoint in distinct(ask.endpoints) {
        let engine = match Engine::at(endpoint.clone(), deadline).await {
            Ok(engine) => engine,
            Err(error) => {
                let (status, because) = why(&error);
                answered.refused(endpoint, status, &because);
                tried.push((endpoint.clone(), because));
                continue;
            }
        };
        silent = false;
        let containers = match Containers::read(&engine, ask.names).await {
            Ok(containers) => containers,
            Err(because) => {
                answered.refused(endpoint, Status::Partial, &because);
                tried.push((endpoint.clone(), because));
                continue;
            }
        };
        let because = containers.gaps.first().map_or("it has none of that name", |gap| &gap.because);
        tried.push((endpoint.clone(), because.to_owned()));
        found.extend(containers.asked.iter().cloned());
        answered.local |= engine.local && !containers.seen.is_empty();
        answered.captured.append(containers.tell(&engine, ask).await);
    }
    if silent {
        return Err(NoEngine::Silent { tried });
    }
    match ask.names.iter().find(|name| !found.contains(*name)) {
        Some(name) => Err(NoEngine::NoSuchContainer { name: name.clone(), tried }),
        None => Ok(answered),
    }
}

/// Each socket once: Podman can be found at Docker's place too, through a link.
fn distinct(endpoints: &[Endpoint]) -> impl Iterator<Item = &Endpoint> {
    let mut seen = HashSet::new();
    endpoints.iter().filter(move |endpoint| match endpoint {
        Endpoint::Unix(path) => seen.insert(path.canonicalize().unwrap_or_else(|_| path.clone())),
        Endpoint::Tcp(_) => true,
    })
}

/// How a failed question counts, and why it failed.
fn why(error: &NoAnswer) -> (Status, String) {
    use std::io::ErrorKind::{ConnectionRefused, NotFound, PermissionDenied};
    match error {
        NoAnswer::Connect(error) => match error.kind() {
            NotFound => (Status::Absent, "not there".into()),
            ConnectionRefused => (Status::Absent, "nothing listens".into()),
            PermissionDenied => (Status::Forbidden, "permission denied; run as root or join the engine's group".into()),
            _ => (Status::Absent, error.to_string()),
        },
        NoAnswer::Timeout => (Status::Partial, "no answer in time".into()),
        other => (Status::Absent, other.to_string()),
    }
}

impl Answered {
    /// Notes an engine that did not answer. Only one that is there leaves a gap.
    fn refused(&mut self, endpoint: &Endpoint, status: Status, because: &str) {
        self.captured.sources.push(SourceStatus::not_read(endpoint.to_string(), "containers", status, because));
        if status != Status::Absent {
            self.captured.gaps.push(Gap {
                what: format!("the containers of the engine at {endpoint}"),
                because: because.to_owned(),
                command: format!("sudo DOCKER_HOST={endpoint} docker ps -a"),
            });
        }
    }
}
