//! Objects of the input that change what others mean.

use std::collections::HashMap;

use super::tree::At;
use super::workload::{Amount, Object};

/// LimitRanges, ConfigMaps and autoscalers, over all files.
#[derive(Debug, Default)]
pub struct Surroundings<'a> {
    ranges: Vec<Range<'a>>,
    maps: HashMap<(Option<&'a str>, &'a str), At<'a>>,
    /// `VerticalPodAutoscaler` objects.
    pub vertical: Vec<Object<'a>>,
    /// `HorizontalPodAutoscaler` and KEDA's `ScaledObject` objects.
    pub horizontal: Vec<Object<'a>>,
}

/// What a LimitRange gives containers that say nothing.
#[derive(Debug)]
struct Range<'a> {
    namespace: Option<&'a str>,
    name: &'a str,
    limit: Option<Amount<'a>>,
    request: Option<Amount<'a>>,
}

impl<'a> Surroundings<'a> {
    /// From every object of the input.
    pub fn gather<'s>(objects: impl Iterator<Item = &'s Object<'a>>) -> Self
    where
        'a: 's,
    {
        let mut it = Self::default();
        for object in objects {
            match object.kind {
                "LimitRange" => it.ranges.extend(ranges(object)),
                "ConfigMap" => {
                    if let Some(data) = object.node.get("data") {
                        it.maps.insert((object.namespace, object.name), data);
                    }
                }
                "VerticalPodAutoscaler" => it.vertical.push(*object),
                "HorizontalPodAutoscaler" | "ScaledObject" => it.horizontal.push(*object),
                _ => {}
            }
        }
        it
    }

    /// The limit that a LimitRange of the namespace gives a container without one, and the range's name.
    pub fn default_limit(&self, namespace: Option<&str>) -> Option<(&'a str, Amount<'a>)> {
        self.of(namespace).find_map(|range| Some((range.name, range.limit?)))
    }

    /// The request that it gives.
    pub fn default_request(&self, namespace: Option<&str>) -> Option<(&'a str, Amount<'a>)> {
        self.of(namespace).find_map(|range| Some((range.name, range.request?)))
    }

    fn of(&self, namespace: Option<&str>) -> impl Iterator<Item = &Range<'a>> {
        self.ranges.iter().filter(move |range| range.namespace == namespace)
    }

    /// The data of a ConfigMap.
    pub fn map(&self, namespace: Option<&'a str>, name: &'a str) -> Option<At<'a>> {
        self.maps.get(&(namespace, name)).copied()
    }
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
        Range { namespace: object.namespace, name: object.name, limit, request }
    };
    of_containers.map(range).collect()
}
