//! What the events of a node tell of kills on it: node-problem-detector's of each, the kubelet's of the node's own.

use oomph_core::artifact::Artifact;
use oomph_core::diagnosis::{Confidence, Diagnosis};
use serde_json::{Value, json};

use crate::evidence::{EARLIER, ID, UID, explain, kill, log, objects, only};

const KILLED: &str = "Memory cgroup out of memory: Killed process 1234 (java) total-vm:9000kB, anon-rss:8000kB, \
                      file-rss:4kB, shmem-rss:0kB, UID:0 pgtables:40kB oom_score_adj:968";
const OLDER: &str = "Memory cgroup out of memory: Kill process 1234 (java) score 1000 or sacrifice child\n\
                     Killed process 1234 (java) total-vm:9000kB, anon-rss:8000kB, file-rss:4kB, shmem-rss:0kB";
const OF_NODE: &str = "Out of memory: Killed process 1234 (java) total-vm:9000kB, anon-rss:8000kB, file-rss:4kB, \
                       shmem-rss:0kB, UID:0 pgtables:40kB oom_score_adj:968";
const SYSTEM: &str = "System OOM encountered, victim process: java, pid: 1234";

/// A pod of n1 whose container ended so at 10:05:00.
fn pod(name: &str, uid: &str, id: &str, reason: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": "shop", "uid": uid},
        "spec": {"nodeName": "n1", "containers": [{"name": "app", "resources": {"limits": {"memory": "64Mi"}}}]},
        "status": {"phase": "Running", "qosClass": "Burstable", "containerStatuses": [{"name": "app", "restartCount": 1,
            "containerID": format!("containerd://{id}"), "state": {"terminated": {"exitCode": 137, "reason": reason,
                "startedAt": "2026-03-01T10:00:00Z", "finishedAt": "2026-03-01T10:05:00Z",
                "containerID": format!("containerd://{id}")}}}]}})
}

fn web(reason: &str) -> Value {
    pod("web", UID, ID, reason)
}

fn db() -> Value {
    pod("db", "22222222-3333-4444-5555-666666666666", EARLIER, "OOMKilled")
}

fn of_node(node: &str, reason: &str, message: &str, at: &str) -> Value {
    let component = if reason == "OOMKilling" { "kernel-monitor" } else { "kubelet" };
    let at = format!("2026-03-01T{at}Z");
    json!({"apiVersion": "v1", "kind": "Event", "reason": reason, "message": message, "type": "Warning",
        "involvedObject": {"kind": "Node", "name": node, "uid": node}, "source": {"component": component, "host": node},
        "count": 1, "firstTimestamp": at, "lastTimestamp": at})
}

fn detected(message: &str) -> Value {
    of_node("n1", "OOMKilling", message, "10:05:01")
}

#[track_caller]
fn check(diagnosis: &Diagnosis, verdict: &str, oom_kill: Option<bool>, confidence: Confidence) {
    let told = (diagnosis.verdict.id(), diagnosis.oom_kill, diagnosis.confidence);
    assert_eq!(told, (verdict, oom_kill, confidence), "{}", diagnosis.summary);
}

/// The node's event stands among the evidence.
fn is_shown(diagnosis: &Diagnosis) -> bool {
    diagnosis.evidence.iter().any(|it| it.says.contains("java (pid 1234)") && it.excerpt.starts_with("OOMKilling"))
}

#[test]
fn a_kill_that_the_node_problem_detector_saw_is_evidence_of_the_one_end_of_its_moment() {
    for message in [KILLED, OLDER] {
        let found = only(&[objects(&[web("OOMKilled"), detected(message)])]);
        check(&found, "container-limit-oom", Some(true), Confidence::Likely);
        assert!(is_shown(&found), "{:?}", found.evidence);
        assert!(found.ruled_out.iter().any(|it| it.verdict.id() == "node-oom"), "{:?}", found.ruled_out);
    }
    let found = only(&[objects(&[web("OOMKilled"), detected(OF_NODE)])]);
    check(&found, "node-oom", Some(true), Confidence::Likely);
    assert!(is_shown(&found), "{:?}", found.evidence);
}

#[test]
fn it_is_of_nobody_where_two_ends_of_the_node_fit_and_not_of_another_node_or_hour() {
    for message in [KILLED, OF_NODE] {
        for found in explain(&[objects(&[web("OOMKilled"), db(), detected(message)])]) {
            check(&found, "container-limit-oom", Some(true), Confidence::Likely);
            assert!(!is_shown(&found), "{:?}", found.evidence);
        }
    }
    for event in [of_node("n2", "OOMKilling", OF_NODE, "10:05:01"), of_node("n1", "OOMKilling", OF_NODE, "10:07:00")] {
        let found = only(&[objects(&[web("OOMKilled"), event])]);
        check(&found, "container-limit-oom", Some(true), Confidence::Likely);
        assert!(!is_shown(&found), "{:?}", found.evidence);
    }
}

#[test]
fn the_kernels_own_line_and_its_repetition_are_one_kill() {
    let own = kill("10:05:00", ID, &[(1234, "java")]).replace("24576kB", "65536kB");
    let found = only(&[objects(&[web("OOMKilled"), detected(KILLED)]), log(own)]);
    check(&found, "container-limit-oom", Some(true), Confidence::Proven);
    assert!(!is_shown(&found), "{:?}", found.evidence);
    // The log shows whose it was: another pod's.
    let others = kill("10:05:00", EARLIER, &[(1234, "java")]).replace(UID, "99999999-3333-4444-5555-666666666666");
    let found = explain(&[objects(&[web("OOMKilled"), detected(KILLED)]), log(others)]);
    let own = found.iter().find(|it| it.subject.pod.as_deref() == Some("web")).unwrap();
    assert!(!is_shown(own), "{:?}", own.evidence);
    let alone = explain(&[objects(&[of_node("n1", "SystemOOM", SYSTEM, "10:05:00"), detected(OF_NODE)])]);
    assert_eq!(alone.iter().map(|it| it.verdict.id()).collect::<Vec<_>>(), ["node-oom"]);
}

const TABLE: &str = "LAST SEEN   TYPE      REASON      OBJECT    MESSAGE
3m          Warning   SystemOOM   node/n1   System OOM encountered, victim process: java, pid: 1234
";

fn described(node: &str) -> String {
    format!(
        "Name:               {node}\nRoles:              worker\nUnschedulable:      false\nAllocatable:\n  memory:  3928352Ki\n\
         System Info:\n  Kernel Version:             5.15.0\n  Container Runtime Version:  containerd://1.7.2\n  \
         Kubelet Version:            v1.29.1\nEvents:\n  Type     Reason     Age   From     Message\n  \
         ----     ------     ----  ----     -------\n  Warning  SystemOOM  3m    kubelet  {SYSTEM}\n"
    )
}

#[test]
fn the_kubelets_word_of_the_nodes_end_is_read_from_a_table_and_a_describe_text_as_from_json() {
    let json = only(&[objects(&[of_node("n1", "SystemOOM", SYSTEM, "10:05:00")])]);
    check(&json, "node-oom", Some(true), Confidence::Likely);
    for text in [TABLE.to_owned(), described("n1")] {
        let found = only(&[Artifact::new("node.txt", text)]);
        check(&found, "node-oom", Some(true), Confidence::Likely);
        assert_eq!(found.summary, json.summary);
    }
}

#[test]
fn a_text_without_dates_does_not_say_that_the_nodes_end_was_then() {
    let with = |text: String| only(&[objects(&[web("Error")]), Artifact::new("node.txt", text)]);
    for text in [TABLE.to_owned(), described("n1")] {
        let found = with(text);
        check(&found, "node-oom", None, Confidence::Possible);
        assert!(found.missing.iter().any(|it| it.what.contains("when the node")), "{:?}", found.missing);
    }
    for text in [TABLE.replace("n1", "n2"), described("n2")] {
        check(&with(text), "undetermined", None, Confidence::Possible);
    }
    let called = |text: String| only(&[objects(&[web("OOMKilled")]), Artifact::new("node.txt", text)]);
    check(&called(TABLE.into()), "container-limit-oom", Some(true), Confidence::Likely);
    for reason in ["Error", "OOMKilled"] {
        let dated = only(&[objects(&[web(reason), of_node("n1", "SystemOOM", SYSTEM, "10:05:00")])]);
        check(&dated, "node-oom", Some(true), Confidence::Likely);
    }
}
