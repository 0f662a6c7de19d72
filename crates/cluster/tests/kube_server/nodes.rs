//! Nodes' logs and the kubelet's, and nodes that do not answer.

use std::time::Duration;

use oomph_cluster::kube::{Ask, capture};
use oomph_core::artifact::{self, Kind};
use serde_json::json;

use super::server::Answer::{Never, Text};
use super::server::{PODS, Server, forbidden, list, pod, version};

#[tokio::test]
async fn the_kernel_log_is_the_first_of_its_files_and_the_rotated_one_where_it_is_short() {
    let server = Server::start(|path| {
        version(path).or_else(|| match path {
            PODS => Some(list("PodList", &[pod("a", 1)], "")),
            "/api/v1/nodes/node-a/proxy/logs/" => {
                let link = |name: &str| format!("<a href=\"{name}\">{name}</a>\n");
                Some(Text(["kern.log", "syslog", "syslog.1", "messages"].map(link).concat()))
            }
            "/api/v1/nodes/node-a/proxy/logs/kern.log" => Some(Text(String::new())),
            "/api/v1/nodes/node-a/proxy/logs/syslog" => Some(Text("Jan  2 03:04:05 node-a kernel: new\n".into())),
            "/api/v1/nodes/node-a/proxy/logs/syslog.1" => Some(Text("Jan  1 03:04:05 node-a kernel: old\n".into())),
            _ => None,
        })
    })
    .await;
    let captured = capture(&server.ask()).await.unwrap();
    let logs: Vec<_> = captured.artifacts.iter().filter(|artifact| artifact.kind == Some(Kind::KernelLog)).collect();
    let names: Vec<_> = logs.iter().map(|log| log.name.rsplit('/').next().unwrap()).collect();
    assert_eq!(names, ["syslog.1", "syslog"], "the older first");
    assert!(logs.iter().all(|log| log.about.node.as_deref() == Some("node-a") && log.at.is_some()));
    assert_eq!(server.asked("/syslog range: bytes=-4194304"), 1);
}

#[tokio::test]
async fn a_node_without_a_readable_kernel_log_says_how_to_read_it_by_hand() {
    let server = Server::start(|path| {
        version(path).or_else(|| match path {
            PODS => Some(list("PodList", &[pod("a", 1)], "")),
            "/api/v1/nodes/node-a/proxy/logs/" => Some(Text("<a href=\"journal/\">journal/</a>".into())),
            _ => None,
        })
    })
    .await;
    let captured = capture(&server.ask()).await.unwrap();
    let gap = captured.gaps.iter().find(|gap| gap.what == "the kernel log of node node-a").unwrap();
    assert!(gap.because.contains("journal") && gap.command.starts_with("kubectl debug node/node-a "), "{gap:?}");
}

#[tokio::test]
async fn the_kubelets_log_is_read_where_the_kubelet_can_be_asked_for_it() {
    let server = Server::start(|path| {
        version(path).or_else(|| match path {
            PODS => Some(list("PodList", &[pod("a", 1)], "")),
            "/api/v1/nodes/node-a/proxy/logs/" => Some(Text("<pre></pre>".into())),
            "/api/v1/nodes/node-a/proxy/logs/?query=kubelet&tailLines=5000" => Some(Text(
                "Jan 02 03:04:05.000001 node-a kubelet[7]: one\nJan 02 03:04:06.000001 node-a kubelet[7]: two\n".into(),
            )),
            _ => None,
        })
    })
    .await;
    let captured = capture(&server.ask()).await.unwrap();
    let log = captured.artifacts.iter().find(|artifact| artifact.kind == Some(Kind::NodeLog)).unwrap();
    assert_eq!(log.about.node.as_deref(), Some("node-a"));
}

#[tokio::test]
async fn one_dead_node_does_not_hide_the_others_and_one_refusal_is_told_once() {
    let on = |node: &str, name: &str| {
        let mut pod = pod(name, 1);
        pod["spec"]["nodeName"] = json!(node);
        pod
    };
    let pods = [on("dead", "a"), on("node-b", "b")];
    let server = Server::start(move |path| {
        version(path).or_else(|| match path {
            PODS => Some(list("PodList", &pods, "")),
            path if path.starts_with("/api/v1/nodes/dead/proxy") => Some(Never),
            "/api/v1/nodes/node-b/proxy/logs/" => Some(Text("<a href=\"messages\">messages</a>".into())),
            "/api/v1/nodes/node-b/proxy/logs/messages" => Some(Text("Jan  2 03:04:05 node-b kernel: here\n".into())),
            _ => None,
        })
    })
    .await;
    let captured = capture(&Ask { deadline: Duration::from_millis(500), ..server.ask() }).await.unwrap();
    let log = captured.artifacts.iter().find(|artifact| artifact.kind == Some(Kind::KernelLog)).unwrap();
    assert_eq!(log.about.node.as_deref(), Some("node-b"));
    assert!(captured.gaps.iter().any(|gap| gap.what == "the kernel log of node dead"), "{:#?}", captured.gaps);

    let pods: Vec<_> = (0..20).map(|index| on(&format!("node-{index}"), &format!("p{index}"))).collect();
    let server = Server::start(move |path| {
        version(path).or_else(|| match path {
            PODS => Some(list("PodList", &pods, "")),
            path if path.contains("/proxy/") => Some(forbidden("nodes/proxy")),
            _ => None,
        })
    })
    .await;
    let captured = capture(&server.ask()).await.unwrap();
    assert_eq!(captured.gaps.iter().filter(|gap| gap.command.contains("nodes/proxy")).count(), 1);
    assert_eq!(captured.sources.iter().filter(|source| source.status == artifact::Status::Forbidden).count(), 1);
}
