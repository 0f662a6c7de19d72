//! Which pods and events are read when something is named.

use oomph_cluster::kube::{Ask, capture};
use oomph_core::artifact::Captured;
use serde_json::{Value, json};

use super::server::Answer::{Json, Status};
use super::server::{PODS, Server, forbidden, list, pod, pods_of, version};

const EVENTS: &str = "/api/v1/namespaces/shop/events?limit=500";

pub(crate) fn event(kind: &str, name: &str, reason: &str, message: &str) -> Value {
    json!({"metadata": {"name": format!("{name}.{reason}"), "namespace": "shop"}, "reason": reason, "message": message,
        "involvedObject": {"kind": kind, "namespace": "shop", "name": name}, "type": "Normal"})
}

/// Whom the events that were kept are about.
fn events_of(captured: &Captured) -> Vec<String> {
    let pages = captured.artifacts.iter().filter(|artifact| artifact.name == "GET /api/v1/namespaces/shop/events");
    let items = pages.flat_map(|page| {
        let page: Value = serde_json::from_slice(&page.bytes).unwrap();
        page["items"].as_array().cloned().unwrap_or_default()
    });
    items.map(|event| event["involvedObject"]["name"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn events_of_pods_that_labels_did_not_choose_are_left_out() {
    let server = Server::start(|path| {
        version(path).or_else(|| match path {
            path if path.contains("/shop/pods?") && path.contains("labelSelector") => {
                Some(list("PodList", &[pod("web", 0)], ""))
            }
            EVENTS => Some(list(
                "EventList",
                &[event("Pod", "web", "Unhealthy", ""), event("Pod", "gone", "Killing", "Stopping container app")],
                "",
            )),
            _ => None,
        })
    })
    .await;
    let captured = capture(&Ask { selector: Some("tier=web".into()), ..server.ask() }).await.unwrap();
    assert_eq!(events_of(&captured), ["web"]);
}

#[tokio::test]
async fn what_went_wrong_before_a_pod_was_well_is_left_out_with_it_and_an_earlier_namesakes_events_are_not() {
    let server = Server::start(|path| {
        version(path).or_else(|| match path {
            path if path.contains("/shop/pods?") => Some(list("PodList", &[pod("db-0", 0), pod("hurt", 1)], "")),
            EVENTS => {
                let of = |uid: &str, reason: &str| {
                    let mut event = event("Pod", "db-0", reason, "0/1 nodes are available");
                    event["involvedObject"]["uid"] = json!(uid);
                    event["type"] = json!("Warning");
                    event
                };
                let events = [of("uid-db-0", "FailedScheduling"), of("uid-earlier", "Evicted")];
                Some(list("EventList", &events, ""))
            }
            _ => None,
        })
    })
    .await;
    let captured = capture(&server.ask()).await.unwrap();
    let text: String = captured.artifacts.iter().map(|it| String::from_utf8_lossy(&it.bytes).into_owned()).collect();
    assert!(!text.contains("FailedScheduling"), "{text}");
    assert!(text.contains("Evicted"), "{text}");
}

#[tokio::test]
async fn a_workloads_pods_that_are_gone_are_looked_for_on_their_nodes() {
    let server = Server::start(|path| {
        version(path).or_else(|| match path {
            "/apis/batch/v1/namespaces/shop/jobs/nightly" => {
                Some(Json(json!({"spec": {"selector": {"matchLabels": {"job": "nightly"}}}})))
            }
            path if path.contains("/shop/pods?") => Some(list("PodList", &[], "")),
            EVENTS => {
                let assigned = "Successfully assigned shop/nightly-qjthw to node-b";
                let deleted = event("Job", "nightly", "SuccessfulDelete", "Deleted pod: nightly-qjthw");
                let other = event("Pod", "other-qjthw", "Killing", "Stopping container app");
                Some(list("EventList", &[event("Pod", "nightly-qjthw", "Scheduled", assigned), deleted, other], ""))
            }
            _ => None,
        })
    })
    .await;
    let captured = capture(&Ask { target: "job/nightly".parse().ok(), ..server.ask() }).await.unwrap();
    assert_eq!(events_of(&captured), ["nightly-qjthw", "nightly"]);
    assert_eq!(captured.unknown, [""; 0]);
    assert!(server.asked("/api/v1/nodes/node-b") > 0);
}

#[tokio::test]
async fn what_was_named_and_is_not_there_is_said() {
    let server = Server::start(|path| {
        let missing =
            |what: &str| Status(404, json!({"kind": "Status", "code": 404, "message": format!("{what} not found")}));
        version(path).or_else(|| match path {
            "/apis/apps/v1/namespaces/shop/statefulsets/db" => Some(Json(json!({"metadata": {"name": "db"}}))),
            "/api/v1/namespaces/shop" => Some(Json(json!({"metadata": {"name": "shop"}}))),
            "/api/v1/namespaces/nowhere" => Some(missing("namespaces \"nowhere\"")),
            path if path.contains("/pods?") => Some(list("PodList", &[], "")),
            _ => None,
        })
    })
    .await;
    for (target, namespace, said) in [
        (Some("deploy/nosuch"), "shop", "there is no Deployment nosuch in namespace shop; check"),
        (Some("foo/bar"), "shop", "no pod in namespace shop belongs to foo/bar; check"),
        (Some("nosuch"), "shop", "there is no pod nosuch in namespace shop; check"),
        (
            Some("db"),
            "shop",
            "there is no pod db in namespace shop; a StatefulSet has that name: oomph why statefulset/db",
        ),
        (None, "nowhere", "there is no namespace nowhere; "),
    ] {
        let target = target.map(|target| target.parse().unwrap());
        let captured = capture(&Ask { target, namespace: Some(namespace.into()), ..server.ask() }).await.unwrap();
        assert!(captured.unknown.len() == 1 && captured.unknown[0].starts_with(said), "{said}: {:?}", captured.unknown);
    }
    assert_eq!(capture(&server.ask()).await.unwrap().unknown, [""; 0], "an empty namespace is one");
}

#[tokio::test]
async fn a_workload_that_may_not_be_read_is_found_through_its_pods() {
    let server = Server::start(|path| {
        version(path).or_else(|| match path {
            "/apis/apps/v1/namespaces/shop/deployments/web" => Some(forbidden("deployments")),
            PODS => {
                let mut mine = pod("web-7f9c-x2b4z", 0);
                mine["metadata"]["ownerReferences"] =
                    json!([{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "web-7f9c"}]);
                Some(list("PodList", &[mine, pod("other", 3)], ""))
            }
            _ => None,
        })
    })
    .await;
    let captured = capture(&Ask { target: "deploy/web".parse().ok(), ..server.ask() }).await.unwrap();
    assert_eq!(pods_of(&captured), ["web-7f9c-x2b4z"]);
    let gap = captured.gaps.iter().find(|gap| gap.what.starts_with("deployments")).unwrap();
    assert!(gap.command.contains("--resource=deployments.apps ") && gap.command.ends_with("--user=alice"), "{gap:?}");
}
