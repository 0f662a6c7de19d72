//! What one engine saw happen to its containers.

use jiff::Timestamp;
use oomph_core::artifact::{Captured, SourceStatus, Status};
use oomph_core::fact::Gap;
use serde::Deserialize;

use super::container::Made;
use super::engine::{Engine, Flavour};
use super::why;

/// Podman's events go back as far as its journal or file does.
const EVENTS_MAX: usize = 64 << 20;

/// `{"type":["container"]}`
const OF_CONTAINERS: &str = "filters=%7B%22type%22%3A%5B%22container%22%5D%7D";

/// The events since the oldest container was made.
#[derive(Debug, Default)]
pub(super) struct Events {
    /// One JSON object a line.
    pub(super) bytes: Vec<u8>,
    /// Of each the action and the container's id.
    seen: Vec<(String, String)>,
}

impl Events {
    pub(super) async fn read(
        engine: &Engine,
        now: Timestamp,
        oldest: Option<Made<'_>>,
        captured: &mut Captured,
    ) -> Self {
        let since = oldest.map_or(0, |oldest| oldest.at.as_second());
        let until = match engine.flavour {
            // Docker goes on sending without an end.
            Flavour::Docker => format!("until={}.{:09}", now.as_second(), now.subsec_nanosecond().max(0)),
            // With an end Podman 4.3 leaves the newest out.
            Flavour::Podman => "stream=false".into(),
        };
        let name = engine.command("events");
        let answer = engine.get(&format!("/events?since={since}&{until}&{OF_CONTAINERS}"), EVENTS_MAX).await;
        let refusal = match answer {
            Ok(answer) if answer.status.is_success() => {
                let events = Self::of(answer.bytes);
                let cut = (!answer.whole).then(|| format!("only the first {} MiB were kept", EVENTS_MAX >> 20));
                captured.sources.push(match cut.or_else(|| events.shortfall(oldest)) {
                    None => SourceStatus::read(name, "engine events"),
                    Some(because) => SourceStatus::not_read(name, "engine events", Status::Partial, because),
                });
                return events;
            }
            Ok(answer) => (Status::Absent, answer.refusal()),
            Err(error) => why(&error),
        };
        let (status, because) = refusal;
        captured.sources.push(SourceStatus::not_read(name, "engine events", status, &because));
        captured.gaps.push(Gap {
            what: "the engine's events".into(),
            because,
            command: engine.command(&format!("events --since {since} --until {}", now.as_second())),
        });
        Self::default()
    }

    fn of(bytes: Vec<u8>) -> Self {
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
        let events = bytes.split(|byte| *byte == b'\n').filter_map(|line| serde_json::from_slice::<Event>(line).ok());
        Self { seen: events.map(|event| (event.action, event.actor.id)).collect(), bytes }
    }

    /// Whether the engine saw the container lose a process for memory. Podman sees none.
    pub(super) fn struck(&self, id: &str) -> bool {
        self.has("oom", id)
    }

    /// An engine that remembers how the oldest container was made remembers all that came after. Docker keeps events in
    /// memory, hence none from before its own start, and only 256 (`eventsLimit` of daemon/events/events.go, v20.10).
    fn shortfall(&self, oldest: Option<Made<'_>>) -> Option<String> {
        let oldest = oldest.filter(|oldest| !self.has("create", oldest.id))?;
        Some(format!(
            "they do not reach back to {}, when the oldest container was made; Docker keeps its last 256 events, and \
             loses them when it restarts",
            oldest.at
        ))
    }

    fn has(&self, action: &str, id: &str) -> bool {
        self.seen.iter().any(|(seen, of)| seen == action && of == id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_that_begin_after_the_oldest_container_was_made_are_not_whole() {
        let event = |action: &str, id: &str| format!("{{\"Action\":\"{action}\",\"Actor\":{{\"ID\":\"{id}\"}}}}\n");
        let oldest = Made { id: "a", at: Timestamp::UNIX_EPOCH };
        let whole = Events::of([event("create", "a"), "no event\n".into(), event("oom", "b")].concat().into_bytes());
        assert_eq!(whole.shortfall(Some(oldest)), None);
        assert!(whole.struck("b") && !whole.struck("a"));
        let late = Events::of(event("start", "a").into_bytes());
        assert!(late.shortfall(Some(oldest)).unwrap().contains("1970-01-01T00:00:00Z"));
        assert_eq!(Events::of(Vec::new()).shortfall(None), None);
    }
}
