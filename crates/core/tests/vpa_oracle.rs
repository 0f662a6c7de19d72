//! The model of the VPA against upstream's own recommender: random stories, played to both, are answered alike to the bit.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test that cannot go on fails; figures are printed")]
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "the test starts the oracle; only the crate itself does no I/O"
)]

#[path = "../../../tests/support/component.rs"]
mod component;

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::thread;

use oomph_core::size::vpa::{Checkpoint, HistogramCheckpoint, Recommendation, Recommender};
use serde_json::{Value, json};

const STORIES: u64 = 4000;
/// Go's zero time in seconds of Unix time.
const NEVER: i64 = -62_135_596_800;

/// What happens to a container, in order.
enum Event {
    Memory { replica: usize, at: i64, bytes: i64 },
    Cpu { replica: usize, at: i64 },
    Kill { replica: usize, at: i64, request: i64 },
    Save { at: i64 },
    Restart { at: i64 },
    Load(Checkpoint),
    Recommend,
}

/// Numbers that are the same on every run (SplitMix64).
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn below(&mut self, end: u64) -> u64 {
        self.roll() % end
    }

    fn between(&mut self, from: i64, to: i64) -> i64 {
        from + i64::try_from(self.below(u64::try_from(to - from).unwrap())).unwrap()
    }

    /// An amount of memory: of every magnitude, at the border of a bucket, nothing, or negative.
    fn bytes(&mut self) -> i64 {
        match self.below(20) {
            0 => self.between(-5, 5),
            1..6 => {
                let bucket = i32::try_from(self.below(180)).unwrap();
                let border = 1e7 * (1.05_f64.powi(bucket) - 1.0) / (1.05 - 1.0);
                #[expect(clippy::cast_possible_truncation, reason = "at most 1.3 TB")]
                let border = border.round() as i64;
                border + self.between(-1, 2)
            }
            6..12 => self.between(40 << 20, 4 << 30),
            _ => {
                let magnitude = self.below(44);
                self.between(1, 2 << magnitude)
            }
        }
    }

    fn story(&mut self) -> (u32, Vec<Event>) {
        let containers = u32::try_from(self.below(4)).unwrap() + 1;
        let replicas = self.below(4) + 1;
        let mut now = self.between(0, 2_000_000_000);
        let mut events = Vec::new();
        if self.below(5) == 0 {
            events.push(Event::Load(self.checkpoint(now)));
        }
        let pace = [60, 300, 3600, 30_000, 90_000, 900_000][usize::try_from(self.below(6)).unwrap()];
        for _ in 0..self.between(5, 250) {
            now += self.between(0, 2 * pace);
            let replica = usize::try_from(self.below(replicas)).unwrap();
            // Some come late.
            let at = if self.below(15) == 0 { now - self.between(0, 3 * 86_400) } else { now };
            events.push(match self.below(100) {
                0..50 => Event::Memory { replica, at, bytes: self.bytes() },
                50..75 => Event::Cpu { replica, at },
                75..85 => Event::Kill { replica, at, request: self.bytes() },
                85..95 => Event::Recommend,
                95..97 => Event::Save { at },
                97 => Event::Restart { at },
                98 if self.below(3) == 0 => Event::Load(self.checkpoint(now)),
                // A long silence: the reference moves, and old peaks fade to nothing.
                _ => {
                    now += self.between(0, 400 * 86_400);
                    Event::Recommend
                }
            });
        }
        events.push(Event::Recommend);
        events.push(Event::Save { at: now });
        (containers, events)
    }

    fn checkpoint(&mut self, now: i64) -> Checkpoint {
        let mut moment = |span: i64| (self.below(8) > 0).then(|| now - self.between(0, span));
        let (first_sample, last_sample) = (moment(40 * 86_400), moment(86_400));
        let reference = moment(120 * 86_400).map(|at| at / 86_400 * 86_400);
        let full = self.below(40);
        let bucket_weights: BTreeMap<usize, u32> = (0..full)
            .map(|_| (usize::try_from(self.below(176)).unwrap(), u32::try_from(self.below(10_001)).unwrap()))
            .collect();
        let total_weight = self.below(1 << 40) as f64 / [1e-3, 1.0, 1e6, 1e12][usize::try_from(self.below(4)).unwrap()];
        let samples = self.between(0, 100_000);
        Checkpoint {
            first_sample,
            last_sample,
            samples,
            memory: HistogramCheckpoint { reference, bucket_weights, total_weight },
        }
    }
}

fn saved(it: &Checkpoint) -> Value {
    let moment = |at: Option<i64>| at.unwrap_or(NEVER);
    // Go leaves an empty map out.
    let weights = Some(&it.memory.bucket_weights).filter(|it| !it.is_empty());
    json!({
        "first": moment(it.first_sample), "last": moment(it.last_sample), "samples": it.samples,
        "reference": moment(it.memory.reference), "weights": weights,
        "total": it.memory.total_weight.to_bits(),
    })
}

fn told(event: &Event) -> Value {
    match event {
        Event::Memory { replica, at, bytes } => json!({"what": "memory", "replica": replica, "at": at, "bytes": bytes}),
        Event::Cpu { replica, at } => json!({"what": "cpu", "replica": replica, "at": at}),
        Event::Kill { replica, at, request } => json!({"what": "oom", "replica": replica, "at": at, "bytes": request}),
        Event::Save { at } => json!({"what": "checkpoint", "at": at}),
        Event::Restart { at } => json!({"what": "restart", "at": at}),
        Event::Load(it) => json!({"what": "load", "saved": saved(it)}),
        Event::Recommend => json!({"what": "recommend"}),
    }
}

/// What the model answers.
fn answers(containers: u32, events: &[Event]) -> Vec<Value> {
    let mut it = Recommender::default();
    let mut answers = Vec::new();
    for event in events {
        match event {
            Event::Memory { replica, at, bytes } => it.used(*replica, *at, *bytes),
            Event::Cpu { replica, at } => it.cpu(*replica, *at),
            Event::Kill { replica, at, request } => it.killed(*replica, *at, *request),
            Event::Save { at } => {
                answers.push(json!({"target": 0, "lower": 0, "upper": 0, "saved": saved(&it.save(*at))}));
            }
            Event::Restart { at } => {
                let kept = it.save(*at);
                answers.push(json!({"target": 0, "lower": 0, "upper": 0, "saved": saved(&kept)}));
                it = Recommender::load(&kept).unwrap();
            }
            Event::Load(kept) => it = Recommender::load(kept).unwrap(),
            Event::Recommend => {
                let Recommendation { target, lower, upper } = it.recommend(containers);
                answers.push(json!({"target": target, "lower": lower, "upper": upper}));
            }
        }
    }
    answers
}

#[test]
fn random_stories_are_answered_as_upstream_answers_them() {
    let Some(program) = component::component("OOMPH_TEST_VPA_ORACLE") else { return };
    let mut oracle =
        Command::new(program).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let stories: Vec<(u32, Vec<Event>)> = (0..STORIES).map(|seed| Dice(seed).story()).collect();
    let input = oracle.stdin.take().unwrap();
    let output = BufReader::new(oracle.stdout.take().unwrap());
    let mut compared = 0;
    thread::scope(|scope| {
        scope.spawn(|| {
            let mut input = input;
            for (containers, events) in &stories {
                let events: Vec<Value> = events.iter().map(told).collect();
                writeln!(input, "{}", json!({"containers": containers, "events": events})).unwrap();
            }
        });
        let mut lines = output.lines();
        for (seed, (containers, events)) in stories.iter().enumerate() {
            let theirs: Vec<Value> = serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap();
            let ours = answers(*containers, events);
            assert_eq!(ours.len(), theirs.len());
            for (number, (ours, theirs)) in ours.iter().zip(&theirs).enumerate() {
                assert_eq!(ours, theirs, "answer {number} of story {seed}");
            }
            compared += ours.len();
        }
    });
    assert!(oracle.wait().unwrap().success());
    println!("{STORIES} stories, {compared} answers, all equal");
    assert!(compared > 20_000, "{compared}");
}
