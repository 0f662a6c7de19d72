//! Engines, cgroups and metrics of real machines: what was left of deaths whose truth is known.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test reads its captures and prints its figures"
)]

use std::path::PathBuf;
use std::sync::LazyLock;

use oomph_core::artifact::{Artifact, ArtifactId, Kind};
use oomph_core::decode::decode;
use oomph_core::fact::{Counters, CountersOf, EngineContainer, What};
use oomph_core::units::Bytes;
use proptest::prelude::*;

mod shared;

/// The root of the repository.
fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn facts(path: &PathBuf, kind: Kind) -> Vec<What> {
    let bytes = std::fs::read(path).unwrap();
    let artifact = Artifact { kind: Some(kind), ..Artifact::new(path.to_string_lossy(), bytes) };
    let started = std::time::Instant::now();
    let decoded = decode(ArtifactId(0), &artifact);
    println!(
        "{}: {} bytes, {} facts, {} gaps, {:?}",
        path.file_name().unwrap().to_string_lossy(),
        artifact.bytes.len(),
        decoded.facts.len(),
        decoded.gaps.len(),
        started.elapsed()
    );
    assert_eq!(decoded.gaps, []);
    decoded.facts.into_iter().map(|fact| fact.what).collect()
}

fn counters(path: &PathBuf) -> Vec<Counters> {
    let counters = |what| if let What::Counters(it) = what { Some(*it) } else { None };
    facts(path, Kind::Metrics).into_iter().filter_map(counters).collect()
}

/// Pods with containers that lost a process.
fn struck(counters: &[Counters]) -> Vec<(&str, u64)> {
    let mut struck: Vec<_> = counters
        .iter()
        .filter(|it| it.of == CountersOf::Container)
        .filter_map(|it| Some((it.subject.pod.as_deref()?, it.oom_kill.filter(|count| *count > 0)?)))
        .collect();
    struck.sort_unstable();
    struck
}

#[test]
fn cadvisor_without_labels_still_tells_who_lost_a_process() {
    let counters = counters(&root().join("fixtures/k8s-1.37-cgroup-v1/cadvisor.prom"));
    assert_eq!(struck(&counters), [("child-alive", 1), ("tmpfs", 1)]);
    for it in counters.iter().filter(|it| it.of == CountersOf::Container) {
        assert!(it.subject.pod_uid.is_some() && it.subject.container_id.is_some(), "{it:?}");
        assert!(it.at.is_some() && it.usage.is_some(), "{it:?}");
    }
}

#[test]
fn cadvisor_with_labels_names_the_container() {
    let Some(path) = shared::part("captures/k8s-1.36-cgroup-v1/cadvisor.prom") else { return };
    let counters = counters(&path);
    assert_eq!(struck(&counters), [("child-oom-survives", 1)]);
    let it = counters.iter().find(|it| it.oom_kill > Some(0)).unwrap();
    assert_eq!((it.subject.namespace.as_deref(), it.subject.container.as_deref()), (Some("default"), Some("app")));
    assert!(it.limit.is_some_and(|limit| limit > Bytes(0)), "{it:?}");
}

#[test]
fn the_resource_endpoint_names_every_container() {
    let Some(path) = shared::part("captures/k8s-1.36-cgroup-v1/resource.prom") else { return };
    let counters = counters(&path);
    assert!(counters.iter().all(|it| it.subject.container.is_some() && it.usage.is_some()));
    assert!(counters.iter().any(|it| it.subject.pod.as_deref() == Some("child-oom-survives")));
}

#[test]
fn a_posted_piece_of_an_inspect_document_is_a_container() {
    let Some(path) = shared::part("corpus/pod/046-docker-state-false-137-memtest-2016.txt") else { return };
    let mut found = facts(&path, Kind::EngineInspect);
    let Some(What::EngineContainer(it)) = found.pop() else { panic!("{found:?}") };
    let EngineContainer { oom_killed, exit_code, started, finished, .. } = *it;
    assert_eq!((oom_killed, exit_code), (Some(false), Some(137)));
    assert_eq!(started, "2016-07-19T05:15:33Z".parse().ok());
    assert_eq!(finished, "2016-07-19T05:16:32Z".parse().ok());
}

proptest::proptest! {
    #[test]
    fn no_stretch_of_a_real_exposition_panics(from: prop::sample::Index, length in 0_usize..4096, at: prop::sample::Index, byte: u8) {
        static REAL: LazyLock<Vec<u8>> =
            LazyLock::new(|| std::fs::read(root().join("fixtures/k8s-1.37-cgroup-v1/cadvisor.prom")).unwrap());
        let from = from.index(REAL.len());
        let mut bytes = REAL[from..REAL.len().min(from + length)].to_vec();
        if !bytes.is_empty() {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        for kind in [Kind::Metrics, Kind::MemoryEvents, Kind::MemoryStat, Kind::EngineEvents, Kind::EngineInspect, Kind::CriInspect] {
            decode(ArtifactId(0), &Artifact { kind: Some(kind), ..Artifact::new("a", bytes.as_slice()) });
        }
    }
}
