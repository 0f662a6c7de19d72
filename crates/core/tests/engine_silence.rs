//! What an engine's end proves together with the boot of the host and the silence of the kernel's log.

use jiff::Timestamp;
use oomph_core::artifact::{Artifact, Kind};
use oomph_core::diagnosis::{Diagnosis, Verdict};
use oomph_core::why::{Ask, why};

const ID: &str = "5d41402abc4b2a76b9719d911017c592ae2f1d4b7c3e9a80f6d5c4b3a2918070";

fn at(text: &str) -> Timestamp {
    text.parse().expect("a moment")
}

/// A container started at 10:00:00, as `inspect` shows it.
fn inspect(engine: &str, state: &str) -> Artifact {
    let text = format!(
        r#"[{{"Id": "{ID}", "Name": "/web", "State": {{"StartedAt": "2026-11-25T10:00:00Z", "OOMKilled": false, {state}}},
            "HostConfig": {{"Memory": 67108864}}, "Config": {{}}}}]"#
    );
    Artifact { kind: Some(Kind::EngineInspect), ..Artifact::new(format!("{engine} inspect web"), text) }
}

/// One with 137 at 10:05:00.
fn killed() -> Artifact {
    inspect("docker", r#""Status": "exited", "ExitCode": 137, "FinishedAt": "2026-11-25T10:05:00Z""#)
}

/// The ring of the machine, booted at 09:00:00 and read at 10:06:00.
fn ring(records: &str) -> Artifact {
    Artifact {
        kind: Some(Kind::KernelLog),
        at: Some(at("2026-11-25T10:06:00Z")),
        booted: Some(at("2026-11-25T09:00:00Z")),
        ..Artifact::new("/dev/kmsg", records)
    }
}

fn only(artifacts: &[Artifact]) -> Diagnosis {
    let mut document = why(artifacts, Vec::new(), Vec::new(), &Ask::default());
    document.diagnoses.retain(|it| it.subject.container_id.as_deref() == Some(ID));
    assert_eq!(document.diagnoses.len(), 1, "{:#?}", document.diagnoses);
    document.diagnoses.remove(0)
}

/// A kill in another container, as the ring has it: `second` after boot, its record's number `number`.
fn elsewhere(number: u32, second: u32) -> String {
    let of = "/docker/00000000aaaa1111bbbb2222cccc3333dddd4444eeee5555ffff6666aaaa7777";
    let head = |line: u32| format!("6,{},{second}00000{line},-;", number + line);
    format!(
        "{}hog invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=0\n\
         {}oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=/,mems_allowed=0,oom_memcg={of},task_memcg={of},task=hog,pid=77,uid=0\n\
         {}Memory cgroup out of memory: Killed process 77 (hog) total-vm:2000kB, anon-rss:1000kB, file-rss:4kB, shmem-rss:0kB, UID:0 pgtables:40kB oom_score_adj:0\n",
        head(0),
        head(1),
        head(2)
    )
}

/// A kill whose report the kernel's rate limit left out: its last record, of this number, is all there is.
fn nameless(number: u32, second: u32) -> String {
    elsewhere(number - 2, second).split_inclusive('\n').skip(2).collect()
}

#[test]
fn a_ring_that_holds_nothing_but_kills_of_others_proves_that_this_was_none() {
    // 09:33:20, long before the end; the ring was read after it.
    let diagnosis = only(&[killed(), ring(&(elsewhere(100, 1000) + &elsewhere(103, 2000)))]);
    assert_eq!((diagnosis.verdict, diagnosis.oom_kill), (Verdict::ExternalSigkill, Some(false)));
}

#[test]
fn the_same_lines_in_a_file_prove_nothing_after_their_last() {
    let file = Artifact { at: None, ..ring(&elsewhere(100, 1000)) };
    let diagnosis = only(&[killed(), file]);
    assert_eq!((diagnosis.verdict, diagnosis.oom_kill), (Verdict::Undetermined, None));
}

#[test]
fn a_kill_that_names_no_cgroup_excludes_nothing_near_its_moment() {
    // 10:04:50, ten seconds before the end.
    let diagnosis = only(&[killed(), ring(&(elsewhere(100, 1000) + &nameless(103, 3890)))]);
    assert_eq!((diagnosis.verdict, diagnosis.oom_kill), (Verdict::Undetermined, None));
    let why = &diagnosis.missing[0].what;
    assert!(why.contains("a kill at 2026-11-25T10:04:50") && why.contains("names no cgroup"), "{why}");
    // 09:33:20.
    let diagnosis = only(&[killed(), ring(&(elsewhere(100, 1000) + &nameless(103, 2000)))]);
    assert_eq!((diagnosis.verdict, diagnosis.oom_kill), (Verdict::ExternalSigkill, Some(false)));
}

#[test]
fn what_ran_when_the_host_was_rebooted_went_down_with_it() {
    let lost = r#""Status": "exited", "ExitCode": 255, "FinishedAt": "2026-11-25T10:30:05Z""#;
    for (engine, state) in [("docker", lost), ("podman", r#""Status": "running", "Running": true, "ExitCode": 0"#)] {
        let booted = Some(at("2026-11-25T10:30:00Z"));
        let inspect = Artifact { booted, ..inspect(engine, state) };
        let log = Artifact { booted, at: Some(at("2026-11-25T11:00:00Z")), ..ring("6,0,0,-;Linux version 6.12.0\n") };
        let diagnosis = only(&[inspect, log]);
        assert_eq!(diagnosis.verdict, Verdict::NodeShutdown, "{engine}");
        assert_eq!(diagnosis.oom_kill, None, "{engine}: the log of this boot knows nothing of the last");
        assert_eq!(diagnosis.summary, "The host was rebooted while container web ran.");
    }
}

#[test]
fn a_container_started_in_this_boot_is_not_said_to_have_gone_down_with_the_host() {
    let state = r#""Status": "exited", "ExitCode": 255, "FinishedAt": "2026-11-25T10:30:05Z""#;
    let inspect = Artifact { booted: Some(at("2026-11-25T09:00:00Z")), ..inspect("docker", state) };
    assert_eq!(only(&[inspect]).verdict, Verdict::AppError);
}
