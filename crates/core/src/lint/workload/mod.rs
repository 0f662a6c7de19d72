//! The model that rules look at: whatever has a pod template, by shape and not by kind.

mod compose;
mod container;
mod dockerfile;
mod elsewhere;
mod find;
mod object;
mod resources;
mod scaled;

pub use container::{Build, Container, ContainerKind, Mount, Variable, VariableSource, Word};
pub(super) use dockerfile::stage;
pub use elsewhere::amounts_of;
pub use find::{Found, find};
pub use object::Object;
pub use resources::{Amount, Resources, as_bytes};
pub use scaled::memory_metric;

use super::tree::At;

/// What runs a workload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Platform {
    /// Kubernetes: a pod, with QoS, LimitRanges and an API server that refuses.
    Kubernetes,
    /// Docker Compose: a service, which is one container.
    Compose,
    /// Whoever runs the image that a Dockerfile makes, under a limit that nobody knows.
    Dockerfile,
}

/// Something that makes pods, or containers without any.
#[derive(Debug, Clone)]
pub struct Workload<'a> {
    /// What runs it.
    pub platform: Platform,
    /// The object whose template it is.
    pub object: Object<'a>,
    /// The pod's spec.
    pub spec: At<'a>,
    /// Annotations of the template, or of the pod itself.
    pub annotations: Option<At<'a>>,
    /// Pod-level resources (KEP-2837).
    pub resources: Resources<'a>,
    /// Init containers and sidecars first, in the order in which they start.
    pub containers: Vec<Container<'a>>,
    /// Memory-backed volumes.
    pub tmpfs: Vec<Tmpfs<'a>>,
}

/// An `emptyDir` with `medium: Memory`, or a tmpfs of a service of Docker Compose.
#[derive(Debug, Clone, Copy)]
pub struct Tmpfs<'a> {
    /// The volume's name.
    pub name: &'a str,
    /// `emptyDir`'s value.
    pub node: At<'a>,
    /// `medium`'s value.
    pub medium: At<'a>,
    /// `sizeLimit`.
    pub size_limit: Option<Amount<'a>>,
}

/// Where a template of Argo Workflows holds its one container (argoproj.io/v1alpha1, `Template`).
const STEPS: [&str; 2] = ["container", "script"];

/// The API group whose tasks are pods: each step is a container (tekton.dev/v1, `TaskSpec`).
const TEKTON: &str = "tekton.dev";

/// Where such a task holds its containers.
const TEKTON_STEPS: &str = "steps";

fn is_step(node: At<'_>) -> bool {
    node.is_mapping() && node.text_of("image").is_some()
}

impl<'a> Workload<'a> {
    fn read(object: Object<'a>, template: At<'a>, spec: At<'a>) -> Self {
        let lists = [("initContainers", true), ("containers", false), ("ephemeralContainers", false)];
        let mut containers = Vec::new();
        for (name, init) in lists {
            for node in spec.get(name).into_iter().flat_map(At::items).filter(|node| node.is_mapping()) {
                let kind = match name {
                    "ephemeralContainers" => ContainerKind::Ephemeral,
                    _ if init && node.text_of("restartPolicy") == Some("Always") => ContainerKind::Sidecar,
                    _ if init => ContainerKind::Init,
                    _ => ContainerKind::App,
                };
                containers.push(Container::read(node, kind));
            }
        }
        // A step of Argo Workflows, which is a pod of its own.
        let step = STEPS.iter().filter_map(|name| spec.get(name)).find(|node| is_step(*node));
        if let Some(step) = step.filter(|_| containers.is_empty()) {
            containers.push(Container::read(step, ContainerKind::App));
        }
        if object.group() == TEKTON {
            containers.extend(task(spec));
        }
        let volumes = spec.get("volumes").into_iter().flat_map(At::items);
        let tmpfs = volumes.filter_map(|volume| {
            let node = volume.get("emptyDir")?;
            let medium = node.get("medium").filter(|medium| medium.text() == Some("Memory"))?;
            let size_limit = node.get("sizeLimit").and_then(Amount::given);
            Some(Tmpfs { name: volume.text_of("name")?, node, medium, size_limit })
        });
        Self {
            platform: Platform::Kubernetes,
            object,
            spec,
            annotations: template.path(&["metadata", "annotations"]),
            resources: Resources::read(spec.get("resources")),
            tmpfs: tmpfs.collect(),
            containers,
        }
    }

    /// Every amount of memory that stands in it, with the container that it belongs to.
    pub fn amounts(&self) -> Vec<(Amount<'a>, Option<&'a str>)> {
        fn of<'a>(resources: &Resources<'a>) -> impl Iterator<Item = Amount<'a>> + use<'a> {
            resources.memory_request.into_iter().chain(resources.memory_limit)
        }
        let mut all: Vec<(Amount<'a>, Option<&'a str>)> = of(&self.resources).map(|it| (it, None)).collect();
        all.extend(self.containers.iter().flat_map(|it| of(&it.resources).map(|amount| (amount, Some(it.name)))));
        all.extend(self.tmpfs.iter().filter_map(|tmpfs| Some((tmpfs.size_limit?, None))));
        all
    }
}

/// The containers of a task of Tekton. What a step does not say of its resources `stepTemplate` says.
fn task<'a>(spec: At<'a>) -> Vec<Container<'a>> {
    let template = spec.get("stepTemplate").map(|it| Container::read(it, ContainerKind::App).resources);
    let lists = [(TEKTON_STEPS, template.unwrap_or_default()), ("sidecars", Resources::default())];
    let read = |(name, default): (&str, Resources<'a>)| {
        let nodes = spec.get(name).into_iter().flat_map(At::items).filter(|node| is_step(*node));
        let containers = nodes.map(|node| Container::read(node, ContainerKind::App));
        let completed = |it: Container<'a>| match it.resources.node {
            Some(_) => it,
            None => Container { resources: default, ..it },
        };
        containers.map(completed).collect::<Vec<_>>()
    };
    lists.into_iter().flat_map(read).collect()
}
