//! A cluster's pods as `kubectl get pods -A -o json --show-managed-fields` prints them: keys in order, indented by four,
//! about 6 kB a pod, every fiftieth with a death. Shared by the benchmark and by the measurement of memory.

use serde::Serialize;
use serde_json::ser::{PrettyFormatter, Serializer};
use serde_json::{Value, json};

/// The listing: as many pods as fit into so many bytes.
pub(crate) fn pods(size: usize) -> Vec<u8> {
    let mut text = Vec::with_capacity(size + 16 * 1024);
    text.extend(b"{\n    \"apiVersion\": \"v1\",\n    \"items\": [");
    let mut number = 0_u32;
    while text.len() < size {
        text.extend(if number == 0 { &b"\n        "[..] } else { b",\n        " });
        pod(number)
            .serialize(&mut Serializer::with_formatter(&mut text, PrettyFormatter::with_indent(b"    ")))
            .unwrap();
        number += 1;
    }
    text.extend(
        b"\n    ],\n    \"kind\": \"List\",\n    \"metadata\": {\n        \"resourceVersion\": \"\"\n    }\n}\n",
    );
    text
}

fn pod(number: u32) -> Value {
    let service = format!("checkout-{}", number / 12);
    let namespace = format!("team-{}", number / 240);
    let name = format!("{service}-7d9c5b6f8d-{number:05x}");
    let uid = format!("2b7f3c1a-90d4-4e5b-8c77-{number:012x}");
    let minute = number % 60;
    json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "annotations": {
                "prometheus.io/port": "9090",
                "prometheus.io/scrape": "true",
                "kubectl.kubernetes.io/restartedAt": format!("2025-11-20T08:{minute:02}:00Z"),
            },
            "creationTimestamp": format!("2025-11-20T08:{minute:02}:00Z"),
            "generateName": format!("{service}-7d9c5b6f8d-"),
            "labels": {"app": service, "pod-template-hash": "7d9c5b6f8d", "tier": "backend"},
            "managedFields": managed_fields(&uid),
            "name": name,
            "namespace": namespace,
            "ownerReferences": [{
                "apiVersion": "apps/v1",
                "blockOwnerDeletion": true,
                "controller": true,
                "kind": "ReplicaSet",
                "name": format!("{service}-7d9c5b6f8d"),
                "uid": format!("7c1d2e3f-0000-4000-8000-{:012x}", number / 12),
            }],
            "resourceVersion": format!("{}", 81_000_000 + number),
            "uid": uid,
        },
        "spec": spec(number, &service),
        "status": status(number, &service),
    })
}

fn managed_fields(uid: &str) -> Value {
    let owner = format!("k:{{\"uid\":\"{uid}\"}}");
    json!([
        {
            "apiVersion": "v1",
            "fieldsType": "FieldsV1",
            "fieldsV1": {
                "f:metadata": {
                    "f:generateName": {},
                    "f:labels": {".": {}, "f:app": {}, "f:pod-template-hash": {}, "f:tier": {}},
                    "f:ownerReferences": {".": {}, owner: {}},
                },
                "f:spec": {
                    "f:containers": {
                        "k:{\"name\":\"app\"}": {
                            ".": {},
                            "f:env": {".": {}, "k:{\"name\":\"JAVA_TOOL_OPTIONS\"}": {".": {}, "f:name": {}, "f:value": {}}},
                            "f:image": {},
                            "f:livenessProbe": {".": {}, "f:httpGet": {".": {}, "f:path": {}}, "f:periodSeconds": {}},
                            "f:name": {},
                            "f:resources": {
                                ".": {},
                                "f:limits": {".": {}, "f:memory": {}},
                                "f:requests": {".": {}, "f:cpu": {}, "f:memory": {}},
                            },
                        },
                    },
                    "f:restartPolicy": {},
                },
            },
            "manager": "kube-controller-manager",
            "operation": "Update",
            "time": "2025-11-20T08:00:00Z",
        },
        {
            "apiVersion": "v1",
            "fieldsType": "FieldsV1",
            "fieldsV1": {
                "f:status": {
                    "f:conditions": {"k:{\"type\":\"Ready\"}": {".": {}, "f:lastTransitionTime": {}, "f:status": {}}},
                    "f:containerStatuses": {},
                    "f:phase": {},
                    "f:podIP": {},
                },
            },
            "manager": "kubelet",
            "operation": "Update",
            "subresource": "status",
            "time": "2025-11-20T08:00:09Z",
        },
    ])
}

fn spec(number: u32, service: &str) -> Value {
    json!({
        "containers": [{
            "args": ["--listen=:8080", "--config=/etc/checkout/config.yaml"],
            "env": [
                {"name": "JAVA_TOOL_OPTIONS", "value": "-XX:MaxRAMPercentage=75 -XX:+ExitOnOutOfMemoryError"},
                {"name": "POD_NAME", "valueFrom": {"fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.name"}}},
                {"name": "DATABASE_HOST", "value": "orders.internal.example"},
            ],
            "image": format!("registry.example/{service}:2025.11.3"),
            "imagePullPolicy": "IfNotPresent",
            "livenessProbe": {
                "failureThreshold": 3,
                "httpGet": {"path": "/healthz", "port": 8080, "scheme": "HTTP"},
                "periodSeconds": 10,
                "successThreshold": 1,
                "timeoutSeconds": 1,
            },
            "name": "app",
            "ports": [{"containerPort": 8080, "name": "http", "protocol": "TCP"}],
            "resources": {"limits": {"memory": "512Mi"}, "requests": {"cpu": "250m", "memory": "256Mi"}},
            "terminationMessagePath": "/dev/termination-log",
            "terminationMessagePolicy": "File",
            "volumeMounts": mounts(),
        }],
        "dnsPolicy": "ClusterFirst",
        "enableServiceLinks": true,
        "nodeName": format!("pool-a-{}", number % 400),
        "preemptionPolicy": "PreemptLowerPriority",
        "priority": 0,
        "restartPolicy": "Always",
        "schedulerName": "default-scheduler",
        "securityContext": {},
        "serviceAccountName": "default",
        "terminationGracePeriodSeconds": 30,
        "tolerations": [{
            "effect": "NoExecute", "key": "node.kubernetes.io/not-ready", "operator": "Exists", "tolerationSeconds": 300,
        }],
        "volumes": [
            {"name": "config", "configMap": {"defaultMode": 420, "name": "checkout"}},
            {"name": "kube-api-access-x2k9d", "projected": {"defaultMode": 420, "sources": [
                {"serviceAccountToken": {"expirationSeconds": 3607, "path": "token"}},
                {"configMap": {"items": [{"key": "ca.crt", "path": "ca.crt"}], "name": "kube-root-ca.crt"}},
            ]}},
        ],
    })
}

fn mounts() -> Value {
    json!([
        {"mountPath": "/etc/checkout", "name": "config", "readOnly": true},
        {
            "mountPath": "/var/run/secrets/kubernetes.io/serviceaccount",
            "name": "kube-api-access-x2k9d",
            "readOnly": true,
        },
    ])
}

fn status(number: u32, service: &str) -> Value {
    let dead = number % 50 == 49;
    let last = if dead {
        json!({"terminated": {
            "containerID": format!("containerd://{:064x}", 1_000_000 + number),
            "exitCode": 137,
            "finishedAt": format!("2025-11-25T21:{:02}:00Z", number % 60),
            "reason": "OOMKilled",
            "startedAt": "2025-11-20T08:00:05Z",
        }})
    } else {
        json!({})
    };
    let condition = |kind: &str| {
        json!({
            "lastProbeTime": null,
            "lastTransitionTime": "2025-11-20T08:00:09Z",
            "observedGeneration": 1,
            "status": "True",
            "type": kind,
        })
    };
    let conditions = ["PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", "PodScheduled"];
    json!({
        "conditions": conditions.map(condition),
        "containerStatuses": [{
            "allocatedResources": {"cpu": "250m", "memory": "256Mi"},
            "containerID": format!("containerd://{number:064x}"),
            "image": format!("registry.example/{service}:2025.11.3"),
            "imageID": format!("registry.example/{service}@sha256:{:064x}", number / 12),
            "lastState": last,
            "name": "app",
            "ready": true,
            "resources": {"limits": {"memory": "512Mi"}, "requests": {"cpu": "250m", "memory": "256Mi"}},
            "restartCount": u32::from(dead),
            "started": true,
            "state": {"running": {"startedAt": "2025-11-20T08:00:05Z"}},
            "volumeMounts": mounts(),
        }],
        "hostIP": format!("10.1.{}.{}", number % 400 / 250, number % 250),
        "phase": "Running",
        "podIP": format!("10.2.{}.{}", number / 250 % 250, number % 250),
        "qosClass": "Burstable",
        "startTime": "2025-11-20T08:00:00Z",
    })
}
