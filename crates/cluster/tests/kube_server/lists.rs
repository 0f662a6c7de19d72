//! Lists that expire, end early, never come, or are long.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use oomph_cluster::kube::{Ask, capture};
use oomph_core::artifact::{self, Kind};
use serde_json::json;

use super::server::Answer::{Never, Status, Text};
use super::server::{PODS, Server, list, pod, pods_of, version};

#[tokio::test]
async fn a_list_that_expires_midway_goes_on_from_the_servers_offer() {
    let server = Server::start(|path| {
        version(path).or_else(|| match path.strip_prefix(PODS)? {
            "" => Some(list("PodList", &[pod("a", 1)], "old")),
            "&continue=old" => Some(Status(
                410,
                json!({"kind": "Status", "code": 410, "message": "too old",
                "metadata": {"continue": "fresh"}}),
            )),
            "&continue=fresh" => Some(list("PodList", &[pod("b", 1)], "")),
            _ => None,
        })
    })
    .await;
    let captured = capture(&server.ask()).await.unwrap();
    assert_eq!(pods_of(&captured), ["a", "b"]);
    assert!(captured.gaps.iter().any(|gap| gap.because.contains("changed while it was read")), "{:#?}", captured.gaps);
}

#[tokio::test]
async fn a_list_that_expires_without_an_offer_is_begun_anew_once() {
    let tries = Mutex::new(0);
    let server = Server::start(move |path| {
        version(path).or_else(|| match path.strip_prefix(PODS)? {
            "" => Some(list("PodList", &[pod("a", 1), pod("well", 0)], "next")),
            "&continue=next" => {
                let mut tries = tries.lock().unwrap();
                *tries += 1;
                let gone = json!({"kind": "Status", "code": 410, "message": "too old"});
                Some(if *tries == 1 { Status(410, gone) } else { list("PodList", &[pod("b", 1)], "") })
            }
            _ => None,
        })
    })
    .await;
    let captured = capture(&server.ask()).await.unwrap();
    assert_eq!(pods_of(&captured), ["a", "b"]);
    assert_eq!(captured.artifacts.iter().filter(|artifact| artifact.name.ends_with("/pods page 2")).count(), 1);
}

#[tokio::test]
async fn a_page_that_does_not_come_leaves_those_that_did() {
    let server = Server::start(|path| {
        version(path).or_else(|| match path.strip_prefix(PODS)? {
            "" => Some(list("PodList", &[pod("a", 1)], "next")),
            _ => Some(Never),
        })
    })
    .await;
    let captured = capture(&Ask { deadline: Duration::from_millis(400), ..server.ask() }).await.unwrap();
    assert_eq!(pods_of(&captured), ["a"]);
    let pods = captured.sources.iter().find(|source| source.kind == "pods").unwrap();
    assert_eq!(pods.status, artifact::Status::Partial, "{pods:?}");
}

#[tokio::test]
async fn a_source_that_does_not_answer_is_a_gap_and_holds_up_nobody() {
    let server = Server::start(|path| {
        version(path).or_else(|| match path {
            PODS => Some(list("PodList", &[pod("a", 1)], "")),
            "/api/v1/namespaces/shop/limitranges?limit=500" => Some(list("LimitRangeList", &[], "")),
            path if path.starts_with("/api/v1/namespaces/shop/pods/a/log") => {
                Some(Text("2026-01-02T03:04:05Z end\n".into()))
            }
            path if path.contains("/events") || path.contains("/proxy/") => Some(Never),
            _ => None,
        })
    })
    .await;
    let began = Instant::now();
    let captured = capture(&Ask { deadline: Duration::from_millis(500), ..server.ask() }).await.unwrap();
    let took = began.elapsed();
    println!("with dead sources and a deadline of 500 ms: {took:?}");
    assert!(took < Duration::from_millis(1200), "{took:?}");
    assert!(captured.artifacts.iter().any(|artifact| artifact.kind == Some(Kind::ContainerLog)));
    for what in ["events (/api/v1/namespaces/shop/events)", "the kernel log of node node-a"] {
        assert!(
            captured.gaps.iter().any(|gap| gap.what == what && !gap.command.is_empty()),
            "{what}: {:#?}",
            captured.gaps
        );
    }
}

#[tokio::test]
async fn thousands_of_healthy_pods_weigh_nothing() {
    const PAGES: usize = 8;
    let server = Server::start(|path| {
        version(path).or_else(|| {
            let token = path.strip_prefix(PODS)?;
            let page: usize = token.strip_prefix("&continue=").map_or(Some(0), |token| token.parse().ok())?;
            let items: Vec<_> = (0..500)
                .map(|index| {
                    let mut pod = pod(&format!("p-{page}-{index}"), u32::from(index == 250 && page.is_multiple_of(4)));
                    pod["metadata"]["annotations"] = json!({"padding": "x".repeat(8 << 10)});
                    pod
                })
                .collect();
            let next = if page + 1 == PAGES { String::new() } else { (page + 1).to_string() };
            Some(list("PodList", &items, &next))
        })
    })
    .await;
    let began = Instant::now();
    let ask = Ask { deadline: Duration::from_secs(20), ..server.ask() };
    let captured = capture(&ask).await.unwrap();
    let bytes: usize = captured.artifacts.iter().map(|artifact| artifact.bytes.len()).sum();
    println!("{} pods of 9 KiB, 2 in trouble: {bytes} bytes kept, {:?}", PAGES * 500, began.elapsed());
    assert_eq!(pods_of(&captured).len(), 2);
    assert!(bytes < 64 << 10, "{bytes}");
}
