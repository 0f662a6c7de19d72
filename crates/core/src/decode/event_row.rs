//! A row of an events table, of `kubectl describe` or `kubectl get events`, with or without its header.

use super::columns::{age_seconds, columns, is_name, repeated};
use crate::fact::{Event, ObjectRef};

/// The event of a row, and whether the row itself names the object; `None` where it is no row of events.
pub(super) fn event(line: &str) -> Option<(Event, bool)> {
    let columns = columns(line);
    let at = columns.iter().position(|column| matches!(*column, "Normal" | "Warning"))?;
    let rest = &columns[at + 1..];
    let reason = (*rest.first()?).to_owned();
    let mut event = Event { warning: columns[at] == "Warning", reason, count: 1, ..Event::default() };
    if !event.reason.starts_with(|c: char| c.is_ascii_uppercase()) || event.reason.contains(' ') {
        return None;
    }
    let named = match at {
        // describe: Type Reason Age From Message
        0 => {
            take_age(rest.get(1)?, &mut event);
            let has_source = rest.len() > 3;
            if has_source {
                take_source(rest[2], &mut event);
            }
            event.message = message(&rest[if has_source { 3 } else { 2 }.min(rest.len())..]);
            false
        }
        // get events: [NAMESPACE] LAST SEEN  TYPE  REASON  OBJECT  [SUBOBJECT SOURCE]  MESSAGE
        1 | 2 if rest.get(1).is_some_and(|object| object.contains('/')) => {
            take_age(columns[at - 1], &mut event);
            let (kind, name) = rest[1].split_once('/')?;
            event.object.kind = Some(kind_of(kind));
            event.object.name = Some(name.to_owned());
            if at == 2 {
                event.object.namespace = Some(columns[0].to_owned());
            }
            let (path, body) = match rest.get(2) {
                Some(path) if path.starts_with("spec.") => (Some(*path), rest.get(4..).unwrap_or_default()),
                _ => (None, rest.get(2..).unwrap_or_default()),
            };
            event.object.container = path.and_then(super::kubernetes::container_of);
            event.message = message(body);
            true
        }
        // describe until 1.7: FirstSeen LastSeen Count From [SubObjectPath] Type Reason Message
        _ => {
            event.age_seconds = columns.get(1).and_then(|age| age_seconds(age));
            event.count = columns.get(2).and_then(|count| count.parse().ok()).unwrap_or(1);
            if let Some(source) = columns.get(3) {
                take_source(source, &mut event);
            }
            event.object.container = columns[..at].last().and_then(|path| super::kubernetes::container_of(path));
            event.message = message(rest.get(1..).unwrap_or_default());
            false
        }
    };
    event.object.container = event.object.container.take().or_else(|| container_in(&event.message));
    Some((event, named))
}

fn message(parts: &[&str]) -> String {
    parts.join(" ")
}

fn take_age(text: &str, event: &mut Event) {
    if let Some((age, count, _)) = repeated(text) {
        event.age_seconds = Some(age);
        event.count = count;
    }
}

/// `kubelet`, or `kubelet, node-1` until 1.18.
fn take_source(text: &str, event: &mut Event) {
    let (component, host) = text.split_once(", ").map_or((text, None), |(component, host)| (component, Some(host)));
    event.component = Some(component.to_owned());
    event.host = host.map(str::to_owned);
}

fn kind_of(text: &str) -> String {
    match text {
        "pod" => "Pod".into(),
        "node" => "Node".into(),
        "job" => "Job".into(),
        "replicaset" => "ReplicaSet".into(),
        "deployment" => "Deployment".into(),
        "statefulset" => "StatefulSet".into(),
        "daemonset" => "DaemonSet".into(),
        "cronjob" => "CronJob".into(),
        other => other.to_owned(),
    }
}

/// `Container app failed liveness probe`, `Stopping container app`.
fn container_in(message: &str) -> Option<String> {
    let name = match message.strip_prefix("Stopping container ") {
        Some(rest) => rest,
        None => message.strip_prefix("Container ")?.split_once(" failed ")?.0,
    };
    is_name(name.trim()).then(|| name.trim().to_owned())
}

/// An event about the pod whose describe text it stands in.
pub(super) fn about(event: Event, kind: &str, namespace: Option<&str>, name: Option<&str>) -> Event {
    let object = ObjectRef {
        kind: Some(kind.to_owned()),
        namespace: namespace.map(str::to_owned),
        name: name.map(str::to_owned),
        uid: None,
        container: event.object.container.clone(),
    };
    Event { object, ..event }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_of_describe_is_read() {
        let (event, named) = event(
            "  Normal   Killing  35s (x2 over 40s)  kubelet  Container app failed liveness probe, will be restarted",
        )
        .unwrap();
        assert!(!named && !event.warning);
        assert_eq!((event.reason.as_str(), event.count, event.age_seconds), ("Killing", 2, Some(35)));
        assert_eq!(event.object.container.as_deref(), Some("app"));
        assert_eq!(event.component.as_deref(), Some("kubelet"));
    }

    #[test]
    fn a_row_of_get_events_names_its_object() {
        let (event, named) =
            event("4m11s       Warning   Evicted   pod/web-1    The node was low on resource: memory.").unwrap();
        assert!(named && event.warning);
        assert_eq!((event.object.kind.as_deref(), event.object.name.as_deref()), (Some("Pod"), Some("web-1")));
    }

    #[test]
    fn a_row_of_2017_is_read() {
        let line = "  2m\t\t1m\t\t3\tkubelet, node-1\tspec.containers{app}\tWarning\tUnhealthy\tLiveness probe failed: timeout";
        let (event, _) = event(line).unwrap();
        assert_eq!((event.reason.as_str(), event.count, event.age_seconds), ("Unhealthy", 3, Some(60)));
        assert_eq!((event.object.container.as_deref(), event.host.as_deref()), (Some("app"), Some("node-1")));
    }

    #[test]
    fn prose_is_no_row() {
        assert!(event("Normal people read this  twice").is_none());
    }
}
