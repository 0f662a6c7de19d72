//! The sources of evidence besides files. Each gives bytes and says what it could not read; none fails.
//!
//! | source | file | asked with |
//! | --- | --- | --- |
//! | the cluster's API | `cluster.rs` | a target, or nothing else |
//! | Docker or Podman | `docker.rs` | `--docker` |
//! | this node | `node.rs` | `--node`, or nothing else where no cluster is configured |

use jiff::Timestamp;
use oomph_core::artifact::{Captured, Status};
use oomph_core::diagnosis::{GapReport, SourceReport, SourceState};

mod cluster;
mod docker;
mod node;

pub(crate) use cluster::{Cluster, Otherwise};
pub(crate) use docker::Containers;

/// Which live sources to ask, and for what.
#[derive(Debug, Default)]
pub(crate) struct Live {
    /// Ask the cluster.
    pub(crate) cluster: Option<Cluster>,
    /// Ask Docker or Podman.
    pub(crate) docker: Option<Containers>,
    /// Ask this node.
    pub(crate) node: bool,
}

/// What the sources gave.
#[derive(Debug, Default)]
pub(crate) struct Gathered {
    /// The evidence, and what is missing of it.
    pub(crate) captured: Captured,
    /// Why a source that had to answer did not; each ends in the remedy.
    pub(crate) failures: Vec<String>,
}

impl Live {
    /// Nothing is to be asked.
    pub(crate) fn is_empty(&self) -> bool {
        self.cluster.is_none() && self.docker.is_none() && !self.node
    }

    /// Asks all of them at once.
    pub(crate) async fn gather(&self, now: Timestamp) -> Gathered {
        let cluster = async {
            match &self.cluster {
                Some(cluster) => cluster.gather().await,
                None => cluster::Answer::default(),
            }
        };
        let docker = async {
            match &self.docker {
                Some(containers) => docker::gather(containers, now).await,
                None => Captured::default(),
            }
        };
        let node = async { if self.node { node::gather(now).await } else { Captured::default() } };
        let (cluster::Answer { mut gathered, ask_node }, docker, node) = futures::join!(cluster, docker, node);
        gathered.captured.append(docker);
        gathered.captured.append(node);
        if ask_node && !self.node {
            gathered.captured.append(node::gather(now).await);
        }
        gathered
    }
}

/// How the sources went, for the document. A source that gave an artifact is reported with what the artifact holds,
/// so only the others are told here.
pub(crate) fn reports(captured: &Captured) -> (Vec<SourceReport>, Vec<GapReport>) {
    let gave = |name: &str| captured.artifacts.iter().any(|artifact| artifact.name == name);
    let sources = captured
        .sources
        .iter()
        .filter(|source| source.status != Status::Read || !gave(&source.name))
        .map(|source| SourceReport {
            name: source.name.clone(),
            kind: source.kind.clone(),
            status: match source.status {
                Status::Read => SourceState::Read,
                Status::Partial => SourceState::Partial,
                Status::Forbidden => SourceState::Forbidden,
                Status::Absent => SourceState::Absent,
            },
            from: None,
            to: None,
            because: source.because.clone(),
        })
        .collect();
    let gaps = captured
        .gaps
        .iter()
        .map(|gap| GapReport { what: gap.what.clone(), because: gap.because.clone(), command: gap.command.clone() })
        .collect();
    (sources, gaps)
}
