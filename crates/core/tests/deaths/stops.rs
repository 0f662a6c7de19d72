//! What stopped a container, as a cluster tells it minutes later: events that were counted together or not at all, times
//! that the kubelet wrote anew, reasons that came after the end.

use oomph_core::artifact::Artifact;
use oomph_core::diagnosis::{Confidence, Diagnosis, PatternKind};
use oomph_core::report::{Style, text};
use oomph_core::units::Bytes;
use oomph_core::why::{Ask, why};
use serde_json::{Value, json};

use crate::evidence::{EARLIER, ID, UID, kill, objects, only, whole_log};

/// An end of the container: from and to are times of the day.
fn ended(code: i64, reason: &str, from: &str, to: &str) -> Value {
    json!({"terminated": {"exitCode": code, "reason": reason, "containerID": format!("containerd://{ID}"),
        "startedAt": format!("2026-03-01T{from}Z"), "finishedAt": format!("2026-03-01T{to}Z")}})
}

/// A pod of one container with 24 MiB and a grace period of 3 s, in this state after that one.
fn pod(state: Value, last: Value, restarts: u32) -> Value {
    json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web", "namespace": "shop", "uid": UID},
        "spec": {"nodeName": "n1", "terminationGracePeriodSeconds": 3, "containers": [
            {"name": "app", "resources": {"limits": {"memory": "24Mi"}, "requests": {"memory": "24Mi"}}}]},
        "status": {"phase": "Running", "containerStatuses": [{"name": "app", "restartCount": restarts,
            "containerID": format!("containerd://{ID}"), "state": state, "lastState": last}]}})
}

/// The same, ended and deleted; the kubelet's last delete set the moment and a grace period of nothing.
fn deleted(state: Value, at: &str) -> Value {
    let mut pod = pod(state, json!({}), 0);
    pod["metadata"]["deletionTimestamp"] = json!(format!("2026-03-01T{at}Z"));
    pod["metadata"]["deletionGracePeriodSeconds"] = json!(0);
    pod
}

fn crash_loop() -> Value {
    json!({"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 5m0s restarting failed container=app"}})
}

/// An event of an object, `count` times between these moments.
fn told(object: Value, reason: &str, message: &str, count: u32, first: &str, last: &str) -> Value {
    let kind = if reason.starts_with("Failed") { "Warning" } else { "Normal" };
    json!({"apiVersion": "v1", "kind": "Event", "reason": reason, "message": message, "type": kind,
        "involvedObject": object, "source": {"component": "kubelet", "host": "n1"}, "count": count,
        "firstTimestamp": format!("2026-03-01T{first}Z"), "lastTimestamp": format!("2026-03-01T{last}Z")})
}

/// One of the container.
fn event(reason: &str, message: &str, count: u32, first: &str, last: &str) -> Value {
    let object =
        json!({"kind": "Pod", "name": "web", "namespace": "shop", "uid": UID, "fieldPath": "spec.containers{app}"});
    told(object, reason, message, count, first, last)
}

/// One of the pod, which names no container.
fn of_pod(reason: &str, message: &str, count: u32, first: &str, last: &str) -> Value {
    let object = json!({"kind": "Pod", "name": "web", "namespace": "shop", "uid": UID});
    told(object, reason, message, count, first, last)
}

fn stopping(at: &str) -> Value {
    event("Killing", "Stopping container app", 1, at, at)
}

#[track_caller]
fn check(diagnosis: &Diagnosis, verdict: &str, oom_kill: Option<bool>, confidence: Confidence) {
    let told = (diagnosis.verdict.id(), diagnosis.oom_kill, diagnosis.confidence);
    assert_eq!(told, (verdict, oom_kill, confidence), "{}", diagnosis.summary);
}

#[test]
fn a_failed_post_start_hook_is_the_reason_after_the_kubelet_stopped_counting_its_kills() {
    let looping = |code| pod(crash_loop(), ended(code, "Error", "10:05:16", "10:05:19"), 6);
    let failed = |last| event("FailedPostStartHook", "PostStartHook failed", 7, "09:59:24", last);
    let killed = event("Killing", "FailedPostStartHook", 6, "09:59:24", "10:02:28");
    for events in [vec![failed("10:05:16"), killed.clone()], vec![failed("10:05:16")], vec![failed("10:02:26")]] {
        let items: Vec<Value> = std::iter::once(looping(137)).chain(events).collect();
        let diagnosis = only(&[objects(&items), whole_log("")]);
        check(&diagnosis, "kubelet-restart", Some(false), Confidence::Likely);
        assert!(diagnosis.summary.contains("postStart"), "{}", diagnosis.summary);
        assert!(diagnosis.advice[0].action.contains("postStart"), "{:?}", diagnosis.advice);
    }
    // A program that had ended before its hook makes that fail, too.
    let failed_after = event("FailedPostStartHook", "PostStartHook failed", 1, "10:05:19", "10:05:19");
    check(&only(&[objects(&[looping(1), failed_after])]), "app-error", Some(false), Confidence::Likely);
}

#[test]
fn a_pod_that_was_deleted_after_a_childs_kill_ended_by_the_deletion() {
    let report = kill("10:00:01", ID, &[(77, "tail"), (75, "sh")]);
    for code in [0, 3, 143] {
        let gone = deleted(ended(code, "OOMKilled", "10:00:00", "10:00:36"), "10:00:37");
        let diagnosis = only(&[objects(&[gone, stopping("10:00:36")]), whole_log(&report)]);
        check(&diagnosis, "user-deleted", Some(true), Confidence::Likely);
        assert!(diagnosis.summary.contains("deleted") && diagnosis.summary.contains("tail"), "{}", diagnosis.summary);
    }
    // Killed while it shut down: that may be why it ended.
    let late = kill("10:00:36", ID, &[(77, "tail"), (75, "sh")]);
    let dying = deleted(ended(1, "OOMKilled", "10:00:00", "10:00:37"), "10:00:38");
    let diagnosis = only(&[objects(&[dying, stopping("10:00:36")]), whole_log(&late)]);
    check(&diagnosis, "child-oom", Some(true), Confidence::Proven);
    assert!(diagnosis.evidence.iter().any(|it| it.says.contains("being deleted")), "{:?}", diagnosis.evidence);
}

#[test]
fn a_container_that_ends_well_when_its_pod_is_deleted_was_stopped() {
    let end = || ended(0, "Completed", "10:00:00", "10:00:36");
    let stopped = only(&[objects(&[deleted(end(), "10:00:37"), stopping("10:00:36")])]);
    check(&stopped, "user-deleted", Some(false), Confidence::Likely);
    assert!(stopped.advice.is_empty(), "{:?}", stopped.advice);
    let mut asked = deleted(end(), "10:01:05");
    asked["metadata"]["deletionGracePeriodSeconds"] = json!(30);
    check(&only(&[objects(&[asked])]), "user-deleted", Some(false), Confidence::Likely);
    // Deleted after it had done its work.
    check(&only(&[objects(&[deleted(end(), "10:00:37")])]), "completed", Some(false), Confidence::Proven);
}

#[test]
fn the_kubelets_last_delete_is_not_the_end_of_the_grace_period() {
    let patient = |state, at| {
        let mut pod = deleted(state, at);
        pod["spec"]["terminationGracePeriodSeconds"] = json!(20);
        pod
    };
    let oom = patient(ended(137, "OOMKilled", "10:00:00", "10:00:36"), "10:00:37");
    let report = kill("10:00:35", ID, &[(77, "tail")]);
    let diagnosis = only(&[objects(&[oom, stopping("10:00:35")]), whole_log(&report)]);
    check(&diagnosis, "container-limit-oom", Some(true), Confidence::Proven);
    assert_eq!(diagnosis.termination.grace_expired, Some(false));
    assert!(diagnosis.evidence.iter().any(|it| it.says.contains("being deleted")), "{:?}", diagnosis.evidence);

    for (asked, expired) in [("10:00:35", Some(false)), ("10:00:30", None), ("10:00:16", Some(true))] {
        let killed = patient(ended(137, "Error", "10:00:00", "10:00:36"), "10:00:37");
        let diagnosis = only(&[objects(&[killed, stopping(asked)]), whole_log("")]);
        check(&diagnosis, "user-deleted", Some(false), Confidence::Likely);
        assert_eq!(diagnosis.termination.grace_expired, expired, "{asked}");
    }
}

#[test]
fn starts_that_failed_in_a_pod_that_is_gone_are_one_diagnosis() {
    let kills: String = (0..5)
        .map(|n| kill(&format!("10:0{n}:00"), &format!("{n}").repeat(64), &[(70 + n, "runc:[2:INIT]")]))
        .collect();
    let failed = of_pod("FailedCreatePodSandBox", "Failed to create pod sandbox: rpc error", 5, "10:00:00", "10:04:00");
    let by_events = only(&[objects(&[failed]), whole_log(&kills)]);
    check(&by_events, "start-oom", Some(true), Confidence::Likely);
    assert_eq!(by_events.kills.len(), 5);
    let by_log = only(&[whole_log(&kills)]);
    assert_eq!((by_log.verdict.id(), by_log.kills.len()), ("start-oom", 5));
}

#[test]
fn a_start_that_failed_before_another_did_not_explains_nothing() {
    let events = [
        of_pod(
            "FailedMount",
            "MountVolume.SetUp failed for volume \"p\": configmap \"p\" not found",
            7,
            "10:00:00",
            "10:00:32",
        ),
        event("Started", "Container started", 1, "10:01:00", "10:01:00"),
        of_pod("TaintManagerEviction", "Marking for deletion Pod shop/web", 1, "10:12:50", "10:12:50"),
    ];
    let report = kill("10:01:02", ID, &[(77, "java"), (70, "pause")]);
    let diagnosis = only(&[objects(&events), whole_log(&report)]);
    check(&diagnosis, "pod-limit-oom", Some(true), Confidence::Likely);
    // Without the word that it started the kill tells as much.
    let diagnosis = only(&[objects(&events[..1]), whole_log(&report)]);
    assert_ne!(diagnosis.verdict.id(), "start-error", "{}", diagnosis.summary);
    assert_eq!(only(&[objects(&events[..1])]).verdict.id(), "start-error");
}

#[test]
fn a_taint_does_not_explain_an_end_of_minutes_before() {
    let taint = |since: &str| {
        json!([{"type": "DisruptionTarget", "status": "True", "reason": "DeletionByTaintManager",
            "message": "Taint manager: deleting due to NoExecute taint", "lastTransitionTime": format!("2026-03-01T{since}Z")}])
    };
    let marked = |at| of_pod("TaintManagerEviction", "Marking for deletion Pod shop/web", 1, at, at);
    let mut late = deleted(ended(137, "Error", "10:00:00", "10:00:19"), "10:00:20");
    late["status"]["conditions"] = taint("10:12:51");
    let items = [late.clone(), stopping("10:00:14"), marked("10:12:50")];
    check(&only(&[objects(&items), whole_log("")]), "user-deleted", Some(false), Confidence::Likely);
    // The condition was true before, for a reason that the taint's replaced.
    late["status"]["conditions"] = taint("10:00:14");
    let items = [late.clone(), stopping("10:00:14"), marked("10:12:50")];
    check(&only(&[objects(&items), whole_log("")]), "undetermined", Some(false), Confidence::Possible);
    let items = [late, stopping("10:00:14"), marked("10:00:14")];
    check(&only(&[objects(&items), whole_log("")]), "taint-eviction", Some(false), Confidence::Proven);
}

#[test]
fn a_job_that_its_cron_job_replaced_takes_its_pod_along() {
    let cron = |message: &str, first, last| {
        told(
            json!({"kind": "CronJob", "name": "report", "namespace": "shop"}),
            "SuccessfulDelete",
            message,
            1,
            first,
            last,
        )
    };
    let job = json!({"kind": "Job", "name": "report-29931011", "namespace": "shop"});
    let made = told(job, "SuccessfulCreate", "Created pod: report-29931011-zcfgs", 1, "10:11:00", "10:11:00");
    let mut stopped = stopping("10:12:00");
    stopped["involvedObject"]["name"] = json!("report-29931011-zcfgs");
    for said in [
        cron("Deleted job report-29931011", "10:12:00", "10:12:00"),
        cron("(combined from similar events): Deleted job report-29931014", "10:10:00", "10:15:00"),
    ] {
        let diagnosis = only(&[objects(&[made.clone(), stopped.clone(), said])]);
        check(&diagnosis, "controller-deleted", Some(false), Confidence::Proven);
    }
    let other = cron("Deleted job report-29931010", "10:11:00", "10:11:00");
    check(&only(&[objects(&[made, stopped, other])]), "user-deleted", Some(false), Confidence::Likely);
}

#[test]
fn a_container_that_was_restarted_with_all_others_of_its_pod_has_a_placeholder_for_an_end() {
    let placeholder = json!({"terminated": {"exitCode": 137, "finishedAt": null, "startedAt": null,
        "reason": "RestartingAllContainers", "message": "The container is removed because RestartAllContainers in place"}});
    let running = json!({"running": {"startedAt": "2026-03-01T10:05:02Z"}});
    let diagnosis = only(&[objects(&[pod(running, placeholder, 3)])]);
    check(&diagnosis, "kubelet-restart", Some(false), Confidence::Proven);
    assert_eq!(diagnosis.termination.signal, None);
    assert!(!diagnosis.summary.contains("SIGKILL"), "{}", diagnosis.summary);
}

#[test]
fn a_drain_is_one_after_the_node_takes_pods_again() {
    let mut evicted = deleted(ended(137, "Error", "10:00:00", "10:08:07"), "10:08:08");
    evicted["status"]["conditions"] = json!([{"type": "DisruptionTarget", "status": "True",
        "reason": "EvictionByEvictionAPI", "lastTransitionTime": "2026-03-01T10:08:04Z"}]);
    let node = json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "n1"}, "spec": {}});
    let said = |reason: &str, at| told(json!({"kind": "Node", "name": "n1"}), reason, "Node n1", 1, at, at);
    for (cordoned, over, verdict, confidence) in [
        ("10:08:12", "10:08:33", "node-drain", Confidence::Likely),
        ("10:07:50", "10:08:33", "node-drain", Confidence::Proven),
        ("10:07:50", "10:08:00", "api-eviction", Confidence::Proven),
        ("10:20:00", "10:30:00", "api-eviction", Confidence::Proven),
    ] {
        let words = [said("NodeNotSchedulable", cordoned), said("NodeSchedulable", over)];
        let items: Vec<Value> =
            [evicted.clone(), node.clone(), stopping("10:08:04")].into_iter().chain(words).collect();
        check(&only(&[objects(&items), whole_log("")]), verdict, Some(false), confidence);
    }
}

#[test]
fn a_probe_that_failed_in_a_life_with_a_kill_is_told_with_it() {
    let looping = |id: &str| {
        let mut pod = pod(crash_loop(), ended(0, "OOMKilled", "10:02:33", "10:02:36"), 6);
        pod["status"]["containerStatuses"][0]["lastState"]["terminated"]["containerID"] =
            json!(format!("containerd://{id}"));
        pod["spec"]["containers"][0]["livenessProbe"] = json!({"exec": {"command": ["check"]}, "periodSeconds": 2,
            "failureThreshold": 2, "initialDelaySeconds": 1});
        pod
    };
    let report =
        kill("10:02:34", ID, &[(88, "check"), (75, "sh")]) + &kill("10:02:36", ID, &[(89, "check"), (75, "sh")]);
    let failed = event("Unhealthy", "Liveness probe failed: ", 14, "09:59:16", "10:02:36");
    let message = "Container app failed liveness probe, will be restarted";
    for (last, confidence) in [("10:02:36", Confidence::Proven), ("10:01:10", Confidence::Likely)] {
        let killed = event("Killing", message, 6, "09:59:18", last);
        let diagnosis = only(&[objects(&[looping(ID), failed.clone(), killed]), whole_log(&report)]);
        check(&diagnosis, "liveness-kill", Some(true), confidence);
        assert!(diagnosis.summary.contains("OOM killer had killed"), "{}", diagnosis.summary);
        assert!(diagnosis.advice[0].action.contains("OOM killer"), "{:?}", diagnosis.advice);
    }
}

#[test]
fn a_pre_stop_hook_that_takes_the_whole_grace_period_is_what_to_mend() {
    for (code, end) in [(137, "10:00:19"), (143, "10:00:17")] {
        let hung = deleted(ended(code, "Error", "10:00:00", end), "10:00:20");
        let failed = event("FailedPreStopHook", "PreStopHook failed", 1, "10:00:17", "10:00:17");
        let diagnosis = only(&[objects(&[hung, stopping("10:00:14"), failed]), whole_log("")]);
        check(&diagnosis, "user-deleted", Some(false), Confidence::Likely);
        assert!(diagnosis.summary.contains("preStop"), "{}", diagnosis.summary);
        assert!(diagnosis.advice[0].action.contains("preStop"), "{:?}", diagnosis.advice);
        assert!(diagnosis.evidence.iter().any(|it| it.excerpt.contains("PreStopHook failed")));
    }
    // One that failed at once took no time from the program.
    let hung = deleted(ended(137, "Error", "10:00:00", "10:00:18"), "10:00:19");
    let failed = event("FailedPreStopHook", "PreStopHook failed", 1, "10:00:14", "10:00:14");
    let diagnosis = only(&[objects(&[hung, stopping("10:00:14"), failed]), whole_log("")]);
    assert!(diagnosis.advice[0].action.contains("SIGTERM"), "{:?}", diagnosis.advice);
}

#[test]
fn who_killed_a_child_is_no_question_where_the_kernels_log_covers_the_moment() {
    let failed = pod(ended(1, "Error", "10:00:00", "10:05:00"), json!({}), 0);
    let words = Artifact::new("web.log", "./run.sh: line 3:     7 Killed                  python app.py\n");
    let diagnosis = only(&[objects(std::slice::from_ref(&failed)), words.clone(), whole_log("")]);
    check(&diagnosis, "app-error", Some(false), Confidence::Likely);
    assert!(diagnosis.missing.is_empty(), "{:?}", diagnosis.missing);
    let diagnosis = only(&[objects(&[failed]), words]);
    check(&diagnosis, "app-error", None, Confidence::Likely);
    assert_eq!(diagnosis.missing.len(), 1);
}

#[test]
fn lives_of_some_seconds_have_no_shape_and_two_lives_do_not_speak_for_all() {
    let lived = |before: u32, last: u32| {
        let end = |from: &str, seconds: u32| ended(137, "OOMKilled", from, &format!("{}{seconds:02}", &from[..6]));
        pod(end("10:10:00", last), end("10:05:00", before), 3)
    };
    for (before, last, kind, words) in [
        (1, 0, PatternKind::Single, "4 deaths, the shape of its lifetimes is not known."),
        (1, 3, PatternKind::Single, "4 deaths, the shape of its lifetimes is not known."),
        (1, 1, PatternKind::Constant, "4 deaths, equal lifetimes of the last 2"),
        (30, 32, PatternKind::Constant, "4 deaths, equal lifetimes of the last 2"),
        (30, 12, PatternKind::Shrinking, "4 deaths, the last life shorter than the one before."),
        (12, 30, PatternKind::Growing, "4 deaths, the last life longer than the one before."),
    ] {
        let evidence = [objects(&[lived(before, last)])];
        let document = why(&evidence, Vec::new(), Vec::new(), &Ask::default());
        let pattern = &document.diagnoses[0].pattern;
        assert_eq!((pattern.deaths, pattern.kind), (4, kind), "{before} s, {last} s");
        let text = text(&document, Style::Plain, 200);
        assert!(text.contains(words), "{words}: {text}");
    }
}

#[test]
fn a_new_image_is_no_resize() {
    let running = || json!({"running": {"startedAt": "2026-03-01T10:05:02Z"}});
    let changed = pod(running(), ended(0, "Completed", "10:00:00", "10:05:01"), 1);
    let said = |message: &str| event("Killing", message, 1, "10:05:00", "10:05:00");
    let image = only(&[objects(&[changed.clone(), said("Container app definition changed, will be restarted")])]);
    check(&image, "kubelet-restart", Some(false), Confidence::Proven);
    assert!(!image.advice[0].action.contains("resizePolicy"), "{:?}", image.advice);
    assert!(!image.summary.contains("resource"), "{}", image.summary);
    let resize = only(&[objects(&[changed, said("Container app resize requires restart")])]);
    assert!(resize.advice[0].action.contains("resizePolicy"), "{:?}", resize.advice);
}

#[test]
fn a_crash_loop_of_a_pod_that_is_gone_is_told_by_its_last_kill_and_its_template() {
    let set = json!({"apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": {"name": "web-86f796774f", "namespace": "shop"},
        "spec": {"template": {"spec": {"containers": [{"name": "app", "image": "i",
            "resources": {"limits": {"memory": "24Mi"}, "requests": {"memory": "20Mi"}}}]}}}});
    let owner = json!({"kind": "ReplicaSet", "name": "web-86f796774f", "namespace": "shop"});
    let named = |mut event: Value| {
        event["involvedObject"]["name"] = json!("web-86f796774f-p87l2");
        event
    };
    let events = [
        set,
        told(owner, "SuccessfulCreate", "Created pod: web-86f796774f-p87l2", 1, "09:59:00", "09:59:00"),
        named(of_pod("Scheduled", "Successfully assigned shop/web-86f796774f-p87l2 to n1", 1, "09:59:00", "09:59:00")),
        named(event("Started", "Container started", 4, "09:59:01", "10:03:48")),
    ];
    let kills = kill("09:59:03", EARLIER, &[(71, "tail"), (70, "pause")])
        + &kill("10:03:49", ID, &[(77, "tail"), (70, "pause")]);
    let evidence = [objects(&events), whole_log(&kills)];
    let diagnosis = only(&evidence);
    check(&diagnosis, "container-limit-oom", Some(true), Confidence::Likely);
    assert_eq!(
        (diagnosis.memory.limit_bytes, diagnosis.memory.request_bytes),
        (Some(Bytes::mib(24)), Some(Bytes::mib(20)))
    );
    assert_eq!(diagnosis.memory.limit_from.as_deref(), Some("template"));
    assert_eq!(diagnosis.subject.container_id.as_deref(), Some(ID));
    assert!(diagnosis.evidence[0].says.contains("77"), "{:?}", diagnosis.evidence);
    let text = text(&why(&evidence, Vec::new(), Vec::new(), &Ask::default()), Style::Plain, 120);
    assert!(text.contains("10:03:49") && !text.contains("09:59:03Z\n"), "{text}");
}
