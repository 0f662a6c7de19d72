//! Proposals as objects of the vertical pod autoscaler in mode Off: it recommends beside us, within our bounds, and
//! changes nothing.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::patch::{api_version, quantity};
use crate::size::{Document, Sizing};

/// A stream of YAML documents: one object per workload, the containers inside. What cannot have one is a comment.
pub fn vpas(document: &Document) -> String {
    let mut objects: BTreeMap<(Option<&str>, &str, &str), Vec<&Sizing>> = BTreeMap::new();
    let mut out = String::new();
    for sizing in &document.workloads {
        let told = super::title(sizing).replace(['\n', '\r'], " ");
        match (sizing.kind.as_deref(), &sizing.proposed) {
            (_, None) => out.push_str(&format!(
                "# {told}: {}\n",
                sizing.proposed_missing.as_deref().unwrap_or("nothing is proposed")
            )),
            (Some(kind), Some(_)) if api_version(kind).is_some() && kind != "Pod" => {
                objects.entry((sizing.namespace.as_deref(), kind, &sizing.name)).or_default().push(sizing);
            }
            _ => out.push_str(&format!("# {told}: the history does not tell the object that owns it\n")),
        }
    }
    for ((namespace, kind, name), sizings) in objects {
        let policies: Vec<Value> = sizings.iter().map(|it| policy(it)).collect();
        let mut metadata = json!({"name": name});
        if let Some(namespace) = namespace {
            metadata["namespace"] = namespace.into();
        }
        let object = json!({
            "apiVersion": "autoscaling.k8s.io/v1",
            "kind": "VerticalPodAutoscaler",
            "metadata": metadata,
            "spec": {
                "targetRef": {"apiVersion": api_version(kind), "kind": kind, "name": name},
                "updatePolicy": {"updateMode": "Off"},
                "resourcePolicy": {"containerPolicies": policies},
            },
        });
        out.push_str(&format!("---\n{}", super::super::yaml(&object)));
    }
    out
}

/// The bounds of one container: never below the request, never above the limit that the history asks for.
fn policy(sizing: &Sizing) -> Value {
    let proposed = sizing.proposed.as_ref();
    let mut policy = json!({
        "containerName": sizing.container.as_deref().unwrap_or("*"),
        "controlledResources": ["memory"],
        "controlledValues": "RequestsOnly",
    });
    if let Some(request) = proposed.and_then(|it| it.request_bytes) {
        policy["minAllowed"] = json!({"memory": quantity(request)});
    }
    if let Some(limit) = proposed.and_then(|it| it.limit_bytes) {
        policy["maxAllowed"] = json!({"memory": quantity(limit)});
    }
    policy
}
