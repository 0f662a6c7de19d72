//! Manifests, and the config maps that they name.

use std::time::{Duration, Instant};

use oomph_cluster::kube::{Ask, manifests};
use oomph_core::artifact::Captured;
use serde_json::{Value, json};

use super::server::Answer::{Json, Never};
use super::server::{Server, forbidden, list, version};

/// The objects in all that was read, as `kind name` by what their lists say.
fn objects(captured: &Captured) -> Vec<String> {
    let named = |kind: &str, object: &Value| format!("{kind} {}", object["metadata"]["name"].as_str().unwrap());
    let mut all = Vec::new();
    for artifact in &captured.artifacts {
        let value: Value = serde_json::from_slice(&artifact.bytes).unwrap();
        let kind = value["kind"].as_str().unwrap().to_owned();
        match value["items"].as_array() {
            Some(items) => all.extend(items.iter().map(|item| named(kind.trim_end_matches("List"), item))),
            None => all.push(named(&kind, &value)),
        }
    }
    all.sort();
    all
}

#[tokio::test]
async fn manifests_are_read_in_pages_with_the_config_maps_that_they_name() {
    let deployment = |name: &str, map: &str| {
        json!({"metadata": {"name": name, "namespace": "shop"}, "spec": {"template": {"spec": {"containers": [
            {"name": "app", "envFrom": [{"configMapRef": {"name": map}}]}]}}}})
    };
    let made = |name: &str, kind: &str, uid: &str| {
        json!({"metadata": {"name": name, "namespace": "shop",
            "ownerReferences": [{"apiVersion": "apps/v1", "kind": kind, "name": "x", "uid": uid}]}})
    };
    let server = Server::start(move |path| {
        version(path).or_else(|| match path {
            "/apis/apps/v1/namespaces/shop/deployments?limit=500&labelSelector=app%3Dweb" => {
                Some(list("DeploymentList", &[deployment("web", "flags")], "next"))
            }
            "/apis/apps/v1/namespaces/shop/deployments?limit=500&labelSelector=app%3Dweb&continue=next" => {
                Some(list("DeploymentList", &[deployment("api", "gone")], ""))
            }
            "/api/v1/namespaces/shop/pods?limit=500&labelSelector=app%3Dweb" => {
                let pods = [("a", "u1"), ("b", "u1"), ("c", "u2")].map(|(name, uid)| made(name, "ReplicaSet", uid));
                Some(list("PodList", &pods, ""))
            }
            "/api/v1/namespaces/shop/limitranges?limit=500" => {
                Some(list("LimitRangeList", &[json!({"metadata": {"name": "defaults", "namespace": "shop"}})], ""))
            }
            "/apis/batch/v1/namespaces/shop/jobs?limit=500&labelSelector=app%3Dweb" => Some(Never),
            "/api/v1/namespaces/shop/configmaps/flags" => {
                Some(Json(json!({"kind": "ConfigMap", "metadata": {"name": "flags", "namespace": "shop"}})))
            }
            "/api/v1/namespaces/shop/configmaps/gone" => None,
            path if path.contains("/cronjobs") => Some(forbidden("cronjobs")),
            path if path.contains("autoscaling.k8s.io") => None,
            path => Some(list(if path.contains("/api/v1/") { "List" } else { "ObjectList" }, &[], "")),
        })
    })
    .await;
    let ask = Ask { selector: Some("app=web".into()), deadline: Duration::from_millis(800), ..server.ask() };
    let began = Instant::now();
    let captured = manifests(&ask).await.unwrap();
    assert!(began.elapsed() < Duration::from_millis(2400), "{:?}", began.elapsed());
    let expected = ["ConfigMap flags", "Deployment api", "Deployment web", "LimitRange defaults", "Pod a", "Pod c"];
    assert_eq!(objects(&captured), expected);
    let gaps: Vec<&str> = captured.gaps.iter().map(|gap| gap.what.as_str()).collect();
    // Neither a map that is gone nor an autoscaler that is not installed is one.
    let jobs = "jobs (/apis/batch/v1/namespaces/shop/jobs?labelSelector=app=web)";
    assert_eq!(gaps, [jobs, "cron jobs in namespace shop"]);
    assert!(captured.gaps[1].command.contains("kubectl create role oomph-cronjobs -n shop --verb=list"));
}

#[tokio::test]
async fn config_maps_that_may_not_be_read_are_one_gap_with_the_rule_that_would_grant_them() {
    let server = Server::start(move |path| {
        version(path).or_else(|| match path {
            "/apis/apps/v1/deployments?limit=500" => {
                let of = |name: &str| {
                    json!({"metadata": {"name": name, "namespace": "shop"}, "spec": {"configMap": {"name": name}}})
                };
                Some(list("DeploymentList", &[of("a"), of("b")], ""))
            }
            path if path.contains("/configmaps/") => Some(forbidden("configmaps")),
            _ => None,
        })
    })
    .await;
    let captured = manifests(&Ask { all_namespaces: true, namespace: None, ..server.ask() }).await.unwrap();
    let gaps: Vec<_> = captured.gaps.iter().filter(|gap| gap.what.starts_with("config maps")).collect();
    assert_eq!(gaps.len(), 1, "{gaps:#?}");
    assert!(gaps[0].because.contains("alice may not get configmaps in namespace shop"), "{}", gaps[0].because);
    assert!(gaps[0].command.contains("--verb=get --resource=configmaps"), "{}", gaps[0].command);
    assert_eq!(server.asked("/configmaps/"), 2);
}
