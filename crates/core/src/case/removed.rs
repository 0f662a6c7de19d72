//! Containers that only an engine's events tell of, and that did not end well: removed ones, or a page of events alone.

use std::collections::HashSet;

use super::Index;
use super::matching::same_id;
use crate::fact::{EngineContainer, Locus, Subject};

/// One for each that died, as its last death shows it.
pub(super) fn containers(index: &Index<'_>) -> Vec<(EngineContainer, Locus)> {
    let mut told: Vec<(EngineContainer, Locus)> = Vec::new();
    let mut hit: HashSet<&str> = HashSet::new();
    for (event, from) in &index.engine_events {
        let Some(id) = event.container_id.as_deref() else { continue };
        match event.action.as_str() {
            "start" | "restart" => drop(hit.remove(id)),
            "oom" => drop(hit.insert(id)),
            "die" | "died" => {
                let oom = hit.remove(id);
                let of_it = |known: &EngineContainer| {
                    known.subject.container_id.as_deref().is_some_and(|known| same_id(known, id))
                };
                // A removed one whose name another has now is not what anybody asks for by that name.
                let replaced = |known: &EngineContainer| event.name.is_some() && known.subject.container == event.name;
                let known = index.engines.iter().any(|(known, _)| of_it(known) || replaced(known));
                if known || event.exit_code == Some(0) && !oom {
                    continue;
                }
                // The last death stands; `false` would say more than silence does.
                told.retain(|(known, _)| !of_it(known));
                let subject =
                    Subject { container: event.name.clone(), container_id: Some(id.to_owned()), ..Subject::default() };
                let container = EngineContainer {
                    subject,
                    engine: "docker".into(),
                    status: Some("exited".into()),
                    oom_killed: oom.then_some(true),
                    exit_code: event.exit_code,
                    finished: event.at,
                    ..EngineContainer::default()
                };
                told.push((container, from.clone()));
            }
            _ => {}
        }
    }
    told
}
