//! Container logs, and the kubelet's and runtimes', alone or beside a status.

use super::{KILLED, NOTHING, Paste, SPARED, UNKNOWN};

pub(super) const PASTES: &[Paste] = &[
    Paste {
        name: "V8 at its limit",
        text: "<--- Last few GCs --->
[1:0x5581d0]    61234 ms: Mark-sweep 2043.2 (2083.1) -> 2042.9 (2083.4) MB, 1234.5 / 0.0 ms  (average mu = 0.1, current mu = 0.0) allocation failure scavenge might not succeed

<--- JS stacktrace --->

FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory
 1: 0xb7a940 node::Abort() [node]
Aborted (core dumped)
",
        accept: &[("runtime-heap-oom", SPARED)],
    },
    Paste {
        name: "V8 at its limit with the state",
        text: "    Last State:     Terminated
      Reason:       Error
      Exit Code:    134
      Started:      Tue, 04 Mar 2025 11:02:10 +0100
      Finished:     Tue, 04 Mar 2025 11:09:12 +0100

$ kubectl logs -p web
FATAL ERROR: Ineffective mark-compacts near heap limit Allocation failed - JavaScript heap out of memory
",
        accept: &[("runtime-heap-oom", SPARED)],
    },
    Paste {
        name: "Java at its heap with the state",
        text: "State:          Running
  Started:      Tue, 04 Mar 2025 11:09:13 +0100
Last State:     Terminated
  Reason:       Error
  Exit Code:    1
  Started:      Tue, 04 Mar 2025 11:02:10 +0100
  Finished:     Tue, 04 Mar 2025 11:09:12 +0100
Restart Count:  2

Exception in thread \"main\" java.lang.OutOfMemoryError: Java heap space
\tat com.example.Main.fill(Main.java:12)
",
        accept: &[("runtime-heap-oom", SPARED)],
    },
    Paste {
        name: "Java asked to leave",
        text: "Terminating due to java.lang.OutOfMemoryError: GC overhead limit exceeded
",
        accept: &[("runtime-heap-oom", SPARED)],
    },
    Paste {
        name: "Python ends on its own",
        text: "    Last State:  Terminated
      Reason:    Error
      Exit Code: 1

Traceback (most recent call last):
  File \"/app/load.py\", line 7, in <module>
    rows = [0] * (1 << 40)
MemoryError
",
        accept: &[("runtime-heap-oom", SPARED)],
    },
    Paste {
        name: "Go ends on its own",
        text: "fatal error: runtime: out of memory

runtime stack:
runtime.throw({0x4a3f1c?, 0x7f?})
",
        accept: &[("runtime-heap-oom", SPARED)],
    },
    Paste {
        name: "a crash with its log",
        text: "    Last State:  Terminated
      Reason:    Error
      Exit Code: 139

./run.sh: line 4:    12 Segmentation fault      (core dumped) ./server
",
        accept: &[("segfault", SPARED)],
    },
    Paste {
        name: "the kubelet kills for a probe",
        text: "I0304 10:12:49.885576    4052 kuberuntime_manager.go:1027] \"Message for Container of pod\" containerName=\"web\" pod=\"shop/web-0\" containerMessage=\"Container web failed liveness probe, will be restarted\"
I0304 10:12:49.885621    4052 kuberuntime_container.go:808] \"Killing container with a grace period\" pod=\"shop/web-0\" podUID=\"93e17ecc-0000-4000-8000-26248d2554ad\" containerName=\"web\" containerID=\"containerd://05657a9c673d612aed\" gracePeriod=30
",
        accept: &[("liveness-kill", SPARED), ("undetermined", UNKNOWN)],
    },
    Paste {
        name: "containerd saw a kill, and the status says so",
        text: "    Last State:     Terminated
      Reason:       OOMKilled
      Exit Code:    137
      Started:      Tue, 04 Mar 2025 11:02:10 +0100
      Finished:     Tue, 04 Mar 2025 11:09:12 +0100

time=\"2025-03-04T10:09:12.1Z\" level=info msg=\"TaskOOM event container_id:\\\"05657a9c673d612aed\\\"\"
",
        accept: &[("container-limit-oom", KILLED)],
    },
    Paste {
        name: "the kubelet evicts",
        text: "W0304 10:19:44.999261    2480 eviction_manager.go:333] eviction manager: attempting to reclaim memory
I0304 10:19:45.000152    2480 eviction_manager.go:344] eviction manager: must evict pod(s) to reclaim memory
I0304 10:19:45.000199    2480 eviction_manager.go:362] eviction manager: pods ranked for eviction: web-0_shop(27aff94d-e0d9-43d1-84d6-9ab000aa57e2)
I0304 10:19:45.445172    2480 eviction_manager.go:566] eviction manager: pod web-0_shop(27aff94d-e0d9-43d1-84d6-9ab000aa57e2) is evicted successfully
",
        accept: &[("kubelet-memory-eviction", SPARED), ("undetermined", UNKNOWN), NOTHING],
    },
    Paste {
        name: "docker ended by force",
        text: "Mar 04 10:00:11 host dockerd[812]: time=\"2025-03-04T10:00:11.1Z\" level=info msg=\"Container 3f1b8c0d9e7a failed to exit within 10 seconds of signal 15 - using the force\"
",
        accept: &[("external-sigkill", SPARED)],
    },
    Paste {
        name: "a log in which nothing happens",
        text: "2025-03-04T10:00:11Z INFO server listening on :8080
2025-03-04T10:00:12Z INFO GET /health 200
",
        accept: &[NOTHING],
    },
    Paste {
        name: "containerd saw a kill and nobody says whose",
        text: "time=\"2025-03-04T10:09:12.1Z\" level=info msg=\"TaskOOM event container_id:\\\"05657a9c673d612aed05657a9c673d612aed\\\"\"
",
        accept: &[("undetermined", KILLED), ("undetermined", UNKNOWN), ("container-limit-oom", KILLED), NOTHING],
    },
    Paste {
        name: "a probe's sentence alone",
        text: "6/2/2024, 08:14:05.000 Liveness probe failed:
6/2/2024, 08:14:05.000 Container switch failed liveness probe, will be restarted
",
        accept: &[("liveness-kill", SPARED)],
    },
    Paste {
        name: "PHP ends a request at its limit",
        text: "PHP Fatal error:  Allowed memory size of 134217728 bytes exhausted (tried to allocate 20480 bytes) in /app/a.php on line 3
",
        accept: &[("runtime-heap-oom", SPARED)],
    },
    Paste {
        name: "dotnet ends on its own with the state",
        text: "    Last State:  Terminated
      Reason:    Error
      Exit Code: 139

Unhandled exception. System.OutOfMemoryException: Exception of type 'System.OutOfMemoryException' was thrown.
",
        accept: &[("runtime-heap-oom", SPARED), ("segfault", SPARED)],
    },
    Paste {
        name: "the kernel's words beside a state",
        text: "    Last State:     Terminated
      Reason:       OOMKilled
      Exit Code:    137
      Finished:     Tue, 04 Mar 2025 11:09:12 +0100

[ 1234.567890] Memory cgroup out of memory: Killed process 4711 (java) total-vm:7169492kB, anon-rss:2065824kB, file-rss:44kB, shmem-rss:0kB, UID:0 pgtables:14076kB oom_score_adj:969
",
        accept: &[("container-limit-oom", KILLED)],
    },
    Paste {
        name: ".NET has nothing left to make an exception of",
        text: "info: listening on port 8080
Out of memory.
   at System.String.Concat(System.String, System.String)
   at Program.Main(System.String[])
",
        accept: &[("runtime-heap-oom", SPARED)],
    },
    Paste {
        name: "Redis is refused memory",
        text: "1:M 01 May 2024 11:00:00.000 # Out Of Memory allocating 67108864 bytes!
",
        accept: &[("runtime-heap-oom", SPARED)],
    },
    Paste {
        name: "Erlang is refused memory",
        text: "eheap_alloc: Cannot allocate 1318267840 bytes of memory (of type \"heap\").

Crash dump is being written to: erl_crash.dump...done
",
        accept: &[("runtime-heap-oom", SPARED)],
    },
    Paste {
        name: "Ruby is refused memory",
        text: "[FATAL] failed to allocate memory
",
        accept: &[("runtime-heap-oom", SPARED)],
    },
    Paste {
        name: "a supervisor kills its worker",
        text: "2024-05-01T11:00:00Z INFO Killed process 4242 (worker) because it did not answer
",
        accept: &[NOTHING],
    },
];
