//! Whose kill it was: of the container, of its neighbour in the pod, of a cgroup inside it, or of a process beside the
//! sandbox's.

use oomph_core::artifact::Artifact;
use oomph_core::diagnosis::{Diagnosis, VictimKind};
use oomph_core::units::Bytes;
use serde_json::{Value, json};

use crate::evidence::{EARLIER as IDLE, ID as APP, UID, explain};

/// A container that ran from 10:00:00 to 10:01:00 and ended so, or that runs.
fn container(name: &str, id: &str, code: Option<i32>) -> Value {
    let end = code.map(|code| {
        json!({"terminated": {"exitCode": code, "reason": "OOMKilled", "startedAt": "2026-03-01T10:00:00Z",
            "finishedAt": "2026-03-01T10:01:00Z", "containerID": format!("containerd://{id}")}})
    });
    json!({"name": name, "restartCount": 0, "containerID": format!("containerd://{id}"),
        "state": end.unwrap_or_else(|| json!({"running": {"startedAt": "2026-03-01T10:00:00Z"}}))})
}

fn pod(names: &[&str], statuses: &[Value]) -> Artifact {
    let containers: Vec<Value> =
        names.iter().map(|name| json!({"name": name, "resources": {"limits": {"memory": "64Mi"}}})).collect();
    let pod = json!({"apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": "web", "namespace": "shop", "uid": UID},
        "spec": {"nodeName": "n1", "restartPolicy": "Never", "containers": containers},
        "status": {"phase": "Failed", "qosClass": "Burstable", "containerStatuses": statuses}});
    Artifact::new("pod.json", pod.to_string())
}

/// A kernel log from 09:00 to 11:00 with one kill: by the limit of the pod's cgroup, or of one below it.
fn log(at: &str, below: &str, id: &str, rows: &[(u32, &str)], victim: u32, stats: &str) -> Artifact {
    let path = format!("/kubepods/burstable/pod{UID}");
    let comm = rows.iter().find(|(pid, _)| *pid == victim).unwrap().1;
    let mut lines = vec![
        "2026-03-01T09:00:00.000000+00:00 n1 kernel: IPv6: ADDRCONF(NETDEV_CHANGE): eth0: link becomes ready"
            .to_owned(),
    ];
    let mut say = |text: String| lines.push(format!("2026-03-01T{at}.000000+00:00 n1 kernel: {text}"));
    say(format!("{comm} invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=0"));
    say("memory: usage 65536kB, limit 65536kB, failcnt 40".into());
    say(format!("Memory cgroup stats for {path}{below}:"));
    stats.lines().for_each(|line| say(line.to_owned()));
    say("Tasks state (memory values in pages):".into());
    say("[  pid  ]   uid  tgid total_vm      rss pgtables_bytes swapents oom_score_adj name".into());
    for (pid, comm) in rows {
        say(format!("[{pid:7}]     0 {pid:5}    20000    15000    61440        0             0 {comm}"));
    }
    say(format!(
        "oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset={id},mems_allowed=0,oom_memcg={path}{below},\
         task_memcg={path}/{id},task={comm},pid={victim},uid=0"
    ));
    say(format!(
        "Memory cgroup out of memory: Killed process {victim} ({comm}) total-vm:80000kB, anon-rss:60000kB, file-rss:0kB, \
         shmem-rss:0kB, UID:0 pgtables:60kB oom_score_adj:0"
    ));
    lines.push("2026-03-01T11:00:00.000000+00:00 n1 kernel: eth0: link is up".into());
    Artifact::new("kern.log", lines.join("\n") + "\n")
}

/// What is said of one container.
fn of(artifacts: &[Artifact], name: &str) -> Diagnosis {
    let all = explain(artifacts);
    let said: Vec<String> = all.iter().map(|it| it.summary.clone()).collect();
    let named = |it: &Diagnosis| it.subject.container.as_deref() == Some(name);
    all.into_iter().find(named).unwrap_or_else(|| panic!("{name}: {said:?}"))
}

const TWO: [(u32, &str); 3] = [(100, "pause"), (200, "alloc"), (300, "sleep")];

#[test]
fn a_kill_of_the_neighbour_by_the_pods_limit_is_not_this_containers_though_the_runtime_calls_it_oom_killed() {
    for (code, verdict) in [(137, "external-sigkill"), (3, "app-error"), (0, "completed")] {
        let statuses = [container("app", APP, Some(137)), container("idle", IDLE, Some(code))];
        let pod = pod(&["app", "idle"], &statuses);
        let evidence = [pod, log("10:00:30", "", APP, &TWO, 200, "anon 1")];
        let idle = of(&evidence, "idle");
        assert_eq!((idle.verdict.id(), idle.oom_kill), (verdict, Some(false)), "{}", idle.summary);
        let because: Vec<&str> = idle.ruled_out.iter().map(|it| it.because.as_str()).collect();
        let told = because.iter().any(|it| it.contains("one of container aaaaaaaaaaaa at 2026-03-01T10:00:30Z"));
        assert!(told || verdict == "completed", "{because:?}");
        assert_eq!(of(&evidence, "app").verdict.id(), "pod-limit-oom");
    }
}

#[test]
fn a_kill_of_its_own_beside_the_neighbours_stays_its_own() {
    let statuses = [container("app", APP, Some(137)), container("idle", IDLE, Some(137))];
    let evidence = [
        pod(&["app", "idle"], &statuses),
        log("10:00:30", "", APP, &TWO, 200, "anon 1"),
        log("10:01:00", "", IDLE, &TWO, 300, "anon 1"),
    ];
    let idle = of(&evidence, "idle");
    assert_eq!((idle.verdict.id(), idle.oom_kill), ("pod-limit-oom", Some(true)), "{}", idle.summary);
}

#[test]
fn a_kill_by_a_cgroup_that_a_program_made_in_its_container_is_not_by_the_containers_limit() {
    let runs = pod(&["app"], &[container("app", APP, None)]);
    let below = format!("/{APP}/sub");
    let kill = log("10:00:30", &below, APP, &[(210, "tail")], 210, "anon 1");
    let told = of(&[runs, kill], "app");
    assert_eq!((told.verdict.id(), told.victim), ("child-oom-invisible", Some(VictimKind::Child)), "{}", told.summary);
    let memory = (told.memory.limit_bytes, told.memory.limit_from.as_deref());
    assert_eq!(memory, (Some(Bytes(64 << 20)), Some("template")));

    let ended = pod(&["app"], &[container("app", APP, Some(137))]);
    let kill = log("10:01:00", &below, APP, &[(210, "tail")], 210, "anon 1");
    let told = of(&[ended, kill], "app");
    assert_eq!(
        told.summary,
        "Cgroup /sub in container app hit its limit of 64 MiB and the kernel killed its main process tail; the \
         container's own limit was not hit."
    );
    assert!(told.advice[0].action.contains("who limits cgroup /sub"), "{:?}", told.advice);
}

#[test]
fn a_sandbox_by_another_name_is_not_taken_for_the_main_process() {
    let ended = || pod(&["app"], &[container("app", APP, Some(137))]);
    let victim = |rows: &[(u32, &str)]| {
        let told = of(&[ended(), log("10:01:00", "", APP, rows, 200, "anon 1")], "app");
        (told.verdict.id(), told.victim)
    };
    assert_eq!(victim(&[(100, "sleep"), (200, "alloc")]), ("container-limit-oom", Some(VictimKind::Main)));
    let cut = [(200, "alloc"), (260, "worker")];
    assert_eq!(victim(&cut), ("container-limit-oom", Some(VictimKind::Main)), "its sandbox's row is not here");
    assert_eq!(
        victim(&[(100, "sleep"), (150, "sh"), (200, "alloc")]),
        ("child-oom", Some(VictimKind::Child)),
        "its wrapper handed the child's 137 on"
    );
}

#[test]
fn what_a_v1_report_counts_below_the_cgroup_is_counted() {
    let stats = "cache 0\nrss 0\nshmem 0\ntotal_cache 27262976\ntotal_rss 8388608\ntotal_shmem 27262976";
    let ended = pod(&["app"], &[container("app", APP, Some(137))]);
    let told = of(&[ended, log("10:01:00", "", APP, &[(100, "pause"), (200, "alloc")], 200, stats)], "app");
    let composition = &told.memory.composition;
    assert_eq!(composition.shmem_bytes, Some(Bytes(26 << 20)), "{composition:?}");
}
