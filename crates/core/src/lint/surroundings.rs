//! Objects of the input that change what others mean.

use std::collections::HashMap;

use super::admitted::Admitted;
use super::image::Config;
use super::images::Images;
use super::tree::At;
use super::workload::{Amount, Container, ContainerKind, Found, Object, Overrides};

/// LimitRanges, ConfigMaps, autoscalers and images, over all files.
#[derive(Debug, Default)]
pub struct Surroundings<'a> {
    ranges: HashMap<Option<&'a str>, Vec<Range<'a>>>,
    maps: HashMap<(Option<&'a str>, &'a str), At<'a>>,
    /// `VerticalPodAutoscaler` objects.
    pub vertical: Vec<Object<'a>>,
    /// `HorizontalPodAutoscaler` and KEDA's `ScaledObject` objects.
    pub horizontal: Vec<Object<'a>>,
    /// What pods of the input were admitted with.
    pub(super) admitted: Admitted<'a>,
    /// Names of the containers of a workload, init containers left out.
    containers: HashMap<(Option<&'a str>, &'a str, &'a str), Vec<&'a str>>,
    images: Images<'a>,
    /// Services of Compose that a second file changes.
    pub(super) overrides: Overrides<'a>,
}

/// What a LimitRange gives containers that say nothing.
#[derive(Debug)]
struct Range<'a> {
    name: &'a str,
    limit: Option<Amount<'a>>,
    request: Option<Amount<'a>>,
}

impl<'a> Surroundings<'a> {
    /// From all that was found, in the order of the files.
    pub fn gather(found: &[Found<'a>]) -> Self {
        let mut it = Self { images: Images::gather(found), overrides: Overrides::gather(found), ..Self::default() };
        it.admitted = Admitted::gather(found);
        for object in found.iter().flat_map(|found| &found.objects) {
            match object.kind {
                "LimitRange" => it.ranges.entry(home(object.namespace)).or_default().extend(ranges(object)),
                "ConfigMap" => {
                    if let Some(data) = object.node.get("data") {
                        it.maps.insert((home(object.namespace), object.name), data);
                    }
                }
                "VerticalPodAutoscaler" => it.vertical.push(*object),
                "HorizontalPodAutoscaler" | "ScaledObject" => it.horizontal.push(*object),
                _ => {}
            }
        }
        // Only what scales replicas asks for these.
        let workloads = found.iter().flat_map(|found| &found.workloads).filter(|_| !it.horizontal.is_empty());
        for workload in workloads {
            let Object { namespace, kind, name, .. } = workload.object;
            let lasting = workload.containers.iter().filter(|it| it.kind != ContainerKind::Init).map(|it| it.name);
            it.containers.entry((home(namespace), kind, name)).or_default().extend(lasting);
        }
        it
    }

    /// The limit that a LimitRange of the namespace gives a container without one, and the range's name.
    pub fn default_limit(&self, namespace: Option<&'a str>) -> Option<(&'a str, Amount<'a>)> {
        self.of(namespace).find_map(|range| Some((range.name, range.limit?)))
    }

    /// The request that it gives.
    pub fn default_request(&self, namespace: Option<&'a str>) -> Option<(&'a str, Amount<'a>)> {
        self.of(namespace).find_map(|range| Some((range.name, range.request?)))
    }

    fn of(&self, namespace: Option<&'a str>) -> impl Iterator<Item = &Range<'a>> {
        self.ranges.get(&home(namespace)).into_iter().flatten()
    }

    /// What a container's image brings along, where the input says it.
    pub(super) fn image(&self, container: &Container<'a>) -> Option<Config<'a>> {
        self.images.of(container)
    }

    /// The input describes images.
    pub(super) fn has_images(&self) -> bool {
        self.images.is_given()
    }

    /// How many of them nobody runs, where containers name these.
    pub(super) fn unused_images<'n>(&self, names: impl Iterator<Item = &'n str>) -> usize {
        self.images.unused(names)
    }

    /// The path of a file that describes images, where it is one.
    pub(super) fn image_file(&self, file: usize) -> Option<&'a str> {
        self.images.file(file)
    }

    /// The containers of a workload that is in the input.
    pub(super) fn containers(&self, namespace: Option<&'a str>, kind: &'a str, name: &'a str) -> Option<&[&'a str]> {
        self.containers.get(&(home(namespace), kind, name)).map(Vec::as_slice)
    }

    /// The data of a ConfigMap.
    pub fn map(&self, namespace: Option<&'a str>, name: &'a str) -> Option<At<'a>> {
        self.maps.get(&(home(namespace), name)).copied()
    }
}

/// What names no namespace lands in `default`, unless somebody says otherwise: the two are one.
pub(super) fn home(namespace: Option<&str>) -> Option<&str> {
    namespace.filter(|name| *name != "default")
}

/// A missing default is the maximum, a missing default request the default (or the minimum): pkg/apis/core/v1/defaults.go,
/// `SetDefaults_LimitRangeItem`, v1.37.
fn ranges<'a>(object: &Object<'a>) -> Vec<Range<'a>> {
    let items = object.node.path(&["spec", "limits"]).into_iter().flat_map(At::items);
    let of_containers = items.filter(|item| item.text_of("type") == Some("Container"));
    let range = |item: At<'a>| {
        let of = |name: &str| item.path(&[name, "memory"]).filter(|node| node.text().is_some()).map(Amount::read);
        let limit = of("default").or_else(|| of("max"));
        let request = of("defaultRequest").or(limit).or_else(|| of("min"));
        Range { name: object.name, limit, request }
    };
    of_containers.map(range).collect()
}
