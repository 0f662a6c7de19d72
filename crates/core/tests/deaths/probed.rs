//! A kill in a container whose main process ended later, by a SIGKILL that may have been the kubelet's for a failed probe.

use oomph_core::artifact::Artifact;
use oomph_core::diagnosis::{Confidence, Diagnosis, VictimKind};
use serde_json::{Value, json};

use crate::evidence::{ID, UID, kill, log, objects, only};

/// The container ended with 137 at 10:05:00.
fn pod(reason: &str, probe: bool) -> Value {
    let mut pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web", "namespace": "shop", "uid": UID},
        "spec": {"nodeName": "n1", "containers": [{"name": "app", "resources": {"limits": {"memory": "24Mi"}}}]},
        "status": {"phase": "Running", "containerStatuses": [{"name": "app", "restartCount": 1,
            "containerID": format!("containerd://{ID}"), "state": {"waiting": {"reason": "CrashLoopBackOff"}},
            "lastState": {"terminated": {"exitCode": 137, "reason": reason, "containerID": format!("containerd://{ID}"),
                "startedAt": "2026-03-01T10:00:00Z", "finishedAt": "2026-03-01T10:05:00Z"}}}]}});
    if probe {
        pod["spec"]["containers"][0]["livenessProbe"] = json!({"httpGet": {"port": 80}, "periodSeconds": 10});
    }
    pod
}

/// The kill, with the kernel's table of processes or without.
fn report(at: &str, table: bool) -> Artifact {
    let whole = kill(at, ID, &[(77, "worker"), (70, "init"), (60, "pause")]);
    let is_told = |line: &&str| table || line.contains("oom-kill:") || line.contains("Killed process");
    log(whole.lines().filter(is_told).map(|line| format!("{line}\n")).collect::<String>())
}

fn told(reason: &str, probe: bool, at: &str, table: bool) -> Diagnosis {
    let found = only(&[objects(&[pod(reason, probe)]), report(at, table)]);
    assert_eq!(found.oom_kill, Some(true));
    found
}

#[test]
fn a_childs_kill_well_before_a_sigkill_is_not_what_ended_a_container_with_a_probe() {
    for reason in ["Error", "OOMKilled"] {
        let found = told(reason, true, "10:04:20", true);
        assert_eq!((found.verdict.id(), found.confidence), ("undetermined", Confidence::Possible), "{}", found.summary);
        assert!(found.missing.iter().any(|it| it.what.contains("events")), "{:?}", found.missing);
        // At the end itself a shell passes the child's 137 on.
        assert_eq!(told(reason, true, "10:04:59", true).verdict.id(), "child-oom");
        // No probe can have failed.
        assert_eq!(told(reason, false, "10:04:20", true).verdict.id(), "child-oom");
    }
}

#[test]
fn a_line_without_the_table_does_not_tell_the_main_process_from_a_child() {
    for reason in ["Error", "OOMKilled"] {
        let doubted = told(reason, true, "10:04:20", false);
        let said = (doubted.verdict.id(), doubted.confidence, doubted.victim);
        assert_eq!(said, ("container-limit-oom", Confidence::Possible, None), "{}", doubted.summary);
        assert!(doubted.summary.contains("failed probe"), "{}", doubted.summary);
        assert!(doubted.missing.iter().any(|it| it.what.contains("events")), "{:?}", doubted.missing);
        assert_eq!(told(reason, false, "10:04:20", false).confidence, Confidence::Likely);
        let prompt = told(reason, true, "10:04:58", false);
        assert_eq!((prompt.confidence, prompt.victim), (Confidence::Proven, Some(VictimKind::Main)));
    }
}
