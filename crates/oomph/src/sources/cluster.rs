//! The cluster's API.

use oomph_cluster::kube::{self, Ask, ConnectError};
use oomph_core::artifact::{Captured, SourceStatus, Status};
use oomph_core::fact::Gap;

use super::Gathered;

/// A question to the cluster.
#[derive(Debug)]
pub(crate) struct Cluster {
    /// The question.
    pub(crate) ask: Ask,
    /// What to do where no cluster is configured.
    pub(crate) otherwise: Otherwise,
}

/// What to do where no cluster is configured. One that is configured and does not answer is always a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Otherwise {
    /// Fail: the question cannot be answered without one.
    Fail,
    /// Ask this node.
    Node,
    /// Go on with the other evidence.
    GoOn,
}

/// What the cluster said.
#[derive(Debug, Default)]
pub(super) struct Answer {
    pub(super) gathered: Gathered,
    /// There is no cluster: ask this node in its place.
    pub(super) ask_node: bool,
}

impl Cluster {
    pub(super) async fn gather(&self) -> Answer {
        let error = match kube::capture(&self.ask).await {
            Ok(captured) => {
                return Answer { gathered: Gathered { captured, ..Gathered::default() }, ask_node: false };
            }
            Err(error) => error,
        };
        let unconfigured = matches!(error, ConnectError::NotConfigured { .. });
        let because = error.to_string();
        let failures =
            if unconfigured && self.otherwise != Otherwise::Fail { Vec::new() } else { vec![because.clone()] };
        let captured = Captured {
            sources: vec![SourceStatus::not_read("Kubernetes API", "cluster", Status::Absent, &because)],
            gaps: vec![Gap { what: "the cluster".into(), because, command: "kubectl config get-contexts".into() }],
            ..Captured::default()
        };
        Answer {
            gathered: Gathered { captured, failures },
            ask_node: unconfigured && self.otherwise == Otherwise::Node,
        }
    }
}
