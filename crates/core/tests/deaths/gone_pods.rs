//! Pods that are gone or were never made, as a namespace's events and the kernel's log tell of them.

use oomph_core::artifact::{Artifact, Kind};
use oomph_core::diagnosis::{Diagnosis, Document, Verdict};
use oomph_core::why::{Ask, why};
use serde_json::{Value, json};

const UID: &str = "51e9b3ed-c97b-4906-a668-d2da23e2a473";
const OTHER: &str = "39144d86-b175-4e0e-96c5-becf26c617dd";

/// An event at `22:26:SS`.
fn event(kind: &str, name: &str, uid: Option<&str>, reason: &str, message: &str, second: u32) -> Value {
    let at = format!("2026-11-27T22:26:{second:02}Z");
    let container = matches!(reason, "Started" | "Killing").then_some("spec.containers{app}");
    json!({"kind": "Event", "apiVersion": "v1", "type": if reason.starts_with("Failed") { "Warning" } else { "Normal" },
        "metadata": {"namespace": "red", "name": format!("{name}.{second}")}, "reason": reason, "message": message,
        "involvedObject": {"kind": kind, "namespace": "red", "name": name, "uid": uid, "fieldPath": container},
        "lastTimestamp": at, "firstTimestamp": at})
}

fn pod_event(name: &str, uid: &str, reason: &str, message: &str, second: u32) -> Value {
    event("Pod", name, Some(uid), reason, message, second)
}

/// A kill in a container of the pod.
fn kill(uid: &str, second: u32) -> Artifact {
    let memcg = format!("/kubepods/burstable/pod{uid}");
    let log = format!(
        "2026-11-27T22:26:{second:02}.500000+00:00 node-a kernel: oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),\
         cpuset=6bf,mems_allowed=0,oom_memcg={memcg},task_memcg={memcg}/{},task=tail,pid=77,uid=0\n\
         2026-11-27T22:26:{second:02}.500001+00:00 node-a kernel: Memory cgroup out of memory: Killed process 77 (tail) \
         total-vm:2000kB, anon-rss:1000kB, file-rss:4kB, shmem-rss:0kB, UID:0 pgtables:40kB oom_score_adj:999\n",
        "6b".repeat(32)
    );
    Artifact { kind: Some(Kind::KernelLog), ..Artifact::new("kern.log", log) }
}

fn objects(items: &[Value]) -> Artifact {
    let list = json!({"kind": "List", "apiVersion": "v1", "items": items}).to_string();
    Artifact { kind: Some(Kind::KubernetesJson), ..Artifact::new("all.json", list) }
}

fn healthy(name: &str, uid: &str) -> Value {
    json!({"kind": "Pod", "apiVersion": "v1", "metadata": {"namespace": "red", "name": name, "uid": uid},
        "spec": {"nodeName": "node-a", "containers": [{"name": "app", "resources": {"limits": {"memory": "24Mi"}}}]},
        "status": {"phase": "Running", "containerStatuses": [{"name": "app", "restartCount": 0,
            "state": {"running": {"startedAt": "2026-11-27T22:10:15Z"}}}]}})
}

fn explain(artifacts: &[Artifact], ask: &Ask) -> Document {
    why(artifacts, Vec::new(), Vec::new(), ask)
}

fn of(kind: &str, name: &str) -> Ask {
    Ask { owner: Some((kind.into(), name.into())), ..Ask::default() }
}

fn only(document: &Document) -> &Diagnosis {
    assert_eq!(document.diagnoses.len(), 1, "{:#?}", document.diagnoses);
    &document.diagnoses[0]
}

/// A Job whose pod ran out of memory in each try, until its controller deleted it.
fn failed_job() -> Vec<Value> {
    vec![
        pod_event("x-qjthw", UID, "Scheduled", "Successfully assigned red/x-qjthw to node-a", 21),
        pod_event("x-qjthw", UID, "Started", "Container started", 22),
        pod_event("x-qjthw", UID, "Killing", "Stopping container app", 25),
        event("Job", "x", Some(OTHER), "SuccessfulDelete", "Deleted pod: x-qjthw", 24),
        event("Job", "x", Some(OTHER), "BackoffLimitExceeded", "Job has reached the specified backoff limit", 26),
    ]
}

#[test]
fn a_pod_that_is_gone_is_its_owners_by_the_owners_events() {
    let evidence = [objects(&failed_job())];
    let document = explain(&evidence, &of("Job", "x"));
    let diagnosis = only(&document);
    assert_eq!(diagnosis.verdict, Verdict::ControllerDeleted);
    assert_eq!(diagnosis.subject.owner.as_deref(), Some("Job/x"));
    assert_eq!(diagnosis.subject.node.as_deref(), Some("node-a"));
    assert!(diagnosis.evidence.iter().any(|it| it.excerpt.starts_with("BackoffLimitExceeded")));
    assert!(explain(&evidence, &of("Job", "y")).diagnoses.is_empty());
}

#[test]
fn a_pod_that_is_gone_is_its_owners_by_its_name_where_no_event_is_left() {
    let events = [pod_event("web-784969bd8-hjzsg", UID, "Killing", "Stopping container app", 25)];
    let evidence = [objects(&events)];
    assert_eq!(only(&explain(&evidence, &of("Deployment", "web"))).verdict, Verdict::UserDeleted);
    assert!(explain(&evidence, &of("Deployment", "we")).diagnoses.is_empty());
    assert!(explain(&evidence, &of("StatefulSet", "web")).diagnoses.is_empty());
}

#[test]
fn a_kill_right_before_the_removal_is_what_ended_it() {
    let document = explain(&[objects(&failed_job()), kill(UID, 24)], &of("Job", "x"));
    let diagnosis = only(&document);
    assert_eq!((diagnosis.verdict, diagnosis.oom_kill), (Verdict::ContainerLimitOom, Some(true)));
    assert!(diagnosis.evidence.iter().any(|it| it.source == "kern.log"), "{:#?}", diagnosis.evidence);
}

#[test]
fn a_removal_tells_of_a_child_that_was_killed_before_it() {
    let head = "2026-11-27T22:26:24.500000+00:00 node-a kernel:";
    let table = format!(
        "{head} tail invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=999\n\
         {head} [  pid  ]   uid  tgid total_vm      rss pgtables_bytes swapents oom_score_adj name\n\
         {head} [     76]     0    76      500      100    40960        0           999 sh\n\
         {head} [     77]     0    77      500      250    40960        0           999 tail\n"
    );
    let mut log = kill(UID, 24);
    log.bytes = [table.as_bytes(), &log.bytes].concat();
    let document = explain(&[objects(&failed_job()), log], &of("Job", "x"));
    let diagnosis = only(&document);
    assert_eq!((diagnosis.verdict, diagnosis.oom_kill), (Verdict::ControllerDeleted, Some(true)));
    assert!(diagnosis.summary.contains("OOM killer had killed"), "{}", diagnosis.summary);
    assert!(diagnosis.evidence.iter().any(|it| it.source == "kern.log"), "{:#?}", diagnosis.evidence);
}

#[test]
fn a_kill_after_which_the_container_started_again_is_not_of_the_end() {
    let events = [
        pod_event("web", UID, "Started", "Container started", 30),
        pod_event("web", UID, "Killing", "Stopping container app", 50),
    ];
    let document = explain(&[objects(&events), kill(UID, 20)], &Ask::default());
    let diagnosis = only(&document);
    assert_eq!((diagnosis.verdict, diagnosis.oom_kill), (Verdict::UserDeleted, Some(false)));
}

#[test]
fn an_event_without_a_uid_is_of_the_pod_of_its_name() {
    let taint = event("Pod", "web", None, "TaintManagerEviction", "Marking for deletion Pod red/web", 20);
    let events = [
        taint.clone(),
        pod_event("web", UID, "Started", "Container started", 10),
        pod_event("web", UID, "Killing", "Stopping container app", 25),
    ];
    assert_eq!(only(&explain(&[objects(&events)], &Ask::default())).verdict, Verdict::TaintEviction);
    assert_eq!(only(&explain(&[objects(&[taint])], &Ask::default())).verdict, Verdict::TaintEviction);
}

#[test]
fn pods_chosen_by_labels_are_those_that_are_there() {
    let mut items = failed_job();
    items.push(healthy("web-0", OTHER));
    items.push(event("ReplicaSet", "api-7f9c", None, "FailedCreate", "pods \"a\" is forbidden: exceeded quota: q", 30));
    let ask = Ask { shown_only: true, ..Ask::default() };
    assert!(explain(&[objects(&items), kill(UID, 24)], &ask).diagnoses.is_empty());
}

#[test]
fn a_pod_that_was_made_again_is_told_from_the_one_before() {
    let mut new = healthy("db-0", OTHER);
    new["metadata"]["ownerReferences"] = json!([{"kind": "StatefulSet", "name": "db", "controller": true}]);
    let items = [new, pod_event("db-0", UID, "Started", "Container started", 10)];
    let document = explain(&[objects(&items), kill(UID, 20)], &of("StatefulSet", "db"));
    let diagnosis = only(&document);
    assert_eq!((diagnosis.subject.pod_uid.as_deref(), diagnosis.oom_kill), (Some(UID), Some(true)));
    let successor = diagnosis.evidence.last().unwrap();
    assert!(successor.says.contains("another") && successor.excerpt.contains(OTHER), "{successor:?}");
    assert_eq!(document.named.unwrap().len(), 1, "the new one runs well");
}

const QUOTA: &str = "Error creating: pods \"web-55f855cf77-znrgc\" is forbidden: exceeded quota: tight, requested: \
                     limits.memory=128Mi, used: limits.memory=0, limited: limits.memory=64Mi";

#[test]
fn a_workload_whose_pods_a_quota_refuses_has_one_diagnosis() {
    let refused = |second| event("ReplicaSet", "web-55f855cf77", Some(UID), "FailedCreate", QUOTA, second);
    let mut events: Vec<Value> = (10..20).map(refused).collect();
    for ask in [Ask::default(), of("Deployment", "web"), of("ReplicaSet", "web-55f855cf77")] {
        let document = explain(&[objects(&events)], &ask);
        let diagnosis = only(&document);
        assert_eq!((diagnosis.verdict, diagnosis.oom_kill), (Verdict::AdmissionRejectedMemory, Some(false)));
        assert_eq!(diagnosis.subject.owner.as_deref(), Some("ReplicaSet/web-55f855cf77"));
        assert_eq!((&diagnosis.subject.pod, &diagnosis.subject.container), (&None, &None));
    }
    assert!(explain(&[objects(&events)], &of("Deployment", "api")).diagnoses.is_empty());
    events.push(event(
        "ReplicaSet",
        "web-55f855cf77",
        Some(UID),
        "SuccessfulCreate",
        "Created pod: web-55f855cf77-a",
        30,
    ));
    assert!(explain(&[objects(&events)], &Ask::default()).diagnoses.is_empty(), "it made one since");
}

#[test]
fn the_schedulers_newest_word_counts() {
    let pending = json!({"kind": "Pod", "apiVersion": "v1", "metadata": {"namespace": "red", "name": "big", "uid": UID},
        "spec": {"containers": [{"name": "app"}]}, "status": {"phase": "Pending"}});
    let said = |message: &str, second| pod_event("big", UID, "FailedScheduling", message, second);
    let cpu = said("0/1 nodes are available: 1 Insufficient cpu. preemption: 0/1 nodes are available.", 50);
    let memory = said("0/1 nodes are available: 1 Insufficient memory. preemption: 0/1 nodes are available.", 40);
    for events in [[cpu.clone(), memory.clone()], [memory, cpu]] {
        let items = [pending.clone(), events[0].clone(), events[1].clone()];
        assert_eq!(only(&explain(&[objects(&items)], &Ask::default())).verdict, Verdict::AdmissionRejectedOther);
    }
}

#[test]
fn a_pods_fate_has_one_subject_whether_it_was_named_or_not() {
    let items = [
        json!({"kind": "Pod", "apiVersion": "v1", "metadata": {"namespace": "red", "name": "big", "uid": UID},
            "spec": {"containers": [{"name": "app"}]}, "status": {"phase": "Pending"}}),
        pod_event("big", UID, "FailedScheduling", "0/1 nodes are available: 1 Insufficient cpu. preemption: x", 50),
    ];
    let named = Ask { pod: Some("big".into()), ..Ask::default() };
    let subjects = [Ask::default(), named].map(|ask| only(&explain(&[objects(&items)], &ask)).subject.clone());
    assert_eq!(subjects[0], subjects[1]);
}

#[test]
fn a_named_pod_that_is_well_is_said_to_be_and_others_are_left_out() {
    let evidence = [objects(&[healthy("web-0", OTHER)]), kill(UID, 24)];
    let document = explain(&evidence, &Ask { pod: Some("web-0".into()), ..Ask::default() });
    assert!(document.diagnoses.is_empty());
    let well =
        "Container app of pod red/web-0 runs since 2026-11-27 22:10:15Z, never restarted, with a limit of 24 MiB.";
    assert_eq!(document.named.as_deref(), Some(&[well.to_owned()][..]));
    let text = oomph_core::report::text(&document, oomph_core::report::Style::Plain, 100);
    assert!(!text.contains("tail"), "{text}");
}

/// A workload of this kind with a container of 24 MiB.
fn workload(kind: &str, name: &str, created: &str, generation: i64) -> Value {
    json!({"kind": kind, "apiVersion": "apps/v1", "metadata": {"namespace": "red", "name": name,
            "creationTimestamp": format!("2026-11-27T{created}Z"), "generation": generation},
        "spec": {"template": {"spec": {"containers": [{"name": "app", "resources": {"limits": {"memory": "24Mi"}}}]}}}})
}

/// A revision of the StatefulSet `db` with this limit.
fn revision(number: i64, limit: &str) -> Value {
    json!({"kind": "ControllerRevision", "apiVersion": "apps/v1", "revision": number,
        "metadata": {"namespace": "red", "name": format!("db-{number}"), "creationTimestamp": "2026-11-27T20:00:00Z",
            "ownerReferences": [{"kind": "StatefulSet", "name": "db", "controller": true}]},
        "data": {"spec": {"template": {"$patch": "replace", "spec": {"containers": [
            {"name": "app", "resources": {"limits": {"memory": limit}}}]}}}}})
}

#[test]
fn the_limit_of_a_pod_that_is_gone_is_its_makers_where_that_never_changed() {
    let limit = |owner: (&str, &str), pod: &str, more: Vec<Value>| {
        let made = event(owner.0, owner.1, None, "SuccessfulCreate", &format!("Created pod: {pod}"), 20);
        let made = if owner.0 == "StatefulSet" {
            event(
                owner.0,
                owner.1,
                None,
                "SuccessfulCreate",
                &format!("create Pod {pod} in StatefulSet db successful"),
                20,
            )
        } else {
            made
        };
        let events = [made, pod_event(pod, UID, "Started", "Container started", 22)];
        let document = explain(&[objects(&[events.to_vec(), more].concat()), kill(UID, 24)], &Ask::default());
        only(&document).memory.limit_bytes.map(|limit| limit.0 >> 20)
    };
    let job = |created| limit(("Job", "x"), "x-qjthw", vec![workload("Job", "x", created, 1)]);
    assert_eq!(job("22:26:10"), Some(24));
    assert_eq!(job("22:26:30"), None, "a newer Job of its name");
    let set = |generation, revisions: Vec<Value>| {
        let all = [vec![workload("StatefulSet", "db", "20:00:00", generation)], revisions].concat();
        limit(("StatefulSet", "db"), "db-0", all)
    };
    assert_eq!(set(1, vec![]), Some(24));
    assert_eq!(set(2, vec![]), None, "its template may be newer than the pod");
    assert_eq!(set(2, vec![revision(1, "24Mi"), revision(2, "24Mi")]), Some(24), "scaled, or another image");
    assert_eq!(set(2, vec![revision(1, "16Mi"), revision(2, "24Mi")]), None);
}
