//! `kubectl describe`: container states as it prints them, of many versions.

use super::{KILLED, NOTHING, Paste, SPARED, UNKNOWN};

pub(super) const PASTES: &[Paste] = &[
    Paste {
        name: "the usual last state",
        text: "    Last State:     Terminated
      Reason:       OOMKilled
      Exit Code:    137
      Started:      Tue, 04 Mar 2025 11:02:10 +0100
      Finished:     Tue, 04 Mar 2025 11:09:41 +0100
    Ready:          True
    Restart Count:  3
    Limits:
      memory:  256Mi
",
        accept: &[("container-limit-oom", KILLED)],
    },
    Paste {
        name: "an init container that lost a child and went on",
        text: "Init Containers:
  migrate:
    Image:          registry.example/migrate:4
    State:          Terminated
      Reason:       OOMKilled
      Exit Code:    0
      Started:      Wed, 05 Mar 2025 08:00:00 +0000
      Finished:     Wed, 05 Mar 2025 08:00:09 +0000
    Ready:          True
    Restart Count:  0
Containers:
  web:
    State:          Running
      Started:      Wed, 05 Mar 2025 08:00:10 +0000
    Ready:          True
    Restart Count:  0
",
        accept: &[("child-oom", KILLED)],
    },
    Paste {
        name: "main process survived its child and left with 1",
        text: "    Last State:  Terminated
      Reason:    OOMKilled
      Exit Code: 1
",
        accept: &[("child-oom", KILLED)],
    },
    Paste {
        name: "two containers, one is to blame",
        text: "Name:         shop-7d9c5b6d4-x2x8p
Namespace:    shop
Containers:
  proxy:
    Container ID:   containerd://7f0c1f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f
    State:          Running
      Started:      Thu, 06 Mar 2025 10:00:00 +0000
    Ready:          True
    Restart Count:  0
  shop:
    State:          Running
      Started:      Thu, 06 Mar 2025 11:00:02 +0000
    Last State:     Terminated
      Reason:       OOMKilled
      Exit Code:    137
      Started:      Thu, 06 Mar 2025 10:00:01 +0000
      Finished:     Thu, 06 Mar 2025 11:00:00 +0000
    Ready:          True
    Restart Count:  1
    Limits:
      memory:  1Gi
QoS Class:       Burstable
",
        accept: &[("container-limit-oom", KILLED)],
    },
    Paste {
        name: "no limit on memory at all",
        text: "Name:         batch-0
Node:         pool-3/10.0.0.7
Containers:
  batch:
    State:          Terminated
      Reason:       OOMKilled
      Exit Code:    137
    Ready:          False
    Restart Count:  0
    Requests:
      cpu:  100m
QoS Class:       Burstable
",
        accept: &[("node-allocatable-oom", KILLED), ("node-oom", KILLED), ("container-limit-oom", KILLED)],
    },
    Paste {
        name: "tabs of 2015",
        text: "Name:\t\t\t\teater-9x2b1
Image(s):\t\t\texample/eater
Node:\t\t\t\tminion-3/10.1.1.9
Status:\t\t\t\tRunning
Containers:
  eater:
    Image:\texample/eater
    Limits:
      cpu:\t\t100m
      memory:\t\t64Mi
    State:\t\tWaiting
      Reason:\t\tCrashLoopBackOff
    Last Termination State:\tTerminated
      Reason:\t\tOOM Killed
      Exit Code:\t\t137
      Started:\t\tTue, 14 Jul 2015 09:30:11 -0700
      Finished:\t\tTue, 14 Jul 2015 09:30:16 -0700
    Ready:\t\tFalse
    Restart Count:\t5
",
        accept: &[("container-limit-oom", KILLED)],
    },
    Paste {
        name: "a crash",
        text: "    Last State:     Terminated
      Reason:       Error
      Exit Code:    139
      Started:      Tue, 04 Mar 2025 11:02:10 +0100
      Finished:     Tue, 04 Mar 2025 11:09:41 +0100
",
        accept: &[("segfault", SPARED)],
    },
    Paste {
        name: "an application that left with 1",
        text: "    State:          Terminated
      Reason:       Error
      Exit Code:    1
      Started:      Tue, 04 Mar 2025 11:02:10 +0100
      Finished:     Tue, 04 Mar 2025 11:02:12 +0100
    Ready:          False
    Restart Count:  0
",
        accept: &[("app-error", SPARED)],
    },
    Paste {
        name: "windows container left with -1073741819",
        text: "Node-Selectors:              kubernetes.io/os=windows
    Last State:     Terminated
      Reason:       Error
      Exit Code:    -1073741819
      Started:      Tue, 04 Mar 2025 11:02:10 +0100
      Finished:     Tue, 04 Mar 2025 11:02:12 +0100
",
        accept: &[("app-error", SPARED), ("app-error", UNKNOWN), ("undetermined", UNKNOWN)],
    },
    Paste {
        name: "code 255 of a reboot",
        text: "    Last State:     Terminated
      Reason:       Unknown
      Exit Code:    255
      Started:      Tue, 04 Mar 2025 11:02:10 +0100
      Finished:     Tue, 04 Mar 2025 11:09:12 +0100
    Restart Count:  1
",
        accept: &[("app-error", SPARED), ("app-error", UNKNOWN), ("undetermined", UNKNOWN), ("status-lost", UNKNOWN)],
    },
    Paste {
        name: "sigkill and no more",
        text: "    Last State:     Terminated
      Reason:       Error
      Exit Code:    137
      Started:      Tue, 04 Mar 2025 11:02:10 +0100
      Finished:     Tue, 04 Mar 2025 11:09:12 +0100
    Ready:          True
    Restart Count:  1
",
        accept: &[("undetermined", UNKNOWN)],
    },
    Paste {
        name: "sigterm and no probe",
        text: "    Last State:     Terminated
      Reason:       Error
      Exit Code:    143
      Started:      Tue, 04 Mar 2025 11:02:10 +0100
      Finished:     Tue, 04 Mar 2025 11:09:12 +0100
    Ready:          True
    Restart Count:  1
    Limits:
      memory:  128Mi
",
        accept: &[("external-sigterm", SPARED)],
    },
    Paste {
        name: "healthy",
        text: "Name:             web-6c7b5c9d8f-2k7vq
Namespace:        shop
Status:           Running
Containers:
  web:
    State:          Running
      Started:      Tue, 04 Mar 2025 11:02:10 +0100
    Ready:          True
    Restart Count:  0
    Limits:
      memory:  128Mi
",
        accept: &[NOTHING],
    },
    Paste {
        name: "init container killed while it tried to start",
        text: "    State:          Waiting
      Reason:       RunContainerError
    Last State:     Terminated
      Reason:       StartError
      Message:      failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: container init was OOM-killed (memory limit too low?): unknown
      Exit Code:    128
      Started:      Thu, 01 Jan 1970 00:00:00 +0000
      Finished:     Tue, 04 Mar 2025 11:09:12 +0100
    Ready:          False
    Restart Count:  4
",
        accept: &[("start-oom", KILLED)],
    },
    Paste {
        name: "a wrong command",
        text: "    Last State:     Terminated
      Reason:       StartError
      Message:      failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: exec: \"serv\": executable file not found in $PATH: unknown
      Exit Code:    128
      Started:      Thu, 01 Jan 1970 00:00:00 +0000
      Finished:     Tue, 04 Mar 2025 11:09:12 +0100
",
        accept: &[("start-error", SPARED)],
    },
    Paste {
        name: "a pod below a node",
        text: "Name:               node-4
Roles:              worker
Taints:             <none>
Unschedulable:      false
Conditions:
  Type             Status  LastHeartbeatTime                 LastTransitionTime                Reason                       Message
  ----             ------  -----------------                 ------------------                ------                       -------
  MemoryPressure   False   Tue, 04 Mar 2025 11:09:12 +0100   Tue, 04 Mar 2025 09:09:12 +0100   KubeletHasSufficientMemory   kubelet has sufficient memory available
Capacity:
  memory:             16374260Ki
Allocatable:
  memory:             15000000Ki
System Info:
  Boot ID:                    0c1fdc2e-1c3b-4b7e-9a52-6c3a9d1b2c3d
  Kubelet Version:            v1.31.2

Name:             api-0
Namespace:        shop
Node:             node-4/10.0.0.4
Status:           Running
Containers:
  api:
    State:          Running
      Started:      Tue, 04 Mar 2025 11:09:13 +0100
    Last State:     Terminated
      Reason:       OOMKilled
      Exit Code:    137
      Started:      Tue, 04 Mar 2025 11:02:10 +0100
      Finished:     Tue, 04 Mar 2025 11:09:12 +0100
    Restart Count:  1
    Limits:
      memory:  128Mi
",
        accept: &[("container-limit-oom", KILLED)],
    },
    Paste {
        name: "completed job",
        text: "Containers:
  pi:
    State:          Terminated
      Reason:       Completed
      Exit Code:    0
      Started:      Tue, 04 Mar 2025 11:02:10 +0100
      Finished:     Tue, 04 Mar 2025 11:09:12 +0100
",
        accept: &[("completed", SPARED)],
    },
    Paste {
        name: "an OOM kill with a termination message",
        text: "    Last State:     Terminated
      Reason:       OOMKilled
      Message:      2024/05/06 10:11:12 loading the index: this takes a while and needs all the memory there is
chunk 1 of 9
chunk 2 of 9

      Exit Code:    137
      Started:      Mon, 06 May 2024 10:11:12 +0000
      Finished:     Mon, 06 May 2024 10:11:52 +0000
    Ready:          False
",
        accept: &[("container-limit-oom", KILLED)],
    },
    Paste {
        name: "left with 255 and no reason of memory",
        text: "    State:          Terminated
      Reason:       Error
      Exit Code:    255
    Ready:          False
",
        accept: &[("app-error", SPARED), ("app-error", UNKNOWN)],
    },
    Paste {
        name: "aborted",
        text: "    Last State:     Terminated
      Reason:       Error
      Exit Code:    134
      Started:      Mon, 06 May 2024 10:11:12 +0000
      Finished:     Mon, 06 May 2024 10:11:52 +0000
",
        accept: &[("native-abort", SPARED)],
    },
    Paste {
        name: "bus error",
        text: "    Last State:     Terminated
      Reason:       Error
      Exit Code:    135
",
        accept: &[("bus-error", SPARED)],
    },
    Paste {
        name: "CRI-O says OOMKilled with 0",
        text: "    Container ID:   cri-o://4c1e7f0c1f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f
    Last State:     Terminated
      Reason:       OOMKilled
      Exit Code:    0
",
        accept: &[("child-oom", UNKNOWN), ("child-oom", KILLED)],
    },
    Paste {
        name: "a limit in milli-bytes",
        text: "    State:          Waiting
      Reason:       CreateContainerError
      Message:      failed to create containerd container: the memory limit should be at least 6MB
    Limits:
      memory:  256m
",
        accept: &[("start-oom", UNKNOWN)],
    },
    Paste {
        name: "the kernel is old and the runtime says it in other words",
        text: "    Last State:     Terminated
      Reason:       ContainerCannotRun
      Message:      OCI runtime create failed: runc create failed: unable to start container process: unable to apply cgroup configuration: unable to set memory limit to 4194304 (current usage: 4300800, peak usage: 4325376): unknown
      Exit Code:    128
",
        accept: &[("start-oom", UNKNOWN)],
    },
    Paste {
        name: "crun's words",
        text: "    Last State:     Terminated
      Reason:       StartError
      Message:      container create failed: OOM: the memory limit could be too low: read from the init process
      Exit Code:    128
",
        accept: &[("start-oom", UNKNOWN), ("start-oom", KILLED)],
    },
];
