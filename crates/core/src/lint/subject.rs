//! What a rule is shown: a pod template, or one of its containers, with all that counts for it.

use std::cell::OnceCell;

use super::admitted::AdmittedContainer;
use super::finding::Place;
use super::program::Program;
use super::runtime::jvm::Jvm;
use super::surroundings::Surroundings;
use super::tree::At;
use super::workload::{Amount, Container, ContainerKind, Platform, Resources, Workload};
use crate::fact::{self, Pod};
use crate::units::{Bytes, Quantity};

/// A usual node, for an example of `oom_score_adj`: nobody knows the real one.
pub(super) const NODE: Bytes = Bytes::mib(16 * 1024);

/// A pod template with what stands around it.
#[derive(Debug)]
pub struct Scene<'s, 'a> {
    /// The rest of the input.
    pub surroundings: &'s Surroundings<'a>,
    /// The template.
    pub workload: &'s Workload<'a>,
    /// What each of its containers runs.
    pub programs: Vec<Program<'a>>,
    pod: OnceCell<Pod>,
}

/// A container with what counts for it.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'s, 'a> {
    /// Its template.
    pub scene: &'s Scene<'s, 'a>,
    /// The container.
    pub container: &'s Container<'a>,
    /// What it runs.
    pub program: &'s Program<'a>,
}

/// A limit or request that is in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit<'a> {
    /// How much.
    pub bytes: Bytes,
    /// Where it stands.
    pub place: Place,
    /// Whose it is.
    pub origin: LimitOrigin<'a>,
}

/// Whose limit it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LimitOrigin<'a> {
    /// The container's own.
    Container,
    /// The pod's, shared by its containers.
    Pod,
    /// The default of the LimitRange of this name.
    LimitRange(&'a str),
    /// What the pod of this name was admitted with, whatever its template says.
    Admitted(&'a str, By),
}

/// What a pod was admitted with beside what its template says of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// The template says nothing.
    Addition,
    /// The template says something else.
    Change,
}

impl LimitOrigin<'_> {
    /// Nobody who wrote the manifest said it.
    pub fn is_from_elsewhere(self) -> bool {
        matches!(self, Self::LimitRange(_) | Self::Admitted(..))
    }
}

impl Limit<'_> {
    /// For a label: "limit of the container is 512 MiB".
    pub fn says(&self) -> String {
        match self.origin {
            LimitOrigin::Container => format!("the kernel kills at {}, everything included", self.bytes),
            LimitOrigin::Pod => format!("the kernel kills at {} for the whole pod", self.bytes),
            LimitOrigin::LimitRange(name) => format!("LimitRange `{name}` sets the limit to {}", self.bytes),
            LimitOrigin::Admitted(pod, By::Addition) => {
                format!("pod `{pod}` was admitted with a limit of {}, which the template does not give", self.bytes)
            }
            LimitOrigin::Admitted(pod, By::Change) => {
                format!("pod `{pod}` was admitted with a limit of {}, not with the template's", self.bytes)
            }
        }
    }
}

impl<'s, 'a> Scene<'s, 'a> {
    /// A template, with its programs read.
    pub fn new(workload: &'s Workload<'a>, surroundings: &'s Surroundings<'a>) -> Self {
        let programs = workload.containers.iter().map(|it| Program::read(it, workload, surroundings)).collect();
        Self { surroundings, workload, programs, pod: OnceCell::new() }
    }

    /// Its containers, one by one; ephemeral ones have no resources and are left out.
    pub fn subjects(&'s self) -> impl Iterator<Item = Subject<'s, 'a>> {
        let all = self.workload.containers.iter().zip(&self.programs);
        all.filter(|(container, _)| container.kind != ContainerKind::Ephemeral).map(|(container, program)| Subject {
            scene: self,
            container,
            program,
        })
    }
}

impl Scene<'_, '_> {
    /// The pod as the kubelet will see it, with what LimitRanges give: for its QoS class and `oom_score_adj`.
    pub fn pod(&self) -> &Pod {
        self.pod.get_or_init(|| self.read_pod())
    }

    fn read_pod(&self) -> Pod {
        let quantity = |amount: Option<Amount<'_>>| amount.and_then(|amount| amount.quantity);
        let of = |resources: &Resources<'_>| fact::Resources {
            memory_request: quantity(resources.memory_request),
            memory_limit: quantity(resources.memory_limit),
            cpu_request: quantity(resources.cpu_request),
            cpu_limit: quantity(resources.cpu_limit),
        };
        let containers = self.subjects().map(|subject| {
            let mut resources = of(&subject.container.resources);
            let in_force = |given: Option<Quantity>, limit: Option<Limit<'_>>| match limit {
                Some(limit) if given.is_none() || limit.origin.is_from_elsewhere() => Some(limit.bytes.into()),
                _ => given,
            };
            resources.memory_limit = in_force(resources.memory_limit, subject.own_limit());
            resources.memory_request = in_force(resources.memory_request, subject.request());
            if let Some(admitted) = subject.admitted().next() {
                resources.cpu_limit = resources.cpu_limit.or(quantity(admitted.resources.cpu_limit));
                resources.cpu_request = resources.cpu_request.or(quantity(admitted.resources.cpu_request));
            }
            let kind = match subject.container.kind {
                ContainerKind::App => fact::ContainerKind::App,
                ContainerKind::Init => fact::ContainerKind::Init,
                ContainerKind::Sidecar => fact::ContainerKind::Sidecar,
                ContainerKind::Ephemeral => fact::ContainerKind::Ephemeral,
            };
            let name = Some(subject.container.name.to_owned());
            fact::Container { name, kind, resources, ..fact::Container::default() }
        });
        Pod {
            complete: true,
            resources: of(&self.workload.resources),
            priority_class: self.workload.spec.text_of("priorityClassName").map(str::to_owned),
            containers: containers.collect(),
            ..Pod::default()
        }
    }
}

impl<'s, 'a> Subject<'s, 'a> {
    /// The JVM that it starts; none where nothing speaks of one.
    pub(crate) fn jvm(&self) -> Option<&'s Jvm<'a>> {
        self.program.jvm.get_or_init(|| Jvm::read(self)).as_ref()
    }
}

impl<'a> Subject<'_, 'a> {
    /// The limit that kills it first: its own or a LimitRange's default, or the pod's where that is lower.
    pub fn limit(&self) -> Option<Limit<'a>> {
        let pod = self.pod_limit();
        match (self.own_limit(), pod) {
            (Some(own), Some(pod)) => Some(if pod.bytes < own.bytes { pod } else { own }),
            (own, pod) => own.or(pod),
        }
    }

    /// What stands around a pod; a service of Compose has none of it.
    fn surroundings(&self) -> Option<&Surroundings<'a>> {
        (self.scene.workload.platform == Platform::Kubernetes).then_some(self.scene.surroundings)
    }

    fn pod_limit(&self) -> Option<Limit<'a>> {
        let amount = self.scene.workload.resources.memory_limit?;
        Some(Limit { bytes: amount.bytes()?, place: amount.node.into(), origin: LimitOrigin::Pod })
    }

    /// The container as the pods of its workload were admitted with it, where the input holds such pods.
    fn admitted(&self) -> impl Iterator<Item = AdmittedContainer<'a>> {
        let admitted = self.surroundings().map(|surroundings| &surroundings.admitted);
        admitted.into_iter().flat_map(|it| it.containers(&self.scene.workload.object, self.container.name))
    }

    /// The lowest amount that a pod was admitted with, where it is not what the template says.
    fn changed(&self, given: Option<Limit<'a>>, of: fn(&Resources<'a>) -> Option<Amount<'a>>) -> Option<Limit<'a>> {
        let by = match given {
            Some(given) if given.origin == LimitOrigin::Container => By::Change,
            _ => By::Addition,
        };
        let amounts = self.admitted().filter_map(|it| {
            let amount = of(&it.resources)?;
            let origin = LimitOrigin::Admitted(it.pod, by);
            Some(Limit { bytes: amount.bytes()?, place: amount.node.into(), origin })
        });
        let lowest = amounts.min_by_key(|limit| limit.bytes)?;
        given.is_none_or(|given| given.bytes != lowest.bytes).then_some(lowest)
    }

    /// The container's own limit: what its pods were admitted with, where the input holds them, else its template's, a
    /// LimitRange's default included.
    pub fn own_limit(&self) -> Option<Limit<'a>> {
        let given = self.given_limit();
        self.changed(given, |resources| resources.memory_limit).or(given)
    }

    fn given_limit(&self) -> Option<Limit<'a>> {
        let given = self.container.resources.memory_limit.filter(|amount| !amount.is_zero());
        if let Some(amount) = given {
            return Some(Limit { bytes: amount.bytes()?, place: amount.node.into(), origin: LimitOrigin::Container });
        }
        // A zero is a limit that is given: nothing is put in its place.
        if self.container.resources.memory_limit.is_some() {
            return None;
        }
        let (name, amount) = self.surroundings()?.default_limit(self.namespace())?;
        Some(Limit { bytes: amount.bytes()?, place: amount.node.into(), origin: LimitOrigin::LimitRange(name) })
    }

    /// The request as its pods were admitted with it, where the input holds them, else as it is given, or a LimitRange's
    /// default; what the API copies from the limit is none.
    pub fn request(&self) -> Option<Limit<'a>> {
        let given = self.given_request();
        let admitted = self.changed(given, |resources| resources.memory_request);
        let is_copy = |it: &Limit<'_>| given.is_none() && self.own_limit().is_some_and(|limit| limit.bytes == it.bytes);
        admitted.filter(|it| !is_copy(it)).or(given)
    }

    fn given_request(&self) -> Option<Limit<'a>> {
        if let Some(amount) = self.container.resources.memory_request {
            return Some(Limit { bytes: amount.bytes()?, place: amount.node.into(), origin: LimitOrigin::Container });
        }
        // The API copies the limit into the request before a LimitRange is asked.
        if self.container.resources.memory_limit.is_some() {
            return None;
        }
        let (name, amount) = self.surroundings()?.default_request(self.namespace())?;
        Some(Limit { bytes: amount.bytes()?, place: amount.node.into(), origin: LimitOrigin::LimitRange(name) })
    }

    /// Files that config maps of the input put into it: name and text.
    pub fn files(&self) -> Vec<(&'a str, At<'a>)> {
        let volumes = self.scene.workload.volumes.iter();
        let is_mounted = |name: &str| self.container.mounts.iter().any(|mount| mount.volume == name);
        let maps = volumes.filter(|volume| volume.text_of("name").is_some_and(is_mounted)).flat_map(|volume| {
            let own = volume.path(&["configMap", "name"]).and_then(At::text);
            let sources = volume.path(&["projected", "sources"]).into_iter().flat_map(At::items);
            let projected = sources.filter_map(|source| source.path(&["configMap", "name"])?.text());
            own.into_iter().chain(projected).collect::<Vec<_>>()
        });
        let data = maps.filter_map(|name| self.scene.surroundings.map(self.namespace(), name));
        data.flat_map(At::entries).filter_map(|(key, text)| Some((key.text()?, text))).collect()
    }

    /// The image's own name says so, or the command line does.
    pub fn is(&self, image: &[&str], programs: &[&str]) -> bool {
        let named = self.container.image.is_some_and(|it| image.contains(&it.name));
        named || programs.iter().any(|name| self.program.runs(name))
    }

    /// What it may write to its memory-backed volumes, where that is bounded.
    pub fn tmpfs(&self) -> Bytes {
        let volumes = self.scene.workload.tmpfs.iter().filter(|tmpfs| self.container.writes(tmpfs.name));
        Bytes(volumes.filter_map(|tmpfs| Some(tmpfs.size_limit?.bytes()?.0)).fold(0, u64::saturating_add))
    }

    /// The namespace of its object.
    pub fn namespace(&self) -> Option<&'a str> {
        self.scene.workload.object.namespace
    }
}
