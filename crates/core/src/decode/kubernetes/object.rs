//! Which kind an object is, and the facts that it becomes.

use serde_json::value::RawValue;

use super::shape::Object;
use super::stream::{Sink, documents};
use super::{event, fragment, pod, workload};
use crate::fact::{Gap, Locus, What};

/// Decodes one object. `kind` is the list's, for items that do not say theirs.
pub(super) fn decode(object: &Object<'_>, kind: Option<&str>, pointer: &str, sink: &mut Sink<'_, '_>) {
    let kind = object.kind.as_deref().or(kind).or_else(|| kind_by_shape(object)).map(str::to_owned);
    let from = Locus::pointer(sink.input.id, format!("{}{pointer}", sink.prefix));
    let status = object.status.as_ref();
    match kind.as_deref() {
        Some("Pod") => {
            let (pod, bad) = pod::pod(object, status);
            for text in bad {
                sink.out.gaps.push(Gap {
                    what: format!("a quantity of pod {}", pod.name.as_deref().unwrap_or("(nameless)")),
                    because: format!("{text:?} is not a quantity"),
                    command: String::new(),
                });
            }
            sink.out.fact(What::Pod(Box::new(pod)), from);
        }
        Some("Event") => {
            if let Some(event) = event::event(object) {
                sink.out.fact(What::Event(Box::new(event)), from);
            }
        }
        Some("Node") => sink.out.fact(What::Node(Box::new(workload::node(object, status))), from),
        Some("LimitRange") => {
            for item in workload::limit_ranges(object) {
                sink.out.fact(What::LimitRange(Box::new(item)), from.clone());
            }
        }
        Some("Status") => api_error(object, sink),
        Some(other) => {
            if let Some(revision) = workload::revision(other, object, status) {
                sink.out.fact(What::Revision(Box::new(revision)), from);
            }
        }
        None => {}
    }
}

/// Decodes an object whose fields came one by one: a whole object, a watch's event, or a piece of a status.
pub(super) fn decode_fields(kind: Option<&str>, fields: &[(String, &RawValue)], sink: &mut Sink<'_, '_>) {
    let get = |name: &str| fields.iter().find(|(key, _)| key == name).map(|(_, raw)| *raw);
    // {"type": "ADDED", "object": {...}}
    if let (Some(object), Some(_)) = (get("object"), get("type")) {
        let _ = documents(sink.input, object.get().as_bytes(), &format!("{}/object", sink.prefix), sink.out);
        return;
    }
    let mut text = String::from("{");
    if let Some(kind) = kind {
        text.push_str(&format!("\"kind\":{}", serde_json::Value::from(kind)));
    }
    for (key, raw) in fields {
        if text.len() > 1 {
            text.push(',');
        }
        text.push_str(&format!("{}:{}", serde_json::Value::from(key.as_str()), raw.get()));
    }
    text.push('}');
    let before = sink.out.facts.len();
    if let Ok(object) = serde_json::from_str::<Object<'_>>(&text) {
        decode(&object, None, "", sink);
    }
    // No kind that is known and no shape that tells: a bare status, state, or a piece with one in it.
    let whole = kind.is_some() && get("metadata").is_some();
    if sink.out.facts.len() == before
        && !whole
        && let Ok(value) = serde_json::from_str(&text)
    {
        let prefix = sink.prefix.clone();
        fragment::read(&value, sink.input, &prefix, sink.out);
    }
}

/// The kind of an item that does not say it, in a list that does not either.
fn kind_by_shape<'k>(object: &Object<'_>) -> Option<&'k str> {
    if object.involved_object.is_some() || object.regarding.is_some() {
        return Some("Event");
    }
    let status = object.status.as_ref();
    if status.is_some_and(|status| status.node_info.is_some()) {
        return Some("Node");
    }
    let spec = object.spec.as_ref();
    let containers = spec.is_some_and(|spec| spec.containers.is_some());
    (object.metadata.is_some() && (containers || status.is_some_and(|status| status.container_statuses.is_some())))
        .then_some("Pod")
}

/// What the API server answered instead of objects.
fn api_error(object: &Object<'_>, sink: &mut Sink<'_, '_>) {
    if let Some(message) = object.message.as_deref() {
        sink.out.gaps.push(Gap {
            what: sink.input.artifact.name.clone(),
            because: format!("the API server answered: {message}"),
            command: String::new(),
        });
    }
}
