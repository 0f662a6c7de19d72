//! Workloads whose pods the API server refused: no pod exists that could tell of it, only the events of who tried.

use std::collections::HashMap;

use super::assemble::{bare, is_or_made, is_recent};
use super::{Case, Index, Seen};
use crate::ask::Ask;
use crate::fact::{Event, Owner};

/// One case for each workload, by its newest refusal; none where it made a pod since.
pub(super) fn workloads<'a>(index: &'a Index<'a>, ask: &Ask) -> Vec<Case<'a>> {
    // The labels of a workload are not its pods'.
    if ask.shown_only || ask.container.is_some() {
        return Vec::new();
    }
    let mut newest: HashMap<(Option<&str>, &str, &str), Seen<'a, Event>> = HashMap::new();
    let refused = index.events.with_reason("FailedCreate").filter(|event| is_refusal(&event.it.message));
    for event in refused.filter(|event| asked(event.it, ask)) {
        let object = &event.it.object;
        let (Some(kind), Some(name)) = (object.kind.as_deref(), object.name.as_deref()) else { continue };
        let known = newest.entry((object.namespace.as_deref(), kind, name)).or_insert(event);
        if event.it.last > known.it.last {
            *known = event;
        }
    }
    let made_since = |refusal: &Seen<'_, Event>| {
        let made = index.events.with_reason("SuccessfulCreate");
        made.into_iter().any(|made| made.it.object == refusal.it.object && made.it.last >= refusal.it.last)
    };
    let mut events: Vec<_> = newest.into_values().filter(|event| !made_since(event)).collect();
    // The order of the map is another in every run: the key is told apart to its end.
    events.sort_by_key(|event| {
        let object = &event.it.object;
        (event.it.last, object.name.as_deref(), object.namespace.as_deref(), object.kind.as_deref())
    });
    let case =
        |event: Seen<'a, Event>| Case { from: Some(event.from.clone()), events: vec![event], ..bare(index, None) };
    events.into_iter().map(case).filter(|case| is_recent(case, ask)).collect()
}

/// An admission plugin said no, a quota or a limit range among them: `pods "web-x2b4z" is forbidden: exceeded quota: ...`.
fn is_refusal(message: &str) -> bool {
    message.contains(" is forbidden: ") || message.contains(" denied the request")
}

fn asked(event: &Event, ask: &Ask) -> bool {
    let object = &event.object;
    let here = ask.namespace.is_none() || object.namespace.is_none() || ask.namespace == object.namespace;
    let quoted = |name: &str| event.message.contains(&format!("{name:?}"));
    let by = |kind: &str, name: &str| {
        let (Some(own_kind), Some(own_name)) = (&object.kind, &object.name) else { return false };
        is_or_made(&Owner { kind: own_kind.clone(), name: own_name.clone() }, kind, name)
    };
    here && ask.pod.as_deref().is_none_or(quoted) && ask.owner.as_ref().is_none_or(|(kind, name)| by(kind, name))
}
