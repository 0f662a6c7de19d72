//! What is told of an end long after it: the pod is gone, another life came, the limit was changed, the kubelet stopped
//! counting.

use oomph_core::artifact::Artifact;
use oomph_core::diagnosis::{Confidence, Diagnosis, PatternKind, VictimKind};
use oomph_core::fact::Level;
use oomph_core::units::Bytes;
use oomph_core::why::{Ask, why};
use serde_json::{Value, json};

use super::evidence::{EARLIER, ID, UID, log, objects};

fn ended(id: &str, code: i64, reason: &str, from: &str, to: &str) -> Value {
    json!({"terminated": {"exitCode": code, "reason": reason, "containerID": format!("containerd://{id}"),
        "startedAt": format!("2026-03-01T{from}Z"), "finishedAt": format!("2026-03-01T{to}Z")}})
}

/// A pod of one container with 24 MiB, in this state after that one.
fn pod(state: Value, last: Value, restarts: u32) -> Value {
    json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web", "namespace": "shop", "uid": UID},
        "spec": {"nodeName": "n1", "restartPolicy": "Always", "containers": [
            {"name": "app", "resources": {"limits": {"memory": "24Mi"}, "requests": {"memory": "24Mi"}}}]},
        "status": {"phase": "Running", "qosClass": "Burstable", "containerStatuses": [{"name": "app",
            "restartCount": restarts, "containerID": format!("containerd://{ID}"), "state": state, "lastState": last}]}})
}

fn crash_loop() -> Value {
    json!({"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 5m0s restarting failed container=app"}})
}

/// An event about a container, `count` times between these moments.
fn event(container: &str, reason: &str, message: &str, count: u32, first: &str, last: &str) -> Value {
    let path = if container == "proxy" { "initContainers" } else { "containers" };
    json!({"apiVersion": "v1", "kind": "Event", "reason": reason, "message": message, "type": "Normal",
        "involvedObject": {"kind": "Pod", "name": "web", "namespace": "shop", "uid": UID,
            "fieldPath": format!("spec.{path}{{{container}}}")},
        "source": {"component": "kubelet", "host": "n1"}, "count": count,
        "firstTimestamp": format!("2026-03-01T{first}Z"), "lastTimestamp": format!("2026-03-01T{last}Z")})
}

fn started(container: &str) -> Value {
    event(container, "Started", "Container started", 1, "10:00:00", "10:00:00")
}

fn scheduled() -> Value {
    json!({"apiVersion": "v1", "kind": "Event", "reason": "Scheduled", "message": "Successfully assigned shop/web to n1",
        "type": "Normal", "involvedObject": {"kind": "Pod", "name": "web", "namespace": "shop", "uid": UID}})
}

fn of_pod() -> String {
    format!("/kubepods/burstable/pod{UID}")
}

fn of(id: &str) -> String {
    format!("/kubepods/burstable/pod{UID}/{id}")
}

/// A report of a kill at this time in that container: `rows` of pid, `oom_score_adj` and name, the first the victim.
fn report(at: &str, oom: &str, id: &str, stats: &str, rows: &[(u32, i32, &str)]) -> String {
    let head = format!("2026-03-01T{at}.5Z n1 kernel:");
    let (pid, adj, comm) = rows[0];
    let task = of(id);
    let table: String = rows
        .iter()
        .map(|(pid, adj, comm)| {
            format!("{head} [ {pid:>6}]     0 {pid:>6}     1000      500    40960        0 {adj:>13} {comm}\n")
        })
        .collect();
    format!(
        "{head} {comm} invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj={adj}\n\
         {head} memory: usage 24576kB, limit 24576kB, failcnt 9\n\
         {head} Memory cgroup stats for {oom}:\n\
         {stats}\
         {head} Tasks state (memory values in pages):\n\
         {head} [  pid  ]   uid  tgid total_vm      rss pgtables_bytes swapents oom_score_adj name\n{table}\
         {head} oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=x,mems_allowed=0,oom_memcg={oom},task_memcg={task},task={comm},pid={pid},uid=0\n\
         {head} Memory cgroup out of memory: Killed process {pid} ({comm}) total-vm:9000kB, anon-rss:8000kB, file-rss:4kB, shmem-rss:0kB, UID:0 pgtables:40kB oom_score_adj:{adj}\n"
    )
}

fn explain(artifacts: &[Artifact]) -> Vec<Diagnosis> {
    why(artifacts, Vec::new(), Vec::new(), &Ask { pod: Some("web".into()), ..Ask::default() }).diagnoses
}

#[track_caller]
fn only(artifacts: &[Artifact]) -> Diagnosis {
    let mut all = explain(artifacts);
    assert_eq!(all.len(), 1, "{:?}", all.iter().map(|it| (it.verdict, &it.summary)).collect::<Vec<_>>());
    all.remove(0)
}

#[track_caller]
fn check(diagnosis: &Diagnosis, verdict: &str, oom_kill: Option<bool>, confidence: Confidence) {
    let told = (diagnosis.verdict.id(), diagnosis.oom_kill, diagnosis.confidence);
    assert_eq!(told, (verdict, oom_kill, confidence), "{}", diagnosis.summary);
}

#[test]
fn the_only_process_of_a_pod_that_is_gone_was_its_main_process() {
    let kill = report("10:05:00", &of_pod(), ID, "", &[(77, 999, "tail"), (70, 0, "sandbox")]);
    let diagnosis = only(&[objects(&[scheduled(), started("app")]), log(kill)]);
    check(&diagnosis, "container-limit-oom", Some(true), Confidence::Likely);
    assert_eq!((diagnosis.victim, diagnosis.level), (Some(VictimKind::Main), Some(Level::Pod)));
}

#[test]
fn another_process_of_the_only_container_with_a_lower_pid_makes_the_victim_a_child() {
    let kill = || report("10:05:00", &of_pod(), ID, "", &[(77, 999, "tail"), (75, 999, "sh"), (70, -998, "pause")]);
    let gone = only(&[objects(&[scheduled(), started("app")]), log(kill())]);
    check(&gone, "child-oom", Some(true), Confidence::Likely);
    // A 137 is also what a shell passes on.
    let ended = pod(ended(ID, 137, "OOMKilled", "10:00:00", "10:05:01"), json!({}), 0);
    let diagnosis = only(&[objects(&[ended]), log(kill())]);
    check(&diagnosis, "child-oom", Some(true), Confidence::Likely);
    assert_eq!(diagnosis.victim, Some(VictimKind::Child));
}

#[test]
fn whose_process_a_lower_pid_is_is_not_told_in_a_pod_of_several_containers() {
    let kill = report("10:05:00", &of_pod(), ID, "", &[(77, 999, "tail"), (75, 999, "sh")]);
    let diagnoses = explain(&[objects(&[scheduled(), started("app"), started("log")]), log(kill)]);
    let of_pod = diagnoses.iter().find(|it| it.subject.container.is_none()).unwrap();
    check(of_pod, "undetermined", Some(true), Confidence::Possible);
    assert_eq!((of_pod.victim, of_pod.level), (None, Some(Level::Pod)));
}

#[test]
fn a_kill_in_a_deleted_pod_of_two_containers_is_the_pods_and_excluded_of_neither() {
    let stopped =
        |container| event(container, "Killing", &format!("Stopping container {container}"), 1, "10:04:59", "10:04:59");
    let events = [scheduled(), started("app"), started("log"), stopped("app"), stopped("log")];
    let kill = report("10:05:00", &of(ID), ID, "", &[(77, 999, "tail")]);
    let diagnoses = explain(&[objects(&events), log(kill)]);
    let told = |name: Option<&str>| diagnoses.iter().find(|it| it.subject.container.as_deref() == name).unwrap();
    check(told(None), "container-limit-oom", Some(true), Confidence::Likely);
    assert_eq!((&told(None).kills[..], told(None).subject.container_id.as_deref()), (&["k1".to_owned()][..], Some(ID)));
    for name in ["app", "log"] {
        check(told(Some(name)), "user-deleted", None, Confidence::Likely);
        assert_eq!(told(Some(name)).subject.container_id, None);
    }
}

#[test]
fn a_crash_loop_of_failed_probes_is_one_after_the_kubelet_stopped_counting_its_kills() {
    let looping = pod(crash_loop(), ended(ID, 0, "Completed", "10:16:15", "10:16:19"), 7);
    let failed = |last| event("app", "Unhealthy", "Startup probe failed: ", 36, "10:10:17", last);
    let killed =
        event("app", "Killing", "Container app failed startup probe, will be restarted", 6, "10:10:21", "10:12:08");
    for events in [vec![looping.clone(), failed("10:16:17"), killed.clone()], vec![looping.clone(), failed("10:16:17")]]
    {
        check(&only(&[objects(&events)]), "liveness-kill", Some(false), Confidence::Likely);
    }
    // Its last life failed no probe.
    let events = [looping, failed("10:12:07"), killed];
    check(&only(&[objects(&events)]), "completed", Some(false), Confidence::Proven);
}

#[test]
fn a_limit_that_was_raised_after_the_end_was_not_in_force() {
    let mut raised = pod(
        json!({"running": {"startedAt": "2026-03-01T10:05:02Z"}}),
        ended(EARLIER, 137, "OOMKilled", "10:00:00", "10:05:01"),
        1,
    );
    for resources in ["/spec/containers/0/resources", "/status/containerStatuses/0/resources"] {
        let (parent, _) = resources.rsplit_once('/').unwrap();
        raised.pointer_mut(parent).unwrap()["resources"] =
            json!({"limits": {"memory": "48Mi"}, "requests": {"memory": "48Mi"}});
    }
    let message = r#"Pod resize completed: {"containers":[{"name":"app","resources":{"limits":{"memory":"48Mi"}}}],"generation":2}"#;
    let mut resized = event("app", "ResizeCompleted", message, 1, "10:09:00", "10:09:00");
    resized["involvedObject"].as_object_mut().unwrap().remove("fieldPath");
    let by_api = only(&[objects(&[raised.clone(), resized.clone()])]);
    check(&by_api, "container-limit-oom", Some(true), Confidence::Likely);
    assert!(!by_api.summary.contains("MiB"), "{}", by_api.summary);
    assert_eq!(by_api.memory.limit_bytes, None);
    assert!(by_api.evidence.iter().any(|it| it.says.contains("resized after")), "{:?}", by_api.evidence);

    let kill = report("10:05:00", &of_pod(), EARLIER, "", &[(77, 999, "tail"), (70, -998, "pause")]);
    let by_kernel = only(&[objects(&[raised, resized]), log(kill)]);
    check(&by_kernel, "container-limit-oom", Some(true), Confidence::Proven);
    assert!(by_kernel.summary.contains("24 MiB"), "{}", by_kernel.summary);
    assert_eq!(by_kernel.memory.pod_limit_bytes, Some(Bytes::mib(24)));
}

#[test]
fn files_in_memory_that_an_earlier_life_left_are_why_the_next_cannot_start() {
    let mut full = pod(crash_loop(), ended(ID, 128, "StartError", "10:05:00", "10:05:00"), 3);
    full["spec"]["volumes"] = json!([{"name": "cache", "emptyDir": {"medium": "Memory"}}]);
    full["spec"]["containers"][0]["volumeMounts"] = json!([{"name": "cache", "mountPath": "/cache"}]);
    let head = |at: &str| format!("2026-03-01T{at}.5Z n1 kernel:");
    let stats = |at: &str| format!("{0} anon 1048576\n{0} file 23068672\n{0} shmem 23068672\n", head(at));
    let rows = |pid, comm| [(pid, 999, comm), (70, -998, "pause")];
    let kills = report("10:01:00", &of_pod(), EARLIER, &stats("10:01:00"), &rows(60, "dd"))
        + &report("10:05:00", &of_pod(), ID, &stats("10:05:00"), &rows(77, "runc:[2:INIT]"));
    let diagnosis = only(&[objects(&[full]), log(kills)]);
    check(&diagnosis, "start-oom", Some(true), Confidence::Proven);
    assert!(diagnosis.summary.contains("cache") && diagnosis.summary.contains("22 MiB"), "{}", diagnosis.summary);
    assert!(diagnosis.advice[0].action.contains("sizeLimit"), "{:?}", diagnosis.advice);
    assert!(diagnosis.evidence.iter().any(|it| it.says.contains("an earlier life")), "{:?}", diagnosis.evidence);
}

#[test]
fn an_oom_kill_is_told_though_the_next_life_ended_well() {
    let killed = ended(EARLIER, 137, "OOMKilled", "10:00:00", "10:00:02");
    let well = ended(ID, 0, "Completed", "10:00:03", "10:00:04");
    let diagnosis = only(&[objects(&[pod(well.clone(), killed.clone(), 1)])]);
    check(&diagnosis, "container-limit-oom", Some(true), Confidence::Likely);
    assert_eq!((diagnosis.pattern.deaths, diagnosis.pattern.kind), (1, PatternKind::Single));
    assert!(diagnosis.evidence.iter().any(|it| it.says.contains("then ended well")), "{:?}", diagnosis.evidence);

    let mut init = pod(json!({"running": {"startedAt": "2026-03-01T10:00:05Z"}}), json!({}), 0);
    init["spec"]["initContainers"] = json!([{"name": "prepare", "resources": {"limits": {"memory": "24Mi"}}}]);
    init["status"]["initContainerStatuses"] =
        json!([{"name": "prepare", "restartCount": 1, "state": well, "lastState": killed}]);
    check(&only(&[objects(&[init])]), "container-limit-oom", Some(true), Confidence::Likely);
}

#[test]
fn an_end_of_its_own_after_an_oom_kill_says_so() {
    let killed = ended(EARLIER, 137, "OOMKilled", "10:00:00", "10:00:02");
    let diagnosis = only(&[objects(&[pod(ended(ID, 1, "Error", "10:00:03", "10:00:04"), killed, 1)])]);
    check(&diagnosis, "app-error", Some(false), Confidence::Likely);
    assert!(diagnosis.changes.iter().any(|it| it.what.contains("OOM killed")), "{:?}", diagnosis.changes);
    assert_eq!(diagnosis.pattern.kind, PatternKind::Single);
}

#[test]
fn a_failed_post_start_hook_is_the_kubelets_reason() {
    let looping = pod(crash_loop(), ended(ID, 137, "Error", "10:11:08", "10:11:12"), 3);
    let failed = event("app", "FailedPostStartHook", "PostStartHook failed", 4, "10:10:17", "10:11:10");
    let killed = event("app", "Killing", "FailedPostStartHook", 4, "10:10:17", "10:11:10");
    let diagnosis = only(&[objects(&[looping, failed, killed])]);
    check(&diagnosis, "kubelet-restart", Some(false), Confidence::Proven);
    assert!(diagnosis.summary.contains("postStart"), "{}", diagnosis.summary);
}

#[test]
fn a_sidecar_that_the_kubelet_stops_when_the_pod_is_done_ended_as_it_should() {
    let done = ended(ID, 0, "Completed", "10:00:00", "10:00:10");
    let mut succeeded = pod(done, json!({}), 0);
    succeeded["status"]["phase"] = json!("Succeeded");
    succeeded["spec"]["terminationGracePeriodSeconds"] = json!(2);
    succeeded["spec"]["initContainers"] = json!([{"name": "proxy", "restartPolicy": "Always",
        "resources": {"limits": {"memory": "24Mi"}}}]);
    let stopped = event("proxy", "Killing", "Stopping container proxy", 1, "10:00:10", "10:00:10");
    for (reason, verdict, oom_kill) in
        [("Error", "completed", Some(false)), ("OOMKilled", "container-limit-oom", Some(true))]
    {
        succeeded["status"]["initContainerStatuses"] = json!([{"name": "proxy", "restartCount": 0,
            "state": ended(EARLIER, 137, reason, "10:00:00", "10:00:12")}]);
        let diagnoses = explain(&[objects(&[succeeded.clone(), stopped.clone()])]);
        let proxy = diagnoses.iter().find(|it| it.subject.container.as_deref() == Some("proxy")).unwrap();
        assert_eq!((proxy.verdict.id(), proxy.oom_kill), (verdict, oom_kill), "{}", proxy.summary);
    }
}

#[test]
fn reports_that_the_rate_limit_cut_short_are_a_hole_at_their_own_time() {
    let mut lines: Vec<String> = (0..400)
        .map(|n| format!("2026-03-01T{:02}:{:02}:00.0Z n1 kernel: eth0: link is up, {n}\n", 8 + n / 60, n % 60))
        .collect();
    let elsewhere = report("09:00:00", "/other", EARLIER, "", &[(88, 0, "hog")]);
    let victim = |at: &str, pid: u32| {
        format!(
            "2026-03-01T{at}Z n1 kernel: Memory cgroup out of memory: Killed process {pid} (hog) total-vm:9000kB, \
             anon-rss:8000kB, file-rss:4kB, shmem-rss:0kB, UID:0 pgtables:40kB oom_score_adj:0\n"
        )
    };
    let held_back = "2026-03-01T09:00:06.0Z n1 kernel: oom_kill_process: 2 callbacks suppressed\n".to_owned();
    lines.extend([elsewhere, victim("09:00:01.0", 91), victim("09:00:02.0", 92), held_back]);
    lines.sort_by_key(|line| line.split(' ').next().map(str::to_owned));
    let killed = pod(ended(ID, 137, "Error", "10:00:00", "10:05:00"), json!({}), 0);
    check(
        &only(&[objects(std::slice::from_ref(&killed)), log(lines.concat())]),
        "external-sigkill",
        Some(false),
        Confidence::Likely,
    );
    // One that nothing explains: lines were cut, and others may have been, too.
    lines.push(victim("14:00:00.0", 93));
    lines.sort_by_key(|line| line.split(' ').next().map(str::to_owned));
    check(&only(&[objects(&[killed]), log(lines.concat())]), "undetermined", None, Confidence::Possible);
}

#[test]
fn an_error_that_a_program_can_catch_and_log_proves_no_end() {
    let oom = "java.lang.OutOfMemoryError: Java heap space";
    for (line, code, verdict, confidence) in [
        (oom.to_owned(), 3, "app-error", Confidence::Likely),
        (oom.to_owned(), 1, "runtime-heap-oom", Confidence::Likely),
        (format!("WARN billing answered 500: {oom}"), 1, "app-error", Confidence::Likely),
        (format!("Terminating due to {oom}"), 3, "runtime-heap-oom", Confidence::Proven),
    ] {
        let ended = pod(ended(ID, code, "Error", "10:00:00", "10:05:00"), json!({}), 0);
        let words = Artifact::new("web.log", format!("{line}\n\tat app.Main.main(Main.java:3)\nconfig: bad port\n"));
        check(&only(&[objects(&[ended]), words]), verdict, Some(false), confidence);
    }
}
