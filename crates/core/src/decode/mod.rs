//! Bytes to facts. One file a kind; the table below is the list of them.
//!
//! Decoding never fails: what cannot be read becomes a gap, and the rest is kept.

use std::borrow::Cow;

use jiff::{SignedDuration, Timestamp};

use crate::artifact::{Artifact, ArtifactId, Kind};
use crate::fact::{Coverage, Fact, Gap, Locus, What};

mod cgroup;
mod columns;
mod container_log;
mod cri;
mod describe;
mod documents;
mod engine;
mod entries;
mod event_row;
mod kernel_log;
mod kubernetes;
mod message;
mod metrics;
mod moment;
mod node_log;
mod paste;
mod recording;
mod repair;
mod table;
mod words;

pub mod detect;

pub(crate) use container_log::telling;

/// What a decoder gets: one segment of one artifact.
#[derive(Debug, Clone, Copy)]
pub struct Input<'a> {
    /// The artifact's place in the list.
    pub id: ArtifactId,
    /// The artifact, for its name and what its source knew. Its `bytes` are the whole; decode `bytes` below.
    pub artifact: &'a Artifact,
    /// The segment to decode.
    pub bytes: &'a [u8],
    /// The line of the artifact on which the segment begins, from 1.
    pub first_line: usize,
    /// What is known of the artifact's times besides its lines.
    pub clock: LogClock,
}

impl<'a> Input<'a> {
    /// The whole of an artifact.
    pub fn whole(id: ArtifactId, artifact: &'a Artifact) -> Self {
        Self { id, artifact, bytes: &artifact.bytes, first_line: 1, clock: LogClock::of(artifact) }
    }
}

/// What gives a log's incomplete dates their year, zone, or day.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LogClock {
    /// When it was read: dates without a year lie in the last year that is not after it.
    pub read_at: Option<Timestamp>,
    /// When its machine was booted: gives seconds since boot their date.
    pub booted: Option<Timestamp>,
    /// How far its dates without a zone are ahead of UTC.
    pub ahead: Option<SignedDuration>,
}

impl LogClock {
    /// What the artifact's source knew.
    pub fn of(artifact: &Artifact) -> Self {
        Self { read_at: artifact.at, booted: artifact.booted, ahead: None }
    }
}

/// What came of it.
#[derive(Debug, Default)]
pub struct Decoded {
    /// What was learned.
    pub facts: Vec<Fact>,
    /// What was not.
    pub gaps: Vec<Gap>,
    /// Which stretch of time is covered.
    pub coverage: Vec<Coverage>,
    /// The kinds found, in order, each once. Empty: nothing was recognised (a gap says so).
    pub kinds: Vec<Kind>,
}

impl Decoded {
    /// Adds a fact.
    pub fn fact(&mut self, what: What, from: Locus) {
        self.facts.push(Fact { what, from });
    }
}

/// Decodes one artifact: finds what it holds and runs the decoder of each part.
pub fn decode(id: ArtifactId, artifact: &Artifact) -> Decoded {
    decode_by(id, artifact, LogClock::of(artifact))
}

/// Decodes one artifact whose clock is known better than its source knew it.
pub fn decode_by(id: ArtifactId, artifact: &Artifact, clock: LogClock) -> Decoded {
    let mut out = Decoded::default();
    let lines = match artifact.kind {
        Some(_) => entries::Lines::of(Cow::Borrowed(artifact.bytes.as_slice())),
        None => entries::on_lines(paste::plain(&artifact.bytes)),
    };
    let text = &lines.text;
    for segment in detect::segments_of(artifact, text) {
        if !out.kinds.contains(&segment.kind) {
            out.kinds.push(segment.kind);
        }
        let input = Input { id, artifact, bytes: &text[segment.bytes.clone()], first_line: segment.first_line, clock };
        decoder(segment.kind)(input, &mut out);
    }
    entries::settle(&lines, artifact, &mut out);
    // What looked like something else and held nothing of it may be what a tool says of an end.
    let of_objects = |kind: &Kind| matches!(kind, Kind::KubernetesJson | Kind::KubernetesYaml | Kind::Describe);
    let held_nothing = out.facts.is_empty() && !out.kinds.is_empty() && out.kinds.iter().all(of_objects);
    if artifact.kind.is_none() && held_nothing && message::tells_in(text) {
        out.kinds.push(Kind::Message);
        message::decode(Input { id, artifact, bytes: text, first_line: 1, clock }, &mut out);
    }
    let told = out.facts.iter().any(|fact| matches!(fact.what, What::Kill(_) | What::Event(_)));
    if !told && holds_kills(text) {
        out.gaps.push(Gap {
            what: artifact.name.clone(),
            because: "it holds the kernel's words about a kill in a form that is not read, or repeated by a program"
                .into(),
            command: "sudo dmesg -T".into(),
        });
        // What it is was not understood, whatever else it looks like.
        if out.facts.is_empty() && !out.kinds.iter().any(|kind| matches!(kind, Kind::KernelLog | Kind::NodeLog)) {
            out.kinds.clear();
        }
    }
    if out.kinds.is_empty() {
        out.gaps.push(Gap {
            what: artifact.name.clone(),
            because: if artifact.bytes.iter().all(u8::is_ascii_whitespace) {
                "it is empty".into()
            } else {
                "nothing in it was recognised as pods, events, a kernel log, an inspect document or a container log"
                    .into()
            },
            command: String::new(),
        });
    }
    out
}

/// A kill line or its summary, with the sizes or the constraint that only the kernel's have.
fn holds_kills(text: &[u8]) -> bool {
    let has = |word: &[u8]| memchr::memmem::find(text, word).is_some();
    text.len() <= LONGEST_DOUBT && (has(b"oom-kill:constraint=") || has(b"Killed process ") && has(b"total-vm:"))
}

/// Larger texts are not searched once more.
const LONGEST_DOUBT: usize = 8 << 20;

/// The table of decoders.
fn decoder(kind: Kind) -> fn(Input<'_>, &mut Decoded) {
    match kind {
        Kind::KubernetesJson => kubernetes::json,
        Kind::KubernetesYaml => kubernetes::yaml,
        Kind::Describe => describe::decode,
        Kind::Table => table::decode,
        Kind::KernelLog => kernel_log::decode,
        Kind::EngineInspect => engine::inspect,
        Kind::EngineEvents => engine::events,
        Kind::CriInspect => cri::decode,
        Kind::ContainerLog => container_log::decode,
        Kind::MemoryEvents => cgroup::memory_events,
        Kind::MemoryStat => cgroup::memory_stat,
        Kind::Metrics => metrics::decode,
        Kind::NodeLog => node_log::decode,
        Kind::Recording => recording::decode,
        Kind::Message => message::decode,
    }
}
