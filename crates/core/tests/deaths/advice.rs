//! What a diagnosis tells people to do: it fits the evidence, and its commands run as they stand.

use oomph_core::artifact::Artifact;
use oomph_core::diagnosis::Diagnosis;
use oomph_core::why::{Ask, why};
use serde_json::{Value, json};

/// A pod with one container, app, whose state and last state are these.
fn pod(container: Value, state: Value, last: Value) -> Value {
    let mut spec = json!({"name": "app", "resources": {"limits": {"memory": "64Mi"}, "requests": {"memory": "32Mi"}}});
    spec.as_object_mut().unwrap().extend(container.as_object().unwrap().clone());
    json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web", "namespace": "shop", "uid": "u-1"},
        "spec": {"nodeName": "n1", "containers": [spec],
            "volumes": [{"name": "cache", "emptyDir": {"medium": "Memory", "sizeLimit": "4Mi"}}]},
        "status": {"phase": "Running", "qosClass": "Burstable", "containerStatuses": [
            {"name": "app", "restartCount": 1, "state": state, "lastState": last}]}})
}

fn ended(code: i64, reason: &str) -> Value {
    json!({"terminated": {"exitCode": code, "reason": reason,
        "startedAt": "2026-03-01T10:00:00Z", "finishedAt": "2026-03-01T10:05:00Z"}})
}

fn running() -> Value {
    json!({"running": {"startedAt": "2026-03-01T10:05:01Z"}})
}

fn event(reason: &str, message: &str, count: u32, first: &str, last: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "Event", "reason": reason, "message": message, "count": count,
        "firstTimestamp": format!("2026-03-01T{first}Z"), "lastTimestamp": format!("2026-03-01T{last}Z"),
        "involvedObject": {"kind": "Pod", "namespace": "shop", "name": "web", "uid": "u-1",
            "fieldPath": "spec.containers{app}"}})
}

fn only(items: &[Value]) -> Diagnosis {
    let list = json!({"apiVersion": "v1", "kind": "List", "items": items}).to_string();
    let mut found = why(&[Artifact::new("objects.json", list)], Vec::new(), Vec::new(), &Ask::default()).diagnoses;
    assert_eq!(found.len(), 1, "{found:?}");
    found.remove(0)
}

/// All that it tells people to do, in one text.
fn told(diagnosis: &Diagnosis) -> String {
    let one = |it: &oomph_core::diagnosis::Advice| {
        format!("{}: {}: {}: {}\n", it.action, it.why, it.risk, it.patch.as_deref().unwrap_or_default())
    };
    diagnosis.advice.iter().map(one).collect()
}

const KILLING: &str = "Container app failed liveness probe, will be restarted";

#[test]
fn the_newest_failure_before_the_end_is_cited_and_decides_the_advice() {
    let refused = "Liveness probe failed: Get \"http://10.0.0.1/\": dial tcp 10.0.0.1:80: connect: connection refused";
    let found = only(&[
        pod(json!({"livenessProbe": {"httpGet": {"path": "/", "port": 80}}}), running(), ended(137, "Error")),
        event("Unhealthy", refused, 3, "09:50:00", "09:50:04"),
        event("Killing", KILLING, 5, "09:50:04", "10:04:30"),
        event("Unhealthy", "Liveness probe failed: HTTP probe failed with statuscode: 404", 12, "09:55:00", "10:04:30"),
    ]);
    let cited = found.evidence.iter().find(|it| it.excerpt.contains("Unhealthy")).unwrap();
    assert!(cited.excerpt.contains("404") && cited.says.contains("12 times"), "{cited:?}");
    let told = told(&found);
    assert!(told.contains("answers the liveness probe with an error") && !told.contains("timeoutSeconds"), "{told}");
}

#[test]
fn a_probe_that_timed_out_is_told_to_wait_longer() {
    let words = "Liveness probe failed: command timed out: \"x\" timed out after 1s";
    let found = only(&[
        pod(
            json!({"livenessProbe": {"exec": {"command": ["x"]}, "timeoutSeconds": 1}}),
            running(),
            ended(137, "Error"),
        ),
        event("Unhealthy", words, 2, "10:04:20", "10:04:30"),
        event("Killing", KILLING, 1, "10:04:30", "10:04:30"),
    ]);
    assert!(told(&found).contains("livenessProbe:\n  timeoutSeconds: 5"), "{}", told(&found));
}

#[test]
fn a_startup_probe_is_not_answered_with_a_patch_of_the_liveness_probe() {
    let probes = json!({"livenessProbe": {"exec": {"command": ["true"]}},
        "startupProbe": {"exec": {"command": ["test"]}, "periodSeconds": 1, "failureThreshold": 5}});
    let found = only(&[
        pod(probes, running(), ended(143, "Error")),
        event("Unhealthy", "Startup probe failed: ", 20, "10:04:20", "10:04:30"),
        event("Killing", "Container app failed startup probe, will be restarted", 5, "10:04:30", "10:04:30"),
    ]);
    let told = told(&found);
    assert!(
        !told.contains("livenessProbe") && told.contains("it has 5 s (failureThreshold 5 x periodSeconds 1)"),
        "{told}"
    );
}

#[test]
fn the_log_that_is_named_is_that_of_the_life_that_ended() {
    let of = |state: Value, last: Value| only(&[pod(json!({}), state, last)]).advice[0].patch.clone().unwrap();
    assert_eq!(of(ended(3, "Error"), json!({})), "kubectl logs -n shop web -c app");
    assert_eq!(of(running(), ended(3, "Error")), "kubectl logs --previous -n shop web -c app");
}

#[test]
fn no_command_is_prose() {
    let mut deleted = pod(json!({}), ended(143, "Error"), json!({}));
    for pod in [deleted.clone(), {
        deleted["metadata"]["deletionTimestamp"] = json!("2026-03-01T10:05:20Z");
        deleted
    }] {
        let found = only(&[pod]);
        for missing in &found.missing {
            let first = missing.command.split(' ').next().unwrap();
            assert!(matches!(first, "" | "kubectl" | "sudo") && !missing.command.contains(';'), "{missing:?}");
        }
    }
}

#[test]
fn a_yes_to_the_oom_killer_comes_with_a_sentence_that_says_why() {
    let found = only(&[
        pod(json!({"livenessProbe": {"exec": {"command": ["x"]}}}), running(), ended(137, "OOMKilled")),
        event("Killing", KILLING, 1, "10:04:58", "10:04:58"),
    ]);
    assert_eq!((found.verdict.id(), found.oom_kill), ("liveness-kill", Some(true)));
    assert!(found.evidence.iter().any(|it| it.says.contains("the OOM killer killed a process of it")), "{found:?}");
}

#[test]
fn a_container_that_never_ran_has_no_main_process_to_speak_of_and_its_cause_is_not_cut_off() {
    let cause = "error mounting \"/a\": stat /nope: no such file or directory";
    let message = format!("failed to create containerd task: {}{cause}", "failed to create shim task: ".repeat(12));
    let mut end = ended(128, "StartError");
    end["terminated"]["message"] = json!(message);
    let found = only(&[pod(json!({}), end, json!({}))]);
    assert_eq!(found.verdict.id(), "start-error");
    assert!(found.ruled_out.iter().all(|it| !it.because.contains("the main process ended")), "{:?}", found.ruled_out);
    assert!(
        found.evidence[0].says.ends_with(cause) && found.evidence[0].excerpt.contains(cause),
        "{:?}",
        found.evidence
    );
}

#[test]
fn advice_fits_the_volume_the_class_and_the_exit_code() {
    let mounts = json!({"volumeMounts": [{"name": "cache", "mountPath": "/dev/shm"}]});
    let bus = only(&[pod(mounts, ended(135, "Error"), json!({}))]);
    assert!(told(&bus).contains("cache, at most 4Mi") && !told(&bus).contains("64 MiB"), "{}", told(&bus));

    let child = only(&[pod(json!({}), ended(3, "OOMKilled"), json!({}))]);
    assert!(told(&child).contains("an exit code of 3") && !told(&child).contains("code of 0"), "{}", told(&child));

    let mut evicted = pod(json!({}), ended(137, "Error"), json!({}));
    evicted["status"]["phase"] = json!("Failed");
    evicted["status"]["reason"] = json!("Evicted");
    evicted["status"]["message"] = json!("Usage of EmptyDir volume \"cache\" exceeds the limit \"4Mi\". ");
    let evicted = only(&[evicted]);
    assert!(!told(&evicted).contains("disk"), "{}", told(&evicted));

    let refused = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web", "namespace": "shop", "uid": "u-1"},
        "spec": {"nodeName": "n1", "containers": [{"name": "app"}]},
        "status": {"phase": "Failed", "reason": "Evicted", "qosClass": "BestEffort",
            "message": "The node had condition: [MemoryPressure]. "}});
    let refused = only(&[refused]);
    assert_eq!(refused.verdict.id(), "admission-rejected-memory");
    assert!(
        told(&refused).contains("give the pod a memory request") && !told(&refused).contains("lower"),
        "{}",
        told(&refused)
    );
}
