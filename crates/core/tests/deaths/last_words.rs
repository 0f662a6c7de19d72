//! What a program's last line or its exit code tells of memory.

use oomph_core::artifact::Artifact;
use oomph_core::diagnosis::Confidence;
use serde_json::{Value, json};

use crate::evidence::{ID, UID, objects, only, whole_log};

/// A pod whose container ended by itself with this code.
fn ended(code: i64) -> Value {
    json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web", "namespace": "shop", "uid": UID},
        "spec": {"nodeName": "n1", "containers": [{"name": "app", "resources": {"limits": {"memory": "64Mi"}}}]},
        "status": {"phase": "Running", "containerStatuses": [{"name": "app", "restartCount": 0,
            "containerID": format!("containerd://{ID}"), "state": {"terminated": {"exitCode": code, "reason": "Error",
                "startedAt": "2026-03-01T10:00:00Z", "finishedAt": "2026-03-01T10:05:00Z",
                "containerID": format!("containerd://{ID}")}}}]}})
}

#[test]
fn ruby_without_memory_is_the_runtimes_own_end() {
    for (line, confidence) in [
        ("[FATAL] failed to allocate memory (NoMemoryError)", Confidence::Proven),
        ("[FATAL] failed to allocate memory", Confidence::Proven),
        (
            "/app/load.rb:3:in `*': failed to allocate memory (NoMemoryError)\n\tfrom /app/load.rb:3:in `<main>'",
            Confidence::Likely,
        ),
        ("/app/load.rb:3:in 'String#*': failed to allocate memory (NoMemoryError)", Confidence::Likely),
    ] {
        let output = Artifact::new("output.txt", format!("listening on 8080\n{line}\n"));
        let found = only(&[objects(&[ended(1)]), output.clone()]);
        let told = (found.verdict.id(), found.oom_kill, found.confidence);
        assert_eq!(told, ("runtime-heap-oom", Some(false), confidence), "{line}");
        assert!(found.summary.contains("Ruby"), "{}", found.summary);
        assert_eq!(only(&[output]).verdict.id(), "runtime-heap-oom", "{line}");
    }
}

#[test]
fn a_program_that_leaves_with_minus_nine_reports_a_child_that_got_sigkill() {
    let found = only(&[objects(&[ended(247)])]);
    assert_eq!((found.verdict.id(), found.oom_kill), ("app-error", None), "{}", found.summary);
    assert!(found.summary.contains("a child that was killed by SIGKILL"), "{}", found.summary);
    assert!(found.missing.iter().any(|it| it.what.contains("child")), "{:?}", found.missing);
    let silent = only(&[objects(&[ended(247)]), whole_log("")]);
    assert_eq!((silent.verdict.id(), silent.oom_kill), ("app-error", Some(false)), "{}", silent.summary);
    let other = only(&[objects(&[ended(246)])]);
    assert_eq!((other.verdict.id(), other.oom_kill), ("app-error", Some(false)), "{}", other.summary);
}
