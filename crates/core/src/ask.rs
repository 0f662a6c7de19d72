//! The question: which deaths are to be explained.

use jiff::Timestamp;

/// What was asked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ask {
    /// Only this namespace.
    pub namespace: Option<String>,
    /// Only this pod, also when it is healthy or gone.
    pub pod: Option<String>,
    /// Only pods of this owner, as (kind, name) in Kubernetes' own spelling: (`Deployment`, `checkout`).
    pub owner: Option<(String, String)>,
    /// Only pods that some artifact shows: they were chosen by their labels, and those of a pod that is gone are not
    /// known.
    pub shown_only: bool,
    /// Only this container.
    pub container: Option<String>,
    /// Only deaths since this moment.
    pub since: Option<Timestamp>,
    /// The present, for ages and years that a text leaves out; `None` for a replay that should not depend on it.
    pub now: Option<Timestamp>,
}
