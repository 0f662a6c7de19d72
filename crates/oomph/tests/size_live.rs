//! `oomph size --prometheus auto` in clusters without a Prometheus: what their VPA and metrics-server know. An API server
//! of our own on loopback has what a real one would have to be given.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;

use serde_json::{Value, json};

/// Answers `GET` for what `answer` knows; 404 for the rest. The thread ends with the test.
fn serve(answer: fn(&str) -> Option<Value>) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let one = move |mut stream: TcpStream| {
        let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
        let Some(Ok(request)) = lines.next() else { return };
        lines.by_ref().map_while(Result::ok).find(String::is_empty);
        let path = request.split(' ').nth(1).unwrap_or_default();
        let body = answer(path.split('?').next().unwrap_or_default());
        let absent = || json!({"kind": "Status", "code": 404, "message": "the server could not find it"});
        let code = if body.is_some() { 200 } else { 404 };
        let body = body.unwrap_or_else(absent).to_string();
        let length = body.len();
        let head = format!(
            "HTTP/1.1 {code} X\r\ncontent-type: application/json\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n"
        );
        stream.write_all(format!("{head}{body}").as_bytes()).ok();
    };
    thread::spawn(move || {
        listener.incoming().flatten().for_each(|stream| drop(thread::spawn(move || one(stream))));
    });
    port
}

fn size(port: u16, folder: &Path) -> (Option<i32>, Value, String) {
    let config = json!({"apiVersion": "v1", "kind": "Config", "current-context": "here",
        "clusters": [{"name": "c", "cluster": {"server": format!("http://127.0.0.1:{port}")}}],
        "users": [{"name": "u", "user": {"token": "t"}}],
        "contexts": [{"name": "here", "context": {"cluster": "c", "user": "u"}}]});
    let kubeconfig = folder.join("kubeconfig");
    std::fs::write(&kubeconfig, config.to_string()).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_oomph"));
    command.args(["size", "--prometheus", "auto", "-o", "json", "--kubeconfig"]).arg(&kubeconfig);
    let output = command.stdin(Stdio::null()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let document = serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {said}"));
    (output.status.code(), document, said)
}

fn version(path: &str) -> Option<Value> {
    match path {
        "/version" => Some(json!({"gitVersion": "v1.37.2"})),
        "/api/v1/services" => Some(json!({"kind": "ServiceList", "apiVersion": "v1", "items": []})),
        _ => None,
    }
}

fn metrics(path: &str) -> Option<Value> {
    match path {
        "/apis/metrics.k8s.io/v1beta1/pods" => {
            Some(json!({"kind": "PodMetricsList", "apiVersion": "metrics.k8s.io/v1beta1",
            "metadata": {}, "items": [{"metadata": {"name": "cart-5f-a", "namespace": "shop"},
                "timestamp": "2026-11-27T08:00:00Z", "window": "15s",
                "containers": [{"name": "app", "usage": {"cpu": "3m", "memory": "204800Ki"}}]}]}))
        }
        "/api/v1/pods" => Some(json!({"kind": "PodList", "apiVersion": "v1", "metadata": {}, "items": [
            {"metadata": {"name": "cart-5f-a", "namespace": "shop", "labels": {"pod-template-hash": "5f"},
                "ownerReferences": [{"kind": "ReplicaSet", "name": "cart-5f", "controller": true}]},
             "spec": {"containers": [{"name": "app", "resources": {"limits": {"memory": "1Gi"}}}]}}]})),
        _ => version(path),
    }
}

fn vpa(path: &str) -> Option<Value> {
    match path {
        "/apis/autoscaling.k8s.io/v1/verticalpodautoscalers" => Some(json!({"kind": "VerticalPodAutoscalerList",
            "apiVersion": "autoscaling.k8s.io/v1", "metadata": {}, "items": [
            {"metadata": {"name": "cart-vpa", "namespace": "shop"},
             "spec": {"targetRef": {"kind": "Deployment", "name": "cart"}, "updatePolicy": {"updateMode": "Off"}}}]})),
        "/apis/autoscaling.k8s.io/v1/verticalpodautoscalercheckpoints" => Some(json!({
            "kind": "VerticalPodAutoscalerCheckpointList", "apiVersion": "autoscaling.k8s.io/v1", "metadata": {}, "items": [
            {"metadata": {"name": "cart-vpa-app", "namespace": "shop"},
             "spec": {"vpaObjectName": "cart-vpa", "containerName": "app"},
             "status": {"version": "v3", "firstSampleStart": "2026-11-16T08:00:00Z", "lastSampleStart": "2026-11-25T08:00:00Z",
                "totalSamplesCount": 12960, "memoryHistogram": {"referenceTimestamp": "2026-11-20T00:00:00Z",
                    "bucketWeights": {"19": 10000, "24": 312}, "totalWeight": 61.25}}}]})),
        _ => metrics(path),
    }
}

#[test]
fn without_any_history_one_sample_is_told_as_what_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let (code, document, said) = size(serve(metrics), folder.path());
    let it = &document["workloads"][0];
    assert_eq!((code, &it["kind"], &it["name"]), (Some(0), &json!("Deployment"), &json!("cart")), "{said}");
    assert_eq!((&it["class"], &it["proposed"], &it["vpa"]), (&json!("too-little-data"), &Value::Null, &Value::Null));
    assert_eq!(
        (it["observed"]["maxBytes"].as_u64(), it["current"]["limitBytes"].as_u64()),
        (Some(200 << 20), Some(1 << 30))
    );
    assert!(it["proposedMissing"].as_str().unwrap().contains("one sample"));
    let gaps = document["gaps"].as_array().unwrap();
    let history = gaps.iter().find(|gap| gap["what"] == "a history of memory").unwrap();
    assert_eq!(history["command"], "oomph size --prometheus URL");
}

#[test]
fn a_vpa_s_checkpoint_proposes_where_there_is_no_prometheus() {
    let folder = tempfile::tempdir().unwrap();
    let (_, document, said) = size(serve(vpa), folder.path());
    let all = document["workloads"].as_array().unwrap();
    assert_eq!(all.len(), 1, "the checkpoint is of the pod that was sampled: {document:#} {said}");
    assert_eq!((&all[0]["class"], &all[0]["vpa"]["name"]), (&json!("too-little-data"), &json!("cart-vpa")));
    assert_eq!(all[0]["vpa"]["changesMemory"], json!(false));
    assert!(all[0]["proposed"]["limitBytes"].as_u64().unwrap() > 440 << 20);
    assert_eq!(all[0]["observed"]["samples"], json!(1));
}

#[test]
fn where_there_is_nothing_at_all_nothing_was_done() {
    let folder = tempfile::tempdir().unwrap();
    let (code, document, said) = size(serve(version), folder.path());
    assert_eq!((code, document["workloads"].as_array().unwrap().len()), (Some(2), 0));
    assert!(said.contains("no Prometheus answers"), "{said}");
}
