//! The workloads of a cluster as they are, with what surrounds them, for lint.
//!
//! Of what makes pods every object is read, and of the pods one of each maker and revision: it shows what the others were
//! admitted with too. A pod whose maker is of no built-in kind stands for it, so that custom resources are seen in what
//! they made.

use std::collections::{BTreeSet, HashMap, HashSet};

use futures::{StreamExt, stream};
use oomph_core::artifact::Captured;
use serde::Deserialize;
use serde_json::Value;

use super::api::Api;
use super::glance::Metadata;
use super::list::{list, request_name};
use super::permission::permission;
use super::{Ask, Clock, ConnectError, Missing, Permission, Scope, connect, fetch, refused};

const UNSEEN: &str = "they are not linted";

pub(super) const DEPLOYMENTS: Permission = permission("deployments", "apps", "deployments", &["list"], UNSEEN);
pub(super) const STATEFUL_SETS: Permission = permission("stateful sets", "apps", "statefulsets", &["list"], UNSEEN);
pub(super) const DAEMON_SETS: Permission = permission("daemon sets", "apps", "daemonsets", &["list"], UNSEEN);
pub(super) const JOBS: Permission = permission("jobs", "batch", "jobs", &["list"], UNSEEN);
pub(super) const CRON_JOBS: Permission = permission("cron jobs", "batch", "cronjobs", &["list"], UNSEEN);
pub(super) const REPLICA_SETS: Permission = permission(
    "replica sets",
    "apps",
    "replicasets",
    &["list"],
    "it is not known which pods are of a deployment, and sets without one are not linted",
);
pub(super) const REPLICATION_CONTROLLERS: Permission =
    permission("replication controllers", "", "replicationcontrollers", &["list"], UNSEEN);
pub(super) const PODS: Permission = permission(
    "pods",
    "",
    "pods",
    &["list"],
    "it is not known what pods were admitted with, and those without a maker are not linted",
);
pub(super) const LIMIT_RANGES: Permission =
    permission("limit ranges", "", "limitranges", &["list"], "it is not known which limits a namespace sets");
pub(super) const RESOURCE_QUOTAS: Permission =
    permission("resource quotas", "", "resourcequotas", &["list"], "amounts in quotas are not linted");
pub(super) const HORIZONTAL_AUTOSCALERS: Permission = permission(
    "horizontal pod autoscalers",
    "autoscaling",
    "horizontalpodautoscalers",
    &["list"],
    "it is not known what scales the replicas",
);
pub(super) const VERTICAL_AUTOSCALERS: Permission = permission(
    "vertical pod autoscalers",
    "autoscaling.k8s.io",
    "verticalpodautoscalers",
    &["list"],
    "it is not known what changes requests and limits",
);
/// Only those that a pod template names.
pub(super) const CONFIG_MAPS: Permission = Permission {
    risk: "a role cannot say which config maps: whoever has it reads them all",
    ..permission("config maps", "", "configmaps", &["get"], "flags that they hold are not known")
};

/// A resource that is listed.
struct Listed {
    api: &'static str,
    permission: &'static Permission,
    /// A label selector is for what makes pods and for pods, not for what surrounds them.
    selected: bool,
    missing: Missing,
}

const fn workloads(api: &'static str, permission: &'static Permission) -> Listed {
    Listed { api, permission, selected: true, missing: Missing::Tell }
}

const fn around(api: &'static str, permission: &'static Permission, missing: Missing) -> Listed {
    Listed { api, permission, selected: false, missing }
}

const LISTED: [Listed; 12] = [
    workloads("/apis/apps/v1", &DEPLOYMENTS),
    workloads("/apis/apps/v1", &STATEFUL_SETS),
    workloads("/apis/apps/v1", &DAEMON_SETS),
    workloads("/apis/batch/v1", &JOBS),
    workloads("/apis/batch/v1", &CRON_JOBS),
    workloads("/apis/apps/v1", &REPLICA_SETS),
    workloads("/api/v1", &REPLICATION_CONTROLLERS),
    workloads("/api/v1", &PODS),
    around("/api/v1", &LIMIT_RANGES, Missing::Tell),
    around("/api/v1", &RESOURCE_QUOTAS, Missing::Tell),
    around("/apis/autoscaling/v2", &HORIZONTAL_AUTOSCALERS, Missing::Tell),
    // A custom resource, which most clusters do not have.
    around("/apis/autoscaling.k8s.io/v1", &VERTICAL_AUTOSCALERS, Missing::Quiet),
];

/// Lists read at once.
const AT_ONCE: usize = 6;
/// Config maps read at most.
const MOST_MAPS: usize = 500;

/// The objects of a cluster that have pod templates, with what surrounds them: of the question, namespace and label selector
/// count. An error only when there is no cluster to ask.
pub async fn manifests(ask: &Ask) -> Result<Captured, ConnectError> {
    let connect::Connected { api, namespace } = connect::connect(ask).await?;
    let scope = Scope::of(ask, &namespace);
    let clock = Clock::start(ask.deadline);
    let lists: Vec<_> = LISTED.iter().map(|listed| read(&api, ask, &scope, listed, clock)).collect();
    let lists = stream::iter(lists).buffered(AT_ONCE).collect::<Vec<_>>().await;
    let (mut captured, mut named) = (Captured::default(), BTreeSet::new());
    for (part, maps) in lists {
        captured.append(part);
        named.extend(maps);
    }
    captured.append(config_maps(&api, named, clock).await);
    Ok(captured)
}

/// Namespace and name of a config map.
type Map = (String, String);

/// One list, and the config maps that its objects name.
async fn read(api: &Api, ask: &Ask, scope: &Scope, listed: &Listed, clock: Clock) -> (Captured, BTreeSet<Map>) {
    let permission = listed.permission;
    let path = scope.path(listed.api, permission.resource);
    let selector = ask.selector.as_deref().filter(|_| listed.selected).unwrap_or("");
    let selectors = [("labelSelector", selector)];
    let name = request_name(&path, &selectors);
    let (mut maps, mut seen) = (BTreeSet::new(), HashSet::new());
    let keep = |json: &str| {
        let keep = is_wanted(permission.resource, json, &mut seen);
        if keep && listed.selected {
            maps.extend(maps_of(json));
        }
        keep
    };
    let captured = match list(api, &path, &selectors, clock.source(), keep).await {
        Ok(listing) => listing.into_captured(permission.name, &name),
        Err(refusal) => {
            let mut captured = Captured::default();
            refused(&mut captured, &name, permission, scope.namespace(), &refusal, listed.missing);
            captured
        }
    };
    (captured, maps)
}

/// A glance at what decides whether an object is kept.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Glance {
    metadata: Metadata,
    spec: Spec,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Spec {
    replicas: Option<u64>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Labelled {
    metadata: Labels,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Labels {
    labels: Option<HashMap<String, String>>,
}

/// What repeats another object is left out: old revisions, and all pods of a maker's revision but the first.
fn is_wanted(resource: &str, json: &str, seen: &mut HashSet<(String, Option<String>)>) -> bool {
    let Ok(Glance { metadata, spec }) = serde_json::from_str::<Glance>(json) else { return true };
    let Some(owner) = metadata.owner_references.first() else { return true };
    match resource {
        "replicasets" => spec.replicas != Some(0),
        "pods" => {
            // Pods of StatefulSets and DaemonSets bear it (k8s.io/api/apps/v1, ControllerRevisionHashLabelKey, v0.37).
            let labels = serde_json::from_str::<Labelled>(json).unwrap_or_default().metadata.labels;
            let revision = labels.and_then(|labels| labels.get("controller-revision-hash").cloned());
            metadata.deletion_timestamp.is_none() && seen.insert((owner.uid.clone(), revision))
        }
        _ => true,
    }
}

/// The config maps that an object's pod template names, wherever it stands in it.
fn maps_of(json: &str) -> BTreeSet<Map> {
    fn walk(value: &Value, maps: &mut BTreeSet<String>) {
        match value {
            Value::Object(object) => {
                for key in ["configMap", "configMapRef", "configMapKeyRef"] {
                    maps.extend(object.get(key).and_then(|map| map["name"].as_str()).map(str::to_owned));
                }
                object.values().for_each(|value| walk(value, maps));
            }
            Value::Array(items) => items.iter().for_each(|value| walk(value, maps)),
            _ => {}
        }
    }
    // Most name none: they are not parsed a second time.
    if !json.contains("\"configMap") {
        return BTreeSet::new();
    }
    let Ok(object) = serde_json::from_str::<Value>(json) else { return BTreeSet::new() };
    let mut maps = BTreeSet::new();
    walk(&object["spec"], &mut maps);
    // The kubelet mounts it into every pod: the certificate of the API server.
    maps.remove("kube-root-ca.crt");
    let namespace = object["metadata"]["namespace"].as_str().unwrap_or_default();
    maps.into_iter().filter(|_| !namespace.is_empty()).map(|name| (namespace.to_owned(), name)).collect()
}

/// The config maps themselves; one that is named and not there is nothing that lint could say more of.
async fn config_maps(api: &Api, named: BTreeSet<Map>, clock: Clock) -> Captured {
    let until = clock.source();
    let total = named.len();
    let reads = named.into_iter().take(MOST_MAPS).map(|(namespace, name)| {
        let path = format!("/api/v1/namespaces/{namespace}/configmaps/{name}");
        async move { fetch(api, &path, &CONFIG_MAPS, Some(&namespace), Missing::Quiet, until).await.0 }
    });
    let mut captured = Captured::default();
    for part in stream::iter(reads).buffered(AT_ONCE).collect::<Vec<_>>().await {
        captured.append(part);
    }
    if total > MOST_MAPS {
        let because = format!("of {total} config maps {MOST_MAPS} were read");
        captured.gap("the other config maps", because, "oomph lint --live -n NAMESPACE");
    }
    captured
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn of_a_makers_pods_the_first_of_each_revision_is_kept() {
        let pod = |owner: &str, revision: &str| {
            json!({"metadata": {"name": "a", "labels": {"controller-revision-hash": revision},
                "ownerReferences": [{"kind": "StatefulSet", "name": "db", "uid": owner}]}})
            .to_string()
        };
        let mut seen = HashSet::new();
        let mut wanted = |json: &str| is_wanted("pods", json, &mut seen);
        assert!(wanted(&pod("u1", "r1")) && wanted(&pod("u1", "r2")) && wanted(&pod("u2", "r1")));
        assert!(!wanted(&pod("u1", "r1")));
        assert!(wanted(r#"{"metadata":{"name":"bare"}}"#) && wanted(r#"{"metadata":{"name":"bare"}}"#));
    }

    #[test]
    fn old_revisions_repeat_what_made_them() {
        let owned = |kind: &str, replicas: u64| {
            json!({"metadata": {"ownerReferences": [{"kind": kind, "uid": "u"}]}, "spec": {"replicas": replicas}})
                .to_string()
        };
        let mut seen = HashSet::new();
        assert!(!is_wanted("replicasets", &owned("Deployment", 0), &mut seen));
        assert!(is_wanted("replicasets", &owned("Deployment", 2), &mut seen));
        // It leads from its pods to the cron job.
        assert!(is_wanted("jobs", &owned("CronJob", 1), &mut seen));
        assert!(is_wanted("replicasets", r#"{"metadata":{},"spec":{"replicas":0}}"#, &mut seen));
    }

    #[test]
    fn config_maps_are_found_wherever_a_template_names_them() {
        let template = json!({"metadata": {"namespace": "shop"}, "spec": {"jobTemplate": {"spec": {"template": {"spec": {
            "volumes": [{"configMap": {"name": "files"}}, {"projected": {"sources": [
                {"configMap": {"name": "kube-root-ca.crt"}}, {"configMap": {"name": "part"}}]}}],
            "containers": [{"envFrom": [{"configMapRef": {"name": "all"}}],
                "env": [{"valueFrom": {"configMapKeyRef": {"name": "one", "key": "k"}}}]}]}}}}}});
        let names: Vec<String> = maps_of(&template.to_string()).into_iter().map(|(_, name)| name).collect();
        assert_eq!(names, ["all", "files", "one", "part"]);
        assert!(maps_of(r#"{"metadata":{"namespace":"shop"},"spec":{}}"#).is_empty());
    }
}
