//! Kernel logs that people posted, with truth by hand: every victim, each once, and every field of every report.
//!
//! The texts are not in the repository; the test is skipped where they are not beside it.
#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::needless_pass_by_value,
    reason = "a test reads its corpus and prints its figures"
)]

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::path::PathBuf;

use oomph_core::artifact::{Artifact, ArtifactId, Kind};
use oomph_core::decode::decode;
use oomph_core::fact::{Constraint, KernelKill, Level, LimitHit, Qos, Victim, What};
use oomph_core::units::Bytes;
use serde_json::Value;

mod shared;

/// Right answers per field.
#[derive(Default)]
struct Score {
    fields: BTreeMap<String, (usize, usize)>,
    wrong: Vec<String>,
}

impl Score {
    fn field<T: PartialEq + Debug>(&mut self, at: &str, name: &str, found: T, truth: T) {
        let (right, total) = self.fields.entry(name.to_owned()).or_default();
        *total += 1;
        if found == truth {
            *right += 1;
        } else {
            self.wrong.push(format!("{at}: {name}: found {found:?}, truth {truth:?}"));
        }
    }
}

impl Score {
    fn total(&self) -> (usize, usize) {
        self.fields.values().fold((0, 0), |(right, total), (r, t)| (right + r, total + t))
    }

    fn print(&self) {
        for (field, (right, total)) in &self.fields {
            println!("{field:22} {right:4} of {total:4}");
        }
    }
}

fn text(value: &Value, key: &str) -> Option<String> {
    value.get(key).and_then(Value::as_str).map(str::to_owned)
}

fn kib(value: &Value, key: &str) -> Option<Bytes> {
    value.get(key).and_then(Value::as_u64).map(Bytes::kib)
}

fn number<T: TryFrom<i64>>(value: &Value, key: &str) -> Option<T> {
    value.get(key).and_then(Value::as_i64).and_then(|number| T::try_from(number).ok())
}

fn constraint(kill: &KernelKill) -> Option<String> {
    let name = match kill.constraint? {
        Constraint::Memcg => "memcg",
        Constraint::None => "none",
        Constraint::Cpuset => "cpuset",
        Constraint::Mempolicy => "mempolicy",
    };
    Some(name.to_owned())
}

/// The truth names the level of a limit only: a kill without one has none.
fn level(kill: &KernelKill) -> Option<String> {
    let name = match kill.level? {
        Level::Container => "container",
        Level::Pod => "pod",
        Level::NodeAllocatable => "kubepods",
        Level::Slice => "slice",
        Level::Lxc => "lxc",
        Level::EcsTask => "ecs_task",
        Level::UserUnit => "user_unit",
        Level::Other => "other",
        Level::Node | Level::Cpuset | Level::Mempolicy => return None,
    };
    Some(name.to_owned())
}

fn limit_hit(kill: &KernelKill) -> Option<String> {
    let name = match kill.limit_hit? {
        LimitHit::Memory => "memory",
        LimitHit::MemorySwap => "memory+swap",
        LimitHit::KernelMemory => "kernel memory",
    };
    Some(name.to_owned())
}

fn qos(kill: &KernelKill) -> Option<String> {
    let name = match kill.qos? {
        Qos::Guaranteed => "guaranteed",
        Qos::Burstable => "burstable",
        Qos::BestEffort => "besteffort",
    };
    Some(name.to_owned())
}

fn victim(score: &mut Score, at: &str, found: &Victim, truth: &Value) {
    score.field(at, "victim comm", found.comm.clone(), text(truth, "comm"));
    score.field(at, "victim total_vm", found.total_vm, kib(truth, "total_vm_kb"));
    score.field(at, "victim anon_rss", found.anon_rss, kib(truth, "anon_rss_kb"));
    score.field(at, "victim file_rss", found.file_rss, kib(truth, "file_rss_kb"));
    score.field(at, "victim shmem_rss", found.shmem_rss, kib(truth, "shmem_rss_kb"));
    score.field(at, "victim uid", found.uid, number(truth, "uid"));
    score.field(at, "victim oom_score_adj", found.oom_score_adj, number(truth, "oom_score_adj"));
}

fn incident(score: &mut Score, at: &str, found: &KernelKill, truth: &Value) {
    let trigger = found.trigger.clone().unwrap_or_default();
    score.field(at, "constraint", constraint(found), text(truth, "constraint"));
    score.field(at, "oom_memcg", found.oom_memcg.clone(), text(truth, "oom_memcg"));
    score.field(at, "task_memcg", found.task_memcg.clone(), text(truth, "task_memcg"));
    score.field(at, "level", level(found), text(truth, "limit_level"));
    score.field(at, "trigger comm", trigger.comm, text(truth, "trigger_comm"));
    score.field(at, "trigger pid", trigger.pid, number(truth, "trigger_pid"));
    score.field(at, "usage", found.memory.and_then(|line| line.usage), kib(truth, "usage_kb"));
    score.field(at, "limit", found.memory.and_then(|line| line.limit), kib(truth, "limit_kb"));
    score.field(at, "limit_hit", limit_hit(found), text(truth, "limit_hit"));
    if let Some(group) = truth.get("oom_group").and_then(Value::as_bool) {
        score.field(at, "group", found.group, group);
    }
    score.field(at, "sysrq", Some(found.sysrq), truth.get("sysrq").and_then(Value::as_bool));
    score.field(at, "pod_uid", found.pod_uid.clone(), text(truth, "pod_uid"));
    score.field(at, "container_id", found.container_id.clone(), text(truth, "container_id"));
    score.field(at, "runtime", found.runtime.clone(), text(truth, "runtime"));
    score.field(at, "qos", qos(found), text(truth, "qos"));
    let none = Vec::new();
    let killed = truth.get("killed").and_then(Value::as_array).unwrap_or(&none);
    let pids: Vec<Option<u32>> = found.victims.iter().map(|victim| victim.pid).collect();
    score.field(at, "victims", pids, killed.iter().map(|killed| number(killed, "pid")).collect());
    for (found, truth) in found.victims.iter().zip(killed) {
        victim(score, at, found, truth);
    }
}

/// A text of the corpus with its truth.
struct Sample {
    name: String,
    text: Vec<u8>,
    truth: Value,
}

fn samples() -> Option<Vec<Sample>> {
    let mut paths: Vec<PathBuf> = std::fs::read_dir(shared::part("corpus/oom")?)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|end| end == "txt"))
        .collect();
    paths.sort();
    let read = |path: &PathBuf| Sample {
        name: path.file_stem().unwrap().to_string_lossy().into_owned(),
        text: std::fs::read(path).unwrap(),
        truth: serde_json::from_slice(&std::fs::read(path.with_extension("json")).unwrap()).unwrap(),
    };
    Some(paths.iter().map(read).collect())
}

fn compare(score: &mut Score, at: &str, text: Vec<u8>, truth: &Value) {
    let mut artifact = Artifact::new(at, text);
    artifact.kind = Some(Kind::KernelLog);
    let decoded = decode(ArtifactId(0), &artifact);
    let found: Vec<&KernelKill> = decoded
        .facts
        .iter()
        .filter_map(|fact| match &fact.what {
            What::Kill(kill) => Some(&**kill),
            _ => None,
        })
        .collect();
    let incidents = truth["incidents"].as_array().unwrap();
    score.field(at, "incidents", found.len(), incidents.len());
    let victims = found.iter().map(|kill| kill.victims.len() as u64).sum::<u64>();
    score.field(at, "kill count", Some(victims), truth["kill_count"].as_u64());
    for (number, (found, truth)) in found.iter().zip(incidents).enumerate() {
        incident(score, &format!("{at}#{}", number + 1), found, truth);
    }
    if truth["kind"] == "userspace_killer" {
        let told = decoded.facts.iter().filter(|fact| matches!(fact.what, What::UserspaceKill(_))).count();
        score.field(at, "userspace kills", told, 1);
    }
}

#[test]
fn every_victim_of_the_corpus_is_found_once_and_every_field_is_right() {
    let Some(samples) = samples() else {
        println!("skipped: the corpus of kernel logs (shared/corpus/oom) is not here");
        return;
    };
    let mut score = Score::default();
    for Sample { name, text, truth } in &samples {
        compare(&mut score, name, text.clone(), truth);
    }
    println!("{} texts", samples.len());
    score.print();
    assert!(score.wrong.is_empty(), "\n{}", score.wrong.join("\n"));
}

/// Ways in which a log is pasted: none changes what it says.
type Way = (&'static str, fn(&str) -> String);

const PASTED: [Way; 8] = [
    ("quoted", |text| each_line(text, |line| format!("> {line}"))),
    ("indented", |text| each_line(text, |line| format!("    {line}"))),
    ("with carriage returns", |text| each_line(text, |line| format!("{line}\r"))),
    ("in a fence", |text| format!("Hello, my container dies. dmesg says:\n\n```\n{text}\n```\n\nWhat can I do?\n")),
    ("as HTML", |text| {
        format!(
            "<p>See:</p>\n<pre><code>{}</code></pre>",
            text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
        )
    }),
    ("in colours", |text| each_line(text, |line| format!("\u{1b}[0;1;39m{line}\u{1b}[0m"))),
    ("in a long syslog", |text| {
        let noise = "Mar  3 04:05:06 web-1 app[77]: GET /v1/things 200 12ms process=5 out of order\n".repeat(700);
        format!("{noise}{text}\n{noise}")
    }),
    ("with blank lines", |text| format!("\n\n{text}\n\n")),
];

fn each_line(text: &str, change: impl Fn(&str) -> String) -> String {
    text.lines().map(|line| change(line) + "\n").collect()
}

#[test]
fn the_way_of_pasting_changes_nothing() {
    let Some(samples) = samples() else {
        println!("skipped: the corpus of kernel logs (shared/corpus/oom) is not here");
        return;
    };
    for (way, paste) in PASTED {
        let mut score = Score::default();
        for Sample { name, text, truth } in &samples {
            let pasted = paste(&String::from_utf8_lossy(text));
            compare(&mut score, &format!("{name} {way}"), pasted.into_bytes(), truth);
        }
        let (right, total) = score.total();
        println!("{way:22} {right:5} of {total:5}");
        assert!(score.wrong.is_empty(), "\n{}", score.wrong.join("\n"));
    }
}

/// Prefixes under which the same messages reach people. `{n}` counts lines.
const PREFIXES: [&str; 14] = [
    "",
    "[ 8523.{n}] ",
    "[ 8523.{n}][  T123] ",
    "<6>[ 8523.{n}] ",
    "6,{n},8523{n},-;",
    "kern  :info  : [Thu Aug 17 17:29:27 2023] ",
    "2024-04-29T14:55:41,{n}+02:00 ",
    "Oct 12 19:00:20 web-1 kernel: ",
    "Oct 12 19:00:20 web-1 kernel: [ 8523.{n}] ",
    "2026-09-02T09:08:50.{n}+00:00 web-1 kernel: ",
    "[Di Aug 12 03:54:03 2025] ",
    "Wed 2024-05-01 12:00:00 UTC web-1 kernel: ",
    "[ 8523.{n}] web-1 kernel: ",
    "kern.log:{n}:Oct 12 19:00:20 web-1 kernel: [ 8523.{n}] ",
];

#[test]
fn the_prefix_changes_nothing() {
    let Some(samples) = samples() else {
        println!("skipped: the corpus of kernel logs (shared/corpus/oom) is not here");
        return;
    };
    // Texts of nothing but messages: anything may stand before these.
    let bare: Vec<&Sample> = samples
        .iter()
        .filter(|sample| sample.truth["log_prefix"] == "none" && sample.truth["wrapped"] == false)
        .collect();
    println!("{} bare texts", bare.len());
    for prefix in PREFIXES {
        let mut score = Score::default();
        for Sample { name, text, truth } in bare.iter().copied() {
            let text = String::from_utf8_lossy(text);
            let lines = text.lines().enumerate().map(|(number, line)| {
                format!("{}{line}\n", prefix.replace("{n}", &format!("{:06}", 100_000 + number)))
            });
            compare(&mut score, &format!("{name} after {prefix:?}"), lines.collect::<String>().into_bytes(), truth);
        }
        let (right, total) = score.total();
        println!("{right:5} of {total:5} after {prefix:?}");
        assert!(score.wrong.is_empty(), "\n{}", score.wrong.join("\n"));
    }
}
