//! A recording of `oomph run`: its command as a container, the cgroup's counters and the kernel's words with it.

use super::{Decoded, Input, LogClock, cgroup, container_log, kernel_log};
use crate::artifact::{Artifact, Kind};
use crate::fact::{EngineContainer, EngineEvent, Gap, Locus, Subject, WaitStatus, What};
use crate::recording::{ENGINE, End, Run, read};

/// Decodes a recording.
pub(super) fn decode(input: Input<'_>, out: &mut Decoded) {
    let recording = read(input.bytes);
    let line = |number: usize| input.first_line + number - 1;
    for number in &recording.unread {
        out.gaps.push(Gap {
            what: format!("line {} of {}", line(*number), input.artifact.name),
            because: "it is no line of a recording; the file was cut there".into(),
            command: String::new(),
        });
    }
    let Some(run) = &recording.run else { return };
    let about = Subject { node: run.node.clone().or_else(|| input.artifact.about.node.clone()), ..Subject::default() };
    let (at, end) = match &recording.end {
        Some((number, end)) => (line(*number), Some(end)),
        None => (input.first_line, None),
    };
    let container = EngineContainer {
        subject: Subject { container: Some(run.command.clone()), container_id: Some(run.id.clone()), ..about.clone() },
        engine: ENGINE.into(),
        status: Some(status(end).into()),
        exit_code: end.map(End::code),
        wait_status: end.and_then(wait_status),
        error: end.and_then(|end| end.not_started.clone()),
        started: Some(run.started_at),
        finished: end.filter(|end| end.not_started.is_none()).map(|end| end.at),
        memory_limit: run.limit_bytes,
        memory_swap: run.limit_bytes.zip(run.swap_bytes).map(|(limit, swap)| crate::units::Bytes(limit.0 + swap.0)),
        cgroup: Some(run.cgroup.clone()),
        ..EngineContainer::default()
    };
    out.fact(What::EngineContainer(Box::new(container)), Locus::line(input.id, at));
    for received in end.into_iter().flat_map(|end| &end.received) {
        let event = EngineEvent {
            container_id: Some(run.id.clone()),
            name: Some(run.command.clone()),
            action: "kill".into(),
            signal: Some(received.signal),
            at: Some(received.at),
            ..EngineEvent::default()
        };
        out.fact(What::EngineEvent(Box::new(event)), Locus::line(input.id, at));
    }
    if let Some((number, text)) = &recording.counters {
        inner(input, run, &about, (Kind::MemoryEvents, text), line(*number), out);
    }
    if let Some((number, text)) = &recording.log {
        let about =
            Subject { container: Some(run.command.clone()), container_id: Some(run.id.clone()), ..about.clone() };
        inner(input, run, &about, (Kind::ContainerLog, text), line(*number), out);
    }
    if let Some((number, text)) = &recording.kernel_log {
        inner(input, run, &about, (Kind::KernelLog, text), line(*number), out);
    }
}

/// As an engine calls it.
fn status(end: Option<&End>) -> &'static str {
    match end {
        None => "running",
        Some(end) if end.not_started.is_some() => "created",
        Some(_) => "exited",
    }
}

fn wait_status(end: &End) -> Option<WaitStatus> {
    let exited = end.exit_code.filter(|_| end.not_started.is_none()).map(WaitStatus::Exited);
    let signaled = if end.before_exec { WaitStatus::NeverRan } else { WaitStatus::Signaled };
    end.signal.map(signaled).or(exited)
}

/// Decodes a text that stands in the recording; everything in it is found on the recording's line.
fn inner(input: Input<'_>, run: &Run, about: &Subject, text: (Kind, &str), line: usize, out: &mut Decoded) {
    let (kind, text) = text;
    let name = match kind {
        Kind::MemoryEvents => run.cgroup.as_str(),
        Kind::ContainerLog => "standard error",
        _ => "kernel log",
    };
    let artifact = Artifact {
        kind: Some(kind),
        about: about.clone(),
        at: input.artifact.at,
        booted: run.booted_at.or(input.artifact.booted),
        ..Artifact::new(name, text)
    };
    let clock = LogClock::of(&artifact);
    let within = Input { bytes: text.as_bytes(), artifact: &artifact, first_line: 1, clock, ..input };
    let (before, covered) = (out.facts.len(), out.coverage.len());
    match kind {
        Kind::MemoryEvents => cgroup::memory_events(within, out),
        Kind::ContainerLog => container_log::decode(within, out),
        _ => kernel_log::decode(within, out),
    }
    for fact in &mut out.facts[before..] {
        fact.from = Locus::line(input.id, line);
    }
    for coverage in &mut out.coverage[covered..] {
        coverage.artifact = input.id;
    }
}
