//! The sources of evidence besides files. Each gives bytes and says what it could not read; none fails.
//!
//! | source | file | asked with |
//! | --- | --- | --- |
//! | the cluster's API | `cluster.rs` | a target, or nothing else |
//! | Docker or Podman | `docker.rs` | `--docker` |
//! | this node | `node.rs` | `--node`, or nothing else where no cluster is configured |

use std::time::Duration;

use futures::stream::{self, LocalBoxStream, StreamExt};
use jiff::Timestamp;
use oomph_cluster::kube::ConnectError;
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

/// What one source gave.
#[derive(Debug, Default)]
struct Answer {
    gathered: Gathered,
    then: Then,
}

/// What is to be asked because of an answer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Then {
    /// Nothing.
    #[default]
    Nothing,
    /// This machine's kernel log: it speaks of the containers that were told of.
    KernelLog,
    /// This node, in place of a cluster.
    Node,
}

/// Between two looks at a source that cannot be watched.
const INTERVAL: Duration = Duration::from_secs(2);

impl Live {
    /// Nothing is to be asked.
    pub(crate) fn is_empty(&self) -> bool {
        self.cluster.is_none() && self.docker.is_none() && !self.node
    }

    /// Asks all of them at once.
    pub(crate) async fn gather(&self) -> Gathered {
        let now = Timestamp::now();
        let cluster = async {
            match &self.cluster {
                Some(cluster) => cluster.gather().await,
                None => Answer::default(),
            }
        };
        let (cluster, local) = futures::join!(cluster, self.gather_local(now, false));
        let Answer { mut gathered, then } = cluster;
        gathered.append(local);
        if then == Then::Node && !self.node {
            gathered.captured.append(node::gather(now).await);
        }
        gathered
    }

    /// Asks the sources on this machine; `node`: this node, too, though it was not named.
    async fn gather_local(&self, now: Timestamp, node: bool) -> Gathered {
        let node = node || self.node;
        let docker = async {
            match &self.docker {
                Some(containers) => docker::gather(containers, now).await,
                None => Answer::default(),
            }
        };
        let of_node = async { if node { node::gather(now).await } else { Captured::default() } };
        let (Answer { mut gathered, then }, of_node) = futures::join!(docker, of_node);
        gathered.captured.append(of_node);
        if then == Then::KernelLog && !node {
            gathered.captured.append(node::kernel_log(now).await);
        }
        gathered
    }

    /// What comes after the first look: the cluster is watched, the others are asked again and again.
    pub(crate) async fn follow(&self) -> Result<LocalBoxStream<'_, Gathered>, String> {
        let (watched, in_its_place) = match &self.cluster {
            None => (None, false),
            Some(cluster) => match cluster.watch().await {
                Ok(stream) => (Some(stream), false),
                Err(ConnectError::NotConfigured { .. }) if cluster.otherwise == Otherwise::Node => (None, true),
                Err(ConnectError::NotConfigured { .. }) if cluster.otherwise == Otherwise::GoOn => (None, false),
                Err(error) => return Err(error.to_string()),
            },
        };
        let asks = in_its_place || self.node || self.docker.is_some();
        let asked = stream::unfold((), move |()| async move {
            if !asks {
                return None;
            }
            tokio::time::sleep(INTERVAL).await;
            Some((self.gather_local(Timestamp::now(), in_its_place).await, ()))
        });
        let watched = stream::iter(watched).flatten().map(|captured| Gathered { captured, failures: Vec::new() });
        Ok(stream::select(watched, asked).boxed_local())
    }
}

impl Gathered {
    fn append(&mut self, mut other: Self) {
        self.captured.append(other.captured);
        self.failures.append(&mut other.failures);
    }
}

/// How the sources went, for the document.
pub(crate) fn reports(captured: &Captured) -> (Vec<SourceReport>, Vec<GapReport>) {
    let sources = captured
        .sources
        .iter()
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
