//! Documents made by hand, one for each shape that an answer takes.

use jiff::Timestamp;
use oomph_core::diagnosis::{
    Advice, CandidateReport, Change, Composition, Confidence, Contributor, Diagnosis, Document, Evidence, GapReport,
    KillReport, MemoryReport, Missing, Pattern, PatternKind, RuledOut, SCHEMA, SourceReport, SourceState,
    SubjectReport, TaskReport, TerminationReport, Verdict, VictimKind, VictimReport,
};
use oomph_core::fact::{AtFrom, Constraint, ContainerKind, Level, LimitHit, Qos};
use oomph_core::units::Bytes;

pub(crate) fn document(diagnoses: Vec<Diagnosis>, kernel_kills: Vec<KillReport>) -> Document {
    Document {
        named: None,
        schema: SCHEMA,
        diagnoses,
        kernel_kills,
        sources: vec![
            source("pods.json", "pods", SourceState::Read, None, ""),
            source(
                "dmesg.txt",
                "kernel log",
                SourceState::Partial,
                Some(("2026-11-21T20:00:00Z", "2026-11-21T21:30:00Z")),
                "the ring had wrapped",
            ),
        ],
        gaps: vec![GapReport {
            what: "events of namespace shop".into(),
            because: "forbidden: list events".into(),
            command: "kubectl auth can-i list events -n shop".into(),
        }],
    }
}

pub(crate) fn source(
    name: &str,
    kind: &str,
    status: SourceState,
    span: Option<(&str, &str)>,
    because: &str,
) -> SourceReport {
    SourceReport {
        name: name.into(),
        kind: kind.into(),
        status,
        from: span.map(|(from, _)| at(from)),
        to: span.map(|(_, to)| at(to)),
        because: because.into(),
    }
}

pub(crate) fn at(text: &str) -> Timestamp {
    text.parse().expect("a sample's time is well formed")
}

pub(crate) fn bare(verdict: Verdict, summary: &str) -> Diagnosis {
    Diagnosis {
        subject: SubjectReport::default(),
        verdict,
        oom_kill: None,
        confidence: Confidence::Possible,
        level: None,
        level_confidence: None,
        victim: None,
        summary: summary.into(),
        termination: TerminationReport::default(),
        evidence: Vec::new(),
        ruled_out: Vec::new(),
        missing: Vec::new(),
        contributors: Vec::new(),
        advice: Vec::new(),
        kills: Vec::new(),
        memory: MemoryReport::default(),
        pattern: Pattern { deaths: 1, seconds_to_death: Vec::new(), kind: PatternKind::Single, together: Vec::new() },
        changes: Vec::new(),
    }
}

pub(crate) fn subject(pod: &str, container: Option<&str>) -> SubjectReport {
    SubjectReport {
        namespace: Some("shop".into()),
        pod: Some(pod.into()),
        pod_uid: Some("0d9a2a3c-6a43-4f0f-9d0e-3c1f5f6f8a11".into()),
        container: container.map(str::to_owned),
        container_kind: container.map(|_| ContainerKind::App),
        container_id: container.map(|_| "5f0c7d4d2b1a99e3c6f1".into()),
        node: Some("node-a".into()),
        owner: Some("Deployment/checkout".into()),
        runtime_class: None,
    }
}

/// The full case: proven by the kernel log, with a composition that adds up.
pub(crate) fn container_limit_oom() -> Document {
    let diagnosis = Diagnosis {
        subject: subject("checkout-7d9fbc8c6d-x2k4b", Some("app")),
        oom_kill: Some(true),
        confidence: Confidence::Proven,
        level: Some(Level::Container),
        level_confidence: Some(Confidence::Proven),
        victim: Some(VictimKind::Main),
        termination: TerminationReport {
            exit_code: Some(137),
            signal: Some(9),
            reason: Some("OOMKilled".into()),
            started_at: Some(at("2026-11-21T21:14:00Z")),
            finished_at: Some(at("2026-11-21T21:18:02Z")),
            restart_count: Some(12),
            grace_expired: None,
        },
        evidence: vec![
            Evidence {
                says: "The kernel killed java (pid 4242), the container's first process, because its cgroup had \
                       reached its limit of 512 MiB."
                    .into(),
                source: "dmesg.txt".into(),
                locator: "line 118".into(),
                excerpt: "Memory cgroup out of memory: Killed process 4242 (java) total-vm:5242880kB, \
                          anon-rss:501760kB, file-rss:12288kB, shmem-rss:0kB, UID:1000 pgtables:1340kB \
                          oom_score_adj:968"
                    .into(),
            },
            Evidence {
                says: "The API reports OOMKilled with exit code 137.".into(),
                source: "pods.json".into(),
                locator: "/items/3/status/containerStatuses/0/lastState/terminated".into(),
                excerpt: r#"{"exitCode":137,"reason":"OOMKilled"}"#.into(),
            },
        ],
        ruled_out: [Verdict::NodeOom, Verdict::LivenessKill, Verdict::NodeAllocatableOom]
            .map(|verdict| RuledOut {
                verdict,
                because: match verdict {
                    Verdict::LivenessKill => "the container has no liveness or startup probe".into(),
                    _ => "the kernel's report is confined to the container's cgroup".into(),
                },
            })
            .to_vec(),
        missing: vec![Missing {
            what: "The heap's own size at the time.".into(),
            command: "kubectl logs -n shop checkout-7d9fbc8c6d-x2k4b -c app --previous --timestamps=true \
                      --since-time=2026-11-21T21:14:00Z"
                .into(),
        }],
        contributors: vec![Contributor {
            says: "-Xmx512m leaves nothing of the limit of 512 MiB for metaspace, threads and direct buffers.".into(),
            source: "pods.json".into(),
            locator: "/items/3/spec/containers/0/env/0".into(),
        }],
        advice: vec![Advice {
            action: "Set the limit to 768Mi and the heap to 448m together.".into(),
            why: "A JVM needs about 40 % beside its heap here; the heap alone may fill the limit today.".into(),
            risk: "A rollout restarts every pod of the deployment.".into(),
            patch: Some(
                r#"kubectl -n shop patch deployment checkout -p '{"spec":{"template":{"spec":{"containers":[{"name":"app","resources":{"limits":{"memory":"768Mi"}}}]}}}}'"#
                    .into(),
            ),
        }],
        kills: vec!["k1".into()],
        memory: MemoryReport {
            request_bytes: Some(Bytes::mib(256)),
            limit_bytes: Some(Bytes::mib(512)),
            limit_from: Some("template".into()),
            pod_limit_bytes: Some(Bytes::mib(640)),
            qos_class: Some(Qos::Burstable),
            oom_score_adj: Some(968),
            composition: Composition {
                anon_bytes: Some(Bytes::mib(490)),
                file_bytes: Some(Bytes::mib(14)),
                shmem_bytes: Some(Bytes::mib(2)),
                kernel_bytes: Some(Bytes::mib(7)),
                swap_bytes: Some(Bytes(0)),
            },
        },
        pattern: Pattern {
            deaths: 13,
            seconds_to_death: vec![240.0, 243.5, 242.0],
            kind: PatternKind::Constant,
            together: vec!["shop/cart-6b7f9-abcde".into()],
        },
        changes: vec![Change {
            at: Some(at("2026-11-21T19:02:11Z")),
            what: "the limit went from 1Gi to 512Mi (revision 14)".into(),
        }],
        ..bare(
            Verdict::ContainerLimitOom,
            "app in shop/checkout-7d9fbc8c6d-x2k4b reached its memory limit of 512 MiB and the kernel killed its first \
             process, java.",
        )
    };
    document(vec![diagnosis], vec![memcg_kill("k1")])
}

pub(crate) fn memcg_kill(id: &str) -> KillReport {
    KillReport {
        id: id.into(),
        node: Some("node-a".into()),
        boot_id: None,
        at: Some(at("2026-11-21T21:18:02Z")),
        at_from: Some(AtFrom::BootTime),
        uptime_seconds: Some(86_402.125_311),
        constraint: Some(Constraint::Memcg),
        oom_memcg: Some(
            "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod0d9a2a3c_6a43_4f0f_9d0e_3c1f5f6f8a11.slice/cri-containerd-5f0c7d4d2b1a99e3c6f1.scope"
                .into(),
        ),
        task_memcg: None,
        level: Some(Level::Container),
        trigger: TaskReport { pid: Some(4250), comm: Some("C2 CompilerThre".into()) },
        usage_bytes: Some(Bytes::mib(512)),
        limit_bytes: Some(Bytes::mib(512)),
        limit_hit: Some(LimitHit::Memory),
        swap_usage_bytes: Some(Bytes(0)),
        swap_limit_bytes: Some(Bytes(0)),
        group: true,
        sysrq: false,
        pod_uid: None,
        container_id: None,
        runtime: Some("containerd".into()),
        qos_class: Some(Qos::Burstable),
        victims: vec![VictimReport {
            pid: Some(4242),
            comm: Some("java".into()),
            total_vm_bytes: Some(Bytes::mib(5120)),
            anon_rss_bytes: Some(Bytes::mib(490)),
            file_rss_bytes: Some(Bytes::mib(12)),
            shmem_rss_bytes: Some(Bytes(0)),
            uid: Some(1000),
            oom_score_adj: Some(968),
        }],
        candidates: Vec::new(),
    }
}

/// A child was killed; the API shows nothing.
pub(crate) fn child_oom_invisible() -> Document {
    let diagnosis = Diagnosis {
        subject: subject("worker-0", Some("worker")),
        oom_kill: Some(true),
        confidence: Confidence::Proven,
        level: Some(Level::Container),
        level_confidence: Some(Confidence::Proven),
        victim: Some(VictimKind::Child),
        evidence: vec![Evidence {
            says: "The kernel killed python3 (pid 4242); the container runs on.".into(),
            source: "/dev/kmsg".into(),
            locator: "line 3".into(),
            excerpt: String::new(),
        }],
        kills: vec!["k1".into()],
        ..bare(
            Verdict::ChildOomInvisible,
            "The kernel killed a child process in shop/worker-0; the container runs on and the API shows nothing.",
        )
    };
    document(vec![diagnosis], vec![KillReport { group: false, ..memcg_kill("k1") }])
}

/// A 137 that cannot be told.
pub(crate) fn undetermined() -> Document {
    let diagnosis = Diagnosis {
        subject: subject("cart-6b7f9-abcde", Some("cart")),
        termination: TerminationReport {
            exit_code: Some(137),
            signal: Some(9),
            reason: Some("Error".into()),
            finished_at: Some(at("2026-11-21T21:18:02Z")),
            grace_expired: Some(false),
            ..TerminationReport::default()
        },
        missing: vec![
            Missing {
                what: "The kernel log of node-a at 2026-11-21 21:18:02Z would show or exclude a kill.".into(),
                command: "kubectl debug node/node-a -it --image=busybox -- chroot /host journalctl -k --utc --since \
                          '2026-11-21 21:17' --until '2026-11-21 21:19'"
                    .into(),
            },
            Missing { what: "Events of that time have expired.".into(), command: String::new() },
        ],
        ..bare(Verdict::Undetermined, "cart in shop/cart-6b7f9-abcde was ended by SIGKILL; by whom is not shown.")
    };
    document(vec![diagnosis], Vec::new())
}

/// A pod evicted by the kubelet: no container can be named.
pub(crate) fn eviction() -> Document {
    let diagnosis = Diagnosis {
        subject: subject("batch-9x8w7", None),
        oom_kill: Some(false),
        confidence: Confidence::Proven,
        evidence: vec![Evidence {
            says: "The pod's status says Evicted: the node was low on memory.".into(),
            source: "pods.json".into(),
            locator: "/items/0/status".into(),
            excerpt: "The node was low on resource: memory. Threshold quantity: 100Mi, available: 84Ki.\nContainer \
                      main was using 2Gi, request is 128Mi \u{1b}[31mred\u{1b}[0m \u{202e}reversed"
                .into(),
        }],
        memory: MemoryReport { request_bytes: Some(Bytes::mib(128)), ..MemoryReport::default() },
        ..bare(
            Verdict::KubeletMemoryEviction,
            "The kubelet evicted shop/batch-9x8w7 because node-a was low on memory; it used 2 GiB of 128 MiB requested.",
        )
    };
    document(vec![diagnosis], Vec::new())
}

/// The node ran out: who was next matters.
pub(crate) fn node_oom() -> Document {
    let candidate = |pid, comm: &str, mib, oom_score_adj, points| CandidateReport {
        pid,
        comm: comm.into(),
        rss_bytes: Bytes::mib(mib),
        oom_score_adj,
        points,
    };
    let kill = KillReport {
        constraint: Some(Constraint::None),
        oom_memcg: None,
        task_memcg: Some("/kubepods/besteffort/pod0d9a2a3c/5f0c7d4d2b1a99e3c6f1".into()),
        level: Some(Level::Node),
        usage_bytes: None,
        limit_bytes: None,
        limit_hit: None,
        group: false,
        candidates: vec![
            candidate(900, "kubelet", 120, -999, Some(-4_153_000)),
            candidate(4242, "java", 490, 968, Some(4_200_000)),
            candidate(5001, "postgres", 6100, 900, Some(4_100_100)),
            candidate(5002, "nginx | worker", 20, 500, Some(2_100_000)),
            candidate(1, "systemd", 12, 0, Some(3_200)),
            candidate(77, "sshd", 6, -1000, None),
        ],
        ..memcg_kill("k1")
    };
    let diagnosis = Diagnosis {
        subject: subject("report-5c5d-qqqqq", Some("report")),
        oom_kill: Some(true),
        confidence: Confidence::Proven,
        level: Some(Level::Node),
        level_confidence: Some(Confidence::Proven),
        victim: Some(VictimKind::Main),
        kills: vec!["k1".into()],
        memory: MemoryReport { qos_class: Some(Qos::BestEffort), ..MemoryReport::default() },
        ..bare(
            Verdict::NodeOom,
            "node-a ran out of memory and the kernel killed report in shop/report-5c5d-qqqqq; no limit was hit.",
        )
    };
    document(vec![diagnosis], vec![kill])
}

/// Nothing was found.
pub(crate) fn empty() -> Document {
    document(Vec::new(), Vec::new())
}

/// Nothing could even be read.
pub(crate) fn unreadable() -> Document {
    let mut document = empty();
    document.sources = vec![source("notes.txt", "", SourceState::Absent, None, "nothing in it was recognised")];
    document
}

/// Many at once, with a kill that belongs to none.
pub(crate) fn many() -> Document {
    let mut all = container_limit_oom();
    for other in [undetermined(), eviction(), child_oom_invisible()] {
        all.diagnoses.extend(other.diagnoses);
    }
    let mut again = all.diagnoses[0].clone();
    again.subject.pod = Some("a-deployment-with-a-very-long-name-that-somebody-made-7d9fbc8c6d-zzzzz".into());
    again.kills.clear();
    all.diagnoses.push(again);
    all.kernel_kills.push(KillReport { victims: Vec::new(), ..memcg_kill("k2") });
    all
}
