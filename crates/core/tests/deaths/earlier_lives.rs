//! What happened earlier in a life, or was never seen, does not explain its end.

use oomph_core::artifact::{Artifact, Kind};
use oomph_core::diagnosis::{Confidence, Diagnosis, VictimKind};
use oomph_core::why::{Ask, why};
use serde_json::{Value, json};

use super::evidence::{ID, UID, log, objects, only};

const NOW: &str = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";

/// A pod whose container ran from 10:00 to 11:00, ended so, and runs again.
fn pod(code: i64, reason: &str) -> Value {
    let end = json!({"exitCode": code, "reason": reason, "startedAt": "2026-03-01T10:00:00Z",
        "finishedAt": "2026-03-01T11:00:00Z", "containerID": format!("containerd://{ID}")});
    json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web", "namespace": "shop", "uid": UID},
        "spec": {"nodeName": "n1", "containers": [{"name": "app", "resources": {"limits": {"memory": "64Mi"}},
            "livenessProbe": {"httpGet": {"path": "/", "port": 80}}}]},
        "status": {"phase": "Running", "containerStatuses": [{"name": "app", "restartCount": 1,
            "containerID": format!("containerd://{NOW}"), "state": {"running": {"startedAt": "2026-03-01T11:00:02Z"}},
            "lastState": {"terminated": end}}]}})
}

/// The same, not restarted.
fn ended(code: i64, reason: &str) -> Value {
    let mut pod = pod(code, reason);
    let status = &mut pod["status"]["containerStatuses"][0];
    status["state"] = status["lastState"].take();
    status["containerID"] = json!(format!("containerd://{ID}"));
    pod
}

/// The two last lines of a report, each behind `head`.
fn kill(head: &str, cgroup: &str, pid: u32, comm: &str) -> String {
    format!(
        "{head} n1 kernel: oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=x,mems_allowed=0,\
         oom_memcg={cgroup},task_memcg={cgroup},task={comm},pid={pid},uid=0\n\
         {head} n1 kernel: Memory cgroup out of memory: Killed process {pid} ({comm}) total-vm:90000kB, \
         anon-rss:60000kB, file-rss:0kB, shmem-rss:0kB, UID:0 pgtables:100kB oom_score_adj:900\n"
    )
}

fn cgroup(id: &str) -> String {
    format!("/kubepods/burstable/pod{UID}/{id}")
}

#[track_caller]
fn check(diagnosis: &Diagnosis, verdict: &str, oom_kill: Option<bool>) {
    assert_eq!((diagnosis.verdict.id(), diagnosis.oom_kill), (verdict, oom_kill), "{}", diagnosis.summary);
}

#[test]
fn a_process_killed_long_before_the_end_was_a_child_and_did_not_make_it() {
    let early = kill("2026-03-01T10:10:00.000000+00:00", &cgroup(ID), 77, "worker");
    let diagnosis = only(&[objects(&[pod(137, "Error")]), log(early.clone())]);
    check(&diagnosis, "undetermined", Some(true));
    assert_eq!(diagnosis.kills, ["k1"]);
    let failed = json!({"apiVersion": "v1", "kind": "Event", "metadata": {"name": "web.1", "namespace": "shop"},
        "involvedObject": {"kind": "Pod", "name": "web", "namespace": "shop", "uid": UID, "fieldPath": "spec.containers{app}"},
        "reason": "Killing", "type": "Normal", "message": "Container app failed liveness probe, will be restarted",
        "firstTimestamp": "2026-03-01T10:59:30Z", "lastTimestamp": "2026-03-01T10:59:30Z", "count": 1});
    check(&only(&[objects(&[pod(137, "Error"), failed]), log(early.clone())]), "liveness-kill", Some(true));
    // Of two the one at the end made it.
    let late = kill("2026-03-01T10:59:59.500000+00:00", &cgroup(ID), 12, "java");
    let diagnosis = only(&[objects(&[pod(137, "OOMKilled")]), log(early + &late)]);
    check(&diagnosis, "container-limit-oom", Some(true));
    assert!(diagnosis.summary.contains("java"), "{}", diagnosis.summary);
}

#[test]
fn a_clock_is_not_bent_until_a_childs_kill_meets_the_end() {
    // Fifteen minutes before; and an hour before, which a zone could be.
    for head in ["Mar  1 10:45:00", "Mar  1 10:00:30"] {
        let early = kill(head, &cgroup(ID), 77, "worker");
        let mut document = why(&[objects(&[pod(137, "Error")]), log(early)], Vec::new(), Vec::new(), &Ask::default());
        let at = document.kernel_kills.remove(0).at.unwrap().to_string();
        assert!(at.contains(head.split(' ').next_back().unwrap()), "{at}");
    }
    // An end that the API calls an OOM kill tells the zone.
    let local = kill("Mar  1 05:00:00", &cgroup(ID), 12, "java");
    let document = why(&[objects(&[pod(137, "OOMKilled")]), log(local)], Vec::new(), Vec::new(), &Ask::default());
    assert_eq!(document.kernel_kills[0].at.unwrap().to_string(), "2026-03-01T11:00:00Z");
}

#[test]
fn who_removes_a_pod_later_did_not_end_its_container() {
    let mut deleted = ended(137, "Error");
    deleted["metadata"]["deletionTimestamp"] = json!("2026-03-01T15:00:00Z");
    deleted["metadata"]["deletionGracePeriodSeconds"] = json!(30);
    check(&only(&[objects(&[deleted.clone()])]), "undetermined", None);
    deleted["metadata"]["deletionTimestamp"] = json!("2026-03-01T11:00:00Z");
    check(&only(&[objects(&[deleted])]), "user-deleted", Some(false));
    let mut evicted = ended(137, "Error");
    evicted["status"]["phase"] = json!("Failed");
    evicted["status"]["conditions"] = json!([{"type": "DisruptionTarget", "status": "True",
        "reason": "EvictionByEvictionAPI", "message": "x", "lastTransitionTime": "2026-03-02T11:00:00Z"}]);
    check(&only(&[objects(&[evicted])]), "undetermined", None);
}

#[test]
fn the_placeholders_of_an_end_that_nobody_saw_are_no_exit_codes() {
    check(&only(&[objects(&[pod(255, "Unknown")])]), "status-lost", None);
    let mut collected = ended(137, "ContainerStatusUnknown");
    collected["status"]["phase"] = json!("Failed");
    collected["status"]["conditions"] = json!([{"type": "DisruptionTarget", "status": "True",
        "reason": "DeletionByPodGC", "message": "x", "lastTransitionTime": "2026-03-01T11:00:00Z"}]);
    check(&only(&[objects(&[collected])]), "controller-deleted", None);
}

#[test]
fn a_stop_signal_is_not_an_end_by_itself() {
    let diagnosis = only(&[objects(&[pod(143, "OOMKilled")])]);
    check(&diagnosis, "child-oom", Some(true));
    assert!(diagnosis.confidence < Confidence::Proven && !diagnosis.summary.contains("by itself with"));
}

#[test]
fn the_only_process_of_a_container_was_its_main_one_whatever_an_older_status_says() {
    let report = format!(
        "2026-03-01T12:00:00Z n1 kernel: java invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=900\n\
         2026-03-01T12:00:00Z n1 kernel: [  pid  ]   uid  tgid total_vm      rss pgtables_bytes swapents oom_score_adj name\n\
         2026-03-01T12:00:00Z n1 kernel: [     12]     0    12    22500    15000   102400        0           900 java\n{}",
        kill("2026-03-01T12:00:00Z", &cgroup(NOW), 12, "java")
    );
    let mut running = pod(0, "Completed");
    running["status"]["containerStatuses"][0]["lastState"] = json!({});
    let diagnosis = only(&[objects(&[running]), log(report)]);
    check(&diagnosis, "container-limit-oom", Some(true));
    assert_eq!(diagnosis.victim, Some(VictimKind::Main));
}

#[test]
fn a_start_that_lost_its_init_process_may_have_been_a_kill() {
    let mut failed = ended(128, "ContainerCannotRun");
    let end = &mut failed["status"]["containerStatuses"][0]["state"]["terminated"];
    end["message"] = json!("OCI runtime create failed: getting the final child's pid from pipe caused: EOF: unknown");
    check(&only(&[objects(&[failed.clone()])]), "start-error", None);
    failed["spec"]["containers"][0]["resources"]["limits"]["memory"] = json!("4Mi");
    check(&only(&[objects(&[failed])]), "start-oom", None);
}

#[test]
fn a_pod_refused_for_memory_is_refused_for_memory_whoever_says_it() {
    let refused = |reason: &str, message: &str| {
        let mut pod = pod(0, "Completed");
        pod["status"] = json!({"phase": "Failed", "reason": reason, "message": message});
        only(&[objects(&[pod])])
    };
    let numa = "Allocate failed due to [memorymanager] no NUMA nodes with enough memory is available";
    check(&refused("UnexpectedAdmissionError", numa), "admission-rejected-memory", Some(false));
    let pressure = refused("Evicted", "Pod The node had condition: [MemoryPressure]. ");
    check(&pressure, "admission-rejected-memory", Some(false));
    assert!(pressure.summary.contains("short of memory"), "{}", pressure.summary);
}

#[test]
fn what_the_kernel_does_not_name_is_not_ruled_out() {
    let line = "[ 7063.247407] Memory cgroup out of memory: Killed process 632 (web) total-vm:3149kB, anon-rss:164kB, \
                file-rss:52kB, shmem-rss:92kB, UID:0 pgtables:1372kB oom_score_adj:986\n";
    let diagnosis = only(&[log(line)]);
    let ruled: Vec<&str> = diagnosis.ruled_out.iter().map(|it| it.verdict.id()).collect();
    assert_eq!((diagnosis.oom_kill, ruled), (Some(true), vec!["node-oom"]), "{:?}", diagnosis.ruled_out);
    let reaped =
        "[Sun Mar  1 06:00:00 2026] oom_reaper: reaped process 99 (x), now anon-rss:0kB, file-rss:0kB, shmem-rss:0kB\n";
    let diagnosis = only(&[log(reaped)]);
    check(&diagnosis, "undetermined", Some(true));
    assert!(diagnosis.ruled_out.is_empty(), "{:?}", diagnosis.ruled_out);
}

#[test]
fn a_kill_asked_for_by_hand_is_not_the_nodes_want() {
    let text = "2026-03-01T12:00:00Z n1 kernel: kworker/0:0 invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=-1, oom_score_adj=0\n\
                2026-03-01T12:00:00Z n1 kernel: oom-kill:constraint=CONSTRAINT_NONE,nodemask=(null),cpuset=/,mems_allowed=0,global_oom,task_memcg=/user.slice,task=app,pid=9,uid=0\n\
                2026-03-01T12:00:00Z n1 kernel: Out of memory: Killed process 9 (app) total-vm:400kB, anon-rss:80kB, file-rss:0kB, shmem-rss:0kB, UID:0 pgtables:100kB oom_score_adj:0\n";
    let diagnosis = only(&[log(text)]);
    assert!(diagnosis.summary.contains("by hand"), "{}", diagnosis.summary);
    assert!(diagnosis.advice.iter().all(|it| !it.action.contains("requests")), "{:?}", diagnosis.advice);
}

/// A container of Docker, with these members of its state, and without a limit where `memory` is zero.
fn inspect(state: Value, memory: u64) -> Artifact {
    let text = json!([{"Id": ID, "Name": "/web", "State": state, "HostConfig": {"Memory": memory}, "Config": {}}]);
    Artifact { kind: Some(Kind::EngineInspect), ..Artifact::new("docker inspect web", text.to_string()) }
}

fn docker(oom: bool, memory: u64) -> Artifact {
    let state = json!({"Status": "exited", "OOMKilled": oom, "ExitCode": 137, "StartedAt": "2026-03-01T10:00:00Z",
        "FinishedAt": "2026-03-01T11:00:00.1Z"});
    inspect(state, memory)
}

fn events(lines: &[(&str, &str)]) -> Artifact {
    let line = |(at, what): &(&str, &str)| format!("2026-03-01T{at}.000000000Z container {}", what.replace("ID", ID));
    Artifact::new("docker events", lines.iter().map(line).collect::<Vec<_>>().join("\n"))
}

#[test]
fn what_an_engine_ended_by_force_was_not_ended_by_an_earlier_oom() {
    let oom = ("10:10:00", "oom ID (image=x, name=web)");
    let stop = [
        ("10:59:50", "kill ID (image=x, name=web, signal=15)"),
        ("11:00:00", "kill ID (image=x, name=web, signal=9)"),
        ("11:00:00", "die ID (exitCode=137, image=x, name=web)"),
        ("11:00:00", "stop ID (image=x, name=web)"),
    ];
    for flag in [true, false] {
        let lines: Vec<_> = [oom].into_iter().chain(stop).collect();
        check(&only(&[docker(flag, 64 << 20), events(&lines)]), "external-sigkill", Some(true));
    }
    // One right before the end is the end's, also where the flag came too late.
    let lines = [("11:00:00", "oom ID (image=x, name=web)"), ("11:00:00", "die ID (exitCode=137, image=x, name=web)")];
    check(&only(&[docker(false, 64 << 20), events(&lines)]), "container-limit-oom", Some(true));
}

#[test]
fn a_container_without_a_limit_did_not_hit_it() {
    let diagnosis = only(&[docker(true, 0)]);
    check(&diagnosis, "node-oom", Some(true));
    assert_eq!(diagnosis.confidence, Confidence::Possible);
    let mut unlimited = ended(137, "OOMKilled");
    unlimited["spec"]["containers"][0]["resources"]["limits"]["memory"] = json!("0");
    let diagnosis = only(&[objects(&[unlimited])]);
    assert!(!diagnosis.summary.contains("0 B"), "{}", diagnosis.summary);
}

#[test]
fn an_engines_flag_on_a_container_that_runs_is_a_childs_kill() {
    let state = json!({"Status": "running", "Running": true, "OOMKilled": true, "ExitCode": 0, "Pid": 12,
        "StartedAt": "2026-03-01T10:00:00Z", "FinishedAt": "0001-01-01T00:00:00Z"});
    check(&only(&[inspect(state, 64 << 20)]), "child-oom-invisible", Some(true));
    let lines = [("10:10:00", "start ID (image=x, name=web)"), ("10:20:00", "oom ID (image=x, name=web)")];
    check(&only(&[events(&lines)]), "child-oom-invisible", Some(true));
}

#[test]
fn counters_that_nobody_names_tell_that_something_was_killed_and_no_more() {
    let counters = Artifact::new("memory.events", "low 0\nhigh 0\nmax 12\noom 3\noom_kill 3\noom_group_kill 0\n");
    let diagnosis = only(&[counters]);
    check(&diagnosis, "undetermined", Some(true));
    assert_eq!(diagnosis.victim, None);
    let calm = Artifact::new("memory.events", "low 0\nhigh 0\nmax 12\noom 0\noom_kill 0\noom_group_kill 0\n");
    assert!(why(&[calm], Vec::new(), Vec::new(), &Ask::default()).diagnoses.is_empty());
}

#[test]
fn a_nodes_event_is_told_when_nothing_else_is() {
    let event = |reason: &str, message: &str| {
        json!({"apiVersion": "v1", "kind": "Event", "metadata": {"name": "n1.1", "namespace": "default"},
            "involvedObject": {"kind": "Node", "name": "n1"}, "reason": reason, "type": "Warning", "message": message,
            "firstTimestamp": "2026-03-01T10:59:30Z", "lastTimestamp": "2026-03-01T10:59:30Z", "count": 1})
    };
    let system = event("SystemOOM", "System OOM encountered, victim process: java, pid: 4211");
    check(&only(&[objects(&[system])]), "node-oom", Some(true));
    let detector = event("OOMKilling", "Memory cgroup out of memory: Killed process 77 (java) total-vm:90kB");
    check(&only(&[objects(&[detector])]), "undetermined", Some(true));
}

#[test]
fn a_child_that_a_log_says_was_killed_leaves_a_kill_open() {
    let text = "2026-03-01T10:59:59Z [ERROR] Worker (pid:7) was sent SIGKILL! Perhaps out of memory?\n";
    let log = || Artifact::new("web_app.log", text);
    check(&only(&[log()]), "undetermined", None);
    let diagnosis = only(&[objects(&[ended(1, "Error")]), log()]);
    check(&diagnosis, "app-error", None);
    assert!(diagnosis.evidence.iter().any(|it| it.excerpt.contains("Perhaps")), "{:?}", diagnosis.evidence);
}

#[test]
fn a_kill_dated_by_a_clock_that_may_have_stood_still_is_the_one_that_the_api_calls_so() {
    // Ten minutes after boot, by the kernel: 50 minutes before the end, less what the machine slept.
    let early = kill("", &cgroup(ID), 77, "app").replace(" n1 kernel:", "[  600.000000]");
    let booted = "2026-03-01T10:00:00Z".parse().ok();
    let ring = || Artifact { kind: Some(Kind::KernelLog), booted, ..Artifact::new("/dev/kmsg", early.clone()) };
    check(&only(&[objects(&[pod(137, "OOMKilled")]), ring()]), "container-limit-oom", Some(true));
    check(&only(&[objects(&[pod(137, "Error")]), ring()]), "undetermined", Some(true));
}

#[test]
fn an_exit_code_that_no_process_can_have_is_no_panic() {
    let state = json!({"Status": "exited", "OOMKilled": true, "ExitCode": i32::MIN, "StartedAt": "2026-03-01T10:00:00Z",
        "FinishedAt": "2026-03-01T11:00:00Z"});
    let lines = [("10:59:59", "kill ID (image=x, name=web, signal=9)")];
    assert_eq!(only(&[inspect(state, 64 << 20), events(&lines)]).oom_kill, Some(true));
}
