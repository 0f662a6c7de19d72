//! A word counts for the end that it was said of: what the kubelet, a runtime or an event says of another life, or of the
//! node at another hour, explains nothing.

use oomph_core::artifact::Artifact;
use oomph_core::diagnosis::{Confidence, Diagnosis};
use serde_json::{Value, json};

use super::evidence::{ID, UID, objects, only};

/// A pod whose container app lived from 10:00:00 to 10:05:00 and ended so.
fn pod(code: i64, reason: &str) -> Value {
    let probe = json!({"periodSeconds": 10, "failureThreshold": 3, "terminationGracePeriodSeconds": 5,
        "httpGet": {"path": "/", "port": 80}});
    json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web", "namespace": "shop", "uid": UID},
        "spec": {"nodeName": "n1", "terminationGracePeriodSeconds": 30, "containers": [{"name": "app",
            "livenessProbe": probe, "resources": {"limits": {"memory": "64Mi"}}}]},
        "status": {"phase": "Running", "qosClass": "Burstable", "containerStatuses": [{"name": "app", "restartCount": 1,
            "containerID": "containerd://bbbbbbbbbbbbbbbbbbbb", "state": {"running": {"startedAt": "2026-03-01T10:05:01Z"}},
            "lastState": {"terminated": {"exitCode": code, "reason": reason, "startedAt": "2026-03-01T10:00:00Z",
                "finishedAt": "2026-03-01T10:05:00Z", "containerID": format!("containerd://{ID}")}}}]}})
}

fn event(reason: &str, message: &str, at: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "Event", "reason": reason, "message": message, "type": "Warning",
        "involvedObject": {"kind": "Pod", "name": "web", "namespace": "shop", "uid": UID, "fieldPath": "spec.containers{app}"},
        "source": {"component": "kubelet", "host": "n1"}, "count": 1, "firstTimestamp": at, "lastTimestamp": at})
}

fn log(line: &str) -> Artifact {
    Artifact::new("node.log", format!("{line}\n"))
}

#[track_caller]
fn check(diagnosis: &Diagnosis, verdict: &str, confidence: Confidence, oom_kill: Option<bool>) {
    let said = (diagnosis.verdict.id(), diagnosis.confidence, diagnosis.oom_kill);
    assert_eq!(said, (verdict, confidence, oom_kill), "{}", diagnosis.summary);
}

#[test]
fn a_failing_probe_of_the_next_life_does_not_explain_this_end() {
    let failing = |at| event("Unhealthy", "Liveness probe failed: HTTP probe failed with statuscode: 500", at);
    let ended = |at| only(&[objects(&[pod(137, "Error"), failing(at)])]);
    check(&ended("2026-03-01T10:04:50Z"), "liveness-kill", Confidence::Likely, Some(false));
    check(&ended("2026-03-01T10:07:00Z"), "undetermined", Confidence::Possible, None);
}

#[test]
fn a_kubelets_line_about_a_probe_counts_in_the_life_that_it_was_written_in() {
    let ended = |at: &str| {
        let line = format!(
            "Mar 01 {at} n1 kubelet[900]: I0301 {at}.000000     900 kuberuntime_manager.go:1050] \"Message for Container of \
             pod\" containerName=\"app\" containerStatusID={{\"Type\":\"containerd\",\"ID\":\"{ID}\"}} \
             pod=\"shop/web\" containerMessage=\"Container app failed liveness probe, will be restarted\""
        );
        let read = Artifact { at: "2026-03-02T00:00:00Z".parse().ok(), ..log(&line) };
        only(&[objects(&[pod(137, "Error")]), read])
    };
    check(&ended("10:04:30"), "liveness-kill", Confidence::Proven, Some(false));
    check(&ended("08:00:00"), "undetermined", Confidence::Possible, None);
}

#[test]
fn a_probes_own_grace_period_is_the_one_that_ran_out() {
    let killing = |at| event("Killing", "Container app failed liveness probe, will be restarted", at);
    let expired = |at| only(&[objects(&[pod(137, "Error"), killing(at)])]).termination.grace_expired;
    assert_eq!(expired("2026-03-01T10:04:55Z"), Some(true), "five seconds of the probe, not thirty of the pod");
    assert_eq!(expired("2026-03-01T10:04:59Z"), Some(false));
}

#[test]
fn the_runtimes_oom_line_beside_a_bare_137_is_the_containers_own_limit() {
    let ended = |at: &str| {
        let line = format!("time=\"{at}.100000000Z\" level=info msg=\"TaskOOM event container_id:\\\"{ID}\\\"\"");
        only(&[objects(&[pod(137, "Error")]), log(&line)])
    };
    check(&ended("2026-03-01T10:05:00"), "container-limit-oom", Confidence::Likely, Some(true));
    check(&ended("2026-03-01T09:00:00"), "undetermined", Confidence::Possible, None);
}

#[test]
fn a_kill_that_systemd_cadvisor_or_docker_tells_of_another_cgroup_explains_nothing() {
    let other = "c".repeat(64);
    for line in [
        "Mar 01 10:05:00 n1 systemd[1]: nginx.service: A process of this unit has been killed by the OOM killer."
            .to_owned(),
        format!("Mar 01 10:05:00 n1 systemd[1]: crio-{other}.scope: Failed with result 'oom-kill'."),
        format!(
            "I0301 10:05:00.857758    4991 manager.go:1126] Created an OOM event in container \
            \"/kubepods/burstable/pod99999999-2222-3333-4444-555555555555/{other}\" at 2026-03-01 10:05:00.122 +0000 UTC"
        ),
        format!(
            "Mar 01 10:05:00 n1 dockerd[900]: time=\"2026-03-01T10:05:00.1Z\" level=info \
            msg=\"Container failed to exit within 10s of signal 15 - using the force\" container={other}"
        ),
    ] {
        check(&only(&[objects(&[pod(137, "Error")]), log(&line)]), "undetermined", Confidence::Possible, None);
    }
    let own = format!(
        "Mar 01 10:05:00 n1 systemd[1]: cri-containerd-{ID}.scope: A process of this unit has been killed \
        by the OOM killer."
    );
    let own = only(&[objects(&[pod(137, "Error")]), log(&own)]);
    check(&own, "container-limit-oom", Confidence::Likely, Some(true));
}

#[test]
fn a_pod_that_came_to_a_node_that_shuts_down_never_ran() {
    let pod = |reason: &str, message: &str| {
        only(&[objects(&[json!({"apiVersion": "v1", "kind": "Pod",
            "metadata": {"name": "web", "namespace": "shop", "uid": UID},
            "spec": {"nodeName": "n1", "containers": [{"name": "app"}]},
            "status": {"phase": "Failed", "reason": reason, "message": message}})])])
    };
    let refused = pod("NodeShutdown", "Pod was rejected as the node is shutting down.");
    check(&refused, "node-shutdown", Confidence::Proven, Some(false));
    assert!(refused.summary.contains("never ran"), "{}", refused.summary);
    let ended = pod("Terminated", "Pod was terminated in response to imminent node shutdown.");
    check(&ended, "node-shutdown", Confidence::Proven, Some(false));
    assert!(!ended.summary.contains("never ran"), "{}", ended.summary);
}

#[test]
fn runcs_word_about_its_own_init_is_proof_under_cri_o_too() {
    let mut pod = pod(128, "StartError");
    let status = &mut pod["status"]["containerStatuses"][0];
    let id = json!(format!("cri-o://{ID}"));
    let message = "failed to create containerd task: container init was OOM-killed (memory limit too low?)";
    status["state"] = json!({"terminated": {"exitCode": 128, "reason": "StartError", "message": message,
        "finishedAt": "2026-03-01T10:05:00Z", "containerID": id}});
    status["containerID"] = id;
    check(&only(&[objects(&[pod])]), "start-oom", Confidence::Proven, Some(true));
}

#[test]
fn a_uid_in_a_back_offs_message_ties_the_kernels_kill_to_a_describe_text() {
    let text = format!(
        "Name:         web\nNamespace:    shop\nNode:         n1/10.0.0.1\nContainers:\n  app:\n\
         \x20   Container ID:   containerd://{}\n    State:          Running\n\
         \x20     Started:      Sun, 01 Mar 2026 10:05:02 +0000\n    Last State:     Terminated\n\
         \x20     Reason:       OOMKilled\n      Exit Code:    137\n      Started:      Sun, 01 Mar 2026 10:00:00 +0000\n\
         \x20     Finished:     Sun, 01 Mar 2026 10:05:00 +0000\n    Restart Count:  1\nEvents:\n\
         \x20 Type     Reason   Age   From     Message\n  ----     ------   ----  ----     -------\n\
         \x20 Warning  BackOff  5m    kubelet  Back-off restarting failed container app in pod web_shop({UID})\n",
        "b".repeat(64)
    );
    let path = format!("/kubepods/burstable/pod{UID}/{ID}");
    let kill = format!(
        "2026-03-01T10:05:00.1Z n1 kernel: oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=x,mems_allowed=0,\
         oom_memcg={path},task_memcg={path},task=app,pid=77,uid=0\n\
         2026-03-01T10:05:00.1Z n1 kernel: Memory cgroup out of memory: Killed process 77 (app) total-vm:9000kB, \
         anon-rss:8000kB, file-rss:4kB, shmem-rss:0kB, UID:0 pgtables:40kB oom_score_adj:999"
    );
    let told = only(&[Artifact::new("describe.txt", text), log(&kill)]);
    check(&told, "container-limit-oom", Confidence::Proven, Some(true));
    assert_eq!((told.subject.container.as_deref(), told.kills.len()), (Some("app"), 1));
}
