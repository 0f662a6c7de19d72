//! Whole logs within one string of a JSON document, as an API, Ansible, or a script hands them on.

use serde_json::{Map, Value};

use super::{Entry, TELLING};
use crate::decode::kernel_log;

/// A log has at least so many lines: a time and its line are two strings in Loki's lists.
const FEWEST: usize = 3;

/// The strings of a document that hold the kernel's words in several lines, each once.
pub(super) fn logs(value: &Value, deepest: usize, found: &mut Vec<String>) {
    let Some(deeper) = deepest.checked_sub(1) else { return };
    match value {
        Value::String(text) if is_log(text) && !found.contains(text) => found.push(text.clone()),
        Value::Array(items) => {
            for item in items {
                logs(item, deeper, found);
            }
        }
        Value::Object(object) => {
            for item in object.values() {
                logs(item, deeper, found);
            }
        }
        _ => {}
    }
}

/// A list of lines, where no string holds them: Ansible's `stdout_lines`.
pub(super) fn list(value: &Value, deepest: usize) -> Option<String> {
    let deeper = deepest.checked_sub(1)?;
    match value {
        Value::Array(items) => {
            let lines: Option<Vec<&str>> = items.iter().map(Value::as_str).collect();
            let text = lines.map(|lines| lines.join("\n")).filter(|text| is_log(text));
            text.or_else(|| items.iter().find_map(|item| list(item, deeper)))
        }
        Value::Object(object) => object.values().find_map(|item| list(item, deeper)),
        _ => None,
    }
}

fn is_log(text: &str) -> bool {
    text.lines().filter(|line| !line.trim().is_empty()).take(FEWEST).count() == FEWEST && TELLING.any(text.as_bytes())
}

/// A line of such a log as an entry of a journal.
pub(super) fn entry(line: &str) -> Value {
    let mut entry = Map::new();
    entry.insert("MESSAGE".into(), line.trim_end().into());
    entry.into()
}

/// An entry for each line of an entry's message. A line's own date counts more than that of them all.
pub(super) fn lines(entry: Entry) -> Vec<Entry> {
    let message = entry.object["MESSAGE"].as_str().unwrap_or_default().to_owned();
    if !message.contains('\n') {
        return vec![entry];
    }
    let own = |line: &str| {
        let mut object = entry.object.clone();
        object["MESSAGE"] = line.trim_end().into();
        if kernel_log::is_dated(line)
            && let Some(object) = object.as_object_mut()
        {
            object.remove("timestamp");
            object.remove("__REALTIME_TIMESTAMP");
        }
        Entry { line: entry.line, object }
    };
    message.lines().filter(|line| !line.trim().is_empty()).map(own).collect()
}
