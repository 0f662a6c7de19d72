//! The server: what it answers, and how it is asked.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use oomph_cluster::kube::Ask;
use oomph_core::artifact::{Captured, Kind};
use serde_json::{Value, json};
use tempfile::NamedTempFile;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use Answer::{Json, Lines, Never, Status, Text};

/// What the server does with a request.
pub(crate) enum Answer {
    Json(Value),
    Text(String),
    Status(u16, Value),
    /// Lines one after another, then the end of the connection.
    Lines(Vec<Value>),
    Never,
}

pub(crate) struct Server {
    kubeconfig: NamedTempFile,
    /// Every request line and range, in order.
    requests: Arc<Mutex<Vec<String>>>,
}

impl Server {
    pub(crate) async fn start(answer: impl Fn(&str) -> Option<Answer> + Send + Sync + 'static) -> Self {
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

    pub(crate) fn ask(&self) -> Ask {
        Ask {
            kubeconfig: Some(self.kubeconfig.path().to_owned()),
            namespace: Some("shop".into()),
            deadline: Duration::from_secs(2),
            ..Ask::default()
        }
    }

    pub(crate) fn asked(&self, for_what: &str) -> usize {
        self.requests.lock().unwrap().iter().filter(|request| request.contains(for_what)).count()
    }
}

pub(crate) fn kubeconfig(port: u16) -> NamedTempFile {
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

pub(crate) fn pod(name: &str, restarts: u32) -> Value {
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

pub(crate) fn list(kind: &str, items: &[Value], token: &str) -> Answer {
    Json(
        json!({"kind": kind, "apiVersion": "v1", "metadata": {"resourceVersion": "5", "continue": token}, "items": items}),
    )
}

pub(crate) fn version(path: &str) -> Option<Answer> {
    (path == "/version").then(|| Json(json!({"gitVersion": "v1.37.2"})))
}

pub(crate) fn forbidden(resource: &str) -> Answer {
    let message = format!("{resource} is forbidden: User \"alice\" cannot list resource \"{resource}\"");
    Status(403, json!({"kind": "Status", "code": 403, "reason": "Forbidden", "message": message}))
}

pub(crate) const PODS: &str = "/api/v1/namespaces/shop/pods?limit=500";

/// Names of the pods in all pages, in order.
pub(crate) fn pods_of(captured: &Captured) -> Vec<String> {
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
