//! Watches that break, and what only a node or a counter tells.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures::StreamExt;
use oomph_cluster::kube::watch;
use oomph_core::artifact::Kind;
use serde_json::{Value, json};

use super::server::Answer::{Json, Lines, Never, Text};
use super::server::{Answer, PODS, Server, forbidden, list, pod, version};

#[tokio::test]
async fn a_watch_tells_each_new_death_once_over_every_break() {
    let event = |kind: &str, object: Value| json!({"type": kind, "object": object});
    let at = |mut pod: Value, version: &str| {
        pod["metadata"]["resourceVersion"] = json!(version);
        pod
    };
    let lists = Mutex::new(0);
    let server = Server::start(move |path| {
        version(path).or_else(|| match path {
            PODS => {
                let mut lists = lists.lock().unwrap();
                *lists += 1;
                // While the watch was down, c died.
                let died = u32::from(*lists > 1);
                Some(list("PodList", &[pod("old", 1), pod("a", died), pod("c", died)], ""))
            }
            path if path.starts_with("/api/v1/namespaces/shop/pods?watch=true")
                && path.contains("resourceVersion=5") =>
            {
                let expired = json!({"kind": "Status", "code": 410, "message": "too old"});
                Some(Lines(vec![
                    event("MODIFIED", at(pod("old", 1), "6")),
                    event("MODIFIED", at(pod("a", 1), "7")),
                    event("MODIFIED", at(pod("a", 1), "8")),
                    event("ADDED", at(pod("b", 0), "9")),
                    event("ERROR", expired),
                ]))
            }
            path if path.starts_with("/api/v1/namespaces/shop/pods?watch=true") => Some(Never),
            path if path.contains("/pods/a/log") => Some(Text("2026-01-02T03:04:05Z last words\n".into())),
            _ => None,
        })
    })
    .await;
    let deaths = watch(server.ask()).await.unwrap();
    let told: Vec<String> = tokio::time::timeout(Duration::from_secs(4), async {
        let mut told = Vec::new();
        tokio::pin!(deaths);
        while let Ok(Some(death)) = tokio::time::timeout(Duration::from_millis(1500), deaths.next()).await {
            let pod =
                death.artifacts.iter().find(|artifact| artifact.name.starts_with("GET /api/v1/namespaces/shop/pods/"));
            told.extend(pod.map(|pod| pod.name.rsplit('/').next().unwrap().to_owned()));
        }
        told
    })
    .await
    .unwrap();
    let mut sorted = told.clone();
    sorted.sort();
    assert_eq!(sorted, ["a", "c"], "{told:?}");
}

#[tokio::test]
async fn a_watch_tells_a_nodes_kill_with_its_log_and_the_pod_that_lives_on() {
    const UID: &str = "185d9cef-c3fa-4d6d-ba8c-832eec8ebdfc";
    let event = |version: &str, at: &str| {
        json!({"kind": "Event", "apiVersion": "v1", "reason": "OOMKilling", "type": "Warning", "lastTimestamp": at,
            "metadata": {"name": "e", "uid": "e", "namespace": "default", "resourceVersion": version},
            "involvedObject": {"kind": "Node", "name": "node-a"}, "message": "Memory cgroup out of memory: Killed process 7"})
    };
    let mut living = pod("quiet", 0);
    living["metadata"]["uid"] = json!(UID);
    let answer = living.clone();
    let server = Server::start(move |path| {
        version(path).or_else(|| match path {
            PODS => Some(list("PodList", std::slice::from_ref(&living), "")),
            "/api/v1/namespaces/shop/pods/quiet" => Some(Json(answer.clone())),
            path if path.starts_with("/api/v1/namespaces/shop/pods?watch=true") => Some(Never),
            path if path.starts_with("/api/v1/namespaces/default/events?limit") => {
                Some(list("EventList", &[event("3", "2020-01-01T00:00:00Z")], ""))
            }
            path if path.starts_with("/api/v1/namespaces/default/events?watch=true") => {
                let old = json!({"type": "MODIFIED", "object": event("4", "2020-01-01T00:00:00Z")});
                let new = json!({"type": "ADDED", "object": event("9", "2999-01-01T00:00:00Z")});
                Some(Lines(vec![old, new.clone(), new]))
            }
            "/api/v1/nodes/node-a/proxy/logs/" => Some(Text("<a href=\"kern.log\">kern.log</a>".into())),
            "/api/v1/nodes/node-a/proxy/logs/kern.log" => {
                Some(Text(format!("oom_memcg=/kubepods/burstable/pod{UID}/a\n")))
            }
            _ => None,
        })
    })
    .await;
    let deaths = watch(server.ask()).await.unwrap();
    tokio::pin!(deaths);
    let told = tokio::time::timeout(Duration::from_secs(3), deaths.next()).await.unwrap().unwrap();
    assert!(told.artifacts.iter().any(|artifact| artifact.name == "the event on node node-a"));
    assert!(told.artifacts.iter().any(|artifact| artifact.kind == Some(Kind::KernelLog)));
    assert!(told.artifacts.iter().any(|artifact| artifact.name.ends_with("/pods/quiet")), "{:#?}", told.sources);
    let again = tokio::time::timeout(Duration::from_millis(1500), deaths.next()).await;
    assert!(again.is_err(), "told once");
}

#[tokio::test]
async fn a_watch_tells_a_kill_that_only_a_counter_shows_and_whose_pod_lives_on() {
    const UID: &str = "185d9cef-c3fa-4d6d-ba8c-832eec8ebdfc";
    let mut living = pod("quiet", 0);
    living["metadata"]["uid"] = json!(UID);
    let (answer, readings) = (living.clone(), AtomicUsize::new(0));
    let server = Server::start(move |path| {
        version(path).or_else(|| match path {
            PODS => Some(list("PodList", std::slice::from_ref(&living), "")),
            "/api/v1/namespaces/shop/pods/quiet" => Some(Json(answer.clone())),
            path if path.contains("?watch=true") => Some(Never),
            path if path.starts_with("/api/v1/namespaces/default/events?limit") => Some(list("EventList", &[], "")),
            "/api/v1/nodes/node-a/proxy/metrics/cadvisor" => {
                // A kill from before the start, one of another's pod, and the new one.
                let (theirs, ours) = [(0, 1), (1, 1), (1, 2)][readings.fetch_add(1, Ordering::SeqCst).min(2)];
                let series = |pod: &str, uid: &str, count| {
                    format!(
                        "container_oom_events_total{{container=\"app\",id=\"/kubepods/burstable/pod{uid}/a\",\
                         namespace=\"shop\",pod=\"{pod}\"}} {count}\n"
                    )
                };
                let other = series("other", "0db6928f-7e47-4f85-aab6-607738a61437", theirs);
                Some(Text(other + &series("quiet", UID, ours)))
            }
            _ => None,
        })
    })
    .await;
    let deaths = watch(server.ask()).await.unwrap();
    tokio::pin!(deaths);
    let told = tokio::time::timeout(Duration::from_secs(25), deaths.next()).await.unwrap().unwrap();
    assert_eq!(server.asked("/metrics/cadvisor"), 3, "neither the old kill nor that of others is news");
    let counters = told.artifacts.iter().find(|artifact| artifact.kind == Some(Kind::Metrics)).unwrap();
    let counters = String::from_utf8_lossy(&counters.bytes);
    assert!(counters.contains("pod=\"quiet\"} 2") && !counters.contains("other"), "{counters}");
    assert!(told.artifacts.iter().any(|artifact| artifact.name.ends_with("/pods/quiet")), "{:#?}", told.sources);
    let again = tokio::time::timeout(Duration::from_secs(7), deaths.next()).await;
    assert!(again.is_err(), "told once");
}

/// Watches 60 pods on 60 nodes for a while: why something is missing, and how often counters were asked for.
async fn watch_many_nodes(counters: fn() -> Answer) -> (Vec<String>, usize) {
    let pods: Vec<Value> = (0..60)
        .map(|number| {
            let mut pod = pod(&format!("web-{number}"), 0);
            pod["metadata"]["uid"] = json!(number.to_string());
            pod["spec"]["nodeName"] = json!(format!("node-{number}"));
            pod
        })
        .collect();
    let server = Server::start(move |path| {
        version(path).or_else(|| match path {
            PODS => Some(list("PodList", &pods, "")),
            path if path.contains("?watch=true") => Some(Never),
            path if path.contains("/proxy/metrics/cadvisor") => Some(counters()),
            _ => None,
        })
    })
    .await;
    let deaths = watch(server.ask()).await.unwrap();
    tokio::pin!(deaths);
    let mut because = Vec::new();
    while let Ok(Some(told)) = tokio::time::timeout(Duration::from_secs(4), deaths.next()).await {
        because.extend(told.gaps.into_iter().map(|gap| gap.because));
    }
    (because, server.asked("/metrics/cadvisor"))
}

#[tokio::test]
async fn a_watch_says_of_how_many_nodes_it_reads_the_counters_and_hurries_none() {
    let (because, asked) = watch_many_nodes(|| Text(String::new())).await;
    assert!(because.iter().any(|it| it.starts_with("of 60 nodes the counters of 50 are read")), "{because:?}");
    assert!((2..=16).contains(&asked), "two nodes a second, not {asked} at once");
}

#[tokio::test]
async fn a_watch_asks_once_for_counters_that_it_may_not_read() {
    let (because, asked) = watch_many_nodes(|| forbidden("nodes")).await;
    assert!(!because.iter().any(|it| it.contains("counters")), "{because:?}");
    assert_eq!(asked, 1, "one refusal stands for all");
}
