//! A row of an events table, of `kubectl describe` or `kubectl get events`, with or without its header.

use super::columns::{age_seconds, columns, date, is_name, repeated};
use crate::fact::{Event, ObjectRef};

/// The event of a row, and whether the row itself names the object; `None` where it is no row of events.
pub(super) fn event(line: &str) -> Option<(Event, bool)> {
    let line = line.trim_start().trim_start_matches('#');
    let columns = columns(line);
    let (mut event, named) = match columns.iter().position(|column| matches!(*column, "Normal" | "Warning")) {
        Some(0) if columns.get(2).is_some_and(|object| object.starts_with("pod/")) => (of_listing(&columns, 0)?, true),
        Some(0) => (of_describe(&columns)?, false),
        Some(at @ (1 | 2)) if columns.get(at + 2).is_some_and(|object| object.contains('/')) => {
            (of_listing(&columns, at)?, true)
        }
        Some(at) => of_old_layout(&columns, at)?,
        None => match of_oldest_layout(&columns).or_else(|| of_chosen_columns(&columns)) {
            Some(event) => (event, false),
            None => of_words(line)?,
        },
    };
    take_path(&mut event);
    event.object.container = event.object.container.take().or_else(|| container_in(&event.message));
    Some((event, named))
}

/// `spec.containers{app}: Stopping container app`: where describe has no column for it, the path of the container stands
/// before the message, as newer kubectl print it.
fn take_path(event: &mut Event) {
    let Some((path, message)) = event.message.split_once(": ").filter(|(path, _)| path.starts_with("spec.")) else {
        return;
    };
    if let Some(container) = super::kubernetes::container_of(path) {
        event.object.container.get_or_insert(container);
        event.message = message.to_owned();
    }
}

/// `describe`: Type Reason Age From Message.
fn of_describe(columns: &[&str]) -> Option<Event> {
    let (mut event, rest) = begun(columns, 0)?;
    take_age(rest.first()?, &mut event);
    let has_source = rest.len() > 2;
    if has_source {
        take_source(rest[1], &mut event);
    }
    event.message = rest[if has_source { 2 } else { 1 }..].join(" ");
    Some(event)
}

/// `get events`: [NAMESPACE] LAST SEEN, TYPE, REASON, OBJECT, [SUBOBJECT, SOURCE,] MESSAGE.
fn of_listing(columns: &[&str], at: usize) -> Option<Event> {
    let (mut event, rest) = begun(columns, at)?;
    if let Some(age) = at.checked_sub(1) {
        take_age(columns[age], &mut event);
    }
    name(&mut event, rest.first()?)?;
    if at == 2 {
        event.object.namespace = Some(columns[0].to_owned());
    }
    let path = rest.get(1).filter(|path| path.starts_with("spec."));
    event.object.container = path.and_then(|path| super::kubernetes::container_of(path));
    event.message = rest.get(if path.is_some() { 3 } else { 1 }..).unwrap_or_default().join(" ");
    Some(event)
}

/// `describe` until 1.7: FirstSeen LastSeen Count From [SubObjectPath] Type Reason Message; `get events` until 1.13:
/// [NAMESPACE] LASTSEEN FIRSTSEEN COUNT NAME KIND [SUBOBJECT] TYPE REASON SOURCE MESSAGE.
fn of_old_layout(columns: &[&str], at: usize) -> Option<(Event, bool)> {
    let (mut event, rest) = begun(columns, at)?;
    let begin = columns.iter().position(|column| age_seconds(column).is_some()).filter(|begin| *begin < 2)?;
    let before = columns.get(begin..at)?;
    let [one, other, count, what, ..] = before else { return None };
    event.count = count.parse().ok()?;
    event.age_seconds = age_seconds(other).min(age_seconds(one));
    event.object.container = before.last().and_then(|path| super::kubernetes::container_of(path));
    let kind = before.get(4).filter(|kind| kind.starts_with(|c: char| c.is_ascii_uppercase()));
    let Some(kind) = kind else {
        take_source(what, &mut event);
        event.message = rest.join(" ");
        return Some((event, false));
    };
    // The event's own name: the object's, and until 1.13 a dot and a hexadecimal number behind it.
    let object = what.rsplit_once('.').filter(|(_, number)| number.bytes().all(|c| c.is_ascii_hexdigit()));
    event.object.name = Some(object.map_or(*what, |(object, _)| object).to_owned());
    event.object.kind = Some((*kind).to_owned());
    event.object.namespace = (begin == 1).then(|| columns[0].to_owned());
    take_source(rest.first()?, &mut event);
    event.message = rest.get(1..).unwrap_or_default().join(" ");
    Some((event, true))
}

/// `describe` of 2015, before events had a type: FirstSeen LastSeen Count From [SubobjectPath] Reason Message.
fn of_oldest_layout(columns: &[&str]) -> Option<Event> {
    let [first, last, count, source, rest @ ..] = columns else { return None };
    let seen = |text: &str| date(text).is_some() || age_seconds(text).is_some();
    if !seen(first) || !seen(last) || !source.starts_with('{') {
        return None;
    }
    let count = count.parse().ok()?;
    let mut event = Event { count, first: date(first), last: date(last), ..Event::default() };
    event.age_seconds = age_seconds(last);
    take_source(source, &mut event);
    let path = rest.first().filter(|path| path.starts_with("spec.") || path.contains(' '));
    event.object.container = path.and_then(|path| super::kubernetes::container_of(path));
    let rest = if path.is_some() { &rest[1..] } else { rest };
    let reason = rest.first()?;
    // Reasons were written small: `killing`, `failed`.
    event.reason = reason.get(..1)?.to_ascii_uppercase() + reason.get(1..)?;
    event.message = rest[1..].join(" ");
    Some(event)
}

/// `-o custom-columns` of a time, a reason and a message.
fn of_chosen_columns(columns: &[&str]) -> Option<Event> {
    let [time, reason, message @ ..] = columns else { return None };
    let known = ["Killing", "Unhealthy", "Evicted", "BackOff", "FailedScheduling", "Preempted", "TaintManagerEviction"];
    let at = time.parse().ok();
    let any_time = at.is_some() || age_seconds(time).is_some() || matches!(*time, "<nil>" | "<none>" | "<unknown>");
    (any_time && known.contains(reason) && !message.is_empty()).then(|| Event {
        reason: (*reason).to_owned(),
        message: message.join(" "),
        last: at,
        age_seconds: age_seconds(time),
        count: 1,
        ..Event::default()
    })
}

/// A row whose columns have shrunk to single spaces.
fn of_words(line: &str) -> Option<(Event, bool)> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let at = words.iter().take(3).position(|word| matches!(*word, "Normal" | "Warning"))?;
    let (mut event, rest) = begun(&words, at)?;
    if at > 0 && rest.first()?.contains('/') {
        take_age(words[at - 1], &mut event);
        event.age_seconds?;
        name(&mut event, rest[0])?;
        event.object.namespace = (at == 2).then(|| words[0].to_owned());
        event.message = rest[1..].join(" ");
        return Some((event, true));
    }
    let (age, mut rest) = rest.split_first()?;
    event.age_seconds = Some(age_seconds(age)?);
    // `(x3 over 50s)`
    if let Some(count) = rest.first()?.strip_prefix("(x") {
        event.count = count.trim_end_matches(')').parse().ok()?;
        let end = rest.iter().position(|word| word.ends_with(')'))?;
        rest = &rest[end + 1..];
    }
    let (source, mut message) = rest.split_first()?;
    // `kubelet, node-1`
    if source.ends_with(',') {
        event.host = Some((*message.first()?).to_owned());
        message = &message[1..];
    }
    event.component = Some(source.trim_end_matches(',').to_owned());
    event.message = message.join(" ");
    (at == 0).then_some((event, false))
}

/// Type and reason, and the columns behind them.
fn begun<'c, 'l>(columns: &'c [&'l str], at: usize) -> Option<(Event, &'c [&'l str])> {
    let reason = *columns.get(at + 1)?;
    let plain = reason.starts_with(|c: char| c.is_ascii_uppercase()) && !reason.contains([' ', ':', ',']);
    let warning = columns[at] == "Warning";
    plain.then(|| (Event { warning, reason: reason.to_owned(), count: 1, ..Event::default() }, &columns[at + 2..]))
}

/// `pod/web-1`.
fn name(event: &mut Event, object: &str) -> Option<()> {
    let (kind, name) = object.split_once('/')?;
    event.object.kind = Some(kind_of(kind));
    event.object.name = Some(name.to_owned());
    Some(())
}

fn take_age(text: &str, event: &mut Event) {
    if let Some((age, count, _)) = repeated(text) {
        event.age_seconds = Some(age);
        event.count = count;
    }
}

/// `kubelet`; `kubelet, node-1` until 1.18; `{kubelet node-1}` until 1.4.
fn take_source(text: &str, event: &mut Event) {
    let bare = text.trim_matches(['{', '}']).trim();
    let (component, host) = match bare.split_once(", ").or_else(|| bare.split_once(' ')) {
        Some((component, host)) => (component, Some(host)),
        None => (bare, None),
    };
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

/// `Container app failed liveness probe`, `Stopping container app`, and their older spellings.
fn container_in(message: &str) -> Option<String> {
    let named = || message.strip_prefix("Container ")?.split_once(" failed ").map(|(name, _)| name);
    let by_id = || message.split_once("docker://")?.1.split_once(':').map(|(name, _)| name);
    let quoted = || message.split_once("container \"")?.1.split_once('"').map(|(name, _)| name);
    let name = message.strip_prefix("Stopping container ").or_else(named).or_else(by_id).or_else(quoted)?.trim();
    is_name(name).then(|| name.to_owned())
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
    fn a_path_before_the_message_names_the_container_and_is_no_part_of_it() {
        let (event, _) =
            event("  Normal   Killing  6s  kubelet  spec.containers{app}: Stopping container app").unwrap();
        assert_eq!(
            (event.object.container.as_deref(), event.message.as_str()),
            (Some("app"), "Stopping container app")
        );
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
    fn a_row_of_2015_without_a_type_is_read() {
        let line = "  Tue, 14 Apr 2015 09:30:11 -0700\tTue, 14 Apr 2015 09:32:11 -0700\t2\t{kubelet node-1}\tspec.containers{app}\t\tkilling\t\tKilling 0b77";
        let (event, named) = event(line).unwrap();
        assert!(!named && event.first < event.last);
        assert_eq!((event.reason.as_str(), event.count, event.host.as_deref()), ("Killing", 2, Some("node-1")));
        assert_eq!(event.object.container.as_deref(), Some("app"));
    }

    #[test]
    fn a_row_of_get_events_of_2018_names_its_object() {
        let line = "40s   2m   3   web-0.15a8e5a5b3b3b3   Pod   spec.containers{web}   Warning   Unhealthy   kubelet, node-1   Liveness probe failed";
        let (event, named) = event(line).unwrap();
        assert!(named);
        assert_eq!((event.object.kind.as_deref(), event.object.name.as_deref()), (Some("Pod"), Some("web-0")));
        assert_eq!((event.count, event.age_seconds, event.message.as_str()), (3, Some(40), "Liveness probe failed"));
    }

    #[test]
    fn rows_whose_columns_have_shrunk_are_read() {
        let (seen, named) =
            event("Warning Unhealthy 40s (x3 over 50s) kubelet, node-1 Liveness probe failed: x").unwrap();
        assert!(!named);
        assert_eq!(
            (seen.count, seen.host.as_deref(), seen.message.as_str()),
            (3, Some("node-1"), "Liveness probe failed: x")
        );
        let (seen, named) = event("shop 40s Normal Killing pod/web-0 Stopping container web").unwrap();
        assert!(named);
        assert_eq!((seen.object.namespace.as_deref(), seen.object.container.as_deref()), (Some("shop"), Some("web")));
    }

    #[test]
    fn prose_is_no_row() {
        assert!(event("Normal People read this for 5m").is_none());
        assert!(event("Normal people read this  twice").is_none());
    }
}
