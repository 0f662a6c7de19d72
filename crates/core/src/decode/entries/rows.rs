//! Tables of comma-separated values, as log services export them: Loki's and Grafana's, Kibana's, CloudWatch's, Splunk's.
//!
//! RFC 4180: a field in quotes may hold commas, line breaks and doubled quotes. A row that is no whole row of its table is
//! left out, and said to be.

use std::cmp::Ordering;

use serde_json::{Map, Value};

use super::Entry;
use crate::decode::kernel_log;

/// A field in quotes is no longer; where it is, its closing quote is missing.
const LONGEST_FIELD: usize = 256 << 10;

/// Names of columns in lower case, the surest first.
const MESSAGES: [&str; 16] = [
    "message",
    "@message",
    "_raw",
    "line",
    "msg",
    "log",
    "body",
    "textpayload",
    "syslogmessage",
    "jsonpayload.message",
    "log.message",
    "event.original",
    "content",
    "log line",
    "text",
    "value",
];
const TIMES: [&str; 12] = [
    "tsns",
    "@timestamp",
    "timestamp",
    "_time",
    "time",
    "date",
    "timegenerated",
    "eventtime",
    "ts",
    "log time",
    "receivetimestamp",
    "__realtime_timestamp",
];
const HOSTS: [&str; 9] =
    ["_hostname", "hostname", "host", "host.name", "node", "nodename", "node_name", "computer", "kubernetes.node.name"];
const PROGRAMS: [&str; 5] = ["syslog_identifier", "ident", "process.name", "processname", "program"];

/// What a table holds.
pub(super) struct Rows {
    /// A message each.
    pub(super) entries: Vec<Entry>,
    /// The lines, from 0, of rows that could not be read.
    pub(super) bad: Vec<usize>,
}

/// The rows of a text that is such a table from its first line on.
pub(super) fn read(text: &str) -> Option<Rows> {
    let first = text.lines().position(|line| !line.trim().is_empty())?;
    let head = text.lines().nth(first)?.trim_start_matches('\u{feff}');
    let (mark, columns) = [',', ';', '\t'].into_iter().find_map(|mark| Some((mark, Columns::of(head, mark)?)))?;
    let mut rows: Vec<(Option<Moment>, Vec<Entry>)> = Vec::new();
    let mut bad = Vec::new();
    let mut records = Records { text, at: 0, line: 0, mark };
    while let Some((line, fields)) = records.next() {
        match fields.and_then(|fields| columns.fitted(fields, mark)) {
            // The title may be repeated where pages were put together.
            _ if line <= first => {}
            Some(fields) if fields.iter().all(String::is_empty) => {}
            Some(fields) => rows.push(columns.row(&fields, line)),
            None => bad.push(line),
        }
    }
    // Log services show what is newest first.
    let times: Vec<&Moment> = rows.iter().filter_map(|(at, _)| at.as_ref()).collect();
    if are_newest_first(&times) {
        rows.reverse();
    }
    let entries: Vec<Entry> = rows.into_iter().flat_map(|(_, entries)| entries).collect();
    (!entries.is_empty()).then_some(Rows { entries, bad })
}

/// Time goes back, and never forth.
fn are_newest_first(times: &[&Moment]) -> bool {
    let steps = || times.windows(2).filter(|pair| pair[0].0 == pair[1].0).map(|pair| pair[0].1.cmp(&pair[1].1));
    steps().any(Ordering::is_gt) && !steps().any(Ordering::is_lt)
}

/// Which column is which.
struct Columns {
    count: usize,
    message: usize,
    time: Option<usize>,
    host: Option<usize>,
    program: Option<usize>,
    labels: Option<usize>,
}

impl Columns {
    fn of(head: &str, mark: char) -> Option<Self> {
        let (_, names) = Records { text: head, at: 0, line: 0, mark }.next()?;
        let name = |name: &String| {
            let name = name.trim().to_ascii_lowercase();
            name.strip_suffix(" [utc]").map(str::to_owned).unwrap_or(name)
        };
        let names: Vec<String> = names?.iter().map(name).collect();
        let find = |known: &[&str]| known.iter().find_map(|known| names.iter().position(|name| name == known));
        // One word alone is no title.
        (names.len() > 1).then_some(())?;
        Some(Self {
            count: names.len(),
            message: find(&MESSAGES)?,
            time: find(&TIMES),
            host: find(&HOSTS),
            program: find(&PROGRAMS),
            labels: find(&["labels"]),
        })
    }

    /// The fields of a row of this table. A message without quotes that stands last may hold the mark itself.
    fn fitted(&self, mut fields: Vec<String>, mark: char) -> Option<Vec<String>> {
        if fields.len() > self.count && self.message + 1 == self.count {
            let rest = fields.split_off(self.message).join(mark.encode_utf8(&mut [0; 4]));
            fields.push(rest);
        }
        // A blank line is no row.
        (fields.len() == self.count || fields == [""]).then_some(fields)
    }

    /// A row's time and lines: its message may be of several.
    fn row(&self, fields: &[String], line: usize) -> (Option<Moment>, Vec<Entry>) {
        let get = |column: Option<usize>| column.and_then(|column| fields.get(column)).filter(|text| !text.is_empty());
        let labels = || serde_json::from_str::<Map<String, Value>>(get(self.labels)?).ok();
        let by_label =
            || labels().and_then(|labels| HOSTS.iter().find_map(|key| Some(labels.get(*key)?.as_str()?.to_owned())));
        let host = get(self.host).cloned().or_else(by_label);
        let at = get(self.time).and_then(|text| moment(text));
        let message = fields.get(self.message).map(String::as_str).unwrap_or_default();
        let lines = message.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
        let entries = lines.map(|(offset, message)| {
            let mut entry = Map::new();
            entry.insert("MESSAGE".into(), message.trim_end().into());
            // A line's own date is the kernel's or its daemon's; the row's may be of when it was collected.
            let time = at.as_ref().filter(|_| !kernel_log::is_dated(message));
            entry.extend(time.map(|(key, time)| ((*key).to_owned(), time.as_str().into())));
            entry.extend(host.as_ref().map(|host| ("_HOSTNAME".to_owned(), host.as_str().into())));
            entry.extend(get(self.program).map(|it| ("SYSLOG_IDENTIFIER".to_owned(), it.as_str().into())));
            Entry { line: line + offset, object: entry.into() }
        });
        let entries = entries.collect();
        (at, entries)
    }
}

/// A field of a journal's entry that tells a time, and its value.
type Moment = (&'static str, String);

/// A row's time in a journal's words. `3/4/2026` may be of March or April, and is none.
fn moment(text: &str) -> Option<Moment> {
    let text = text.trim();
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    if whole.bytes().chain(part.bytes()).all(|byte| byte.is_ascii_digit()) {
        // Since 1970, told by how many they are: seconds, or thousandths of thousandths of them.
        let microseconds = match whole.len() {
            10 => format!("{whole}{part:0<6.6}"),
            13 => format!("{whole}000"),
            16 => whole.to_owned(),
            19 => whole[..16].to_owned(),
            _ => return None,
        };
        return Some(("__REALTIME_TIMESTAMP", microseconds));
    }
    // Kibana's `Mar 1, 2026 @ 10:05:00.123`.
    if let Some((day, clock)) = text.split_once(" @ ") {
        let day = jiff::fmt::strtime::parse("%b %d, %Y", day).ok()?.to_date().ok()?;
        return Some(("timestamp", format!("{day} {clock}")));
    }
    let is_iso = text.len() >= 19 && text.as_bytes()[4] == b'-' && text.as_bytes()[..4].iter().all(u8::is_ascii_digit);
    is_iso.then(|| ("timestamp", text.to_owned()))
}

/// The rows of a text, each with the line that it begins on; `None` in place of one whose quotes do not close.
struct Records<'t> {
    text: &'t str,
    at: usize,
    line: usize,
    mark: char,
}

impl Records<'_> {
    fn next(&mut self) -> Option<(usize, Option<Vec<String>>)> {
        let rest = self.text.get(self.at..).filter(|rest| !rest.is_empty())?;
        let begun = self.line;
        let (length, fields) = match row(rest, self.mark) {
            Some((length, fields)) => (length, Some(fields)),
            // Where the row ends is not known: the next line may begin another.
            None => (rest.find('\n').map_or(rest.len(), |end| end + 1), None),
        };
        self.line += memchr::memchr_iter(b'\n', &rest.as_bytes()[..length]).count();
        self.at += length;
        Some((begun, fields))
    }
}

/// A row and how long it is with its line break; `None` where a quote does not close, or closes within a field.
fn row(text: &str, mark: char) -> Option<(usize, Vec<String>)> {
    let (mut fields, mut at) = (Vec::new(), 0);
    loop {
        let rest = &text[at..];
        let (field, length) = if let Some(quoted) = rest.strip_prefix('"') {
            let (field, length) = quoted_field(quoted)?;
            (field, length + 1)
        } else {
            let end = rest.find([mark, '\n']).unwrap_or(rest.len());
            (rest[..end].trim_end_matches('\r').to_owned(), end)
        };
        fields.push(field);
        at += length;
        let rest = text[at..].strip_prefix('\r').unwrap_or(&text[at..]);
        at = text.len() - rest.len();
        match rest.chars().next() {
            None => return Some((at, fields)),
            Some('\n') => return Some((at + 1, fields)),
            Some(next) if next == mark => at += mark.len_utf8(),
            Some(_) => return None,
        }
    }
}

/// What stands up to the closing quote, and the length with that.
fn quoted_field(text: &str) -> Option<(String, usize)> {
    let (mut field, mut at) = (String::new(), 0);
    loop {
        let end = at + memchr::memchr(b'"', &text.as_bytes()[at..text.len().min(at + LONGEST_FIELD)])?;
        field.push_str(&text[at..end]);
        at = end + 1;
        if !text[at..].starts_with('"') {
            return Some((field, at));
        }
        field.push('"');
        at += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> (Vec<(usize, String)>, Vec<usize>) {
        let rows = read(text).unwrap();
        (rows.entries.iter().map(|entry| (entry.line, entry.object.to_string())).collect(), rows.bad)
    }

    #[test]
    fn rows_become_entries_on_their_lines() {
        let (entries, bad) = told(
            "\u{feff}\"Time\",\"Line\",\"host\"\r\n1772359499500,\"a, \"\"b\"\"\nc\",n1\r\n\r\n\"Mar 1, 2026 @ 10:05:00.123\",d,n1\r\n",
        );
        let at = r#""__REALTIME_TIMESTAMP":"1772359499500000""#;
        let expected = [
            (1, format!(r#"{{"MESSAGE":"a, \"b\"","_HOSTNAME":"n1",{at}}}"#)),
            (2, format!(r#"{{"MESSAGE":"c","_HOSTNAME":"n1",{at}}}"#)),
            (4, r#"{"MESSAGE":"d","_HOSTNAME":"n1","timestamp":"2026-03-01 10:05:00.123"}"#.to_owned()),
        ];
        assert_eq!((entries, bad), (expected.to_vec(), vec![]));
    }

    #[test]
    fn a_row_that_is_none_is_told_and_the_next_is_read() {
        let (entries, bad) = told("host,message,x\nn1,\"a\" b,1\nn1,c\nn1,d,1\nn1,\"e\n");
        assert_eq!(entries.iter().map(|(line, _)| *line).collect::<Vec<_>>(), [3]);
        assert_eq!(bad, [1, 2, 4]);
    }

    #[test]
    fn rows_that_stand_newest_first_are_turned_round() {
        let (entries, _) = told("timestamp,message\n1772359503000,c\n1772359502000,\"a\nb\"\n");
        assert_eq!(entries.iter().map(|(line, _)| *line).collect::<Vec<_>>(), [2, 3, 1]);
    }

    #[test]
    fn a_last_message_without_quotes_may_hold_commas() {
        let (entries, bad) = told("time,message\n2026-03-01T10:05:00Z,oom-kill:constraint=A,nodemask=(null)\n");
        assert!(entries[0].1.contains("constraint=A,nodemask=(null)") && bad.is_empty(), "{entries:?}");
    }

    #[test]
    fn a_day_that_may_be_another_is_none() {
        assert_eq!(moment("3/4/2026, 10:05:00 AM"), None);
        assert_eq!(moment("1772359499"), Some(("__REALTIME_TIMESTAMP", "1772359499000000".into())));
        assert_eq!(moment("1772359499.5"), Some(("__REALTIME_TIMESTAMP", "1772359499500000".into())));
    }

    #[test]
    fn what_is_no_table_of_messages_is_left() {
        for text in ["series,time_s,bytes\na,1,2\n", "message\nx\n", "Killed process 7 (a, b) total-vm:1kB\n", ""] {
            assert!(read(text).is_none(), "{text}");
        }
    }
}
