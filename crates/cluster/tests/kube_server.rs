//! What a real API server cannot be made to do on demand: lists that expire midway, answers that never come, refusals
//! of chosen paths, thousands of pods, watches that break. A server of our own on loopback speaks the wire format.
#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "tests print their figures, and their scaffolding may fail"
)]

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use futures::StreamExt;
use oomph_cluster::kube::{Ask, ConnectError, autoscalers, capture, manifests, usage, watch};
use oomph_core::artifact::{self, Captured, Kind};
use serde_json::{Value, json};
use tempfile::NamedTempFile;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// What the server does with a request.
enum Answer {
    Json(Value),
    Text(String),
    Status(u16, Value),
    /// Lines one after another, then the end of the connection.
    Lines(Vec<Value>),
    Never,
}

use Answer::{Json, Lines, Never, Status, Text};

struct Server {
    kubeconfig: NamedTempFile,
    /// Every request line and range, in order.
    requests: Arc<Mutex<Vec<String>>>,
}

impl Server {
    async fn start(answer: impl Fn(&str) -> Option<Answer> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let kubeconfig = kubeconfig(listener.local_addr().unwrap().port());
        let requests = Arc::new(Mutex::new(Vec::new()));
        let (answer, seen) = (Arc::new(answer), requests.clone());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, answer.clone(), seen.clone()));
            }
        });
        Self { kubeconfig, requests }
    }

    fn ask(&self) -> Ask {
        Ask {
            kubeconfig: Some(self.kubeconfig.path().to_owned()),
            namespace: Some("shop".into()),
            deadline: Duration::from_secs(2),
            ..Ask::default()
        }
    }

    fn asked(&self, for_what: &str) -> usize {
        self.requests.lock().unwrap().iter().filter(|request| request.contains(for_what)).count()
    }
}

fn kubeconfig(port: u16) -> NamedTempFile {
    let file = NamedTempFile::new().unwrap();
    let config = json!({"apiVersion": "v1", "kind": "Config", "current-context": "here",
        "clusters": [{"name": "c", "cluster": {"server": format!("http://127.0.0.1:{port}")}}],
        "users": [{"name": "u", "user": {"token": "t"}}],
        "contexts": [{"name": "here", "context": {"cluster": "c", "user": "u", "namespace": "shop"}}]});
    std::fs::write(file.path(), config.to_string()).unwrap();
    file
}

async fn serve(
    mut stream: TcpStream,
    answer: Arc<impl Fn(&str) -> Option<Answer> + Send + Sync + 'static>,
    seen: Arc<Mutex<Vec<String>>>,
) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let Ok(byte) = stream.read_u8().await else { return };
        head.push(byte);
    }
    let head = String::from_utf8(head).unwrap();
    let path = head.split(' ').nth(1).unwrap().to_owned();
    let range = head.lines().find(|line| line.starts_with("range:")).unwrap_or_default();
    seen.lock().unwrap().push(format!("{path} {range}"));
    let absent = || Status(404, json!({"kind": "Status", "code": 404, "message": "the server could not find it"}));
    let (code, lines) = match answer(&path).unwrap_or_else(absent) {
        Json(body) => (200, vec![body.to_string()]),
        Text(body) => (200, vec![body]),
        Status(code, body) => (code, vec![body.to_string()]),
        Lines(lines) => (200, lines.into_iter().map(|line| format!("{line}\n")).collect()),
        Never => {
            tokio::time::sleep(Duration::from_mins(1)).await;
            return;
        }
    };
    let head = format!("HTTP/1.1 {code} X\r\ncontent-type: application/json\r\nconnection: close\r\n\r\n");
    stream.write_all(head.as_bytes()).await.ok();
    for line in lines {
        stream.write_all(line.as_bytes()).await.ok();
        stream.flush().await.ok();
    }
    stream.shutdown().await.ok();
}

fn pod(name: &str, restarts: u32) -> Value {
    let state = json!({"running": {"startedAt": "2026-01-02T03:04:05Z"}});
    let last = if restarts == 0 {
        json!({})
    } else {
        json!({"terminated": {"exitCode": 137, "reason": "OOMKilled", "finishedAt": "2026-01-02T03:04:04Z",
            "containerID": format!("containerd://{name}-{restarts}")}})
    };
    json!({"metadata": {"name": name, "namespace": "shop", "uid": format!("uid-{name}"), "resourceVersion": "5"},
        "spec": {"nodeName": "node-a", "containers": [{"name": "app"}]},
        "status": {"phase": "Running", "containerStatuses": [
            {"name": "app", "restartCount": restarts, "state": state, "lastState": last}]}})
}

fn list(kind: &str, items: &[Value], token: &str) -> Answer {
    Json(
        json!({"kind": kind, "apiVersion": "v1", "metadata": {"resourceVersion": "5", "continue": token}, "items": items}),
    )
}

fn version(path: &str) -> Option<Answer> {
    (path == "/version").then(|| Json(json!({"gitVersion": "v1.37.2"})))
}

fn forbidden(resource: &str) -> Answer {
    let message = format!("{resource} is forbidden: User \"alice\" cannot list resource \"{resource}\"");
    Status(403, json!({"kind": "Status", "code": 403, "reason": "Forbidden", "message": message}))
}

const PODS: &str = "/api/v1/namespaces/shop/pods?limit=500";

/// Names of the pods in all pages, in order.
fn pods_of(captured: &Captured) -> Vec<String> {
    let pages =
        captured.artifacts.iter().filter(|artifact| artifact.name.starts_with("GET /api/v1/namespaces/shop/pods"));
    let pages = pages.filter(|artifact| artifact.kind == Some(Kind::KubernetesJson));
    pages
        .flat_map(|page| {
            let page: Value = serde_json::from_slice(&page.bytes).unwrap();
            page["items"].as_array().cloned().unwrap_or_default()
        })
        .map(|pod| pod["metadata"]["name"].as_str().unwrap().to_owned())
        .collect()
}

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

const EVENTS: &str = "/api/v1/namespaces/shop/events?limit=500";

fn event(kind: &str, name: &str, reason: &str, message: &str) -> Value {
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

#[tokio::test]
async fn nonsense_from_every_path_is_survived() {
    for body in [
        "",
        "<html>no</html>",
        "[]",
        "{\"kind\":\"PodList\",\"items\":[1,null,{}]}",
        "{\"kind\":\"PodList\",\"items\":[{",
    ] {
        let server = Server::start(move |_| Some(Text(body.into()))).await;
        for target in [None, "a".parse().ok(), "deploy/a".parse().ok(), "cj/a".parse().ok(), "no/a".parse().ok()] {
            capture(&Ask { target, ..server.ask() }).await.unwrap();
        }
    }
}

#[tokio::test]
async fn what_is_wrong_with_the_connection_is_said_with_its_remedy() {
    let check = async |ask: Ask, says: &[&str]| {
        let error = capture(&ask).await.unwrap_err();
        let text = error.to_string();
        assert!(says.iter().all(|part| text.contains(part)), "{text}");
        error
    };
    let missing = Ask { kubeconfig: Some("/nonexistent/config".into()), ..Ask::default() };
    check(missing, &["/nonexistent/config", "No such file"]).await;

    let nowhere = kubeconfig(1);
    let at = |file: &NamedTempFile| Ask { kubeconfig: Some(file.path().to_owned()), ..Ask::default() };
    let refused = check(at(&nowhere), &["http://127.0.0.1:1", "refused", "kubectl cluster-info"]).await;
    assert!(matches!(refused, ConnectError::Unreachable { .. }));

    let other = Ask { context: Some("there".into()), ..at(&nowhere) };
    check(other, &["\"there\"", "it has here", "--context"]).await;

    let broken = NamedTempFile::new().unwrap();
    std::fs::write(broken.path(), "clusters: [").unwrap();
    check(at(&broken), &["cannot use kubeconfig", "kubectl config view"]).await;

    let server =
        Server::start(|_| Some(Status(401, json!({"kind": "Status", "code": 401, "message": "Unauthorized"})))).await;
    check(server.ask(), &["does not accept the credentials", "log in again"]).await;

    let silent = Server::start(|_| Some(Never)).await;
    check(Ask { deadline: Duration::from_millis(300), ..silent.ask() }, &["no answer within 300ms"]).await;
}

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

const VERTICAL: &str = "/apis/autoscaling.k8s.io/v1/namespaces/shop";
const METRICS: &str = "/apis/metrics.k8s.io/v1beta1/namespaces/shop/pods?limit=500";

#[tokio::test]
async fn a_vpa_is_read_with_its_checkpoints_and_what_scales_beside_it() {
    let server = Server::start(|path| {
        version(path).or_else(|| match path {
            _ if path.starts_with(&format!("{VERTICAL}/verticalpodautoscalers?")) => {
                Some(list("VerticalPodAutoscalerList", &[json!({"metadata": {"name": "web"}})], ""))
            }
            _ if path.starts_with(&format!("{VERTICAL}/verticalpodautoscalercheckpoints?")) => {
                Some(forbidden("verticalpodautoscalercheckpoints"))
            }
            _ if path.contains("horizontalpodautoscalers") => Some(list("HorizontalPodAutoscalerList", &[], "")),
            _ => None,
        })
    })
    .await;
    let captured = autoscalers(&server.ask()).await.unwrap();
    assert_eq!((captured.artifacts.len(), captured.gaps.len()), (2, 1), "{captured:?}");
    assert!(captured.gaps[0].because.contains("without it the daily peaks"), "{:?}", captured.gaps);
}

#[tokio::test]
async fn a_cluster_without_a_vpa_lacks_nothing() {
    let server = Server::start(version).await;
    let captured = autoscalers(&server.ask()).await.unwrap();
    assert_eq!((captured.artifacts.len(), captured.gaps.len(), captured.sources.len()), (0, 0, 2));
    assert_eq!(server.asked("horizontalpodautoscalers"), 0, "it would be read for nothing");
}

#[tokio::test]
async fn what_pods_use_now_is_read_with_the_pods() {
    let server = Server::start(|path| {
        version(path).or_else(|| match path {
            METRICS => Some(list("PodMetricsList", &[json!({"metadata": {"name": "a"}})], "")),
            PODS => Some(list("PodList", &[pod("a", 0)], "")),
            _ => None,
        })
    })
    .await;
    let captured = usage(&server.ask()).await.unwrap();
    assert_eq!((captured.artifacts.len(), captured.gaps.len()), (2, 0), "{captured:?}");
    let without = Server::start(version).await;
    let captured = usage(&without.ask()).await.unwrap();
    assert_eq!((captured.artifacts.len(), without.asked("/api/v1/namespaces/shop/pods")), (0, 0));
}
