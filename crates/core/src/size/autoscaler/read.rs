//! Objects of autoscalers in texts: YAML or JSON, one document or many, lists or not.

use serde_json::Value;

use super::{Horizontal, Objects, Policy, Recommended, Saved, Set, Target, Vertical, VpaBounds};
use crate::artifact::Captured;
use crate::fact::Gap;
use crate::lint::runtime::told;
use crate::lint::subject::Scene;
use crate::lint::tree::At;
use crate::lint::workload::{Amount, ContainerKind, Object, memory_metric};
use crate::lint::{Read, Source, Surroundings, read};
use crate::size::vpa::{Checkpoint, HistogramCheckpoint, VERSION};
use crate::units::Bytes;

/// The group that the VPA's kinds belong to.
const GROUP: &str = "autoscaling.k8s.io";

/// Answers of an API server as texts. The items of its lists bear no kind of their own; here they do.
pub fn texts(captured: &Captured) -> Vec<Source> {
    let named = |mut value: Value| {
        let Some(Value::Array(items)) = value.get_mut("items").map(Value::take) else { return value };
        let kind = value["kind"].as_str().and_then(|kind| kind.strip_suffix("List")).unwrap_or_default().to_owned();
        let version = value["apiVersion"].take();
        let items: Vec<Value> = items
            .into_iter()
            .map(|mut item| {
                if let Some(object) = item.as_object_mut() {
                    object.entry("kind").or_insert_with(|| kind.clone().into());
                    object.entry("apiVersion").or_insert_with(|| version.clone());
                }
                item
            })
            .collect();
        serde_json::json!({"kind": "List", "apiVersion": "v1", "items": items})
    };
    let text = |artifact: &crate::artifact::Artifact| {
        let value: Value = serde_json::from_slice(&artifact.bytes).ok()?;
        Some(Source { name: artifact.name.clone(), text: named(value).to_string() })
    };
    captured.artifacts.iter().filter_map(text).collect()
}

/// The objects of texts. What is something else is passed over; what cannot be read is a gap.
pub fn objects(sources: &[Source]) -> Objects {
    let mut all = Objects::default();
    for (index, source) in sources.iter().enumerate() {
        let read = read(index, source);
        for error in &read.tree.errors {
            let line = read.lines.ends(&source.text, error.at).0.line;
            let because = format!("line {line}: it is neither YAML nor JSON: {}", error.message);
            all.broken.push(Gap { what: source.name.clone(), because, command: String::new() });
        }
        gather(&read, &mut all);
    }
    all
}

fn gather(read: &Read<'_>, all: &mut Objects) {
    let found = read.found();
    for object in &found.objects {
        match object.kind {
            "VerticalPodAutoscaler" if object.group() == GROUP => all.vertical.push(vertical(object)),
            "VerticalPodAutoscalerCheckpoint" if object.group() == GROUP => match saved(object) {
                Ok(saved) => all.saved.push(saved),
                Err(because) => {
                    let what = format!("{} of {}", object.title(), read.source.name);
                    all.gaps.push(Gap { what, because, command: String::new() });
                }
            },
            _ => {
                if let Some(scaled) = memory_metric(object).map(|metric| metric.target) {
                    let namespace = object.namespace.unwrap_or_default().to_owned();
                    all.horizontal.push(Horizontal { namespace, title: object.title(), target: target(scaled) });
                }
            }
        }
    }
    let surroundings = Surroundings::gather(std::slice::from_ref(&found));
    for workload in &found.workloads {
        let object = &workload.object;
        let scene = Scene::new(workload, &surroundings);
        for subject in scene.subjects().filter(|it| it.container.kind != ContainerKind::Init) {
            let container = subject.container;
            let amount = |amount: Option<Amount<'_>>| amount.and_then(|it| it.bytes());
            all.set.push(Set {
                namespace: object.namespace.unwrap_or_default().to_owned(),
                target: Target { kind: object.kind.to_owned(), name: object.name.to_owned() },
                container: container.name.to_owned(),
                request: amount(container.resources.memory_request),
                limit: amount(container.resources.memory_limit),
                sidecar: container.kind == ContainerKind::Sidecar,
                runtime: told::read(&subject),
                workers: told::workers(&subject),
            });
        }
    }
}

/// A reference; without a kind a Deployment is meant.
fn target(node: At<'_>) -> Target {
    Target {
        kind: node.text_of("kind").unwrap_or("Deployment").to_owned(),
        name: node.text_of("name").unwrap_or_default().to_owned(),
    }
}

fn memory(node: At<'_>, of: &str) -> Option<Bytes> {
    let value = node.path(&[of, "memory"])?;
    value.text()?;
    Amount::read(value).quantity.map(crate::units::Quantity::bytes)
}

fn vertical(object: &Object<'_>) -> Vertical {
    let items = |path: &[&str]| object.node.path(path).into_iter().flat_map(At::items).collect::<Vec<_>>();
    let policy = |node: &At<'_>| {
        let listed = node.get("controlledResources").filter(|it| it.is_sequence());
        Policy {
            container: node.text_of("containerName").unwrap_or("*").to_owned(),
            off: node.text_of("mode") == Some("Off"),
            other_resources: listed.is_some_and(|listed| listed.items().all(|it| it.text() != Some("memory"))),
            values: node.text_of("controlledValues").map(str::to_owned),
            least: memory(*node, "minAllowed"),
            most: memory(*node, "maxAllowed"),
        }
    };
    let recommended = |node: &At<'_>| {
        let bounds = VpaBounds {
            target_bytes: memory(*node, "target")?,
            lower_bytes: memory(*node, "lowerBound"),
            upper_bytes: memory(*node, "upperBound"),
            uncapped_target_bytes: memory(*node, "uncappedTarget"),
        };
        Some(Recommended { container: node.text_of("containerName")?.to_owned(), bounds })
    };
    Vertical {
        namespace: object.namespace.unwrap_or_default().to_owned(),
        name: object.name.to_owned(),
        target: object.node.path(&["spec", "targetRef"]).map(target).unwrap_or_default(),
        mode: object.node.path(&["spec", "updatePolicy", "updateMode"]).and_then(At::text).map(str::to_owned),
        policies: items(&["spec", "resourcePolicy", "containerPolicies"]).iter().map(policy).collect(),
        recommended: items(&["status", "recommendation", "containerRecommendations"])
            .iter()
            .filter_map(recommended)
            .collect(),
    }
}

/// A checkpoint, or why it cannot be used: what upstream refuses is refused (`LoadFromCheckpoint`,
/// `pkg/recommender/model/aggregate_container_state.go`).
fn saved(object: &Object<'_>) -> Result<Saved, String> {
    let of = |name: &str| object.node.path(&["spec", name]).and_then(At::text).map(str::to_owned);
    let (Some(vpa), Some(container)) = (of("vpaObjectName"), of("containerName")) else {
        return Err("its spec does not name a VPA and a container".into());
    };
    let status =
        object.node.get("status").filter(|it| it.is_mapping()).ok_or("it has no status: nothing is saved yet")?;
    let version = status.text_of("version").unwrap_or_default();
    if version != VERSION {
        return Err(format!("it is of version {version:?}; the VPA's recommender reads {VERSION} alone"));
    }
    let memory = status.get("memoryHistogram").filter(|it| it.is_mapping()).ok_or("it has no histogram of memory")?;
    let mut histogram = HistogramCheckpoint {
        reference: moment(memory, "referenceTimestamp")?,
        total_weight: match memory.text_of("totalWeight") {
            None => 0.0,
            Some(text) => text
                .parse()
                .ok()
                .filter(|weight: &f64| weight.is_finite())
                .ok_or_else(|| format!("its totalWeight {text:?} is no number"))?,
        },
        ..HistogramCheckpoint::default()
    };
    for (bucket, weight) in memory.get("bucketWeights").map(At::entries).unwrap_or_default() {
        let (bucket, weight) = (bucket.text().unwrap_or_default(), weight.text().unwrap_or_default());
        let (Ok(number), Ok(weight)) = (bucket.parse(), weight.parse()) else {
            return Err(format!("its bucket {bucket:?} of weight {weight:?} is none"));
        };
        histogram.bucket_weights.insert(number, weight);
    }
    let samples = status.text_of("totalSamplesCount").unwrap_or("0");
    let checkpoint = Checkpoint {
        first_sample: moment(status, "firstSampleStart")?,
        last_sample: moment(status, "lastSampleStart")?,
        samples: samples.parse().map_err(|_| format!("its totalSamplesCount {samples:?} is no number"))?,
        memory: histogram,
    };
    // What the model refuses is told now, not when it is used.
    crate::size::vpa::Recommender::load(&checkpoint)?;
    Ok(Saved { namespace: object.namespace.unwrap_or_default().to_owned(), vpa, container, checkpoint })
}

/// Seconds of Unix time; a time that is not set is null.
fn moment(node: At<'_>, name: &str) -> Result<Option<i64>, String> {
    let Some(text) = node.text_of(name) else { return Ok(None) };
    let at: jiff::Timestamp = text.parse().map_err(|_| format!("its {name} {text:?} is no time"))?;
    Ok(Some(at.as_second()))
}
