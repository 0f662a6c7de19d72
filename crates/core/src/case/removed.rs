//! Containers that only an engine's events tell of, and that lost a process or did not end well: removed ones, or a page
//! of events alone.

use std::collections::HashMap;

use super::Index;
use super::matching::same_id;
use crate::fact::{EngineContainer, EngineEvent, Locus, Subject};

/// One for each that died, as its last death shows it, and for each that lost a process and runs on.
pub(super) fn containers(index: &Index<'_>) -> Vec<(EngineContainer, Locus)> {
    let mut told: Vec<(EngineContainer, Locus)> = Vec::new();
    let mut hit: HashMap<&str, (&EngineEvent, &Locus)> = HashMap::new();
    // `false` would say more than silence does.
    let of = |event: &EngineEvent, id: &str, oom: bool| EngineContainer {
        subject: Subject { container: event.name.clone(), container_id: Some(id.to_owned()), ..Subject::default() },
        engine: "docker".into(),
        oom_killed: oom.then_some(true),
        ..EngineContainer::default()
    };
    for (event, from) in &index.engine_events {
        let Some(id) = event.container_id.as_deref() else { continue };
        match event.action.as_str() {
            "start" | "restart" => drop(hit.remove(id)),
            "oom" => drop(hit.insert(id, (event, from))),
            "die" | "died" => {
                let oom = hit.remove(id).is_some();
                let of_it = |known: &EngineContainer| {
                    known.subject.container_id.as_deref().is_some_and(|known| same_id(known, id))
                };
                // A removed one whose name another has now is not what anybody asks for by that name.
                let replaced = |known: &EngineContainer| event.name.is_some() && known.subject.container == event.name;
                let known = index.engines.iter().any(|(known, _)| of_it(known) || replaced(known));
                if known || event.exit_code == Some(0) && !oom {
                    continue;
                }
                // The last death stands.
                told.retain(|(known, _)| !of_it(known));
                let ended = EngineContainer {
                    status: Some("exited".into()),
                    exit_code: event.exit_code,
                    finished: event.at,
                    ..of(event, id, oom)
                };
                told.push((ended, from.clone()));
            }
            _ => {}
        }
    }
    let known = |id: &str| {
        let mut ids = index.engines.iter().filter_map(|(known, _)| known.subject.container_id.as_deref());
        ids.any(|known| same_id(known, id))
    };
    let mut alive: Vec<_> = hit.into_iter().filter(|(id, _)| !known(id)).collect();
    alive.sort_by_key(|(id, (event, _))| (event.at, *id));
    for (id, (event, from)) in alive {
        told.push((EngineContainer { status: Some("running".into()), ..of(event, id, true) }, from.clone()));
    }
    told
}
