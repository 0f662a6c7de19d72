//! Ends by a signal that came from outside: what an engine or orchestrator says it sent.

use jiff::{SignedDuration, Timestamp};

use super::stop::SLACK;
use super::{Proof, quote};
use crate::case::{Case, Seen};
use crate::fact::{EngineEvent, NodeNote, NodeNoteKind};
use crate::signal;

/// What a forced stop takes beyond its timeout.
const REACTION: SignedDuration = SignedDuration::from_secs(10);

/// Requests to end, by people, terminals and tools: SIGHUP, SIGINT, SIGQUIT, SIGUSR1, SIGUSR2, SIGTERM. The others that
/// end a process are a fault's, its own, or SIGKILL.
const REQUESTS: [i32; 6] = [1, 2, 3, 10, 12, 15];

/// The request that ended it. An exit code alone stands for SIGTERM only: shells use the others as codes of their own.
pub(super) fn request(case: &Case<'_>) -> Option<i32> {
    let known = if case.wait_status().is_some() { &REQUESTS[..] } else { &[15] };
    known.iter().copied().find(|number| case.was_signaled(*number))
}

/// Signals that the engine itself delivered in this life, oldest first.
pub(super) fn sent_by_engine<'a>(case: &Case<'a>) -> Vec<Seen<'a, EngineEvent>> {
    let kills = case.engine_events.iter().filter(|event| event.it.action == "kill" && event.it.signal.is_some());
    kills.filter(|event| is_of_life(case, event.it.at)).copied().collect()
}

/// Whether a moment lies in the life that is diagnosed, as far as its beginning and end are known.
pub(super) fn is_of_life(case: &Case<'_>, at: Option<Timestamp>) -> bool {
    match (at, case.started(), case.finished()) {
        (Some(at), _, Some(finished)) if at.duration_since(finished) > SLACK => false,
        (Some(at), Some(started), _) if started.duration_since(at) > SLACK => false,
        _ => true,
    }
}

/// A `kill` that the engine did right before the end, without saying with which signal, as Podman's events tell it.
pub(super) fn unnamed_kill<'a>(case: &Case<'a>) -> Option<Seen<'a, EngineEvent>> {
    let finished = case.finished()?;
    let right_before = |at: Timestamp| at.duration_since(finished).abs() <= SLACK;
    let kills = case.engine_events.iter().filter(|event| event.it.action == "kill" && event.it.signal.is_none());
    kills.copied().find(|event| event.it.at.is_some_and(right_before))
}

/// The engine was asked to stop it: it sent SIGTERM, or says `stop` after the end (Docker; the signal may be another).
pub(super) fn asked_to_end(case: &Case<'_>, sent: &[Seen<'_, EngineEvent>]) -> bool {
    let slack = SignedDuration::from_secs(5);
    let ended = |at: Timestamp| case.finished().is_some_and(|end| at.duration_since(end).abs() < slack);
    let stop = |event: &Seen<'_, EngineEvent>| event.it.action == "stop" && event.it.at.is_some_and(ended);
    sent.iter().any(|event| event.it.signal == Some(15)) || case.engine_events.iter().any(stop)
}

/// From the engine's first signal to its SIGKILL: the timeout of its stop.
pub(super) fn seconds_before_force(sent: &[Seen<'_, EngineEvent>]) -> Option<f64> {
    let asked = sent.iter().find(|event| event.it.signal != Some(9))?.it.at?;
    let forced = sent.iter().find(|event| event.it.signal == Some(9))?.it.at?;
    (forced - asked).total(jiff::Unit::Second).ok().filter(|seconds| *seconds >= 0.0)
}

/// What a daemon says of a stop by force (an orchestrator's kill timeout).
pub(super) fn forced(case: &Case<'_>) -> Option<Proof> {
    // The line is written when it begins to wait, and says for how long.
    let of_this_end = |note: &Seen<'_, NodeNote>| match (note.it.at, case.finished()) {
        (Some(at), Some(finished)) => {
            let wait = SignedDuration::from_secs(note.it.grace_seconds.unwrap_or(0)).saturating_add(REACTION);
            (-SLACK..=wait).contains(&finished.duration_since(at))
        }
        _ => true,
    };
    let note = case.notes.iter().find(|note| note.it.kind == NodeNoteKind::ForceKill && of_this_end(note))?;
    Some(quote::note(note, "the orchestrator stopped it by force when it did not end in time"))
}

/// The engine's `kill` events as evidence.
pub(super) fn engine_proofs(events: &[Seen<'_, EngineEvent>]) -> Vec<Proof> {
    events
        .iter()
        .map(|event| {
            let name = event.it.signal.map_or_else(|| "a signal".to_owned(), signal::name);
            quote::engine_event(event, format!("the engine sent it {name}"))
        })
        .collect()
}
