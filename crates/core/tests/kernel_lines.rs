//! Lines of the kernel, of killers in userspace and of programs that only speak alike, and the facts that they bear.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test says what it expected")]

use oomph_core::artifact::{Artifact, ArtifactId};
use oomph_core::decode::{Decoded, decode};
use oomph_core::fact::{KernelKill, Victim, What};

fn log_of(bytes: &[u8]) -> Decoded {
    decode(ArtifactId(0), &Artifact::new("log", bytes))
}

fn kills(decoded: &Decoded) -> Vec<&KernelKill> {
    let kills = decoded.facts.iter().filter_map(|fact| match &fact.what {
        What::Kill(kill) => Some(&**kill),
        _ => None,
    });
    kills.collect()
}

const UID: &str = "11111111-2222-3333-4444-555555555555";

/// A container's cgroup of that pod.
fn cgroup() -> String {
    format!("/kubepods/burstable/pod{UID}/{}", "a".repeat(64))
}

#[test]
fn a_victim_that_is_exiting_already_is_no_victim() {
    let path = cgroup();
    let skipped = format!(
        "[  100.300000] oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=x,mems_allowed=0,oom_memcg={path},task_memcg={path},task=app,pid=4242,uid=0\n\
         [  100.400000] Memory cgroup out of memory: OOM victim 4242 (app) is already exiting. Skip killing the task\n"
    );
    let log = log_of(skipped.as_bytes());
    assert_eq!(kills(&log).iter().map(|kill| kill.victims.len()).collect::<Vec<_>>(), [0]);

    let group = format!(
        "{skipped}[  100.400100] Tasks in {path} are going to be killed due to memory.oom.group set\n\
         [  100.400200] Memory cgroup out of memory: Killed process 4243 (job) total-vm:9kB, anon-rss:8kB, file-rss:0kB, shmem-rss:0kB, UID:0 pgtables:4kB oom_score_adj:0\n"
    );
    let log = log_of(group.as_bytes());
    let victims: Vec<_> = kills(&log)[0].victims.iter().map(|victim| victim.pid).collect();
    assert_eq!(victims, [Some(4243)]);
}

#[test]
fn the_line_of_a_group_alone_is_a_kill_of_victims_without_a_name() {
    let line = format!(
        "May 01 11:00:00 n1 kernel: Tasks in {} are going to be killed due to memory.oom.group set\n",
        cgroup()
    );
    let log = log_of(line.as_bytes());
    let [kill] = kills(&log)[..] else { panic!("one kill") };
    assert_eq!((kill.pod_uid.as_deref(), kill.group, &kill.victims[..]), (Some(UID), true, &[Victim::default()][..]));
}

#[test]
fn the_zone_of_a_journals_date_is_no_host() {
    for (zone, at) in
        [("CEST", "2024-05-01T11:00:00Z"), ("+02", "2024-05-01T11:00:00Z"), ("IST", "2024-05-01T13:00:00Z")]
    {
        let line = format!(
            "Wed 2024-05-01 13:00:00 {zone} n1 kernel: Out of memory: Killed process 4242 (java) total-vm:400kB\n"
        );
        let log = log_of(line.as_bytes());
        let [kill] = kills(&log)[..] else { panic!("one kill") };
        let at_said = kill.at.map(|at| at.to_string());
        assert_eq!(
            (kill.node.as_deref(), at_said.as_deref(), kill.at_zone_known),
            (Some("n1"), Some(at), zone != "IST")
        );
    }
}

#[test]
fn killers_in_userspace_are_heard_behind_a_bare_clock_and_without_their_name() {
    let unit = format!("docker-{}.scope", "a".repeat(64));
    let told = |text: &str| {
        let facts = decode(ArtifactId(0), &Artifact::new("log", text)).facts;
        facts.into_iter().find_map(|fact| match fact.what {
            What::UserspaceKill(kill) => {
                Some((kill.killer, kill.node, kill.container_id, kill.process.and_then(|it| it.pid)))
            }
            _ => None,
        })
    };
    let oomd = Some(("systemd-oomd".to_owned(), Some("n1".to_owned()), Some("a".repeat(64)), None));
    assert_eq!(
        told(&format!("[ 7064.752252] n1 systemd[1]: {unit}: systemd-oomd killed 3 process(es) in this unit.\n")),
        oomd
    );
    assert_eq!(
        told(&format!(
            "May 26 10:00:01 n1 systemd-oomd[659]: Marked /system.slice/{unit} for killing due to memory pressure for /system.slice being 85.03% > 80.00% for > 2s with reclaim activity\n"
        )),
        oomd
    );
    let earlyoom = |pid| Some(("earlyoom".to_owned(), None, None, Some(pid)));
    assert_eq!(told("killing process 27541 \"bash\" with signal 15: badness 550, VmRSS 7609 MiB\n"), earlyoom(27541));
    assert_eq!(told("Killing process 'bash' with signal 15, pid: 5874, badness: 538\n"), earlyoom(5874));
    assert_eq!(told("sending SIGTERM to process 696 uid 1001 \"ipfs\": badness 757\n"), earlyoom(696));
}

#[test]
fn talosctl_prints_the_node_first() {
    let path = cgroup();
    let text: String = [
        "app invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=999",
        "CPU: 1 PID: 77 Comm: app Not tainted 6.1.0-talos #1",
        "Tasks state (memory values in pages):",
        "[  pid  ]   uid  tgid total_vm      rss pgtables_bytes swapents oom_score_adj name",
        "[     77]     0    77     1000      500    40960        0           999 app",
        &format!("oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=x,mems_allowed=0,oom_memcg={path},task_memcg={path},task=app,pid=77,uid=0"),
        "Memory cgroup out of memory: Killed process 77 (app) total-vm:4000kB, anon-rss:2000kB, file-rss:0kB, shmem-rss:0kB, UID:0 pgtables:40kB oom_score_adj:999",
    ]
    .iter()
    .fold(String::new(), |all, line| all + "10.0.0.1: kern:     err: [2024-05-01T11:00:00.123456789Z]: " + line + "\n");
    let log = decode(ArtifactId(0), &Artifact::new("-", text));
    let [kill] = kills(&log)[..] else { panic!("one kill") };
    assert_eq!(kill.node.as_deref(), Some("10.0.0.1"));
    assert_eq!(kill.at.map(|at| at.to_string()).as_deref(), Some("2024-05-01T11:00:00.123456789Z"));
    assert_eq!((kill.trigger.as_ref().and_then(|task| task.pid), kill.candidates.len()), (Some(77), 1));
}
