//! Events, in describe's foot and as tables, and rows of pods.

use super::{KILLED, NOTHING, Paste, SPARED, UNKNOWN};

pub(super) const PASTES: &[Paste] = &[
    Paste {
        name: "a row of pods that says OOMKilled",
        text: "NAME                    READY   STATUS      RESTARTS      AGE
cache-5f6d8b9c7-p4k2m   0/1     OOMKilled   3 (51s ago)   2m11s
",
        accept: &[("container-limit-oom", KILLED)],
    },
    Paste {
        name: "rows of all namespaces, one init container hit",
        text: "NAMESPACE   NAME       READY   STATUS           RESTARTS   AGE
shop        api-0      1/1     Running          0          3d
shop        load-x7    0/1     Init:OOMKilled   2          5m
",
        accept: &[("container-limit-oom", KILLED)],
    },
    Paste {
        name: "healthy rows",
        text: "NAME    READY   STATUS      RESTARTS   AGE
web-0   1/1     Running     0          3d
job-1   0/1     Completed   0          3d
",
        accept: &[NOTHING, ("completed", SPARED)],
    },
    Paste {
        name: "rows of kubectl 1.2 with a crash loop",
        text: "NAME           READY     STATUS             RESTARTS   AGE
redis-x1z9k    0/1       CrashLoopBackOff   6          10m
",
        accept: &[("undetermined", UNKNOWN)],
    },
    Paste {
        name: "wide rows",
        text: "NAME     READY   STATUS    RESTARTS   AGE   IP         NODE     NOMINATED NODE   READINESS GATES
app-1    0/1     Evicted   0          12d   <none>     node-2   <none>           <none>
",
        accept: &[("undetermined", UNKNOWN), ("kubelet-memory-eviction", SPARED), ("undetermined", SPARED)],
    },
    Paste {
        name: "liveness events of a describe",
        text: "Events:
  Type     Reason     Age                From               Message
  ----     ------     ----               ----               -------
  Normal   Scheduled  2m                 default-scheduler  Successfully assigned shop/web to node-1
  Normal   Started    2m                 kubelet            Started container web
  Warning  Unhealthy  40s (x3 over 50s)  kubelet            Liveness probe failed: HTTP probe failed with statuscode: 500
  Normal   Killing    40s                kubelet            Container web failed liveness probe, will be restarted
",
        accept: &[("liveness-kill", SPARED)],
    },
    Paste {
        name: "liveness events with their columns crushed",
        text: "Events:
Type Reason Age From Message
---- ------ ---- ---- -------
Normal Started 2m kubelet Started container web
Warning Unhealthy 40s (x3 over 50s) kubelet Liveness probe failed: Get \"http://10.0.0.9:8080/health\": context deadline exceeded
Normal Killing 40s kubelet Container web failed liveness probe, will be restarted
",
        accept: &[("liveness-kill", SPARED)],
    },
    Paste {
        name: "liveness events of 2016",
        text: "Events:
  FirstSeen\tLastSeen\tCount\tFrom\t\t\tSubobjectPath\t\tType\t\tReason\t\tMessage
  ---------\t--------\t-----\t----\t\t\t-------------\t\t--------\t------\t\t-------
  2m\t\t2m\t\t1\t{kubelet node-1}\tspec.containers{web}\tNormal\t\tStarted\t\tStarted container with docker id 0123abcd
  50s\t\t40s\t\t3\t{kubelet node-1}\tspec.containers{web}\tWarning\t\tUnhealthy\tLiveness probe failed: Get http://10.1.0.4:80/: dial tcp 10.1.0.4:80: connection refused
  40s\t\t40s\t\t1\t{kubelet node-1}\tspec.containers{web}\tNormal\t\tKilling\t\tKilling container with docker id 0123abcd: pod \"web_default(0e1f)\" container \"web\" is unhealthy, it will be killed and re-created.
",
        accept: &[("liveness-kill", SPARED)],
    },
    Paste {
        name: "liveness events of 1.12 with the state above",
        text: "    State:          Running
      Started:      Mon, 03 Dec 2018 10:12:01 +0000
    Last State:     Terminated
      Reason:       Error
      Exit Code:    137
      Started:      Mon, 03 Dec 2018 10:10:01 +0000
      Finished:     Mon, 03 Dec 2018 10:12:00 +0000
    Restart Count:  1
    Liveness:       http-get http://:8080/ping delay=30s timeout=1s period=10s #success=1 #failure=3
Events:
  Type     Reason     Age                From             Message
  Warning  Unhealthy  3m (x3 over 3m)    kubelet, node-1  Liveness probe failed: HTTP probe failed with statuscode: 503
  Normal   Killing    2m                 kubelet, node-1  Killing container with id docker://web:Container failed liveness probe.. Container will be killed and recreated.
",
        accept: &[("liveness-kill", SPARED)],
    },
    Paste {
        name: "liveness in get events",
        text: "LAST SEEN   TYPE      REASON      OBJECT      MESSAGE
2m          Normal    Started     pod/web-0   Started container web
40s         Warning   Unhealthy   pod/web-0   Liveness probe failed: command timed out
40s         Normal    Killing     pod/web-0   Container web failed liveness probe, will be restarted
",
        accept: &[("liveness-kill", SPARED)],
    },
    Paste {
        name: "liveness in get events of 1.13",
        text: "LAST SEEN   FIRST SEEN   COUNT   NAME                   KIND   SUBOBJECT              TYPE      REASON      SOURCE            MESSAGE
40s         2m           3       web-0.15a8e5a5b3b3b3   Pod    spec.containers{web}   Warning   Unhealthy   kubelet, node-1   Liveness probe failed: HTTP probe failed with statuscode: 500
40s         40s          1       web-0.15a8e5a5b3b3b4   Pod    spec.containers{web}   Normal    Killing     kubelet, node-1   Killing container with id docker://web:Container failed liveness probe.. Container will be killed and recreated.
",
        accept: &[("liveness-kill", SPARED)],
    },
    Paste {
        name: "startup probe",
        text: "    Last State:     Terminated
      Reason:       Error
      Exit Code:    143
      Started:      Tue, 04 Mar 2025 11:02:10 +0100
      Finished:     Tue, 04 Mar 2025 11:03:12 +0100
    Restart Count:  1
Events:
  Type     Reason     Age   From     Message
  ----     ------     ----  ----     -------
  Warning  Unhealthy  72s   kubelet  Startup probe failed: dial tcp 10.0.0.3:80: connect: connection refused
  Normal   Killing    70s   kubelet  Container web failed startup probe, will be restarted
",
        accept: &[("liveness-kill", SPARED)],
    },
    Paste {
        name: "scheduling fails for memory",
        text: "Name:           big
Status:         Pending
Events:
  Type     Reason            Age   From               Message
  ----     ------            ----  ----               -------
  Warning  FailedScheduling  14s   default-scheduler  0/3 nodes are available: 3 Insufficient memory. preemption: 0/3 nodes are available: 3 No preemption victims found for incoming pod.
",
        accept: &[("admission-rejected-memory", SPARED)],
    },
    Paste {
        name: "scheduling fails for memory, the event alone",
        text: "  Warning  FailedScheduling  14s (x3 over 1m)  default-scheduler  0/4 nodes are available: 1 node(s) had taints that the pod didn't tolerate, 3 Insufficient memory.
",
        accept: &[("admission-rejected-memory", SPARED)],
    },
    Paste {
        name: "scheduling fails for cpu",
        text: "Status:  Pending
Events:
  Warning  FailedScheduling  14s   default-scheduler  0/3 nodes are available: 3 Insufficient cpu.
",
        accept: &[("admission-rejected-other", SPARED)],
    },
    Paste {
        name: "sandbox cannot be made in its limit",
        text: "Events:
  Type     Reason                  Age   From     Message
  ----     ------                  ----  ----     -------
  Normal   Scheduled               20s   default-scheduler  Successfully assigned default/tiny to node-1
  Warning  FailedCreatePodSandBox  5s (x9 over 18s)  kubelet  Failed to create pod sandbox: rpc error: code = Unknown desc = failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: container init was OOM-killed (memory limit too low?): unknown
",
        accept: &[("start-oom", KILLED)],
    },
    Paste {
        name: "the node's event beside a pod's state",
        text: "    Last State:     Terminated
      Reason:       Error
      Exit Code:    137
      Started:      Tue, 04 Mar 2025 11:02:10 +0100
      Finished:     Tue, 04 Mar 2025 11:09:12 +0100
    Limits:
      memory:  2Gi

Events of the node:
  Warning  SystemOOM  3m  kubelet, node-1  System OOM encountered, victim process: java, pid: 4711
",
        accept: &[("node-oom", KILLED), ("undetermined", UNKNOWN)],
    },
    Paste {
        name: "a node's table of events",
        text: "LAST SEEN   TYPE      REASON       OBJECT        MESSAGE
3m          Warning   SystemOOM    node/node-1   System OOM encountered, victim process: java, pid: 4711
",
        accept: &[NOTHING, ("node-oom", KILLED), ("undetermined", UNKNOWN), ("undetermined", KILLED)],
    },
    Paste {
        name: "image cannot be pulled",
        text: "NAME    READY   STATUS             RESTARTS   AGE
web-0   0/1     ImagePullBackOff   0          3m
",
        accept: &[("start-error", SPARED)],
    },
    Paste {
        name: "a row crushed to single spaces",
        text: "NAME READY STATUS RESTARTS AGE
sorter-7b4c9d6f5-q8w2n 0/1 OOMKilled 2 (44s ago) 5m07s
",
        accept: &[("container-limit-oom", KILLED)],
    },
    Paste {
        name: "rows with a kind before the name",
        text: "NAME                        READY   STATUS       RESTARTS        AGE     IP          NODE
pod/shop-5c8d7f9b64-k3v9t   1/1     Terminated   1 (95s ago)     4m12s   10.9.0.17   node-a
",
        accept: &[("undetermined", UNKNOWN), ("node-shutdown", SPARED)],
    },
    Paste {
        name: "chosen columns of events",
        text: "TIME                   REASON      MSG
2024-02-11T07:20:31Z   Unhealthy   Liveness probe failed: 
2024-02-11T07:20:31Z   Killing     Container probe-me failed liveness probe, will be restarted
2024-02-11T07:20:44Z   Pulling     Pulling image \"example/probe-me\"
",
        accept: &[("liveness-kill", SPARED)],
    },
    Paste {
        name: "get events of 2016 in all namespaces",
        text: "shop      1h        1h        2         front-1-x4d2s   Pod       spec.containers{web}   Warning   Unhealthy   {kubelet node-1}   Liveness probe failed: Get http://10.1.0.4:80/: EOF
shop      1h        1h        1         front-1-x4d2s   Pod       spec.containers{web}   Normal    Killing     {kubelet node-1}   Killing container with docker id 0123abcd: pod \"front-1-x4d2s_shop(0e1f)\" container \"web\" is unhealthy, it will be killed and re-created.
",
        accept: &[("liveness-kill", SPARED)],
    },
    Paste {
        name: "an event broken by the terminal",
        text: "  Type     Reason   Age   From     Message
  ----     ------   ----  ----     -------
  Warning  Evicted  61s   kubelet  The node was low on resource: ephemeral-storage. Thresho
ld quantity: 1Gi, available: 0. 
",
        accept: &[("kubelet-disk-eviction", SPARED)],
    },
    Paste {
        name: "a restart with events that do not say why",
        text: "Restart Count:  2
Events:
  Normal   Pulled   2m   kubelet  Container image \"example/web\" already present on machine
  Warning  BackOff  1m   kubelet  Back-off restarting failed container web in pod web_shop(0e1f)
",
        accept: &[("undetermined", UNKNOWN), NOTHING],
    },
    Paste {
        name: "a readiness probe fails and nothing ends",
        text: "Status:  Running
    State:          Running
      Started:      Mon, 06 May 2024 10:11:12 +0000
    Ready:          False
    Restart Count:  0
Events:
  Warning  Unhealthy  1m (x9 over 3m)   kubelet  Readiness probe failed: HTTP probe failed with statuscode: 503
",
        accept: &[NOTHING],
    },
    Paste {
        name: "events without ages",
        text: "Warning   Unhealthy   pod/board-6d9f8c7b5-t2x7m   Liveness probe failed: Get \"http://10.3.0.8:3000/alive\": dial tcp: connect: connection refused
Normal    Killing     pod/board-6d9f8c7b5-t2x7m   Container board failed liveness probe, will be restarted
",
        accept: &[("liveness-kill", SPARED)],
    },
    Paste {
        name: "events in a shell's comment",
        text: "# Events:
#   Type     Reason     Age   From     Message
#   ----     ------     ----  ----     -------
#   Warning  Unhealthy  5s    kubelet  Liveness probe failed: EOF
#   Normal   Killing    3s    kubelet  Container web failed liveness probe, will be restarted
",
        accept: &[("liveness-kill", SPARED)],
    },
    Paste {
        name: "a row in a shell's comment, without its age",
        text: "# NAME                       READY   STATUS      RESTARTS
# ledger-api                0/1     OOMKilled   3
",
        accept: &[("container-limit-oom", KILLED)],
    },
    Paste {
        name: "a code and the kubelet's sentences",
        text: "Exit Code: 137                    ← the kubelet killed it
Liveness probe failed: HTTP probe failed with statuscode: 503
Container api failed liveness probe, will be restarted
",
        accept: &[("liveness-kill", SPARED)],
    },
];
