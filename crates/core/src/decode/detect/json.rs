//! JSON documents in a text: where they begin and end, and of which kind they are.

use super::{HEAD, any, has};
use crate::artifact::Kind;
use crate::decode::container_log;

/// The next stretch of one nature: a JSON document that begins a line, or the text up to one.
pub(super) fn next_stretch(bytes: &[u8]) -> (usize, bool) {
    let blank = bytes.len() - bytes.trim_ascii_start().len();
    if begins_with_member(&bytes[blank..]) {
        return (bytes.len(), false);
    }
    if matches!(bytes.get(blank), Some(b'{' | b'['))
        && let Some(length) = document(&bytes[blank..])
    {
        return (blank + length, true);
    }
    // The lines of a log that is JSON line by line are one stretch of JSON.
    let mut at = 0;
    for end in memchr::memchr_iter(b'\n', &bytes[..bytes.len().min(HEAD)]) {
        let rest = bytes[end + 1..].trim_ascii_start();
        let begins = matches!(bytes.get(end + 1), Some(b'{' | b'['));
        if begins && looks_like_document(rest) && document(rest).is_some_and(|length| length > 40) {
            at = end + 1;
            break;
        }
        // A piece of a document below some talk: the next stretch begins with it.
        if begins_with_member(rest) && any(&rest[..rest.len().min(HEAD)], &TELLING) {
            at = end + 1;
            break;
        }
    }
    (if at > 0 { at } else { bytes.len() }, false)
}

/// Keys by which a piece of a document is known.
const TELLING: [&str; 4] = ["\"OOMKilled\":", "\"exitCode\":", "\"terminated\":", "\"lastState\":"];

/// `"State": {`.
fn begins_with_member(bytes: &[u8]) -> bool {
    let Some(name) = bytes.strip_prefix(b"\"") else { return false };
    let end =
        name.iter().take(64).position(|byte| !(byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.')));
    end.is_some_and(|end| name[end..].starts_with(b"\":"))
}

/// A bracket that may begin a document and not the `[ 123.456]` of a kernel's line.
fn looks_like_document(bytes: &[u8]) -> bool {
    let next = bytes[1..].trim_ascii_start().first();
    match bytes[0] {
        b'{' => matches!(next, Some(b'"' | b'}')),
        _ => matches!(next, Some(b'{' | b']')),
    }
}

/// The length of the JSON that begins here, with the documents that follow it at once; `None` where it is none.
/// A document that breaks off counts to the end.
fn document(bytes: &[u8]) -> Option<usize> {
    if !looks_like_document(bytes) {
        return None;
    }
    if bytes.len() > 4 * HEAD {
        // Not read twice: a large file that begins as JSON is JSON.
        return Some(bytes.len());
    }
    let mut stream = serde_json::Deserializer::from_slice(bytes).into_iter::<serde::de::IgnoredAny>();
    let mut end = 0;
    loop {
        match stream.next() {
            Some(Ok(_)) => end = stream.byte_offset(),
            Some(Err(error)) if error.is_eof() => return Some(bytes.len()),
            Some(Err(_)) | None => break,
        }
        if !matches!(bytes[end..].trim_ascii_start().first(), Some(b'{' | b'[')) {
            break;
        }
    }
    (end > 0).then_some(end)
}

/// Kinds of a JSON document.
pub(super) fn kinds(bytes: &[u8]) -> Vec<Kind> {
    let head = &bytes[..bytes.len().min(HEAD)];
    // An object of Kubernetes may have any key in its data.
    let message = has(head, "\"MESSAGE\":") && !any(head, &["\"apiVersion\"", "\"kind\""]);
    let kind = if message || any(head, &["\"__REALTIME_TIMESTAMP\"", "\"_TRANSPORT\"", "\"SYSLOG_IDENTIFIER\""]) {
        return vec![Kind::KernelLog, Kind::NodeLog];
    } else if any(
        head,
        &["\"apiVersion\"", "\"involvedObject\"", "\"containerStatuses\"", "\"lastState\"", "\"managedFields\""],
    ) {
        Kind::KubernetesJson
    } else if any(head, &["\"HostConfig\"", "\"OOMKilled\":", "\"OciVersion\""]) {
        Kind::EngineInspect
    } else if any(
        head,
        &["\"runtimeSpec\"", "\"CONTAINER_EXITED\"", "\"CONTAINER_RUNNING\"", "\"runtimeType\"", "\"SANDBOX_"],
    ) {
        Kind::CriInspect
    } else if has(head, "\"Action\"") && has(head, "\"Actor\"")
        || has(head, "\"Status\"") && has(head, "\"Type\"") && has(head, "\"Time\"")
    {
        Kind::EngineEvents
    } else if any(
        head,
        &["\"terminated\"", "\"termination\"", "\"exitCode\"", "\"phase\"", "\"nodeInfo\"", "\"items\""],
    ) {
        Kind::KubernetesJson
    } else if container_log::tells(bytes) || has(head, "{\"log\":\"") {
        Kind::ContainerLog
    } else {
        return Vec::new();
    };
    vec![kind]
}
