//! What one engine saw happen.

use std::collections::HashSet;

use jiff::Timestamp;
use oomph_core::artifact::{Captured, SourceStatus, Status};
use oomph_core::fact::Gap;
use serde::Deserialize;

use super::engine::{Engine, Flavour};
use super::why;

/// Podman's events go back as far as its journal or file does.
const EVENTS_MAX: usize = 64 << 20;

/// Docker keeps this many events in memory (`eventsLimit` of daemon/events/events.go, v20.10 to v28).
const DOCKER_EVENTS: usize = 256;

/// The engine's events of containers since the oldest of them was made, one JSON object a line.
pub(super) async fn read(
    engine: &Engine,
    now: Timestamp,
    oldest: Option<Timestamp>,
    captured: &mut Captured,
) -> Vec<u8> {
    let since = oldest.map_or(0, Timestamp::as_second);
    let path = match engine.flavour {
        // All types: whether its memory overflowed is seen from the number of them all.
        Flavour::Docker => {
            format!("/events?since={since}&until={}.{:09}", now.as_second(), now.subsec_nanosecond().max(0))
        }
        // Without `until`: with it Podman 4.3 leaves the newest out.
        Flavour::Podman => {
            format!("/events?since={since}&stream=false&filters=%7B%22type%22%3A%5B%22container%22%5D%7D")
        }
    };
    let name = engine.command("events");
    let (status, because, bytes) = match engine.get(&path, EVENTS_MAX).await {
        Ok(answer) if !answer.status.is_success() => (Status::Absent, answer.refusal(), Vec::new()),
        Ok(answer) if !answer.whole => {
            (Status::Partial, format!("only the first {} MiB were kept", EVENTS_MAX >> 20), answer.bytes)
        }
        Ok(answer) if engine.flavour == Flavour::Docker && lines(&answer.bytes) >= DOCKER_EVENTS => {
            (Status::Partial, format!("Docker keeps only its last {DOCKER_EVENTS} events"), answer.bytes)
        }
        Ok(answer) => (Status::Read, String::new(), answer.bytes),
        Err(error) => {
            let (status, because) = why(&error);
            (status, because, Vec::new())
        }
    };
    if status != Status::Read && bytes.is_empty() {
        captured.gaps.push(Gap {
            what: "the engine's events".into(),
            because: because.clone(),
            command: engine.command(&format!("events --since {since} --until {}", now.as_second())),
        });
    }
    captured.sources.push(SourceStatus::not_read(name, "engine events", status, because));
    bytes
}

fn lines(bytes: &[u8]) -> usize {
    bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).count()
}

/// The ids of containers that the engine saw lose a process for memory.
pub(super) fn struck(events: &[u8]) -> HashSet<String> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Event {
        action: String,
        actor: Actor,
    }
    #[derive(Deserialize)]
    struct Actor {
        #[serde(rename = "ID")]
        id: String,
    }
    events
        .split(|byte| *byte == b'\n')
        .filter_map(|line| serde_json::from_slice::<Event>(line).ok())
        .filter(|event| event.action == "oom")
        .map(|event| event.actor.id)
        .collect()
}
