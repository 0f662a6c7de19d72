//! What the evidence does not bear: logs of several boots, lines that name nobody, words that contradict each other.

use oomph_core::artifact::Artifact;
use oomph_core::diagnosis::Confidence;
use oomph_core::fact::Level;
use oomph_core::why::{Ask, why};
use serde_json::{Value, json};

use super::evidence::{explain, log, objects, only};

const DEAD: &str = "cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc";
const ALIVE: &str = "dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd";

/// A pod of node n7 whose container was restarted after an end at 08:15:30.
fn pod(runtime: &str, reason: &str) -> Artifact {
    let status: Value = json!({"name": "cart", "restartCount": 1, "containerID": format!("{runtime}://{ALIVE}"),
        "state": {"running": {"startedAt": "2026-05-04T08:15:31Z"}},
        "lastState": {"terminated": {"exitCode": 137, "reason": reason, "startedAt": "2026-05-04T07:00:00Z",
            "finishedAt": "2026-05-04T08:15:30Z", "containerID": format!("{runtime}://{DEAD}")}}});
    let pod = json!({"apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": "cart-0", "namespace": "shop", "uid": "99999999-8888-7777-6666-555555555555"},
        "spec": {"nodeName": "n7", "containers": [{"name": "cart", "resources": {"limits": {"memory": "96Mi"}}}]},
        "status": {"phase": "Running", "containerStatuses": [status]}});
    Artifact::new("pod.json", pod.to_string())
}

/// Lines of n7's kernel about nothing, one a minute from 07:00 to the hour and minute.
fn quiet(from: u32, to: u32) -> String {
    let line = |minute: u32| {
        let (hour, minute) = (7 + minute / 60, minute % 60);
        format!("2026-05-04T{hour:02}:{minute:02}:05.000000+00:00 n7 kernel: eth0: link becomes ready\n")
    };
    (from..to).map(line).collect()
}

#[test]
fn what_fell_between_two_boots_is_not_ruled_out_by_the_log_of_both() {
    let pod = pod("containerd", "Error");
    let whole = only(&[pod.clone(), log(quiet(0, 120))]);
    assert_eq!((whole.verdict.id(), whole.oom_kill), ("external-sigkill", Some(false)));
    let boot = "2026-05-04T08:20:00.000000+00:00 n7 kernel: Linux version 6.1.0-18-amd64 (build@host)\n";
    let borders = [boot.to_owned(), "-- Boot 0123456789abcdef0123456789abcdef --\n".into(), "-- Reboot --\n".into()];
    for border in borders {
        let log = log(quiet(0, 72) + &border + &quiet(80, 120));
        assert_eq!(only(&[pod.clone(), log]).oom_kill, None, "{border}");
    }
    let entry = |boot: &str, second: u64| {
        json!({"MESSAGE": "eth0: link becomes ready", "_TRANSPORT": "kernel", "SYSLOG_IDENTIFIER": "kernel",
            "_HOSTNAME": "n7", "_BOOT_ID": boot, "__REALTIME_TIMESTAMP": (1_777_878_000_000_000 + second * 1_000_000).to_string()})
        .to_string()
            + "\n"
    };
    // 1777878000 is 07:00:00.
    let journal = |gap: std::ops::Range<u64>, second: &str| -> String {
        let minutes = (0..120).filter(|minute| !gap.contains(minute));
        minutes.map(|minute| entry(if minute < gap.end { "aa01" } else { second }, minute * 60)).collect()
    };
    assert_eq!(only(&[pod.clone(), log(journal(0..0, "aa01"))]).oom_kill, Some(false));
    assert_eq!(only(&[pod.clone(), log(journal(72..80, "bb02"))]).oom_kill, None);
    // Of the boot before the last one the log is whole where it reaches past the end.
    let log = log(quiet(0, 90) + boot.replace("08:20", "08:40").as_str() + &quiet(101, 120));
    assert_eq!(only(&[pod, log]).oom_kill, Some(false));
}

#[test]
fn a_few_lines_hours_apart_are_no_log_that_rules_anything_out() {
    let sparse = quiet(0, 1) + &quiet(119, 120);
    assert_eq!(only(&[pod("containerd", "Error"), log(sparse)]).oom_kill, None);
}

#[test]
fn a_kill_line_without_a_cgroup_is_of_the_one_end_of_that_moment() {
    let line = "Memory cgroup out of memory: Killed process 4242 (cartd) total-vm:200000kB, anon-rss:90000kB, file-rss:40kB, shmem-rss:0kB, UID:0 pgtables:300kB oom_score_adj:968";
    let engine = json!([{"Id": DEAD, "Name": "/cart", "State": {"Status": "exited", "OOMKilled": true, "ExitCode": 137,
        "StartedAt": "2026-05-04T07:00:00Z", "FinishedAt": "2026-05-04T08:15:30.2Z"}, "HostConfig": {"Memory": 100_663_296}}]);
    let engine = Artifact::new("inspect.json", engine.to_string());
    for head in ["[Mon May  4 10:15:30 2026] ", "2026-05-04T08:15:29+00:00 n7 kernel: ", "[ 5150.123456] "] {
        for status in [pod("containerd", "OOMKilled"), engine.clone()] {
            let found = only(&[status, log(format!("{head}{line}\n"))]);
            assert_eq!(found.kills, ["k1"], "{head}");
            assert_eq!((found.oom_kill, found.level), (Some(true), Some(Level::Container)), "{head}");
            assert!(found.summary.contains("cartd"), "{}", found.summary);
        }
    }
    let elsewhere = format!("2026-05-04T08:15:29+00:00 n8 kernel: {line}\n");
    let another = format!("2026-05-04T07:30:29+00:00 n7 kernel: {line}\n");
    let days_before = format!("[Sat May  2 10:15:30 2026] {line}\n");
    for text in [elsewhere, another, days_before] {
        assert_eq!(explain(&[pod("containerd", "OOMKilled"), log(text)]).len(), 2);
    }
    let alone = only(&[log(format!("[ 5150.123456] {line}\n"))]);
    assert!(alone.summary.contains("whose limit it was is not told"), "{}", alone.summary);
}

#[test]
fn an_undated_kill_for_want_of_the_nodes_memory_is_not_tied_to_a_container() {
    let line = "[ 5150.123456] Out of memory: Killed process 77 (chrome) total-vm:200000kB, anon-rss:90000kB, file-rss:40kB, shmem-rss:0kB, UID:0 pgtables:300kB oom_score_adj:300\n";
    let found = explain(&[pod("containerd", "OOMKilled"), log(line)]);
    let own = found.iter().find(|it| it.subject.container.as_deref() == Some("cart")).unwrap();
    assert_eq!((own.verdict.id(), own.kills.len()), ("container-limit-oom", 0), "{}", own.summary);
}

#[test]
fn what_cri_o_calls_an_oom_kill_is_doubted_where_the_whole_log_names_none() {
    let found = only(&[pod("cri-o", "OOMKilled"), log(quiet(0, 120))]);
    assert_eq!((found.verdict.id(), found.oom_kill, found.confidence), ("undetermined", None, Confidence::Possible));
    assert!(found.evidence.iter().any(|evidence| evidence.source == "kern.log"));
    let found = only(&[pod("containerd", "OOMKilled"), log(quiet(0, 120))]);
    assert_eq!((found.verdict.id(), found.oom_kill), ("container-limit-oom", Some(true)));
    assert!(found.evidence.iter().any(|evidence| evidence.source == "kern.log"));
}

#[test]
fn a_counter_tells_of_the_life_whose_cgroup_it_is() {
    let events = |id: &str| {
        let path = format!(
            "/sys/fs/cgroup/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod99999999_8888_7777_6666_555555555555.slice/cri-containerd-{id}.scope/memory.events"
        );
        Artifact::new("events", format!("==> {path} <==\nlow 0\nhigh 0\nmax 9\noom 2\noom_kill 1\noom_group_kill 0\n"))
    };
    let dead = only(&[pod("containerd", "Error"), events(DEAD)]);
    assert_eq!((dead.verdict.id(), dead.oom_kill), ("container-limit-oom", Some(true)));
    let alive = only(&[pod("containerd", "Error"), events(ALIVE)]);
    assert_eq!((alive.verdict.id(), alive.oom_kill), ("child-oom-invisible", Some(true)));
    let nameless = Artifact::new("memory.events", "low 0\nhigh 0\nmax 9\noom 2\noom_kill 1\noom_group_kill 0\n");
    let nobodys = only(&[pod("containerd", "Error"), nameless]);
    assert_eq!((nobodys.verdict.id(), nobodys.oom_kill), ("undetermined", None));
}

#[test]
fn a_limit_of_kernel_memory_is_told_by_its_own_number() {
    let path = "/docker/".to_owned() + DEAD;
    let lines = [
        "perl invoked oom-killer: gfp_mask=0x6000c0(GFP_KERNEL), nodemask=(null), order=0, oom_score_adj=0".to_owned(),
        format!("Task in {path} killed as a result of limit of {path}"),
        "memory: usage 30000kB, limit 98304kB, failcnt 0".into(),
        "memory+swap: usage 30000kB, limit 9007199254740988kB, failcnt 0".into(),
        "kmem: usage 16384kB, limit 16384kB, failcnt 55".into(),
        "Memory cgroup out of memory: Kill process 771 (perl) score 900 or sacrifice child".into(),
        "Killed process 771 (perl) total-vm:80000kB, anon-rss:8000kB, file-rss:800kB, shmem-rss:0kB".into(),
    ];
    let text: String = lines.iter().map(|line| format!("[ 77.000001] {line}\n")).collect();
    let found = only(&[log(text)]);
    assert!(found.summary.contains("kernel memory limit of 16 MiB"), "{}", found.summary);
}

#[test]
fn a_count_of_kills_that_names_nobody_is_told_beside_what_runs_well() {
    let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web", "namespace": "shop"},
        "spec": {"containers": [{"name": "app"}]}, "status": {"containerStatuses": [{"name": "app", "restartCount": 0,
            "state": {"running": {"startedAt": "2026-03-01T10:00:00Z"}}}]}});
    let events =
        |kills: u32| Artifact::new("memory.events", format!("low 0\nhigh 0\nmax 9\noom 3\noom_kill {kills}\n"));
    let found = only(&[objects(std::slice::from_ref(&pod)), events(3)]);
    assert_eq!((found.verdict.id(), found.oom_kill, found.subject.pod), ("undetermined", Some(true), None));
    assert!(explain(&[objects(&[pod]), events(0)]).is_empty());
}

#[test]
fn objects_that_break_off_in_the_middle_of_a_value_are_read_up_to_there_and_said_to() {
    let text = "apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: Pod\n  metadata: {name: web, namespace: shop}\n  \
                status:\n    containerStatuses:\n    - name: app\n      restartCount: 3\n      \
                state: {waiting: {reason: CrashLoopBackOff}}\n      lastState:\n        \
                terminated: {exitCode: 137, reason: OOMKilled, startedAt: \"2026-03-01T10:0";
    let document = why(&[Artifact::new("pods.yaml", text)], Vec::new(), Vec::new(), &Ask::default());
    let told: Vec<_> = document.diagnoses.iter().map(|it| (it.verdict.id(), it.oom_kill)).collect();
    assert_eq!(told, [("undetermined", None)]);
    assert!(document.gaps[0].because.starts_with("it breaks off in line 13"), "{:?}", document.gaps);
}

#[test]
fn a_userspace_killer_was_first_only_where_the_kernel_killed_nothing() {
    let killed = format!(
        "2026-05-04T08:15:30+00:00 n7 systemd-oomd[812]: Killed /kubepods.slice/kubepods-burstable.slice/\
         kubepods-burstable-pod99999999_8888_7777_6666_555555555555.slice/cri-containerd-{DEAD}.scope due to memory \
         pressure for /kubepods.slice being 61.00% > 60.00% for > 20s with reclaim activity\n"
    );
    let summary = |reason: &str| {
        let artifacts = [pod("containerd", reason), Artifact::new("oomd.log", killed.clone())];
        let document = why(&artifacts, Vec::new(), Vec::new(), &Ask::default());
        document.diagnoses[0].summary.clone()
    };
    assert_eq!(summary("OOMKilled"), "systemd-oomd killed container cart: the node was short of memory.");
    assert!(summary("Error").ends_with("short of memory, and it acted before the kernel did."));
}
