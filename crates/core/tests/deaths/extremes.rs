//! Numbers and moments at the ends of their types: evidence is written by others, and no value of it may panic.

use oomph_core::artifact::Artifact;
use oomph_core::diagnosis::Document;
use oomph_core::report::{self, Style};
use oomph_core::why::{Ask, why};
use serde_json::{Value, json};

use super::evidence::{ID, UID};

const FIRST: &str = "-009999-01-02T01:59:59Z";
const LAST: &str = "9999-12-30T22:00:00.999999999Z";

fn explain(artifacts: &[Artifact]) -> Document {
    let document = why(artifacts, Vec::new(), Vec::new(), &Ask::default());
    assert!(!report::text(&document, Style::Plain, report::WIDTH).is_empty());
    assert!(!report::markdown(&document).is_empty());
    document
}

/// A pod whose container ended with this code between these moments, with every number of its spec this one.
fn pod(code: i64, started: &str, finished: &str, number: i64) -> Value {
    let probe = json!({"initialDelaySeconds": number, "periodSeconds": number, "failureThreshold": number,
        "timeoutSeconds": number, "terminationGracePeriodSeconds": number, "httpGet": {"path": "/", "port": 80}});
    let end = json!({"exitCode": code, "reason": "Error", "startedAt": started, "finishedAt": finished,
        "containerID": format!("containerd://{ID}")});
    json!({"apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": "web", "namespace": "shop", "uid": UID, "creationTimestamp": started,
            "deletionTimestamp": finished, "deletionGracePeriodSeconds": number},
        "spec": {"nodeName": "n1", "terminationGracePeriodSeconds": number, "activeDeadlineSeconds": number,
            "containers": [{"name": "app", "livenessProbe": probe, "startupProbe": probe,
                "resources": {"limits": {"memory": number.to_string()}, "requests": {"memory": "9Ei"}}}]},
        "status": {"phase": "Running", "containerStatuses": [{"name": "app",
            "restartCount": number.clamp(0, i64::from(u32::MAX)), "containerID": format!("containerd://{ID}"),
            "state": {"terminated": end}, "lastState": {"terminated": end}}]}})
}

fn event(reason: &str, message: &str, at: &str, count: i64) -> Value {
    json!({"apiVersion": "v1", "kind": "Event", "reason": reason, "message": message, "type": "Warning",
        "involvedObject": {"kind": "Pod", "name": "web", "namespace": "shop", "uid": UID},
        "count": count, "firstTimestamp": at, "lastTimestamp": at})
}

#[test]
fn a_pod_of_extreme_numbers_and_moments_is_explained() {
    for number in [i64::MIN, -1, 0, i64::from(i32::MAX), i64::from(u32::MAX), i64::MAX] {
        for (started, finished) in [(FIRST, FIRST), (FIRST, LAST), (LAST, LAST), (LAST, FIRST)] {
            for code in [137, 143, i64::from(i32::MIN), i64::from(i32::MAX)] {
                let mut items = vec![pod(code, started, finished, number)];
                for at in [FIRST, LAST] {
                    items.push(event("Killing", "Container app failed liveness probe, will be restarted", at, number));
                    items.push(event("Unhealthy", "Liveness probe failed: HTTP 500", at, number));
                    items.push(event("SystemOOM", "System OOM encountered", at, number));
                }
                let list = json!({"apiVersion": "v1", "kind": "List", "items": items});
                let log =
                    format!("{finished} n1 kernel: Killed process 7 (java) total-vm:1kB, anon-rss:1kB, file-rss:0kB");
                let document =
                    explain(&[Artifact::new("objects.json", list.to_string()), Artifact::new("kern.log", log)]);
                assert!(!document.diagnoses.is_empty(), "{number} {started} {finished} {code}");
            }
        }
    }
}

#[test]
fn a_container_of_extreme_numbers_and_moments_is_explained() {
    for restarts in [0, i64::from(u32::MAX), i64::MAX] {
        for (started, finished) in [(FIRST, LAST), (LAST, FIRST)] {
            let inspect = json!([{"Id": ID, "Name": "/web", "RestartCount": restarts, "State": {"Status": "exited",
                "OOMKilled": true, "ExitCode": 137, "StartedAt": started, "FinishedAt": finished},
                "HostConfig": {"Memory": i64::MAX, "MemorySwap": i64::MIN}}]);
            let artifact = Artifact::new("docker inspect web", inspect.to_string());
            let artifact = Artifact { booted: LAST.parse().ok(), ..artifact };
            assert_eq!(explain(&[artifact]).diagnoses.len(), 1, "{restarts}");
        }
    }
}

#[test]
fn a_kernel_report_of_extreme_numbers_is_explained() {
    for number in ["0", "9223372036854775807", "18446744073709551615", "99999999999999999999999"] {
        let log = format!(
            "[{number}.000000] java invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=-2147483648\n\
             [{number}.000001] memory: usage {number}kB, limit {number}kB, failcnt {number}\n\
             [{number}.000002] {number} pages RAM\n\
             [{number}.000003] Tasks state (memory values in pages):\n\
             [{number}.000004] [  pid  ]   uid  tgid total_vm      rss pgtables_bytes swapents oom_score_adj name\n\
             [{number}.000005] [      7]     0      7 {number} {number} {number} {number} 2147483647 java\n\
             [{number}.000006] oom-kill:constraint=CONSTRAINT_NONE,nodemask=(null),cpuset=/,mems_allowed=0,global_oom,task_memcg=/kubepods/pod{UID}/{ID},task=java,pid=7,uid=0\n\
             [{number}.000007] Out of memory: Killed process 7 (java) total-vm:{number}kB, anon-rss:{number}kB, file-rss:{number}kB, shmem-rss:{number}kB, UID:0 pgtables:{number}kB oom_score_adj:999\n"
        );
        assert_eq!(explain(&[Artifact::new("dmesg", log)]).kernel_kills.len(), 1, "{number}");
    }
}
