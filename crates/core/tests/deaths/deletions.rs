//! Ends while a pod was being taken away: by whom, as far as events say so, and whether memory had a part in it.

use oomph_core::artifact::Artifact;
use oomph_core::diagnosis::{Confidence, Diagnosis};
use serde_json::{Value, json};

use crate::evidence::{EARLIER, ID, UID, explain, kill, objects, only, whole_log};

/// A pod that was deleted at 10:05:00 with 30 s of grace, and whose container ended then and so.
fn deleted(code: i64, reason: &str, ended: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": "load-x7k2p", "namespace": "shop", "uid": UID, "deletionTimestamp": "2026-03-01T10:05:30Z",
            "deletionGracePeriodSeconds": 30,
            "ownerReferences": [{"apiVersion": "batch/v1", "kind": "Job", "name": "load", "uid": "j", "controller": true}]},
        "spec": {"nodeName": "n1", "terminationGracePeriodSeconds": 30, "containers": [
            {"name": "app", "resources": {"limits": {"memory": "24Mi"}, "requests": {"memory": "24Mi"}}}]},
        "status": {"phase": "Running", "qosClass": "Burstable", "containerStatuses": [{"name": "app", "restartCount": 0,
            "containerID": format!("containerd://{ID}"), "state": {"terminated": {"exitCode": code, "reason": reason,
                "startedAt": "2026-03-01T10:00:00Z", "finishedAt": format!("2026-03-01T{ended}Z"),
                "containerID": format!("containerd://{ID}")}}}]}})
}

/// An event of an object at a time of the day.
fn event(kind: &str, name: &str, reason: &str, message: &str, at: &str) -> Value {
    let at = format!("2026-03-01T{at}Z");
    let mut object = json!({"kind": kind, "name": name});
    if kind != "Node" {
        object["namespace"] = json!("shop");
    }
    if kind == "Pod" {
        object["uid"] = json!(UID);
        object["fieldPath"] = json!("spec.containers{app}");
    }
    let source = if kind == "Job" {
        json!({"component": "job-controller"})
    } else {
        json!({"component": "kubelet", "host": "n1"})
    };
    json!({"apiVersion": "v1", "kind": "Event", "reason": reason, "message": message, "type": "Normal",
        "involvedObject": object, "source": source, "count": 1, "firstTimestamp": at, "lastTimestamp": at})
}

fn stopping() -> Value {
    event("Pod", "load-x7k2p", "Killing", "Stopping container app", "10:05:00")
}

#[track_caller]
fn check(diagnosis: &Diagnosis, verdict: &str, oom_kill: Option<bool>, confidence: Confidence) {
    let told = (diagnosis.verdict.id(), diagnosis.oom_kill, diagnosis.confidence);
    assert_eq!(told, (verdict, oom_kill, confidence), "{}", diagnosis.summary);
}

#[test]
fn oomkilled_at_the_end_of_the_grace_period_may_be_the_kubelets_sigkill_after_a_childs_kill() {
    for (ended, confidence) in [
        ("10:05:30", Confidence::Possible),
        ("10:05:31", Confidence::Possible),
        ("10:05:29", Confidence::Possible),
        ("10:05:12", Confidence::Likely),
        ("10:04:40", Confidence::Likely),
    ] {
        let diagnosis = only(&[objects(&[deleted(137, "OOMKilled", ended)])]);
        check(&diagnosis, "container-limit-oom", Some(true), confidence);
        let doubted = confidence == Confidence::Possible;
        assert_eq!(diagnosis.summary.contains("the kubelet may have ended"), doubted, "{}", diagnosis.summary);
        assert_eq!(diagnosis.missing.iter().any(|it| it.what.contains("SIGKILL")), doubted);
        assert_eq!(diagnosis.evidence.iter().any(|it| it.locator.ends_with("deletionTimestamp")), doubted);
        assert_eq!(diagnosis.victim.is_none(), doubted);
    }
    // The request and its grace period by the kubelet's word, after its last delete wrote other times.
    let mut late = deleted(137, "OOMKilled", "10:05:30");
    late["metadata"]["deletionTimestamp"] = json!("2026-03-01T10:05:32Z");
    late["metadata"]["deletionGracePeriodSeconds"] = json!(0);
    let diagnosis = only(&[objects(&[late, stopping()])]);
    check(&diagnosis, "container-limit-oom", Some(true), Confidence::Possible);
}

#[test]
fn a_kill_that_something_dates_at_that_moment_leaves_no_doubt_about_who_killed() {
    let pod = || deleted(137, "OOMKilled", "10:05:30");
    let report = kill("10:05:29", ID, &[(77, "app")]);
    let diagnosis = only(&[objects(&[pod()]), whole_log(&report)]);
    check(&diagnosis, "container-limit-oom", Some(true), Confidence::Proven);
    let note = format!(
        "Mar 01 10:05:30 n1 containerd[9]: time=\"2026-03-01T10:05:30.1Z\" level=info msg=\"TaskOOM event container_id:\\\"{ID}\\\"\"\n"
    );
    let diagnosis = only(&[objects(&[pod()]), Artifact::new("containerd.txt", note)]);
    check(&diagnosis, "container-limit-oom", Some(true), Confidence::Likely);
}

#[test]
fn the_pods_of_a_job_that_ended_are_deleted_by_its_controller() {
    let pod = || deleted(143, "Error", "10:05:01");
    let job = |reason: &str, message: &str, at: &str| event("Job", "load", reason, message, at);
    let named = || job("SuccessfulDelete", "Deleted pod: load-x7k2p", "10:05:00");
    let suspended = || job("Suspended", "Job suspended", "10:05:00");
    let failed = || job("BackoffLimitExceeded", "Job has reached the specified backoff limit", "10:04:59");
    for (events, words, confidence) in [
        (vec![named(), suspended()], "suspended", Confidence::Proven),
        (vec![suspended()], "suspended", Confidence::Likely),
        (vec![failed()], "failed", Confidence::Likely),
    ] {
        let items: Vec<Value> = [pod(), stopping()].into_iter().chain(events).collect();
        let diagnosis = only(&[objects(&items)]);
        check(&diagnosis, "controller-deleted", Some(false), confidence);
        assert!(diagnosis.evidence.iter().any(|it| it.says.contains(words)), "{:?}", diagnosis.evidence);
    }
    let resumed = objects(&[pod(), stopping(), named(), job("Suspended", "Job suspended", "09:05:00")]);
    let diagnosis = only(&[resumed]);
    check(&diagnosis, "controller-deleted", Some(false), Confidence::Proven);
    assert!(!diagnosis.evidence.iter().any(|it| it.says.contains("suspended")), "{:?}", diagnosis.evidence);
    // Suspended an hour before, and resumed: this deletion is another.
    let before = job("Suspended", "Job suspended", "09:05:00");
    check(&only(&[objects(&[pod(), stopping(), before])]), "user-deleted", Some(false), Confidence::Likely);
    let other = event("Job", "other", "Suspended", "Job suspended", "10:05:00");
    check(&only(&[objects(&[pod(), stopping(), other])]), "user-deleted", Some(false), Confidence::Likely);
}

#[test]
fn a_pod_that_is_gone_from_a_cordoned_node_was_drained() {
    let cordoned =
        |at: &str| event("Node", "n1", "NodeNotSchedulable", "Node n1 status is now: NodeNotSchedulable", at);
    let over = event("Node", "n1", "NodeSchedulable", "Node n1 status is now: NodeSchedulable", "10:04:00");
    let gone = |events: Vec<Value>| only(&[objects(&[vec![stopping()], events].concat())]);
    check(&gone(vec![cordoned("10:04:50")]), "node-drain", Some(false), Confidence::Likely);
    check(&gone(vec![cordoned("10:03:00"), over]), "user-deleted", Some(false), Confidence::Likely);
    check(&gone(vec![cordoned("10:30:00")]), "user-deleted", Some(false), Confidence::Likely);
    let mut elsewhere = cordoned("10:04:50");
    elsewhere["involvedObject"]["name"] = json!("n2");
    check(&gone(vec![elsewhere]), "user-deleted", Some(false), Confidence::Likely);
    let rollout = event("ReplicaSet", "load", "SuccessfulDelete", "Deleted pod: load-x7k2p", "10:05:00");
    check(&gone(vec![cordoned("10:04:50"), rollout]), "controller-deleted", Some(false), Confidence::Proven);
}

#[test]
fn oomkilled_while_the_pod_was_evicted_may_be_the_kubelets_sigkill() {
    let message = "The node was low on resource: memory. Threshold quantity: 100Mi, available: 80Mi.";
    let evicted = |at: &str| {
        let mut pod = deleted(137, "OOMKilled", "10:05:00");
        pod["metadata"]["deletionTimestamp"] = Value::Null;
        pod["metadata"]["deletionGracePeriodSeconds"] = Value::Null;
        pod["status"]["phase"] = json!("Failed");
        pod["status"]["reason"] = json!("Evicted");
        pod["status"]["message"] = json!(message);
        let mut told = event("Pod", "load-x7k2p", "Evicted", message, at);
        told["involvedObject"]["fieldPath"] = Value::Null;
        only(&[objects(&[pod, told])])
    };
    let during = evicted("10:04:59");
    check(&during, "container-limit-oom", Some(true), Confidence::Possible);
    assert!(during.summary.contains("evicted"), "{}", during.summary);
    check(&evicted("10:05:30"), "container-limit-oom", Some(true), Confidence::Likely);
}

/// A job's pod whose program ended well at 10:05:00, and its sidecar so.
fn with_sidecar(code: i64, ended: &str) -> Value {
    let mut pod = deleted(0, "Completed", "10:05:00");
    pod["metadata"]["deletionTimestamp"] = Value::Null;
    pod["metadata"]["deletionGracePeriodSeconds"] = Value::Null;
    pod["status"]["phase"] = json!("Succeeded");
    pod["spec"]["initContainers"] = json!([{"name": "proxy", "restartPolicy": "Always"}]);
    pod["status"]["initContainerStatuses"] = json!([{"name": "proxy", "restartCount": 0,
        "containerID": format!("containerd://{EARLIER}"), "state": {"terminated": {"exitCode": code, "reason": "Error",
            "startedAt": "2026-03-01T10:00:00Z", "finishedAt": format!("2026-03-01T{ended}Z"),
            "containerID": format!("containerd://{EARLIER}")}}}]);
    pod
}

#[test]
fn a_sidecar_that_ends_when_the_kubelet_stops_it_needs_no_event_for_that() {
    for (code, ended, verdict, oom_kill) in [
        (137, "10:05:31", "completed", None),
        (143, "10:05:01", "completed", Some(false)),
        (137, "10:05:10", "undetermined", None),
        (137, "10:09:00", "undetermined", None),
        (137, "10:04:00", "undetermined", None),
        (143, "10:04:00", "external-sigterm", Some(false)),
    ] {
        let found = explain(&[objects(&[with_sidecar(code, ended)])]);
        let sidecar = found.iter().find(|it| it.subject.container.as_deref() == Some("proxy")).unwrap();
        assert_eq!((sidecar.verdict.id(), sidecar.oom_kill), (verdict, oom_kill), "{ended}: {}", sidecar.summary);
    }
}

/// The Job that made the pod, finished so at 10:05:02.
fn finished(kind: &str, ttl: Option<i64>) -> Value {
    json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "load", "namespace": "shop"},
        "spec": {"ttlSecondsAfterFinished": ttl}, "status": {"conditions": [
            {"type": kind, "status": "True", "lastTransitionTime": "2026-03-01T10:05:02Z"}]}})
}

/// The pod whose container ended at 10:05:00, removed at this time without any grace left.
fn removed(code: i64, at: &str) -> Value {
    let mut pod = deleted(code, "Error", "10:05:00");
    pod["metadata"]["deletionTimestamp"] = json!(format!("2026-03-01T{at}Z"));
    pod["metadata"]["deletionGracePeriodSeconds"] = json!(0);
    pod["status"]["phase"] = json!("Failed");
    pod
}

#[test]
fn a_container_that_had_ended_when_its_finished_job_was_removed_was_not_ended_by_that() {
    let event = event("Job", "load", "BackoffLimitExceeded", "Job has reached the backoff limit", "10:05:02");
    for job in [finished("Failed", Some(5)), event] {
        for (code, verdict, oom_kill) in [(137, "undetermined", None), (143, "external-sigterm", Some(false))] {
            let found = only(&[objects(&[removed(code, "10:05:08"), job.clone()])]);
            assert_eq!((found.verdict.id(), found.oom_kill), (verdict, oom_kill), "{}", found.summary);
        }
    }
    // Nothing tells that the Job had finished before.
    let found = only(&[objects(&[removed(137, "10:05:08")])]);
    check(&found, "user-deleted", Some(false), Confidence::Likely);
}

/// The pod that still ran when it was asked to stop at 10:15:02.
fn outlived() -> Value {
    let mut pod = deleted(143, "Error", "10:15:03");
    pod["metadata"]["deletionTimestamp"] = json!("2026-03-01T10:15:32Z");
    pod
}

#[test]
fn what_still_runs_when_its_job_is_due_for_removal_is_removed_by_the_controller() {
    let by_job = |ttl| only(&[objects(&[outlived(), finished("Complete", ttl)])]);
    let due = by_job(Some(600));
    check(&due, "controller-deleted", Some(false), Confidence::Likely);
    assert!(due.evidence[0].says.contains("ttlSecondsAfterFinished"), "{:?}", due.evidence);
    check(&by_job(Some(3600)), "user-deleted", Some(false), Confidence::Likely);
    check(&by_job(None), "user-deleted", Some(false), Confidence::Likely);
    // The Job is gone with what it would tell: it may have been removed by its own time, or by somebody.
    let completed = event("Job", "load", "Completed", "Job completed", "10:05:02");
    let open = only(&[objects(&[outlived(), completed])]);
    check(&open, "user-deleted", Some(false), Confidence::Possible);
    assert!(open.missing[0].what.contains("ttlSecondsAfterFinished"), "{:?}", open.missing);
    let gone = [
        event("Job", "load", "SuccessfulCreate", "Created pod: load-x7k2p", "10:00:00"),
        event("Job", "load", "Completed", "Job completed", "10:04:30"),
        stopping(),
    ];
    check(&only(&[objects(&gone)]), "user-deleted", Some(false), Confidence::Possible);
}

#[test]
fn a_sidecar_that_was_stopped_alone_before_its_job_completed_was_not_deleted() {
    let of = |container: &str, reason: &str, message: &str, at: &str| {
        let mut told = event("Pod", "load-x7k2p", reason, message, at);
        told["involvedObject"]["fieldPath"] = json!(format!("spec.containers{{{container}}}"));
        told
    };
    let events = |more: Vec<Value>| {
        let mut all = vec![
            event("Job", "load", "SuccessfulCreate", "Created pod: load-x7k2p", "10:00:00"),
            of("proxy", "Started", "Container started", "10:00:01"),
            of("app", "Started", "Container started", "10:00:02"),
            of("proxy", "Killing", "Stopping container proxy", "10:05:00"),
            event("Job", "load", "Completed", "Job completed", "10:05:03"),
        ];
        all.extend(more);
        explain(&[objects(&all)])
    };
    let found = events(Vec::new());
    assert_eq!(found.len(), 1);
    check(&found[0], "completed", None, Confidence::Likely);
    // All its containers were stopped: the pod was deleted, and the program answered with 0.
    let both = events(vec![of("app", "Killing", "Stopping container app", "10:05:00")]);
    assert!(both.len() == 2 && both.iter().all(|it| it.verdict.id() == "user-deleted"), "{both:#?}");
}

#[test]
fn a_child_that_was_killed_while_its_container_shut_down_did_not_use_up_the_grace_period() {
    let told = |at: &str, ended: &str| {
        let report = kill(at, ID, &[(77, "worker"), (70, "app"), (60, "pause")]);
        only(&[objects(&[deleted(137, "Error", ended), stopping()]), whole_log(&report)])
    };
    // SIGTERM at 10:05:00, the kill, and the kubelet's SIGKILL when the time is over.
    check(&told("10:05:09", "10:05:30"), "user-deleted", Some(true), Confidence::Likely);
    // A shell may pass its child's end on; the kubelet's signal is due then, too.
    check(&told("10:05:29", "10:05:30"), "child-oom", Some(true), Confidence::Likely);
}
