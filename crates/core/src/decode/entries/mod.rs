//! Log entries that take several lines each, or lie within other documents, as one line each: what `journalctl -o
//! json-pretty`, `verbose` and `export` print, and what log services export as JSON or as a table. Each entry stands on the
//! line of its message, so that evidence can name it.

use std::borrow::Cow;
use std::fmt::Write as _;

use memchr::memmem;
use serde_json::{Map, Value};

use super::words::Words;
use super::{Decoded, detect};
use crate::artifact::{Artifact, Kind};
use crate::fact::{CoverageOf, Gap, Hole, Locus, Place, What};

mod rows;
mod whole;

/// Longer texts are no exports of one incident.
const LONGEST: usize = 8 << 20;

/// Documents nest their entries no deeper.
const DEEPEST: usize = 6;

/// A message is looked for at most this far behind the one before it.
const NEXT: usize = 64 << 10;

/// Lines that hold no entry are left out where they are more.
const FARTHEST: usize = 100;

/// In a journal's fields at most one line in so many is something else.
const STRAY: usize = 10;

/// The keys under which messages stand, and those of what goes with them.
const MESSAGES: [&str; 9] =
    ["MESSAGE", "message", "msg", "_raw", "textPayload", "SyslogMessage", "line", "log", "Message"];
const TIMES: [&str; 8] =
    ["timestamp", "@timestamp", "time", "_time", "TimeGenerated", "EventTime", "@t", "__REALTIME_TIMESTAMP"];
const HOSTS: [&str; 6] = ["_HOSTNAME", "hostname", "host", "Computer", "HostName", "node"];
const PROGRAMS: [&str; 5] = ["SYSLOG_IDENTIFIER", "syslog_identifier", "ident", "ProcessName", "program"];

/// What the kernel's words about kills hold.
static TELLING: Words = Words::of(&[
    "oom-kill:",
    "oom-killer",
    "Killed process ",
    "oom_reaper",
    // A message as a list of its bytes.
    "\"MESSAGE\":[",
    "\"MESSAGE\": [",
    "\"MESSAGE\" : [",
]);

/// A text with one entry a line.
pub(super) struct Lines<'a> {
    /// The text.
    pub(super) text: Cow<'a, [u8]>,
    /// The artifact's line, from 1, of each line of the text; `None`: the same.
    places: Option<Vec<usize>>,
    /// The lines, from 1, of rows of a table that could not be read; `None`: it is no table.
    unread: Option<Vec<usize>>,
}

impl<'a> Lines<'a> {
    /// A text as it is.
    pub(super) fn of(text: Cow<'a, [u8]>) -> Self {
        Self { text, places: None, unread: None }
    }
}

/// The text with one entry a line, if it holds the kernel's words in entries that are not.
pub(super) fn on_lines(text: Cow<'_, [u8]>) -> Lines<'_> {
    if text.len() > LONGEST || !TELLING.any(&text) {
        return Lines::of(text);
    }
    let first = text.trim_ascii_start().first();
    let rows = match first {
        Some(b'{' | b'[') => None,
        _ => std::str::from_utf8(&text).ok().and_then(rows::read),
    };
    if let Some(rows) = rows {
        let unread = Some(rows.bad.iter().map(|line| line + 1).collect());
        return Lines { unread, ..placed(&rows.entries) };
    }
    let entries = match first {
        Some(b'{' | b'[' | b'"') => documents(&text),
        _ => fields(&text),
    };
    match entries {
        Some(entries) if !entries.is_empty() => placed(&entries),
        _ => Lines::of(text),
    }
}

/// Sets what was decoded of the lines to their places in the artifact, and says what could not be read.
pub(super) fn settle(lines: &Lines<'_>, artifact: &Artifact, out: &mut Decoded) {
    if let Some(places) = &lines.places {
        let place_of = |line: usize| line.checked_sub(1).and_then(|at| places.get(at)).copied().unwrap_or(line);
        let settled = |from: &mut Locus| {
            if let Place::Line(line) = &mut from.place {
                *line = u32::try_from(place_of(*line as usize)).unwrap_or(u32::MAX);
            }
        };
        for hole in out.coverage.iter_mut().flat_map(|coverage| &mut coverage.holes) {
            hole.because = settled_words(&hole.because, place_of);
        }
        for fact in &mut out.facts {
            settled(&mut fact.from);
            if let What::Kill(kill) = &mut fact.what {
                kill.lines.iter_mut().for_each(|(from, _)| settled(from));
            }
        }
    }
    let Some(unread) = &lines.unread else { return };
    for fact in &mut out.facts {
        let What::Kill(kill) = &mut fact.what else { continue };
        let places = kill.lines.iter().map(|(from, _)| match from.place {
            Place::Line(line) => line as usize,
            _ => 0,
        });
        let (first, last) = (places.clone().min().unwrap_or(0), places.max().unwrap_or(0));
        // A table of processes that lacks some tells nothing of who was the first.
        if unread.iter().any(|line| (first..=last).contains(line)) {
            kill.candidates.clear();
        }
    }
    let mut holes = vec![Hole::anywhere("what the query left out that it was exported by is not known")];
    if let Some(first) = unread.first() {
        let more = if unread.len() > 1 { format!(" and {} more", unread.len() - 1) } else { String::new() };
        let because = format!("the row at line {first}{more} could not be read: it is no whole row of the table");
        holes.push(Hole::anywhere("rows of it could not be read"));
        out.gaps.push(Gap { what: artifact.name.clone(), because, command: String::new() });
    }
    for coverage in out.coverage.iter_mut().filter(|coverage| coverage.of == CoverageOf::KernelLog) {
        coverage.holes.extend(holes.iter().cloned());
    }
}

/// A sentence with the lines set that it names: `line 7 says that lines were lost`.
fn settled_words(text: &str, place_of: impl Fn(usize) -> usize) -> String {
    let Some((before, rest)) = text.split_once("line ") else { return text.to_owned() };
    let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let line = rest[..digits].parse::<usize>().map(|line| place_of(line).to_string());
    format!("{before}line {}{}", line.as_deref().unwrap_or(&rest[..digits]), &rest[digits..])
}

/// An entry and the line, from 0, that its message stands on.
struct Entry {
    line: usize,
    object: Value,
}

/// Each entry on its line, or on the next one that is free.
fn placed(entries: &[Entry]) -> Lines<'static> {
    let (mut out, mut places) = (String::new(), Vec::new());
    for entry in entries {
        // What stands far behind need not stand on its own line: its place is known.
        while places.len() < entry.line && entry.line - places.len() < FARTHEST {
            out.push('\n');
            places.push(places.len() + 1);
        }
        let _ = writeln!(out, "{}", entry.object);
        places.push(entry.line + 1);
    }
    let moved = places.iter().enumerate().any(|(at, place)| at + 1 != *place);
    Lines { text: Cow::Owned(out.into_bytes()), places: moved.then_some(places), unread: None }
}

/// The entries of JSON documents; `None` where they are Kubernetes' or an engine's, or have one line each already.
fn documents(text: &[u8]) -> Option<Vec<Entry>> {
    let kinds = detect::json_kinds(text);
    let of_container = kinds == [Kind::ContainerLog];
    if !of_container && !kinds.iter().all(|kind| matches!(kind, Kind::KernelLog | Kind::NodeLog)) {
        return None;
    }
    let values: Vec<Value> = serde_json::Deserializer::from_slice(text).into_iter().collect::<Result<_, _>>().ok()?;
    let full = text.split(|byte| *byte == b'\n').enumerate().filter(|(_, line)| !line.trim_ascii().is_empty());
    let lines: Vec<usize> = full.map(|(line, _)| line).collect();
    // One a line, with its message on top, is what a journal's decoder reads itself.
    let of_journal = |value: &Value| value.get("MESSAGE").is_some_and(Value::is_string);
    let one_a_line = values.len() == lines.len();
    if one_a_line && values.iter().all(of_journal) {
        return None;
    }
    let mut found = Vec::new();
    let mut entries = Vec::new();
    for (value, line) in values.iter().zip(lines.iter().chain(std::iter::repeat(&0))) {
        collect(value, DEEPEST, None, &mut found);
        if one_a_line {
            entries.extend(found.drain(..).map(|(_, object)| Entry { line: *line, object }));
        }
    }
    let (mut at, mut line) = (0, 0);
    for (message, object) in found {
        let plain = as_written(&message);
        let near = &text[at..text.len().min(at + NEXT)];
        if let Some(next) = memmem::find(near, plain.as_bytes()).filter(|_| plain.len() > 2) {
            line += memchr::memchr_iter(b'\n', &text[at..at + next]).count();
            at += next + plain.len();
        }
        entries.push(Entry { line, object });
    }
    let message = |entry: &Entry| entry.object["MESSAGE"].as_str().unwrap_or_default().to_owned();
    if !entries.iter().any(|entry| TELLING.any(message(entry).as_bytes())) {
        return whole_logs(text, &values);
    }
    // A container's log has one line in each entry.
    let several = |entry: &Entry| message(entry).contains('\n');
    if of_container && !entries.iter().any(several) {
        return None;
    }
    Some(entries.into_iter().flat_map(whole::lines).collect())
}

/// The beginning of a message as it stands in a document: without what may be written there in several ways.
fn as_written(message: &str) -> &str {
    let end = message.find(['"', '\\', '<', '>', '&', '\'', '/', '\n', '\t', '\r']);
    end.map_or(message, |end| &message[..end])
}

/// The lines of whole logs that stand in strings.
fn whole_logs(text: &[u8], values: &[Value]) -> Option<Vec<Entry>> {
    let mut logs = Vec::new();
    for value in values {
        whole::logs(value, DEEPEST, &mut logs);
    }
    if logs.is_empty() {
        // An object each is what log services export.
        logs.extend(values.iter().find_map(|value| whole::list(value, DEEPEST)));
    }
    let mut entries = Vec::new();
    for log in &logs {
        let first = log.lines().find(|line| !line.trim().is_empty())?;
        let at = memmem::find(text, as_written(first).as_bytes()).unwrap_or(0);
        let line = memchr::memchr_iter(b'\n', &text[..at]).count();
        entries.extend(log.lines().map(|own| Entry { line, object: whole::entry(own) }));
    }
    (!entries.is_empty()).then_some(entries)
}

/// Messages in a document, in its order, each as an entry of a journal. The time of one may stand beside its payload, as
/// Google's log entries have it.
fn collect(value: &Value, deepest: usize, time: Option<&str>, found: &mut Vec<(String, Value)>) {
    let Some(deeper) = deepest.checked_sub(1) else { return };
    match value {
        Value::Array(items) => {
            // Loki's values: nanoseconds and a line.
            if let [Value::String(time), Value::String(line)] = items.as_slice()
                && time.len() == 19
                && time.bytes().all(|byte| byte.is_ascii_digit())
            {
                let mut entry = Map::new();
                entry.insert("MESSAGE".into(), line.as_str().into());
                entry.insert("__REALTIME_TIMESTAMP".into(), time[..16].into());
                found.push((line.clone(), entry.into()));
                return;
            }
            for item in items {
                collect(item, deeper, time, found);
            }
        }
        Value::Object(object) => {
            if let Some(message) = MESSAGES.iter().find_map(|key| words(object.get(*key)?)) {
                let mut entry = entry(&message, object);
                let dated = entry.contains_key("timestamp") || entry.contains_key("__REALTIME_TIMESTAMP");
                entry.extend(time.filter(|_| !dated).map(|time| ("timestamp".to_owned(), time.into())));
                found.push((message, entry.into()));
                return;
            }
            let own = TIMES.iter().find_map(|key| object.get(*key)?.as_str());
            for item in object.values() {
                collect(item, deeper, own.or(time), found);
            }
        }
        _ => {}
    }
}

/// A message; one that is no UTF-8 or holds what terminals obey is a list of bytes (systemd, `src/shared/logs-show.c`).
fn words(value: &Value) -> Option<String> {
    let list = || value.as_array()?.iter().map(|byte| u8::try_from(byte.as_u64()?).ok()).collect::<Option<Vec<u8>>>();
    value.as_str().map(str::to_owned).or_else(|| Some(String::from_utf8_lossy(&list()?).into_owned()))
}

/// What a collector wrote, in a journal's words.
fn entry(message: &str, object: &Map<String, Value>) -> Map<String, Value> {
    let mut entry = Map::new();
    entry.insert("MESSAGE".into(), message.trim_ascii_end().into());
    let text = |keys: &[&str]| keys.iter().find_map(|key| object.get(*key)?.as_str().map(str::to_owned));
    for key in
        ["_TRANSPORT", "_BOOT_ID", "__REALTIME_TIMESTAMP", "_SOURCE_MONOTONIC_TIMESTAMP", "__MONOTONIC_TIMESTAMP"]
    {
        entry.extend(object.get(key).map(|value| (key.to_owned(), value.clone())));
    }
    entry.extend(text(&TIMES).map(|time| ("timestamp".to_owned(), time.into())));
    entry.extend(text(&HOSTS).map(|host| ("_HOSTNAME".to_owned(), host.into())));
    entry.extend(text(&PROGRAMS).map(|program| ("SYSLOG_IDENTIFIER".to_owned(), program.into())));
    entry
}

/// The entries of `journalctl -o export`, which a blank line ends, and of `-o verbose`, which begin at the margin.
/// `None` where they stand among other texts, which would be lost.
fn fields(text: &[u8]) -> Option<Vec<Entry>> {
    memmem::find(text, b"MESSAGE=")?;
    memmem::find(text, b"_TRANSPORT=").or_else(|| memmem::find(text, b"_BOOT_ID="))?;
    let (mut entries, mut object, mut place) = (Vec::new(), Map::new(), None);
    let (mut full, mut stray) = (0, 0);
    let mut end = |object: &mut Map<String, Value>, place: &mut Option<usize>| {
        let object = std::mem::take(object);
        if let Some(line) = place.take() {
            entries.push(Entry { line, object: object.into() });
        }
    };
    for (number, line) in text.split(|byte| *byte == b'\n').enumerate() {
        let line = String::from_utf8_lossy(line);
        let bare = line.trim_ascii();
        full += usize::from(!bare.is_empty());
        let field = bare.split_once('=').filter(|(key, _)| {
            key.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_')
        });
        if let Some((key, value)) = field {
            if key == "MESSAGE" {
                place = Some(number);
            }
            object.insert(key.to_owned(), value.into());
            continue;
        }
        end(&mut object, &mut place);
        // `Fri 2025-03-14 07:42:11.900000 UTC [s=...]`
        if let Some((date, _)) = bare.split_once(" [s=") {
            object.insert("timestamp".into(), date.into());
        } else {
            stray += usize::from(!bare.is_empty());
        }
    }
    end(&mut object, &mut place);
    (stray * STRAY <= full).then_some(entries)
}
