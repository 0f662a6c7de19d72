//! `kubectl describe` as people leave it: cut, grepped, commented, its columns and lines broken.

use super::{KILLED, Paste, SPARED, UNKNOWN};

pub(super) const PASTES: &[Paste] = &[
    Paste {
        name: "indentation lost, one space after the colon",
        text: "State: Waiting
Reason: CrashLoopBackOff
Last State: Terminated
Reason: OOMKilled
Exit Code: 137
Started: Tue, 04 Mar 2025 11:02:10 +0100
Finished: Tue, 04 Mar 2025 11:09:41 +0100
",
        accept: &[("container-limit-oom", KILLED)],
    },
    Paste {
        name: "bold and a remark",
        text: "**Last State:     Terminated
  Reason:       OOMKilled**   <--- this one
  **Exit Code:    137**
",
        accept: &[("container-limit-oom", KILLED)],
    },
    Paste {
        name: "the message of a start error is wrapped",
        text: "Last State:     Terminated
  Reason:       ContainerCannotRun
  Message:      OCI runtime create failed: container_linux.go:380:
starting container process caused: process_linux.go:545: container init
caused: process_linux.go:508: setting cgroup config for procHooks process caused: failed to write \"6291456\" to
\"/sys/fs/cgroup/memory/kubepods/burstable/pod1/abc/memory.limit_in_bytes\": device or resource busy: unknown
  Exit Code:    128
",
        accept: &[("start-oom", UNKNOWN)],
    },
    Paste {
        name: "elided lines",
        text: "Containers:
  app:
  ...
    State:          Waiting
      Reason:       CrashLoopBackOff
    [...]
    Last State:     Terminated
      Reason:       OOMKilled
      ...
      Exit Code:    137
",
        accept: &[("container-limit-oom", KILLED)],
    },
    Paste {
        name: "reason in brackets",
        text: "State: Waiting (CrashLoopBackOff)
Last State: Terminated (OOMKilled)
Restart Count: 4
",
        accept: &[("container-limit-oom", KILLED)],
    },
    Paste {
        name: "one container of many, cut by grep",
        text: "    State:          Running
--
    State:          Running
    Last State:     Terminated
      Reason:       OOMKilled
      Exit Code:    137
",
        accept: &[("container-limit-oom", KILLED)],
    },
    Paste {
        name: "a message broken by the terminal",
        text: "Status:         Failed
Reason:         Evicted
Message:        The node was low on resource: memory. Container ledger was using 1310720Ki, which e
xceeds its request of 0.
IP:
Containers:
  ledger:
    Image:      example/ledger
",
        accept: &[("kubelet-memory-eviction", SPARED)],
    },
    Paste {
        name: "a state on one line",
        text: "Last State: Terminated, Reason: OOMKilled, Exit Code: 137
",
        accept: &[("container-limit-oom", KILLED)],
    },
    Paste {
        name: "a state on one line with dots between",
        text: "Last State: Terminated · Reason: OOMKilled · Exit Code: 137
",
        accept: &[("container-limit-oom", KILLED)],
    },
    Paste {
        name: "a state in a shell's comment",
        text: "# Last State:     Terminated
#   Reason:       OOMKilled     # or Error
#   Exit Code:    137           # OOM killed
",
        accept: &[("container-limit-oom", KILLED)],
    },
    Paste {
        name: "arrows and remarks",
        text: "    Last State:     Terminated
      Reason:       Error          ← not OOMKilled!
      Exit Code:    137                ← SIGKILL
",
        accept: &[("undetermined", UNKNOWN)],
    },
    Paste {
        name: "what a grep leaves",
        text: "      Reason:       OOMKilled
      Exit Code:    137
",
        accept: &[("container-limit-oom", KILLED)],
    },
    Paste {
        name: "what a narrower grep leaves",
        text: "      Exit Code:    143
      Exit Code:    143
",
        accept: &[("external-sigterm", SPARED)],
    },
    Paste {
        name: "every label at one depth",
        text: "    Containers:
    eater:
        Image:  example/eater:latest
        Limits:
        cpu:          100m
        memory:       50Mi
        State:          Running
        Started:      Tue, 09 Jul 2019 08:21:40 -0700
        Last State:     Terminated
        Reason:       OOMKilled
        Exit Code:    137
        Started:      Fri, 05 Jul 2019 08:21:12 -0700
        Finished:     Fri, 05 Jul 2019 08:21:19 -0700
        Ready:          False
        Restart Count:  5
",
        accept: &[("container-limit-oom", KILLED)],
    },
];
