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
use oomph_node::KernelLog;

mod cluster;
mod docker;
mod follow;
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

impl Live {
    /// Nothing is to be asked.
    pub(crate) fn is_empty(&self) -> bool {
        self.cluster.is_none() && self.docker.is_none() && !self.node
    }

    /// Asks all of them at once.
    pub(crate) async fn gather(&self) -> Gathered {
        self.look(None).await
    }

    /// Asks all of them at once; `log` is what is known of this machine's kernel log.
    async fn look(&self, mut log: Option<&mut KernelLog>) -> Gathered {
        let now = Timestamp::now();
        let cluster = async {
            match &self.cluster {
                Some(cluster) => cluster.gather().await,
                None => Answer::default(),
            }
        };
        let local = async {
            let local = self.ask_local(now, self.node).await;
            local.with_log(log.as_deref_mut(), now).await
        };
        let (cluster, local) = futures::join!(cluster, local);
        let Answer { mut gathered, then } = cluster;
        gathered.append(local);
        if then == Then::Node && !self.node {
            let (kernel_log, counters) = (node::kernel_log(log, now).await, node::counters(now).await);
            gathered.captured.append(kernel_log);
            gathered.captured.append(counters);
        }
        gathered
    }

    /// Asks the sources on this machine for all but the kernel's log; `node`: this node, too.
    async fn ask_local(&self, now: Timestamp, node: bool) -> Local {
        let engine = async {
            match &self.docker {
                Some(containers) => docker::gather(containers, now).await,
                None => Answer::default(),
            }
        };
        let counters = async { if node { node::counters(now).await } else { Captured::default() } };
        let (Answer { gathered: engine, then }, counters) = futures::join!(engine, counters);
        Local { engine, counters, wants_log: node || then == Then::KernelLog }
    }
}

/// What the sources on this machine said, the kernel's log apart.
#[derive(Debug)]
struct Local {
    engine: Gathered,
    counters: Captured,
    /// The kernel's log belongs to it.
    wants_log: bool,
}

impl Local {
    /// Adds the kernel's log. It is read last, and so has the kills of which the others tell.
    async fn with_log(self, log: Option<&mut KernelLog>, now: Timestamp) -> Gathered {
        let mut gathered = self.engine;
        if self.wants_log {
            gathered.captured.append(node::kernel_log(log, now).await);
        }
        gathered.captured.append(self.counters);
        gathered
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
    (sources, captured.gaps.iter().cloned().map(GapReport::from).collect())
}
