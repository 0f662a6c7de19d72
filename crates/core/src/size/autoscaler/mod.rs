//! What the autoscalers of a cluster know and do: objects of the Vertical Pod Autoscaler, the checkpoints of its
//! recommender, and whatever else scales on memory. They are a source where there is no history, and are compared with
//! what we propose where there is one.

mod attach;
mod compare;
mod defect;
mod document;
mod propose;
mod read;
mod templates;

pub use attach::attach;
pub use document::{Defect, Peak, Vpa, VpaBounds};
pub use read::{objects, texts};

use attach::{is_target, same};
pub(super) use compare::compare;
pub(super) use propose::{class_evidence, from_peaks, knows};

use super::vpa::Checkpoint;
use crate::budget::told::{Told, Workers};
use crate::fact::Gap;
use crate::units::Bytes;

/// Everything that was found.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Objects {
    /// `VerticalPodAutoscaler` objects.
    pub vertical: Vec<Vertical>,
    /// `VerticalPodAutoscalerCheckpoint` objects.
    pub saved: Vec<Saved>,
    /// What adds replicas where memory is used.
    pub horizontal: Vec<Horizontal>,
    /// Requests and limits of the containers of pod templates beside them.
    pub set: Vec<Set>,
    /// Objects that could not be used.
    pub gaps: Vec<Gap>,
    /// Texts that could not be read, or not to their end.
    pub broken: Vec<Gap>,
}

impl Objects {
    /// Something of the VPA is there.
    pub fn any(&self) -> bool {
        !self.vertical.is_empty() || !self.saved.is_empty()
    }

    /// Those of another text as well.
    pub fn append(&mut self, other: Self) {
        self.vertical.extend(other.vertical);
        self.saved.extend(other.saved);
        self.horizontal.extend(other.horizontal);
        self.set.extend(other.set);
        self.gaps.extend(other.gaps);
        self.broken.extend(other.broken);
    }
}

/// An object by its kind and name, in a namespace that is known elsewhere; the kind is empty where nobody tells it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Target {
    /// `Deployment`.
    pub kind: String,
    /// Its name.
    pub name: String,
}

/// A `VerticalPodAutoscaler` (`pkg/apis/autoscaling.k8s.io/v1/types.go` of VPA 1.8.1).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Vertical {
    /// Namespace; empty where the object names none.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Whose pods it is about.
    pub target: Target,
    /// `updateMode`, as it is written; `None`: the default, which applies what is recommended.
    pub mode: Option<String>,
    /// What its policy says of containers, `*` for those that have none of their own.
    pub policies: Vec<Policy>,
    /// What it recommends for the memory of each container.
    pub recommended: Vec<Recommended>,
}

/// What a policy says of the memory of a container.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Policy {
    /// Its name, or `*`.
    pub container: String,
    /// The container is left alone.
    pub off: bool,
    /// `controlledResources` lists other resources only.
    pub other_resources: bool,
    /// `controlledValues`, as it is written; `None`: the default, `RequestsAndLimits`.
    pub values: Option<String>,
    /// `minAllowed`.
    pub least: Option<Bytes>,
    /// `maxAllowed`.
    pub most: Option<Bytes>,
}

/// What the status recommends for the memory of a container.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Recommended {
    /// Container.
    pub container: String,
    /// Request, and the bounds within which a request is left as it is.
    pub bounds: VpaBounds,
}

impl Vertical {
    /// The policy of a container: its own, or that of all (`GetContainerResourcePolicy`, `pkg/utils/vpa/api.go`).
    pub fn policy(&self, container: &str) -> Option<&Policy> {
        let of = |name: &str| self.policies.iter().find(|it| it.container == name);
        of(container).or_else(|| of("*"))
    }

    /// It changes pods by itself.
    pub fn applies(&self) -> bool {
        self.mode.as_deref() != Some("Off")
    }
}

/// A checkpoint, with the container that it is of.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Saved {
    /// Namespace; empty where the object names none.
    pub namespace: String,
    /// The VPA's name.
    pub vpa: String,
    /// Container.
    pub container: String,
    /// What it keeps.
    pub checkpoint: Checkpoint,
}

/// What adds replicas where memory is used.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Horizontal {
    /// Namespace; empty where the object names none.
    pub namespace: String,
    /// `HorizontalPodAutoscaler/shop/web`.
    pub title: String,
    /// What it scales.
    pub target: Target,
}

/// What a pod template sets.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Set {
    /// Namespace; empty where the object names none.
    pub namespace: String,
    /// Whose template.
    pub target: Target,
    /// Container.
    pub container: String,
    /// `requests.memory`.
    pub request: Option<Bytes>,
    /// `limits.memory`.
    pub limit: Option<Bytes>,
    /// It is a native sidecar, of `initContainers`.
    pub sidecar: bool,
    /// Its runtime, as its flags set it up.
    pub runtime: Option<Told>,
    /// How many workers its server is told to start.
    pub workers: Option<Workers>,
}

/// What autoscalers know of one container of a workload.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Autoscaler {
    /// The VPA's name, also where only its checkpoint was read.
    pub name: String,
    /// Its object.
    pub vertical: Option<Vertical>,
    /// The container, as the VPA names it.
    pub container: String,
    /// What its recommender saved.
    pub saved: Option<Checkpoint>,
    /// Containers of the pod that it recommends for: they share its least amount.
    pub containers: u32,
    /// Who scales the same workload by its memory.
    pub horizontal: Option<String>,
}

impl Autoscaler {
    /// The policy of the container.
    pub fn policy(&self) -> Option<&Policy> {
        self.vertical.as_ref()?.policy(&self.container)
    }

    /// What its status recommends.
    pub fn recommended(&self) -> Option<VpaBounds> {
        let all = &self.vertical.as_ref()?.recommended;
        all.iter().find(|it| it.container == self.container).map(|it| it.bounds)
    }
}

#[cfg(test)]
mod tests;
