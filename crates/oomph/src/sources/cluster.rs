//! The cluster's API.

use futures::Stream;
use oomph_cluster::kube::{self, Ask, ConnectError};
use oomph_core::artifact::{Captured, SourceStatus, Status};
use oomph_core::fact::Gap;

use super::{Answer, Gathered, Then};

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

impl Cluster {
    /// What the cluster has about the deaths asked for.
    pub(super) async fn gather(&self) -> Answer {
        match kube::capture(&self.ask).await {
            Ok(captured) => {
                let gathered = Gathered { captured, failures: Vec::new() };
                Answer { gathered, then: Then::Nothing }
            }
            Err(error) => self.without(&error),
        }
    }

    /// Each new death, as it comes.
    pub(super) async fn watch(&self) -> Result<impl Stream<Item = Captured> + Send + use<>, ConnectError> {
        kube::watch(self.ask.clone()).await
    }

    fn without(&self, error: &ConnectError) -> Answer {
        let unconfigured = matches!(error, ConnectError::NotConfigured { .. });
        let because = error.to_string();
        let fails = !unconfigured || self.otherwise == Otherwise::Fail;
        let captured = Captured {
            sources: vec![SourceStatus::not_read("Kubernetes API", "cluster", Status::Absent, &because)],
            gaps: vec![Gap {
                what: "the cluster".into(),
                because: because.clone(),
                command: "kubectl config get-contexts".into(),
            }],
            ..Captured::default()
        };
        let failures = if fails { vec![because] } else { Vec::new() };
        let then = if !fails && self.otherwise == Otherwise::Node { Then::Node } else { Then::Nothing };
        Answer { gathered: Gathered { captured, failures }, then }
    }
}
