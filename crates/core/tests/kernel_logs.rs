//! Kernel logs of our own making, one a kernel or a way of pasting, and what is read from them.
//!
//! `6.18-v1-real` is a real report; the others were written by hand after the kernel's sources.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "a test reads its fixtures")]

use std::fmt::Write;
use std::path::{Path, PathBuf};

use oomph_core::artifact::{Artifact, ArtifactId, Kind};
use oomph_core::decode::{Decoded, decode};
use oomph_core::fact::{Fact, KernelKill, MemoryLine, Victim, What};
use oomph_core::units::Bytes;
use proptest::prelude::*;

mod shared;

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/kernel_logs")
}

fn fixtures() -> Vec<(String, Vec<u8>)> {
    texts_in(&folder())
}

fn texts_in(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut paths: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|end| end == "txt"))
        .collect();
    paths.sort();
    let read =
        |path: &PathBuf| (path.file_stem().unwrap().to_string_lossy().into_owned(), std::fs::read(path).unwrap());
    paths.iter().map(read).collect()
}

fn decoded(bytes: &[u8], change: impl FnOnce(&mut Artifact)) -> Decoded {
    let mut artifact = Artifact::new("log", bytes);
    artifact.kind = Some(Kind::KernelLog);
    change(&mut artifact);
    decode(ArtifactId(0), &artifact)
}

fn kills(decoded: &Decoded) -> Vec<&KernelKill> {
    let kill = |fact: &'_ Fact| matches!(fact.what, What::Kill(_));
    decoded
        .facts
        .iter()
        .filter(|fact| kill(fact))
        .map(|fact| match &fact.what {
            What::Kill(kill) => &**kill,
            _ => unreachable!("filtered"),
        })
        .collect()
}

fn told<T: std::fmt::Debug>(out: &mut String, name: &str, value: Option<T>) {
    if let Some(value) = value {
        writeln!(out, "  {name}: {value:?}").unwrap();
    }
}

fn counter(out: &mut String, name: &str, line: Option<MemoryLine>) {
    told(out, name, line.map(|line| (line.usage.map(|b| b.0), line.limit.map(|b| b.0), line.failcnt)));
}

/// What was read, one line a field that is known.
fn rendered(decoded: &Decoded) -> String {
    let mut out = String::new();
    for fact in &decoded.facts {
        match &fact.what {
            What::Kill(kill) => {
                writeln!(out, "kill, {}", fact.from.locator()).unwrap();
                let at = kill.at.map(|at| {
                    format!("{at} by {:?}, zone {}, year {}", kill.at_from, kill.at_zone_known, kill.at_year_known)
                });
                told(&mut out, "node", kill.node.as_ref());
                told(&mut out, "boot", kill.boot_id.as_ref());
                told(&mut out, "at", at);
                told(&mut out, "uptime", kill.uptime_seconds);
                told(&mut out, "constraint", kill.constraint);
                told(&mut out, "level", kill.level);
                told(&mut out, "oom_memcg", kill.oom_memcg.as_ref());
                told(&mut out, "task_memcg", kill.task_memcg.as_ref());
                told(&mut out, "trigger", kill.trigger.as_ref().map(|task| (task.pid, task.comm.clone())));
                counter(&mut out, "memory", kill.memory);
                counter(&mut out, "swap", kill.swap);
                counter(&mut out, "kmem", kill.kmem);
                told(&mut out, "limit_hit", kill.limit_hit);
                told(&mut out, "pod", kill.pod_uid.as_ref());
                told(&mut out, "container", kill.container_id.as_ref());
                told(&mut out, "runtime", kill.runtime.as_ref());
                told(&mut out, "qos", kill.qos);
                told(&mut out, "total", kill.total.map(|total| total.0));
                told(&mut out, "group", kill.group.then_some(true));
                told(&mut out, "sysrq", kill.sysrq.then_some(true));
                for (key, value) in &kill.stats {
                    writeln!(out, "  stat {key} {}", value.0).unwrap();
                }
                for victim in &kill.victims {
                    writeln!(out, "  victim {victim:?}").unwrap();
                }
                for candidate in &kill.candidates {
                    writeln!(out, "  candidate {candidate:?}").unwrap();
                }
                for (locus, text) in &kill.lines {
                    writeln!(out, "  {}: {text}", locus.locator()).unwrap();
                }
            }
            other => writeln!(out, "{other:?}, {}", fact.from.locator()).unwrap(),
        }
    }
    for coverage in &decoded.coverage {
        writeln!(out, "covers {:?} to {:?} of {:?}", coverage.from, coverage.to, coverage.node).unwrap();
        for hole in &coverage.holes {
            writeln!(out, "  hole: {hole}").unwrap();
        }
    }
    out
}

#[test]
fn every_kernel_and_way_of_pasting_is_read() {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(folder());
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| {
        for (name, text) in fixtures() {
            insta::assert_snapshot!(name, rendered(&decoded(&text, |_| ())));
        }
    });
}

#[test]
fn a_known_boot_dates_seconds_since_boot() {
    let booted = "2026-11-25T00:00:00Z".parse().unwrap();
    let decoded = decoded(
        b"[  60.5] x\n[ 61.250000] Out of memory: Killed process 7 (app) total-vm:1kB, anon-rss:0kB\n[ 62.5] y\n",
        |artifact| artifact.booted = Some(booted),
    );
    let kill = kills(&decoded)[0];
    assert_eq!(kill.at.unwrap().to_string(), "2026-11-25T00:01:01.25Z");
    assert!(kill.at_zone_known && kill.at_year_known);
    let coverage = &decoded.coverage[0];
    assert_eq!(coverage.from.unwrap().to_string(), "2026-11-25T00:01:00.5Z");
    assert_eq!(coverage.to.unwrap().to_string(), "2026-11-25T00:01:02.5Z");
}

#[test]
fn the_time_of_reading_gives_the_year() {
    let decoded = decoded(b"Dec 31 23:59:59 web kernel: Killed process 7 (app) total-vm:1kB", |artifact| {
        artifact.at = Some("2026-01-01T10:00:00Z".parse().unwrap());
    });
    let kill = kills(&decoded)[0];
    assert_eq!(kill.at.unwrap().to_string(), "2025-12-31T23:59:59Z");
    assert!(kill.at_year_known && !kill.at_zone_known);
}

#[test]
fn reports_of_several_nodes_may_interleave() {
    let line = |node: &str, text: &str| format!("Oct 12 19:00:20 {node} kernel: {text}\n");
    let kill = |pid: u32| format!("Memory cgroup out of memory: Killed process {pid} (app) total-vm:9kB, anon-rss:1kB");
    let log = [
        line("a", "app invoked oom-killer: gfp_mask=0xcc0, order=0, oom_score_adj=1"),
        line("b", "web invoked oom-killer: gfp_mask=0xcc0, order=0, oom_score_adj=2"),
        line("a", "memory: usage 10kB, limit 10kB, failcnt 1"),
        line("b", "memory: usage 20kB, limit 20kB, failcnt 1"),
        line("b", &kill(2)),
        line("a", &kill(1)),
    ];
    let decoded = decoded(log.concat().as_bytes(), |_| ());
    let kills = kills(&decoded);
    let found: Vec<_> = kills
        .iter()
        .map(|kill| (kill.node.as_deref(), kill.memory.unwrap().limit.unwrap().0, kill.victims[0].pid))
        .collect();
    assert_eq!(found, [(Some("a"), 10_240, Some(1)), (Some("b"), 20_480, Some(2))]);
}

#[test]
fn the_same_kill_from_two_logs_in_one_file_is_one() {
    let text = "[ 61.250000] Out of memory: Killed process 7 (app) total-vm:1kB, anon-rss:0kB\n";
    let log = format!("{text}some words\n[ 70.5] eth0: up\n{text}");
    assert_eq!(kills(&decoded(log.as_bytes(), |_| ())).len(), 1);
}

#[test]
fn a_process_that_cannot_die_is_killed_in_two_reports() {
    let kill = "Out of memory: Kill process 7 (app) score 9 or sacrifice child\nKilled process 7 (app) total-vm:1kB, anon-rss:0kB\n";
    let log = format!("{kill}sysrq: Manual OOM execution\n{kill}");
    let decoded = decoded(log.as_bytes(), |_| ());
    let victims: Vec<_> = kills(&decoded).iter().map(|kill| (kill.sysrq, kill.victims.len())).collect();
    assert_eq!(victims, [(false, 1), (true, 1)]);
}

/// Own fixtures, and the corpus where it is beside the repository.
fn texts() -> Vec<(String, Vec<u8>)> {
    let corpus = shared::part("corpus/oom");
    let own = texts_in(&folder());
    own.into_iter().chain(corpus.map(|folder| texts_in(&folder)).unwrap_or_default()).collect()
}

#[test]
fn a_cut_log_tells_nothing_that_the_whole_does_not() {
    for (name, text) in texts() {
        let whole = decoded(&text, |_| ());
        let victims: Vec<_> = kills(&whole).into_iter().flat_map(|kill| kill.victims.clone()).collect();
        for end in (0..text.len()).step_by(41) {
            let cut = decoded(&text[..end], |_| ());
            for victim in kills(&cut).into_iter().flat_map(|kill| kill.victims.clone()) {
                let same: Vec<_> = victims.iter().filter(|whole| whole.pid == victim.pid).collect();
                // `Kill process` names a thread or a parent until the line after it tells who was killed.
                let only_named = victim.total_vm.is_none() && victim.anon_rss.is_none();
                assert!(!same.is_empty() || only_named, "{name} cut at {end}: {victim:?}");
                let told = |size: fn(&Victim) -> Option<Bytes>| {
                    size(&victim).is_none() || same.iter().any(|whole| size(whole) == size(&victim))
                };
                let sizes = [
                    told(|victim| victim.total_vm),
                    told(|victim| victim.anon_rss),
                    told(|victim| victim.file_rss),
                    told(|victim| victim.shmem_rss),
                    told(|victim| victim.pgtables),
                ];
                assert!(sizes.iter().all(|told| *told), "{name} cut at {end}: {victim:?}");
            }
        }
    }
}

/// The target that fuzzers call: no bytes make the decoder fail, and what it says stays within the text.
fn fuzz_kernel_log(bytes: &[u8]) {
    let lines = bytes.split(|byte| *byte == b'\n').count();
    let decoded = decoded(bytes, |_| ());
    for kill in kills(&decoded) {
        assert!(kill.victims.len() <= lines && kill.candidates.len() <= lines);
        for (locus, text) in &kill.lines {
            assert!(text.chars().count() <= 300 && locus.locator().starts_with("line "));
        }
    }
    assert_eq!(decoded.coverage.len(), 1);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..2000)) {
        fuzz_kernel_log(&bytes);
    }

    #[test]
    fn no_words_of_reports_panic(words in proptest::collection::vec(
        prop_oneof![
            Just("oom-kill:constraint="), Just("Killed process "), Just("Kill process"), Just("Task in /"), Just("[ pid ]"),
            Just("memory: usage "), Just("kB"), Just("\n"), Just("(é"), Just(")"), Just("[ 1.5] "), Just("invoked oom-killer"),
            Just("Oct 12 19:00:20 "), Just("kernel: "), Just(",task="), Just(",pid="), Just("99999999999999999999"), Just("-1"),
            Just("{\"MESSAGE\":\""), Just("oom_reaper: reaped process"), Just("Memory cgroup out of memory: "), Just("月 3 "),
            Just("Memory cgroup stats for /a:"), Just(" killed as a result of limit of"), Just("UID:"), Just(">"), Just("[T"),
        ], 0..60)) {
        fuzz_kernel_log(words.concat().as_bytes());
    }

    #[test]
    fn no_damage_to_a_real_log_panics(damage in damage()) {
        fuzz_kernel_log(&damaged(&damage));
    }

    /// Rows of a task table, counters and frames have a short way of their own, which blocks with a no-break space in them
    /// do not take.
    #[test]
    fn the_short_way_finds_what_the_long_way_finds(damage in damage()) {
        let mut log = damaged(&damage);
        log.extend_from_slice(b"\nall is");
        let short = decoded(&[&log[..], b" well"].concat(), |_| ());
        let long = decoded(&[&log[..], "\u{a0}well".as_bytes()].concat(), |_| ());
        prop_assert_eq!(format!("{short:?}"), format!("{long:?}"));
    }
}

/// Which log, where it is cut, which bytes are others and which are lost.
type Damage = (prop::sample::Index, prop::sample::Index, Vec<(prop::sample::Index, u8)>, Vec<prop::sample::Index>);

fn damage() -> impl Strategy<Value = Damage> {
    let byte = prop_oneof![any::<u8>(), prop::sample::select(b" []0123456789-.:\nkx".to_vec())];
    let flips = proptest::collection::vec((any::<prop::sample::Index>(), byte), 0..20);
    let lost = proptest::collection::vec(any::<prop::sample::Index>(), 0..5);
    (any::<prop::sample::Index>(), any::<prop::sample::Index>(), flips, lost)
}

fn damaged((which, cut, flips, lost): &Damage) -> Vec<u8> {
    let mut bytes = which.get(&fixtures()).1.clone();
    for (at, byte) in flips {
        let at = at.index(bytes.len());
        bytes[at] = *byte;
    }
    for at in lost {
        bytes.remove(at.index(bytes.len()));
    }
    bytes.truncate(cut.index(bytes.len()) + 1);
    bytes
}
