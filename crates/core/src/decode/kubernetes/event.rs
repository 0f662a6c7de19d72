//! Events of core/v1 and events.k8s.io/v1.

use super::convert::{text, time};
use super::shape::Object;
use crate::fact::{Event, ObjectRef};

/// The event; `None` where it names no object and no reason.
pub(super) fn event(object: &Object<'_>) -> Option<Event> {
    let reference = object.involved_object.as_ref().or(object.regarding.as_ref());
    let series = object.series.as_ref();
    let source = object.source.as_ref().or(object.deprecated_source.as_ref());
    let first = object.first_timestamp.as_deref().or(object.deprecated_first_timestamp.as_deref());
    let last = object.last_timestamp.as_deref().or(object.deprecated_last_timestamp.as_deref());
    let once = time(object.event_time.as_deref());
    let created = object.metadata.as_ref().and_then(|metadata| time(metadata.creation_timestamp.as_deref()));
    let component = source
        .and_then(|source| text(source.component.as_deref()))
        .or_else(|| text(object.reporting_component.as_deref()))
        .or_else(|| text(object.reporting_controller.as_deref()));
    // Of others it is the machine or process of the component itself.
    let is_of_node = component.as_deref() == Some("kubelet");
    let count = series.and_then(|series| series.count).or(object.count).or(object.deprecated_count);
    let event = Event {
        object: reference
            .map(|reference| ObjectRef {
                kind: text(reference.kind.as_deref()),
                namespace: text(reference.namespace.as_deref()),
                name: text(reference.name.as_deref()),
                uid: text(reference.uid.as_deref()),
                container: reference.field_path.as_deref().and_then(container_of),
            })
            .unwrap_or_default(),
        warning: object.event_type.as_deref() == Some("Warning"),
        reason: object.reason.as_deref().unwrap_or_default().to_owned(),
        message: object.message.as_deref().or(object.note.as_deref()).unwrap_or_default().to_owned(),
        first: time(first).or(once).or(created),
        last: series
            .and_then(|series| time(series.last_observed_time.as_deref()))
            .or_else(|| time(last))
            .or(once)
            .or(created),
        age_seconds: None,
        count: count.and_then(|count| u32::try_from(count).ok()).unwrap_or(1).max(1),
        component,
        host: source
            .and_then(|source| text(source.host.as_deref()))
            .or_else(|| text(object.reporting_instance.as_deref()).filter(|_| is_of_node)),
    };
    (reference.is_some() || !event.reason.is_empty()).then_some(event)
}

/// `spec.containers{app}`, `spec.initContainers{migrate}`.
pub(in crate::decode) fn container_of(path: &str) -> Option<String> {
    let (_, rest) = path.split_once('{')?;
    rest.strip_suffix('}').filter(|name| !name.is_empty()).map(str::to_owned)
}
