//! What takes a pod away: evictions, preemption, taints, shutdowns, deadlines, refusals. As texts tell of them.

use super::{Paste, SPARED, UNKNOWN};

pub(super) const PASTES: &[Paste] = &[
    Paste {
        name: "eviction for memory",
        text: "Status:         Failed
Reason:         Evicted
Message:        The node was low on resource: memory. Container web was using 1231Mi, which exceeds its request of 0.
",
        accept: &[("kubelet-memory-eviction", SPARED)],
    },
    Paste {
        name: "eviction for memory in the words of 1.8",
        text: "Status:\tFailed
Reason:\tEvicted
Message:\tThe node was low on resource: [MemoryPressure].
",
        accept: &[("kubelet-memory-eviction", SPARED)],
    },
    Paste {
        name: "eviction for memory in the words of 1.3",
        text: "Status:         Failed
Reason:         Evicted
Message:        The node was low on compute resources.
",
        accept: &[("kubelet-memory-eviction", SPARED)],
    },
    Paste {
        name: "eviction for memory with its sentence alone",
        text: "The node was low on resource: memory. Container api was using 4718592Ki, which exceeds its request of 1Gi.
",
        accept: &[("kubelet-memory-eviction", SPARED)],
    },
    Paste {
        name: "eviction for memory in an event",
        text: "Events:
  Type     Reason   Age   From              Message
  ----     ------   ----  ----              -------
  Warning  Evicted  61s   kubelet, node-1   The node was low on resource: memory. Container api was using 4718592Ki, which exceeds its request of 1Gi.
  Normal   Killing  61s   kubelet, node-1   Killing container with id docker://api:Need to kill Pod
",
        accept: &[("kubelet-memory-eviction", SPARED)],
    },
    Paste {
        name: "eviction for disk",
        text: "Reason:           Evicted
Message:          The node was low on resource: ephemeral-storage. Threshold quantity: 2145M, available: 1992Ki. Container log was using 12Gi, request is 0, has larger consumption of ephemeral-storage.
",
        accept: &[("kubelet-disk-eviction", SPARED)],
    },
    Paste {
        name: "eviction for disk in old words",
        text: "Reason:  Evicted
Message: Pod The node was low on resource: [DiskPressure].
",
        accept: &[("kubelet-disk-eviction", SPARED)],
    },
    Paste {
        name: "eviction for inodes",
        text: "Status:  Failed
Reason:  Evicted
Message: The node was low on resource: inodes.
",
        accept: &[("kubelet-disk-eviction", SPARED)],
    },
    Paste {
        name: "eviction for pids",
        text: "Status:  Failed
Reason:  Evicted
Message: The node was low on resource: pids. Threshold quantity: 10%, available: 900.
",
        accept: &[("kubelet-pid-eviction", SPARED)],
    },
    Paste {
        name: "the pod's own disk limit",
        text: "Status:    Failed
Reason:    Evicted
Message:   Pod ephemeral local storage usage exceeds the total limit of containers 2Gi.
Containers:
  web:
    State:          Terminated
      Reason:       Error
      Exit Code:    137
",
        accept: &[("ephemeral-limit-eviction", SPARED)],
    },
    Paste {
        name: "a container's own disk limit",
        text: "  Warning  Evicted    2m   kubelet  Container web exceeded its local ephemeral storage limit \"1Gi\".
  Normal   Killing    2m   kubelet  Stopping container web
",
        accept: &[("ephemeral-limit-eviction", SPARED)],
    },
    Paste {
        name: "an emptyDir that grew too large",
        text: "Reason:  Evicted
Message: Usage of EmptyDir volume \"cache\" exceeds the limit \"1Gi\".
",
        accept: &[("ephemeral-limit-eviction", SPARED)],
    },
    Paste {
        name: "an eviction whose status was lost",
        text: "Status:           Failed
Reason:           Evicted
Message:          The node was low on resource: memory. Threshold quantity: 100Mi, available: 41212Ki.
Containers:
  web:
    State:          Terminated
      Reason:       ContainerStatusUnknown
      Message:      The container could not be located when the pod was terminated
      Exit Code:    137
      Started:      Mon, 01 Jan 0001 00:00:00 +0000
      Finished:     Mon, 01 Jan 0001 00:00:00 +0000
",
        accept: &[("kubelet-memory-eviction", SPARED)],
    },
    Paste {
        name: "status lost, nothing else",
        text: "    State:          Terminated
      Reason:       ContainerStatusUnknown
      Message:      The container could not be located when the pod was terminated
      Exit Code:    137
      Started:      Mon, 01 Jan 0001 00:00:00 +0000
      Finished:     Mon, 01 Jan 0001 00:00:00 +0000
",
        accept: &[("status-lost", UNKNOWN)],
    },
    Paste {
        name: "node shutdown of 1.20",
        text: "Status:         Failed
Reason:         Shutdown
Message:        Node is shutting, evicting pods
",
        accept: &[("node-shutdown", SPARED)],
    },
    Paste {
        name: "node shutdown of 1.22",
        text: "Status:         Failed
Reason:         Terminated
Message:        Pod was terminated in response to imminent node shutdown.
Containers:
  web:
    State:          Terminated
      Reason:       Error
      Exit Code:    137
",
        accept: &[("node-shutdown", SPARED)],
    },
    Paste {
        name: "node shutdown refuses",
        text: "NAME    READY   STATUS         RESTARTS   AGE
web-0   0/1     NodeShutdown   0          3m
",
        accept: &[("node-shutdown", SPARED)],
    },
    Paste {
        name: "node shutdown in a row of 1.22",
        text: "NAME    READY   STATUS       RESTARTS   AGE
web-0   0/1     Terminated   0          3m
",
        accept: &[("undetermined", UNKNOWN), ("node-shutdown", SPARED)],
    },
    Paste {
        name: "preemption for a critical pod",
        text: "Status:         Failed
Reason:         Preempting
Message:        Preempted in order to admit critical pod
",
        accept: &[("preempted", SPARED)],
    },
    Paste {
        name: "preemption by the scheduler in an event",
        text: "  Normal  Preempted  9s  default-scheduler  Preempted by pod 6a7c5b1e-0000-4000-8000-123456789abc on node node-1
  Normal  Killing    9s  kubelet            Stopping container web
",
        accept: &[("preempted", SPARED)],
    },
    Paste {
        name: "taint eviction in an event",
        text: "  Normal   TaintManagerEviction  30s  taint-eviction-controller  Marking for deletion Pod shop/web-0
  Normal   Killing               30s  kubelet                    Stopping container web
",
        accept: &[("taint-eviction", SPARED)],
    },
    Paste {
        name: "taint eviction in a row",
        text: "LAST SEEN   TYPE     REASON                 OBJECT      MESSAGE
30s         Normal   TaintManagerEviction   pod/web-0   Marking for deletion Pod shop/web-0
",
        accept: &[("taint-eviction", SPARED)],
    },
    Paste {
        name: "deadline of a pod",
        text: "Status:           Failed
Reason:           DeadlineExceeded
Message:          Pod was active on the node longer than the specified deadline
Containers:
  work:
    State:          Terminated
      Reason:       Error
      Exit Code:    137
",
        accept: &[("deadline", SPARED)],
    },
    Paste {
        name: "deadline of a job in an event",
        text: "  Warning  DeadlineExceeded  10s  job-controller  Job was active longer than specified deadline
",
        accept: &[("deadline", SPARED)],
    },
    Paste {
        name: "deadline in a row",
        text: "work-x9   0/1     DeadlineExceeded   0          12m
",
        accept: &[("deadline", SPARED)],
    },
    Paste {
        name: "refused for memory",
        text: "Status:         Failed
Reason:         OutOfmemory
Message:        Pod Node didn't have enough resource: memory, requested: 1073741824, used: 7516192768, capacity: 8053063680
",
        accept: &[("admission-rejected-memory", SPARED)],
    },
    Paste {
        name: "refused for memory, a row",
        text: "big-1   0/1   OutOfmemory   0   2m
",
        accept: &[("admission-rejected-memory", SPARED)],
    },
    Paste {
        name: "refused for cpu, a row",
        text: "NAME    READY   STATUS     RESTARTS   AGE
big-1   0/1     OutOfcpu   0          2m
big-2   0/1     OutOfpods  0          2m
",
        accept: &[("admission-rejected-other", SPARED)],
    },
    Paste {
        name: "refused for affinity",
        text: "Status:  Failed
Reason:  NodeAffinity
Message: Pod was rejected: Predicate NodeAffinity failed: node(s) didn't match Pod's node affinity/selector
",
        accept: &[("admission-rejected-other", SPARED)],
    },
    Paste {
        name: "refused by a plugin",
        text: "Status:  Failed
Reason:  UnexpectedAdmissionError
Message: Pod was rejected: Allocate failed due to requested number of devices unavailable for example.com/gpu. Requested: 1, Available: 0, which is unexpected
",
        accept: &[("admission-rejected-other", SPARED)],
    },
    Paste {
        name: "refused under pressure",
        text: "Status:  Failed
Reason:  Evicted
Message: Pod The node had condition: [DiskPressure].
",
        accept: &[("admission-rejected-other", SPARED)],
    },
];
