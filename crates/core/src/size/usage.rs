//! What pods use right now (`metrics.k8s.io`): one sample of each container, which is no history, but all there is in a
//! cluster without a Prometheus.

use std::collections::HashMap;

use serde_json::Value;

use super::history::{History, Subject};
use crate::artifact::Captured;
use crate::units::{Bytes, Quantity};

/// Namespace and name.
type Pod = (String, String);

/// One history of one sample for each container that uses memory, with the owner, request and limit of its pod where
/// that was read too.
pub fn histories(captured: &Captured) -> Vec<History> {
    let (mut pods, mut used): (HashMap<Pod, Value>, Vec<Value>) = (HashMap::new(), Vec::new());
    for artifact in &captured.artifacts {
        let Ok(mut list) = serde_json::from_slice::<Value>(&artifact.bytes) else { continue };
        let of_metrics = list["kind"] == "PodMetricsList";
        let Some(Value::Array(items)) = list.get_mut("items").map(Value::take) else { continue };
        if of_metrics {
            used.extend(items);
        } else {
            pods.extend(items.into_iter().map(|pod| (named(&pod), pod)));
        }
    }
    used.iter().flat_map(|metrics| of_pod(metrics, pods.get(&named(metrics)))).collect()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn named(object: &Value) -> Pod {
    (text(&object["metadata"]["namespace"]), text(&object["metadata"]["name"]))
}

fn amount(value: &Value) -> Option<Bytes> {
    value.as_str()?.parse::<Quantity>().ok().map(Quantity::bytes)
}

fn of_pod(metrics: &Value, pod: Option<&Value>) -> Vec<History> {
    let (namespace, name) = named(metrics);
    let at = metrics["timestamp"].as_str().and_then(|at| at.parse::<jiff::Timestamp>().ok());
    let (Some(at), Some(containers)) = (at, metrics["containers"].as_array()) else { return Vec::new() };
    let (kind, owner) = pod.map_or_else(|| (String::new(), name.clone()), |pod| owner(pod, &name));
    let sampled = |container: &Value| {
        let used = amount(&container["usage"]["memory"])?;
        let container = text(&container["name"]);
        let specs = pod.and_then(|pod| pod["spec"]["containers"].as_array());
        let spec = specs.and_then(|specs| specs.iter().find(|it| it["name"] == container.as_str()));
        let of = |list: &str| amount(&spec?["resources"][list]["memory"]);
        Some(History {
            subject: Subject {
                namespace: namespace.clone(),
                kind: kind.clone(),
                name: owner.clone(),
                container,
                replica: name.clone(),
            },
            at: vec![at.as_second()],
            used: vec![used.0],
            limit: of("limits").map(|limit| vec![limit.0]).unwrap_or_default(),
            request: of("requests"),
            ..History::default()
        })
    };
    containers.iter().filter_map(sampled).collect()
}

/// The workload behind a pod, by the names that its makers give: a Deployment's ReplicaSet ends in the pods' template hash
/// (`getNewReplicaSet`, `pkg/controller/deployment/sync.go`), a CronJob's Job in the minutes of Unix time (`getJobName`,
/// `pkg/controller/cronjob/utils.go`), Kubernetes 1.37.
fn owner(pod: &Value, name: &str) -> (String, String) {
    let owners = pod["metadata"]["ownerReferences"].as_array();
    let Some(owner) = owners.and_then(|all| all.iter().find(|it| it["controller"] == true).or(all.first())) else {
        return ("Pod".into(), name.to_owned());
    };
    let (kind, name) = (text(&owner["kind"]), text(&owner["name"]));
    let above = match kind.as_str() {
        "ReplicaSet" => {
            let hash = text(&pod["metadata"]["labels"]["pod-template-hash"]);
            name.strip_suffix(&format!("-{hash}")).filter(|_| !hash.is_empty()).map(|name| ("Deployment", name))
        }
        "Job" => {
            let made = |minutes: &str| minutes.len() >= 8 && minutes.bytes().all(|byte| byte.is_ascii_digit());
            name.rsplit_once('-').filter(|(_, minutes)| made(minutes)).map(|(name, _)| ("CronJob", name))
        }
        _ => None,
    };
    above.map(|(kind, name)| (kind.to_owned(), name.to_owned())).unwrap_or((kind, name))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::artifact::Artifact;
    use crate::growth::Class;
    use crate::size::{Wishes, size_one, workloads};

    fn captured(pods: &Value) -> Captured {
        let mut captured = Captured::default();
        let metrics = json!({"kind": "PodMetricsList", "items": [
            {"metadata": {"name": "cart-5f-a", "namespace": "shop"}, "timestamp": "2027-01-15T08:00:00Z", "window": "15s",
             "containers": [{"name": "app", "usage": {"cpu": "3m", "memory": "204800Ki"}}]},
            {"metadata": {"name": "odd", "namespace": "shop"}, "timestamp": "", "containers": []}]});
        captured.read("pod metrics", Artifact::new("GET metrics", metrics.to_string()));
        captured.read("pods", Artifact::new("GET pods", json!({"kind": "PodList", "items": [pods]}).to_string()));
        captured
    }

    fn pod(owner: (&str, &str)) -> Value {
        json!({"metadata": {"name": "cart-5f-a", "namespace": "shop", "labels": {"pod-template-hash": "5f"},
            "ownerReferences": [{"kind": owner.0, "name": owner.1, "controller": true}]},
            "spec": {"containers": [{"name": "app", "resources": {"requests": {"memory": "128Mi"}, "limits": {"memory": "1Gi"}}}]}})
    }

    #[test]
    fn one_sample_is_observed_and_proposes_nothing() {
        let histories = histories(&captured(&pod(("ReplicaSet", "cart-5f"))));
        let all = workloads(histories, Vec::new());
        let it = size_one(&all[0], &Wishes::default());
        assert_eq!(
            (it.kind.as_deref(), it.name.as_str(), it.class),
            (Some("Deployment"), "cart", Class::TooLittleData)
        );
        assert_eq!((it.observed.max_bytes, it.observed.samples), (Some(Bytes::mib(200)), 1));
        assert_eq!((it.current.request_bytes, it.current.limit_bytes), (Some(Bytes::mib(128)), Some(Bytes(1 << 30))));
        assert!(it.proposed.is_none() && it.proposed_missing.unwrap().contains("one sample"));
    }

    #[test]
    fn owners_are_followed_by_their_names() {
        let of = |kind: &str, name: &str| {
            let it = histories(&captured(&pod((kind, name)))).remove(0).subject;
            (it.kind, it.name)
        };
        let is = |kind: &str, name: &str| (kind.to_owned(), name.to_owned());
        assert_eq!(of("Job", "nightly-29384756"), is("CronJob", "nightly"));
        assert_eq!(of("Job", "migrate-2"), is("Job", "migrate-2"));
        assert_eq!(of("ReplicaSet", "cart-77"), is("ReplicaSet", "cart-77"));
        assert_eq!(of("StatefulSet", "db"), is("StatefulSet", "db"));
        let alone = histories(&captured(&json!({}))).remove(0).subject;
        assert_eq!((alone.kind.as_str(), alone.name.as_str()), ("", "cart-5f-a"));
    }
}
