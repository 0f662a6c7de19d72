//! The traps of explaining a death, one by one: small evidence, the verdict that it bears, and no more.

use oomph_core::artifact::Artifact;
use oomph_core::diagnosis::{Confidence, Diagnosis, VictimKind};
use oomph_core::fact::Level;
use oomph_core::why::{Ask, why};
use serde_json::{Value, json};

use super::evidence::{EARLIER, ID, UID, explain, log, objects, only};

/// A pod with one container, app, that ended so.
fn pod(end: Value) -> Value {
    json!({"apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": "web", "namespace": "shop", "uid": UID},
        "spec": {"nodeName": "n1", "containers": [{"name": "app", "resources": {"limits": {"memory": "64Mi"}, "requests": {"memory": "32Mi"}}}]},
        "status": {"phase": "Running", "qosClass": "Burstable", "containerStatuses": [{"name": "app", "restartCount": 1,
            "containerID": format!("containerd://{ID}"), "state": {"terminated": end}}]}})
}

fn end(code: i64, reason: &str) -> Value {
    json!({"exitCode": code, "reason": reason, "startedAt": "2026-03-01T10:00:00Z", "finishedAt": "2026-03-01T10:05:00Z",
        "containerID": format!("containerd://{ID}")})
}

/// A kernel report in which `oom` fired, the victim was in `task`, and `pids` (pid, comm) were running there.
fn report(at: &str, oom: &str, task: &str, pids: &[(u32, &str)], victim: (u32, &str), limit_kib: u64) -> String {
    let rows: String = pids
        .iter()
        .map(|(pid, comm)| {
            format!(
                "{at} n1 kernel: [ {pid:>6}]     0 {pid:>6}     1000      500    40960        0           999 {comm}\n"
            )
        })
        .collect();
    let (pid, comm) = victim;
    format!(
        "{at} n1 kernel: {comm} invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=999\n\
         {at} n1 kernel: memory: usage {limit_kib}kB, limit {limit_kib}kB, failcnt 9\n\
         {at} n1 kernel: Tasks state (memory values in pages):\n\
         {at} n1 kernel: [  pid  ]   uid  tgid total_vm      rss pgtables_bytes swapents oom_score_adj name\n{rows}\
         {at} n1 kernel: oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=x,mems_allowed=0,oom_memcg={oom},task_memcg={task},task={comm},pid={pid},uid=0\n\
         {at} n1 kernel: Memory cgroup out of memory: Killed process {pid} ({comm}) total-vm:9000kB, anon-rss:8000kB, file-rss:4kB, shmem-rss:0kB, UID:0 pgtables:40kB oom_score_adj:999\n"
    )
}

fn cgroup(id: &str) -> String {
    format!("/kubepods/burstable/pod{UID}/{id}")
}

#[track_caller]
fn check(diagnosis: &Diagnosis, verdict: &str, oom_kill: Option<bool>) {
    assert_eq!((diagnosis.verdict.id(), diagnosis.oom_kill), (verdict, oom_kill), "{}", diagnosis.summary);
}

fn event(reason: &str, message: &str, at: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "Event", "reason": reason, "message": message, "type": "Normal",
        "involvedObject": {"kind": "Pod", "name": "web", "namespace": "shop", "uid": UID, "fieldPath": "spec.containers{app}"},
        "source": {"component": "kubelet", "host": "n1"}, "count": 1, "firstTimestamp": at, "lastTimestamp": at})
}

#[test]
fn oomkilled_with_another_exit_code_is_a_child() {
    for code in [0, 1, 143, 255] {
        let diagnosis = only(&[objects(&[pod(end(code, "OOMKilled"))])]);
        check(&diagnosis, "child-oom", Some(true));
        assert_eq!(diagnosis.victim, Some(VictimKind::Child));
    }
}

#[test]
fn oomkilled_with_137_is_likely_the_containers_limit_and_its_level_is_not_proven() {
    let diagnosis = only(&[objects(&[pod(end(137, "OOMKilled"))])]);
    check(&diagnosis, "container-limit-oom", Some(true));
    assert_eq!((diagnosis.confidence, diagnosis.level_confidence), (Confidence::Likely, Some(Confidence::Likely)));
    assert!(diagnosis.missing.iter().any(|missing| missing.command.contains("n1")));
}

#[test]
fn cri_o_counts_oom_events_so_its_word_is_no_proof_of_a_kill() {
    let mut crio = pod(end(1, "OOMKilled"));
    crio["status"]["containerStatuses"][0]["containerID"] = json!(format!("cri-o://{ID}"));
    let diagnosis = only(&[objects(&[crio])]);
    check(&diagnosis, "child-oom", None);
    assert_eq!(diagnosis.confidence, Confidence::Possible);
}

#[test]
fn the_kernel_log_wins_over_a_status_that_lost_the_kill() {
    let kill = report("2026-03-01T10:05:00.1Z", &cgroup(ID), &cgroup(ID), &[(77, "app")], (77, "app"), 65536);
    let diagnosis = only(&[objects(&[pod(end(137, "Error"))]), log(kill)]);
    check(&diagnosis, "container-limit-oom", Some(true));
    assert_eq!(diagnosis.confidence, Confidence::Proven);
    assert_eq!(diagnosis.kills, ["k1"]);
}

#[test]
fn a_victim_that_is_not_the_first_process_is_a_child_even_with_137() {
    let tasks = [(77, "sh"), (80, "worker")];
    let kill = report("2026-03-01T10:04:59.9Z", &cgroup(ID), &cgroup(ID), &tasks, (80, "worker"), 65536);
    let diagnosis = only(&[objects(&[pod(end(137, "OOMKilled"))]), log(kill)]);
    check(&diagnosis, "child-oom", Some(true));
}

#[test]
fn a_pods_cgroup_with_its_only_containers_limit_points_to_the_container() {
    let pod_cgroup = format!("/kubepods/burstable/pod{UID}");
    let kill = || {
        report("2026-03-01T10:05:00.1Z", &pod_cgroup, &cgroup(ID), &[(70, "pause"), (77, "app")], (77, "app"), 65536)
    };
    let diagnosis = only(&[objects(&[pod(end(137, "OOMKilled"))]), log(kill())]);
    check(&diagnosis, "container-limit-oom", Some(true));
    assert_eq!(diagnosis.level, Some(Level::Pod));

    let mut two = pod(end(137, "OOMKilled"));
    two["spec"]["containers"]
        .as_array_mut()
        .unwrap()
        .push(json!({"name": "log", "resources": {"limits": {"memory": "16Mi"}}}));
    check(&only(&[objects(&[two]), log(kill())]), "pod-limit-oom", Some(true));

    let mut own = pod(end(137, "OOMKilled"));
    own["spec"]["resources"] = json!({"limits": {"memory": "64Mi"}});
    check(&only(&[objects(&[own]), log(kill())]), "pod-limit-oom", Some(true));
}

#[test]
fn a_kill_at_kubepods_is_the_nodes_allocatable_memory_whatever_the_api_says() {
    let kill = report("2026-03-01T10:05:00.1Z", "/kubepods", &cgroup(ID), &[(77, "app")], (77, "app"), 9_000_000);
    let diagnosis = only(&[objects(&[pod(end(137, "OOMKilled"))]), log(kill)]);
    check(&diagnosis, "node-allocatable-oom", Some(true));
    assert!(diagnosis.ruled_out.iter().any(|rival| rival.verdict.id() == "container-limit-oom"));
}

#[test]
fn a_global_kill_is_the_nodes_though_containerd_says_oomkilled() {
    let text = format!(
        "2026-03-01T10:05:00.1Z n1 kernel: dd invoked oom-killer: gfp_mask=0x140cca(GFP_HIGHUSER_MOVABLE|__GFP_COMP), order=0, oom_score_adj=0\n\
         2026-03-01T10:05:00.1Z n1 kernel: oom-kill:constraint=CONSTRAINT_NONE,nodemask=(null),cpuset=/,mems_allowed=0,global_oom,task_memcg={},task=app,pid=77,uid=0\n\
         2026-03-01T10:05:00.1Z n1 kernel: Out of memory: Killed process 77 (app) total-vm:9000kB, anon-rss:8000kB, file-rss:4kB, shmem-rss:0kB, UID:0 pgtables:40kB oom_score_adj:999\n",
        cgroup(ID)
    );
    let diagnosis = only(&[objects(&[pod(end(137, "OOMKilled"))]), log(text)]);
    check(&diagnosis, "node-oom", Some(true));
    assert_eq!(diagnosis.level, Some(Level::Node));
}

#[test]
fn a_kill_of_an_earlier_life_does_not_explain_this_one() {
    let kill = report("2026-03-01T09:59:00.1Z", &cgroup(EARLIER), &cgroup(EARLIER), &[(60, "app")], (60, "app"), 65536);
    let probe = event("Killing", "Container app failed liveness probe, will be restarted", "2026-03-01T10:04:30Z");
    let diagnosis = only(&[objects(&[pod(end(137, "Error")), probe]), log(kill)]);
    check(&diagnosis, "liveness-kill", Some(false));
    assert_eq!(diagnosis.termination.grace_expired, Some(true));
}

#[test]
fn a_child_killed_in_the_present_life_is_told_beside_the_earlier_end() {
    let mut running = pod(end(1, "Error"));
    let status = &mut running["status"]["containerStatuses"][0];
    status["lastState"] = json!({"terminated": end(1, "Error")});
    status["lastState"]["terminated"]["containerID"] = json!(format!("containerd://{EARLIER}"));
    status["state"] = json!({"running": {"startedAt": "2026-03-01T10:05:01Z"}});
    let kill =
        report("2026-03-01T10:30:00.1Z", &cgroup(ID), &cgroup(ID), &[(90, "sh"), (99, "job")], (99, "job"), 65536);
    let all = explain(&[objects(&[running]), log(kill)]);
    assert!(all.iter().any(|it| it.oom_kill == Some(true)), "{all:#?}");
}

#[test]
fn a_bare_137_is_undetermined_and_null() {
    let diagnosis = only(&[objects(&[pod(end(137, "Error"))])]);
    check(&diagnosis, "undetermined", None);
    assert!(diagnosis.advice.iter().all(|advice| !advice.action.contains("raise")));
}

/// The silent log with other lines among its own, where their times put them.
fn silent_log_with(lines: &str) -> Artifact {
    let silent = silent_log();
    let mut all: Vec<&str> = silent.lines().chain(lines.lines()).collect();
    all.sort_by_key(|line| line.split(' ').next());
    log(all.join("\n"))
}

/// A report of a kill in another pod.
fn report_elsewhere(at: &str) -> String {
    let path = format!("/kubepods/burstable/pod99999999-2222-3333-4444-555555555555/{EARLIER}");
    report(at, &path, &path, &[(88, "hog")], (88, "hog"), 65536)
}

/// A log of one boot, complete around the end, with nothing about it.
fn silent_log() -> String {
    (0..400)
        .map(|n| format!("2026-03-01T{:02}:{:02}:00.0Z n1 kernel: eth0: link is up, {n}\n", 8 + n / 60, n % 60))
        .collect()
}

#[test]
fn a_silent_kernel_log_that_covers_the_end_excludes_a_kill() {
    let diagnosis = only(&[objects(&[pod(end(137, "Error"))]), log(silent_log())]);
    check(&diagnosis, "external-sigkill", Some(false));
    assert!(diagnosis.ruled_out.iter().any(|rival| rival.verdict.id() == "node-oom"));
}

#[test]
fn silence_proves_nothing_of_another_node_or_a_sandboxed_runtime_or_with_lost_lines() {
    let mut elsewhere = pod(end(137, "Error"));
    elsewhere["spec"]["nodeName"] = json!("n2");
    check(&only(&[objects(&[elsewhere]), log(silent_log())]), "undetermined", None);

    let mut kata = pod(end(137, "Error"));
    kata["spec"]["runtimeClassName"] = json!("kata-qemu");
    check(&only(&[objects(&[kata]), log(silent_log())]), "undetermined", None);

    let lost = format!("{}2026-03-01T12:00:00.0Z n1 kernel: oom_kill_process: 70 callbacks suppressed\n", silent_log());
    check(&only(&[objects(&[pod(end(137, "Error"))]), log(lost)]), "undetermined", None);
}

#[test]
fn reports_held_back_by_the_rate_limit_hide_only_kills_of_its_five_seconds() {
    let told = "2026-03-01T12:00:00.5Z n1 kernel: oom_kill_process: 70 callbacks suppressed\n";
    for (reported, verdict, oom_kill) in [
        ("2026-03-01T09:00:00.0Z", "external-sigkill", Some(false)),
        // The end is at 10:05:00, perhaps of a kill up to a minute before; and clocks differ by seconds.
        ("2026-03-01T10:03:50.0Z", "external-sigkill", Some(false)),
        ("2026-03-01T10:03:57.0Z", "undetermined", None),
        ("2026-03-01T10:05:02.0Z", "undetermined", None),
        ("2026-03-01T10:05:04.0Z", "external-sigkill", Some(false)),
    ] {
        let log = silent_log_with(&(report_elsewhere(reported) + told));
        let diagnoses = explain(&[objects(&[pod(end(137, "Error"))]), log]);
        let of_pod = diagnoses.iter().find(|it| it.subject.container_id.as_deref() == Some(ID)).unwrap();
        check(of_pod, verdict, oom_kill);
    }
    let diagnosis = only(&[objects(&[pod(end(137, "Error"))]), silent_log_with(told)]);
    check(&diagnosis, "undetermined", None);
    let why = &diagnosis.missing[0].what;
    assert!(why.contains("lines were lost between 2026-03-01T08:00:00Z and 2026-03-01T12:00:00.5Z"), "{why}");
}

#[test]
fn lines_lost_between_two_others_hide_only_kills_of_that_time() {
    for (told, verdict, oom_kill) in [
        ("2026-03-01T10:04:30.0Z n1 kernel: ** 12 printk messages dropped **", "undetermined", None),
        ("2026-03-01T10:09:30.0Z n1 kernel: ** 12 printk messages dropped **", "external-sigkill", Some(false)),
        ("2026-03-01T10:05:30.0Z n1 systemd-journald[3]: Missed 12 kernel messages", "undetermined", None),
        ("2026-03-01T09:30:30.0Z n1 systemd-journald[3]: Missed 12 kernel messages", "external-sigkill", Some(false)),
    ] {
        check(&only(&[objects(&[pod(end(137, "Error"))]), silent_log_with(told)]), verdict, oom_kill);
    }
}

#[test]
fn a_static_pod_is_found_by_its_config_hash() {
    let hash = "0123456789abcdef0123456789abcdef";
    let mut fixed = pod(end(137, "Error"));
    fixed["metadata"]["annotations"] = json!({"kubernetes.io/config.hash": hash});
    let path = format!("/kubepods/burstable/pod{hash}/{EARLIER}");
    let kill = report("2026-03-01T10:05:00.1Z", &path, &path, &[(77, "app")], (77, "app"), 65536);
    fixed["status"]["containerStatuses"][0]["state"]["terminated"]["containerID"] = Value::Null;
    fixed["status"]["containerStatuses"][0]["containerID"] = Value::Null;
    check(&only(&[objects(&[fixed]), log(kill)]), "container-limit-oom", Some(true));
}

#[test]
fn a_placeholder_137_is_no_exit_code() {
    let lost = json!({"exitCode": 137, "reason": "ContainerStatusUnknown", "message": "The container could not be located",
        "startedAt": null, "finishedAt": null});
    check(&only(&[objects(&[pod(lost.clone())])]), "status-lost", None);

    let mut evicted = pod(lost);
    evicted["status"]["phase"] = json!("Failed");
    evicted["status"]["reason"] = json!("Evicted");
    evicted["status"]["message"] =
        json!("The node was low on resource: memory. Threshold quantity: 100Mi, available: 50Mi. ");
    check(&only(&[objects(&[evicted])]), "kubelet-memory-eviction", Some(false));
}

#[test]
fn conditions_tell_who_took_the_pod_away() {
    for (reason, verdict) in [
        ("PreemptionByScheduler", "preempted"),
        ("DeletionByTaintManager", "taint-eviction"),
        ("EvictionByEvictionAPI", "api-eviction"),
        ("DeletionByPodGC", "controller-deleted"),
    ] {
        let mut gone = pod(end(137, "Error"));
        gone["metadata"]["deletionTimestamp"] = json!("2026-03-01T10:05:00Z");
        gone["status"]["conditions"] =
            json!([{"type": "DisruptionTarget", "status": "True", "reason": reason, "message": "x"}]);
        check(&only(&[objects(&[gone])]), verdict, Some(false));
    }
}

#[test]
fn an_eviction_from_a_cordoned_node_is_a_drain() {
    let mut gone = pod(end(143, "Error"));
    gone["metadata"]["deletionTimestamp"] = json!("2026-03-01T10:05:00Z");
    gone["status"]["conditions"] =
        json!([{"type": "DisruptionTarget", "status": "True", "reason": "EvictionByEvictionAPI", "message": "x"}]);
    let node = json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "n1"}, "spec": {"unschedulable": true}, "status": {"nodeInfo": {}}});
    check(&only(&[objects(&[gone, node])]), "node-drain", Some(false));
}

#[test]
fn windows_has_no_oom_killer_and_nothing_is_said_of_one() {
    let mut windows = pod(end(1, "Error"));
    windows["spec"]["os"] = json!({"name": "windows"});
    check(&only(&[objects(&[windows])]), "app-error", None);
}

#[test]
fn the_runtimes_init_killed_before_the_program_is_a_limit_too_small_to_start() {
    let message = "failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: \
        unable to start container process: container init was OOM-killed (memory limit too low?): unknown";
    let mut failed = end(128, "StartError");
    failed["message"] = json!(message);
    let diagnosis = only(&[objects(&[pod(failed)])]);
    check(&diagnosis, "start-oom", Some(true));
    assert_eq!(diagnosis.victim, Some(VictimKind::RuntimeInit));
}

#[test]
fn a_log_line_turns_an_exit_of_its_own_into_the_runtimes_limit() {
    let logs = Artifact::new(
        "logs/web.app.1.log",
        "working\njava.lang.OutOfMemoryError: Java heap space\n\tat x.Y.z(Y.java:1)\n",
    );
    let diagnosis = only(&[objects(&[pod(end(1, "Error"))]), logs]);
    check(&diagnosis, "runtime-heap-oom", Some(false));
    // It may have been caught and logged.
    assert_eq!(diagnosis.confidence, Confidence::Likely);
}

#[test]
fn a_pod_that_is_gone_is_answered_from_its_events() {
    let stopping = event("Killing", "Stopping container app", "2026-03-01T10:05:00Z");
    let diagnosis = only(&[objects(&[stopping])]);
    check(&diagnosis, "user-deleted", Some(false));
    assert_eq!((diagnosis.subject.pod.as_deref(), diagnosis.subject.container.as_deref()), (Some("web"), Some("app")));

    let stopping = event("Killing", "Stopping container app", "2026-03-01T10:05:00Z");
    let scaled = json!({"apiVersion": "v1", "kind": "Event", "reason": "SuccessfulDelete", "message": "Deleted pod: web",
        "involvedObject": {"kind": "ReplicaSet", "name": "web-1", "namespace": "shop"}, "lastTimestamp": "2026-03-01T10:04:59Z"});
    check(&only(&[objects(&[stopping, scaled])]), "controller-deleted", Some(false));
}

#[test]
fn healthy_containers_have_no_diagnosis() {
    let mut healthy = pod(Value::Null);
    healthy["status"]["containerStatuses"][0] = json!({"name": "app", "restartCount": 0, "containerID": format!("containerd://{ID}"), "state": {"running": {"startedAt": "2026-03-01T10:00:00Z"}}});
    assert!(explain(&[objects(&[healthy])]).is_empty());
}

#[test]
fn every_evidence_has_a_source_and_the_document_is_newest_first() {
    let mut older = pod(end(137, "OOMKilled"));
    older["metadata"]["name"] = json!("older");
    older["metadata"]["uid"] = json!("99999999-2222-3333-4444-555555555555");
    older["status"]["containerStatuses"][0]["state"]["terminated"]["finishedAt"] = json!("2026-03-01T09:00:00Z");
    let all = explain(&[objects(&[older, pod(end(1, "Error"))])]);
    let pods: Vec<_> = all.iter().map(|it| it.subject.pod.as_deref().unwrap()).collect();
    assert_eq!(pods, ["web", "older"]);
    for diagnosis in &all {
        assert!(!diagnosis.evidence.is_empty());
        assert!(
            diagnosis
                .evidence
                .iter()
                .all(|evidence| evidence.source == "objects.json" && evidence.locator.starts_with("/items/"))
        );
    }
}

#[test]
fn one_kill_in_two_logs_that_name_the_node_differently_is_one() {
    let told = |prefix: &str| {
        let text = report("", &cgroup(ID), &cgroup(ID), &[(7, "app")], (7, "app"), 65_536);
        text.replace(" n1 kernel:", prefix)
    };
    let logs = [
        log(told("Mar  1 10:04:59 n1 kernel: [  812.100000]")),
        log(told("Mar  1 10:04:59 n1.example kernel: [  812.100000]")),
    ];
    let document = why(&logs, Vec::new(), Vec::new(), &Ask::default());
    assert_eq!(document.kernel_kills.len(), 1);
    assert_eq!(document.diagnoses[0].kills, ["k1"]);
}
