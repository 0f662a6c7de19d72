//! A cluster's objects as sources: each is a text of its own, named after the object, as kubectl would print it.

use serde_json::Value;

use super::Source;
use crate::artifact::Captured;
use crate::report;

/// Annotations that repeat the object itself.
const REPEATS: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// Every object of the lists and answers that were captured; bytes that are no JSON are left out, since the API server
/// sends nothing else.
pub fn sources(captured: &Captured) -> Vec<Source> {
    let values = captured.artifacts.iter().filter_map(|artifact| serde_json::from_slice(&artifact.bytes).ok());
    let mut sources: Vec<Source> = values.flat_map(objects).map(source).collect();
    sources.sort_by(|a, b| a.name.cmp(&b.name));
    sources
}

/// The items of a list, each with the kind and version that only the list names; or the object itself.
fn objects(mut value: Value) -> Vec<Value> {
    let Some(Value::Array(items)) = value.get_mut("items").map(Value::take) else { return vec![value] };
    let kind = value["kind"].as_str().and_then(|kind| kind.strip_suffix("List")).unwrap_or_default().to_owned();
    let version = value["apiVersion"].take();
    let named = items.into_iter().map(|mut item| {
        if let Some(object) = item.as_object_mut() {
            object.entry("kind").or_insert_with(|| kind.clone().into());
            object.entry("apiVersion").or_insert_with(|| version.clone());
        }
        item
    });
    named.collect()
}

/// `Deployment shop/web`, without what says nothing of how it runs.
fn source(mut object: Value) -> Source {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let (kind, metadata) = (text(&object["kind"]), &object["metadata"]);
    let (namespace, name) = (text(&metadata["namespace"]), text(&metadata["name"]));
    // The revision that new pods of a StatefulSet are made from.
    let revision = object["status"]["updateRevision"].take();
    if let Some(it) = object.as_object_mut() {
        it.remove("status");
        if !revision.is_null() {
            it.insert("status".into(), serde_json::json!({"updateRevision": revision}));
        }
    }
    if let Some(metadata) = object["metadata"].as_object_mut() {
        metadata.remove("managedFields");
        if let Some(annotations) = metadata.get_mut("annotations").and_then(Value::as_object_mut) {
            annotations.remove(REPEATS);
        }
    }
    let place = if namespace.is_empty() { name } else { format!("{namespace}/{name}") };
    Source { name: format!("{kind} {place}"), text: report::yaml(&object) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::artifact::Artifact;
    use crate::lint::{Document, lint};

    fn captured(objects: &[Value]) -> Captured {
        let mut captured = Captured::default();
        for object in objects {
            captured.read("objects", Artifact::new("GET", object.to_string()));
        }
        captured
    }

    fn container(resources: &Value) -> Value {
        json!({"name": "app", "image": "registry/app:1", "resources": resources,
            "env": [{"name": "JAVA_TOOL_OPTIONS", "value": "-Xmx900m"}]})
    }

    fn owned(kind: &str, name: &str, revision: &str, by: (&str, &str)) -> Value {
        json!({"name": name, "namespace": "shop", "annotations": {"deployment.kubernetes.io/revision": revision},
            "ownerReferences": [{"apiVersion": "apps/v1", "kind": by.0, "name": by.1, "controller": true, "uid": kind}]})
    }

    /// A Deployment whose template gives these resources, its set and a pod that was admitted with others.
    fn rollout(template: &Value, pod: &Value, revision_of_set: &str) -> Vec<Value> {
        let template = json!({"spec": {"containers": [container(template)]}});
        let metadata = json!({"name": "web", "namespace": "shop", "managedFields": [{"manager": "kubectl"}],
            "annotations": {"deployment.kubernetes.io/revision": "2", REPEATS: "{}"}});
        let list =
            |kind: &str, version: &str, item: Value| json!({"kind": kind, "apiVersion": version, "items": [item]});
        vec![
            list("DeploymentList", "apps/v1", json!({"metadata": metadata, "spec": {"template": template}})),
            list(
                "ReplicaSetList",
                "apps/v1",
                json!({"metadata": owned("set", "web-7f", revision_of_set, ("Deployment", "web")),
                    "spec": {"template": template}}),
            ),
            list(
                "PodList",
                "v1",
                json!({"metadata": owned("pod", "web-7f-x", "", ("ReplicaSet", "web-7f")),
                    "spec": {"containers": [container(pod)]}, "status": {"phase": "Running"}}),
            ),
        ]
    }

    fn rules(document: &Document) -> Vec<(&str, &str)> {
        let graver = document.findings.iter().filter(|it| it.level > crate::lint::Level::Info);
        graver.map(|it| (it.rule.as_str(), it.region.path.as_str())).collect()
    }

    #[test]
    fn the_limit_that_a_pod_was_admitted_with_counts_for_its_workload_and_is_said() {
        let limited = json!({"limits": {"memory": "1Gi", "cpu": "1"}, "requests": {"memory": "1Gi", "cpu": "1"}});
        let document = lint(&sources(&captured(&rollout(&json!({}), &limited, "2"))));
        let heap = document.findings.iter().find(|it| it.rule.starts_with("jvm-")).unwrap();
        assert_eq!(heap.region.path, "Deployment shop/web");
        let related: Vec<_> = heap.related.iter().map(|it| (it.region.path.as_str(), &*it.message)).collect();
        let says = "pod `web-7f-x` was admitted with a limit of 1 GiB, which the template does not give";
        assert!(related.contains(&("Pod shop/web-7f-x", says)), "{related:?}");
        assert!(document.findings.iter().all(|it| it.rule != "limit-missing" && it.rule != "request-missing"));
        let object = heap.object.as_ref().unwrap();
        assert_eq!((object.kind.as_str(), object.namespace.as_deref()), ("Deployment", Some("shop")));
        // What a workload made is not judged once more, and not forgotten either.
        let made: Vec<_> = document.skipped.iter().map(|it| (it.kind.as_str(), it.count)).collect();
        assert_eq!((made, document.checked.templates), (vec![("Pod", 1), ("ReplicaSet", 1)], 1));
    }

    #[test]
    fn a_pod_of_an_earlier_template_says_nothing_of_the_present_one() {
        let limited = json!({"limits": {"memory": "1Gi"}});
        let document = lint(&sources(&captured(&rollout(&json!({}), &limited, "1"))));
        assert!(rules(&document).contains(&("limit-missing", "Deployment shop/web")), "{:?}", rules(&document));
    }

    #[test]
    fn a_pod_that_was_given_less_than_its_template_says_is_measured_by_what_it_has() {
        let (more, less) = (json!({"limits": {"memory": "4Gi"}}), json!({"limits": {"memory": "512Mi"}}));
        let document = lint(&sources(&captured(&rollout(&more, &less, "2"))));
        assert!(rules(&document).contains(&("jvm-heap-ge-limit", "Deployment shop/web")), "{:?}", rules(&document));
        let same = lint(&sources(&captured(&rollout(&more, &more, "2"))));
        assert!(same.findings.iter().all(|it| it.related.iter().all(|it| it.region.path == "Deployment shop/web")));
    }

    #[test]
    fn a_pod_of_a_cron_jobs_job_is_judged_with_the_cron_job_and_says_nothing_of_its_present_template() {
        let template = |resources: &Value| json!({"spec": {"containers": [container(resources)]}});
        let limited = json!({"limits": {"memory": "1Gi"}});
        let objects = [
            json!({"kind": "CronJob", "apiVersion": "batch/v1", "metadata": {"name": "nightly", "namespace": "shop"},
                "spec": {"jobTemplate": {"spec": {"template": template(&json!({}))}}}}),
            json!({"kind": "Job", "apiVersion": "batch/v1", "metadata": owned("job", "nightly-1", "", ("CronJob", "nightly")),
                "spec": {"template": template(&json!({}))}}),
            json!({"kind": "Pod", "apiVersion": "v1", "metadata": owned("pod", "nightly-1-x", "", ("Job", "nightly-1")),
                "spec": template(&limited)["spec"]}),
        ];
        let document = lint(&sources(&captured(&objects)));
        let missing: Vec<_> = rules(&document).into_iter().filter(|(rule, _)| *rule == "limit-missing").collect();
        assert_eq!(missing, [("limit-missing", "CronJob shop/nightly")]);
        // Without its cron job the job is judged itself, by what its pod was admitted with.
        let document = lint(&sources(&captured(&objects[1..])));
        assert!(rules(&document).iter().all(|(rule, _)| *rule != "limit-missing"), "{:?}", rules(&document));
        assert_eq!(document.checked.templates, 1);
    }

    #[test]
    fn the_text_of_an_object_says_what_the_server_said() {
        let spec = json!({"a": "512m", "b": "true", "c": true, "d": "1e3", "e": "x: y # z\n\n  k\n", "f": "", "g": [],
            "h": {}, "i": null, "j": "- a", "k": "0x10", "l": "{{ x }}", "m": 1.5, "n": "\u{1}\t", "o": "NULL", "*p": "&q"});
        let object = json!({"kind": "Rollout", "apiVersion": "x/v1", "metadata": {"name": "a"}, "spec": spec});
        let source = sources(&captured(std::slice::from_ref(&object))).remove(0);
        assert_eq!(source.name, "Rollout a");
        assert_eq!(serde_saphyr::from_str::<Value>(&source.text).unwrap(), object, "{}", source.text);
        let read = crate::lint::read(0, &source);
        let root = read.tree.root(&read.tree.documents[0]);
        for (key, value) in object["spec"].as_object().unwrap() {
            if let Some(text) = value.as_str() {
                assert_eq!(
                    root.path(&["spec", key]).and_then(crate::lint::tree::At::text),
                    Some(text),
                    "{}",
                    source.text
                );
            }
        }
    }
}
