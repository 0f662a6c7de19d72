//! Pieces of YAML and JSON: of pods' statuses and of what engines inspect.

use super::{KILLED, NOTHING, Paste, SPARED, UNKNOWN};

pub(super) const PASTES: &[Paste] = &[
    Paste {
        name: "a last state in YAML",
        text: "    lastState:
      terminated:
        containerID: containerd://4c1e7f0c1f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f
        exitCode: 137
        finishedAt: \"2024-05-02T10:00:01Z\"
        reason: OOMKilled
        startedAt: \"2024-05-02T09:00:01Z\"
",
        accept: &[("container-limit-oom", KILLED)],
    },
    Paste {
        name: "the inner of a termination",
        text: "exitCode: 137
reason: OOMKilled
startedAt: 2024-05-02T09:00:01Z
finishedAt: 2024-05-02T10:00:01Z
",
        accept: &[("container-limit-oom", KILLED)],
    },
    Paste {
        name: "an object that is whole",
        text: "apiVersion: v1
kind: Pod
metadata:
  name: web-0
  namespace: shop
spec:
  containers:
  - name: web
    image: example/web
    resources:
      limits:
        memory: 64Mi
status:
  phase: Running
  containerStatuses:
  - name: web
    restartCount: 2
    ready: false
    state:
      waiting:
        reason: CrashLoopBackOff
    lastState:
      terminated:
        exitCode: 137
        reason: OOMKilled
        startedAt: \"2024-05-02T09:00:01Z\"
        finishedAt: \"2024-05-02T09:00:05Z\"
",
        accept: &[("container-limit-oom", KILLED)],
    },
    Paste {
        name: "YAML with elisions",
        text: "status:
  ...
  containerStatuses:
  - name: web
    ...
    lastState:
      terminated:
        exitCode: 137
        reason: OOMKilled
    ...
",
        accept: &[("container-limit-oom", KILLED)],
    },
    Paste {
        name: "YAML without its indentation",
        text: "lastState:
terminated:
exitCode: 137
finishedAt: \"2024-05-02T10:00:01Z\"
reason: OOMKilled
startedAt: \"2024-05-02T09:00:01Z\"
",
        accept: &[("container-limit-oom", KILLED)],
    },
    Paste {
        name: "YAML init container with 0",
        text: "  initContainerStatuses:
  - name: fetch
    state:
      terminated:
        exitCode: 0
        reason: OOMKilled
        finishedAt: \"2024-05-02T10:00:01Z\"
",
        accept: &[("child-oom", KILLED)],
    },
    Paste {
        name: "a JSON piece with a trailing comma",
        text: "\"lastState\": {
    \"terminated\": {
        \"exitCode\": 137,
        \"reason\": \"OOMKilled\",
        \"startedAt\": \"2024-05-02T09:00:01Z\",
        \"finishedAt\": \"2024-05-02T10:00:01Z\"
    }
},
\"name\": \"web\",
",
        accept: &[("container-limit-oom", KILLED)],
    },
    Paste {
        name: "a JSON status printed on one line",
        text: r#"{"terminated":{"containerID":"docker://ab12","exitCode":137,"finishedAt":"2024-05-02T10:00:01Z","reason":"OOMKilled","startedAt":"2024-05-02T09:00:01Z"}}
"#,
        accept: &[("container-limit-oom", KILLED)],
    },
    Paste {
        name: "a Go map as jsonpath printed it until 1.17",
        text: "map[terminated:map[containerID:docker://ab12cd exitCode:137 finishedAt:2019-05-02T10:00:01Z reason:OOMKilled startedAt:2019-05-02T09:00:01Z]]
",
        accept: &[("container-limit-oom", KILLED)],
    },
    Paste {
        name: "a Go struct as controllers log it",
        text: "State:{Waiting:nil Running:nil Terminated:&ContainerStateTerminated{ExitCode:137,Signal:0,Reason:OOMKilled,Message:,StartedAt:2023-08-21 06:10:52 +0000 UTC,FinishedAt:2023-08-21 06:10:57 +0000 UTC,ContainerID:containerd://77,}}
",
        accept: &[("container-limit-oom", KILLED)],
    },
    Paste {
        name: "YAML of an eviction for memory",
        text: "status:
  message: 'The node was low on resource: memory. Threshold quantity: 100Mi, available:
    90000Ki. Container web was using 700000Ki, request is 128Mi, has larger consumption
    of memory. '
  phase: Failed
  reason: Evicted
  startTime: \"2024-05-02T09:00:01Z\"
",
        accept: &[("kubelet-memory-eviction", SPARED)],
    },
    Paste {
        name: "YAML reason and message alone",
        text: "reason: Evicted
message: 'Pod The node was low on resource: [DiskPressure]. '
",
        accept: &[("kubelet-disk-eviction", SPARED)],
    },
    Paste {
        name: "JSON of an emptyDir that grew too large",
        text: r#"{
  "phase": "Failed",
  "message": "Usage of EmptyDir volume \"scratch\" exceeds the limit \"500Mi\". ",
  "reason": "Evicted"
}
"#,
        accept: &[("ephemeral-limit-eviction", SPARED)],
    },
    Paste {
        name: "YAML sigkill of unknown origin",
        text: "  lastState:
    terminated:
      exitCode: 137
      reason: Error
",
        accept: &[("undetermined", UNKNOWN)],
    },
    Paste {
        name: "YAML of a deadline",
        text: "status:
  phase: Failed
  reason: DeadlineExceeded
  message: Pod was active on the node longer than the specified deadline
",
        accept: &[("deadline", SPARED)],
    },
    Paste {
        name: "YAML of a job's deadline",
        text: "status:
  conditions:
  - lastProbeTime: \"2024-05-02T10:00:01Z\"
    lastTransitionTime: \"2024-05-02T10:00:01Z\"
    message: Job was active longer than specified deadline
    reason: DeadlineExceeded
    status: \"True\"
    type: Failed
  failed: 1
  startTime: \"2024-05-02T09:00:01Z\"
",
        accept: &[("deadline", SPARED)],
    },
    Paste {
        name: "YAML of a taint eviction",
        text: "status:
  conditions:
  - type: DisruptionTarget
    status: \"True\"
    reason: DeletionByTaintManager
    message: 'Taint manager: deleting due to NoExecute taint'
  containerStatuses:
  - name: web
    state:
      terminated:
        exitCode: 137
        reason: Error
  phase: Failed
",
        accept: &[("taint-eviction", SPARED)],
    },
    Paste {
        name: "docker state killed",
        text: r#""State": {
    "Status": "exited",
    "Running": false,
    "OOMKilled": true,
    "Dead": false,
    "Pid": 0,
    "ExitCode": 137,
    "Error": "",
    "StartedAt": "2020-03-01T10:00:00.1Z",
    "FinishedAt": "2020-03-01T10:00:03.2Z"
},
"#,
        accept: &[("container-limit-oom", KILLED)],
    },
    Paste {
        name: "docker state not killed",
        text: r#"        "State": {
            "Status": "exited",
            "OOMKilled": false,
            "ExitCode": 137,
            "StartedAt": "2020-03-01T10:00:00.1Z",
            "FinishedAt": "2020-03-01T10:00:03.2Z"
        }
"#,
        accept: &[("undetermined", UNKNOWN)],
    },
    Paste {
        name: "docker state after a command",
        text: r#"$ docker inspect web --format '{{json .State}}'
{"Status":"exited","Running":false,"Paused":false,"Restarting":false,"OOMKilled":true,"Dead":false,"Pid":0,"ExitCode":137,"Error":"","StartedAt":"2020-03-01T10:00:00.1Z","FinishedAt":"2020-03-01T10:00:03.2Z"}
"#,
        accept: &[("container-limit-oom", KILLED)],
    },
    Paste {
        name: "docker state that ended well",
        text: r#"[{"Id":"0123456789abcdef","State":{"Status":"exited","OOMKilled":false,"ExitCode":0,"StartedAt":"2020-03-01T10:00:00.1Z","FinishedAt":"2020-03-01T10:00:03.2Z"},"HostConfig":{"Memory":0}}]
"#,
        accept: &[NOTHING, ("completed", SPARED)],
    },
    Paste {
        name: "a grep of docker inspect",
        text: r#"            "OOMKilled": true,
            "ExitCode": 137,
"#,
        accept: &[("container-limit-oom", KILLED)],
    },
    Paste {
        name: "docker events of a kill",
        text: "2024-11-25T22:00:00.100000000Z container oom 3f1b8c0d9e7a (image=example/web, name=web)
2024-11-25T22:00:00.200000000Z container die 3f1b8c0d9e7a (execDuration=3, exitCode=137, image=example/web, name=web)
",
        accept: &[("container-limit-oom", KILLED), ("undetermined", KILLED)],
    },
    Paste {
        name: "crictl status",
        text: r#"{
  "status": {
    "id": "3f1b8c0d9e7a3f1b8c0d9e7a3f1b8c0d9e7a3f1b8c0d9e7a3f1b8c0d9e7a3f1b",
    "metadata": {"attempt": 2, "name": "web"},
    "state": "CONTAINER_EXITED",
    "createdAt": "2024-11-25T21:59:58.1Z",
    "startedAt": "2024-11-25T21:59:59.1Z",
    "finishedAt": "2024-11-25T22:00:00.2Z",
    "exitCode": 137,
    "reason": "OOMKilled",
    "message": "",
    "labels": {"io.kubernetes.container.name": "web", "io.kubernetes.pod.name": "web-0", "io.kubernetes.pod.namespace": "shop"}
  }
}
"#,
        accept: &[("container-limit-oom", KILLED)],
    },
    Paste {
        name: "YAML whose message is folded",
        text: " status:
  phase: Failed
  message: >-
    The node was low on resource: memory. Container pool was using
    31552Ki, which exceeds its request of 0. 
  reason: Evicted
  hostIP: 10.0.0.1
",
        accept: &[("kubelet-memory-eviction", SPARED)],
    },
    Paste {
        name: "a JavaScript object of a state",
        text: "`State:{
Dead:false,
Error:\"\",
ExitCode:137,
FinishedAt:\"2025-01-17T03:12:40.5Z\",
OOMKilled:false,
Running:false,
Status:\"exited\"
}`
",
        accept: &[("undetermined", UNKNOWN)],
    },
    Paste {
        name: "a state by docker's template",
        text: "{exited false false false true false 0 137  2020-03-01T10:00:00.1Z 2020-03-01T10:00:03.2Z <nil>}
",
        accept: &[NOTHING],
    },
    Paste {
        name: "docker flags by template",
        text: "OOMKilled=true ExitCode=137
",
        accept: &[("container-limit-oom", KILLED)],
    },
    Paste {
        name: "docker YAML-like flags",
        text: "Status: exited
OOMKilled: false
ExitCode: 1
",
        accept: &[("app-error", SPARED), ("app-error", UNKNOWN), ("undetermined", UNKNOWN)],
    },
    Paste {
        name: "jsonpath prints the words alone",
        text: "web-0 OOMKilled 137
",
        accept: &[("container-limit-oom", KILLED)],
    },
    Paste {
        name: "a job's pod that failed",
        text: "apiVersion: v1
kind: Pod
metadata:
  name: etl-9x
status:
  phase: Failed
  containerStatuses:
  - name: etl
    state:
      terminated:
        exitCode: 1
        reason: Error
        startedAt: \"2024-05-02T09:00:01Z\"
        finishedAt: \"2024-05-02T09:00:05Z\"
",
        accept: &[("app-error", SPARED)],
    },
    Paste {
        name: "podman state",
        text: "\"State\": {
     \"OciVersion\": \"1.0.2-dev\",
     \"Status\": \"exited\",
     \"OOMKilled\": true,
     \"ExitCode\": 137,
     \"StartedAt\": \"2021-03-01T10:00:00.1+01:00\",
     \"FinishedAt\": \"2021-03-01T10:00:03.2+01:00\"
},
",
        accept: &[("container-limit-oom", KILLED)],
    },
    Paste {
        name: "docker flags with pointers",
        text: "            \"Status\": \"exited\",  <----- 
            \"Running\": false,
            \"OOMKilled\": true,   <----- 
            \"ExitCode\": 137,     <----
",
        accept: &[("container-limit-oom", KILLED)],
    },
    Paste {
        name: "a docker state between talk",
        text: "My container dies every night, is it memory?

\"State\": {
    \"Status\": \"exited\",
    \"OOMKilled\": false,
    \"ExitCode\": 137
}

The host has plenty.
",
        accept: &[("undetermined", UNKNOWN)],
    },
    Paste {
        name: "YAML between talk",
        text: "Hi all, this happens every night:

status:
  containerStatuses:
  - name: web
    state:
      terminated:
        exitCode: 137
        reason: ContainerStatusUnknown
  message: 'Pod ephemeral local storage usage exceeds the total limit of containers 2Gi. '
  phase: Failed
  reason: Evicted

Any help is welcome!
",
        accept: &[("ephemeral-limit-eviction", SPARED)],
    },
];
