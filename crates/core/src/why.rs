//! The whole way from artifacts to the document: decode, join, judge.

use jiff::Timestamp;

use crate::artifact::Artifact;
use crate::diagnosis::{Document, GapReport, SCHEMA, SourceReport};

/// What was asked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ask {
    /// Only this namespace.
    pub namespace: Option<String>,
    /// Only this pod, also when it is healthy or gone.
    pub pod: Option<String>,
    /// Only pods of this owner, as (kind, name) in Kubernetes' own spelling: (`Deployment`, `checkout`).
    pub owner: Option<(String, String)>,
    /// Only this container.
    pub container: Option<String>,
    /// Only deaths since this moment.
    pub since: Option<Timestamp>,
    /// The present, for ages and years that a text leaves out; `None` for a replay that should not depend on it.
    pub now: Option<Timestamp>,
}

/// Explains every death in the artifacts. `sources` and `gaps` are what capturing them already knows.
pub fn why(artifacts: &[Artifact], sources: Vec<SourceReport>, gaps: Vec<GapReport>, ask: &Ask) -> Document {
    let _ = (artifacts, ask);
    Document { schema: SCHEMA, diagnoses: Vec::new(), kernel_kills: Vec::new(), sources, gaps }
}
