//! Ends by a signal that came from outside: what an engine or orchestrator says it sent.

use super::{Proof, quote};
use crate::case::{Case, Seen};
use crate::fact::{EngineEvent, NodeNoteKind};

/// Signals that the engine itself delivered in this life, oldest first.
pub(super) fn sent_by_engine<'a>(case: &Case<'a>) -> Vec<Seen<'a, EngineEvent>> {
    let started = case.started();
    let finished = case.finished();
    let slack = jiff::SignedDuration::from_secs(2);
    case.engine_events
        .iter()
        .filter(|event| event.it.action == "kill" && event.it.signal.is_some())
        .filter(|event| match (event.it.at, started, finished) {
            (Some(at), _, Some(finished)) if at > finished + slack => false,
            (Some(at), Some(started), _) if at < started - slack => false,
            _ => true,
        })
        .copied()
        .collect()
}

/// What a daemon says of a stop by force (an orchestrator's kill timeout).
pub(super) fn forced(case: &Case<'_>) -> Option<Proof> {
    let note = case.notes.iter().find(|note| note.it.kind == NodeNoteKind::ForceKill)?;
    Some(quote::note(note, "the orchestrator stopped it by force when it did not end in time"))
}

/// The engine's `kill` events as evidence.
pub(super) fn engine_proofs(events: &[Seen<'_, EngineEvent>]) -> Vec<Proof> {
    events
        .iter()
        .map(|event| {
            let name = match event.it.signal {
                Some(15) => "SIGTERM".to_owned(),
                Some(9) => "SIGKILL".to_owned(),
                Some(number) => format!("signal {number}"),
                None => "a signal".to_owned(),
            };
            quote::engine_event(event, format!("the engine sent it {name}"))
        })
        .collect()
}
