//! The model that rules look at: whatever has a pod template, by shape and not by kind.

mod argo;
mod compose;
mod compose_files;
mod container;
mod dockerfile;
mod elsewhere;
mod find;
mod object;
mod resources;
mod scaled;
pub(super) mod strimzi;
mod tekton;

pub(super) use compose::{amount as docker_amount, default};
pub(super) use compose_files::Overrides;
pub use container::{Build, Container, ContainerKind, Mount, Variable, VariableSource, Word};
pub(super) use dockerfile::stage;
pub use elsewhere::{amounts_of, claims};
pub use find::{Found, find};
pub use object::Object;
pub use resources::{Amount, Resources, as_bytes};
pub use scaled::{MemoryMetric, memory_metric};

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
    /// Volumes, as they are written.
    pub volumes: Vec<At<'a>>,
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

fn volumes_of(spec: At<'_>) -> impl Iterator<Item = At<'_>> {
    spec.get("volumes").into_iter().flat_map(At::items)
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
        let workflow = argo::workflow(&object);
        containers.extend(workflow.into_iter().flat_map(|workflow| argo::step(workflow, spec)));
        containers.extend(tekton::steps(&object, spec));
        let volumes: Vec<At<'a>> = [Some(spec), workflow].into_iter().flatten().flat_map(volumes_of).collect();
        let tmpfs = volumes.iter().filter_map(|volume| {
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
            resources: Resources::read(spec.get("resources").filter(|_| elsewhere::is_of_pod(&object, template, spec))),
            tmpfs: tmpfs.collect(),
            volumes,
            containers,
        }
    }

    /// Every amount of memory that stands in it, with the container that it belongs to.
    pub fn amounts(&self) -> impl Iterator<Item = (Amount<'a>, Option<&'a str>)> {
        fn of<'a>(resources: &Resources<'a>) -> impl Iterator<Item = Amount<'a>> + use<'a> {
            resources.memory_request.into_iter().chain(resources.memory_limit)
        }
        let of_pod = of(&self.resources).map(|it| (it, None));
        let containers = self.containers.iter();
        let of_containers = containers.flat_map(|it| of(&it.resources).map(|amount| (amount, Some(it.name))));
        let of_volumes = self.tmpfs.iter().filter_map(|tmpfs| Some((tmpfs.size_limit?, None)));
        of_pod.chain(of_containers).chain(of_volumes)
    }
}
