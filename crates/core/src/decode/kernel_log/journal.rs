//! Entries of the journal as JSON, one a line (`journalctl -o json`), and logs that a collector wrapped alike.

use std::borrow::Cow;

use serde_json::Value;

use super::date::Date;
use super::prefix::{self, Line, Voice};

/// The line inside a JSON object; `None` when it is none or holds no message.
pub(super) fn line(text: &str) -> Option<Line<'static>> {
    let entry: Value = serde_json::from_str(text.trim_ascii_start().trim_end_matches(',')).ok()?;
    let field = |names: &[&str]| names.iter().find_map(|name| entry.get(name)?.as_str());
    let message = field(&["MESSAGE", "message", "msg", "log"])?;
    let mut line = prefix::owned(message.trim_ascii_end());
    line.marked = true;
    if let Some(program) = field(&["SYSLOG_IDENTIFIER", "syslog_identifier", "ident", "program", "tag"]) {
        line.voice = if program.starts_with("kern") { Voice::Kernel } else { Voice::Program };
        line.program = Some(Cow::Owned(program.to_owned()));
    }
    if field(&["_TRANSPORT"]) == Some("kernel") {
        line.voice = Voice::Kernel;
    }
    if let Some(host) = field(&["_HOSTNAME", "hostname", "host"]) {
        line.node = Some(Cow::Owned(host.to_owned()));
    }
    line.boot = field(&["_BOOT_ID"]).map(|boot| boot.replace('-', ""));
    if let Some(microseconds) = field(&["__REALTIME_TIMESTAMP"]).and_then(|text| text.parse::<i64>().ok()) {
        let nanosecond = i32::try_from(microseconds.rem_euclid(1_000_000) * 1000).unwrap_or(0);
        line.date = Date::from_unix(microseconds.div_euclid(1_000_000), nanosecond);
    } else if let Some((date, _)) = field(&["timestamp", "time", "@timestamp"]).and_then(super::date::leading) {
        line.date = Some(date);
    }
    let monotonic = field(&["_SOURCE_MONOTONIC_TIMESTAMP"]).or_else(|| field(&["__MONOTONIC_TIMESTAMP"]));
    if let Some(microseconds) = monotonic.and_then(|text| text.parse::<u64>().ok()) {
        line.uptime = line.uptime.or(Some(microseconds as f64 / 1e6));
    }
    Some(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_of_the_journal_is_a_line() {
        let line = line(
            r#"{"__REALTIME_TIMESTAMP":"1700000000123456","_BOOT_ID":"00112233445566778899aabbccddeeff","_HOSTNAME":"web-1","_TRANSPORT":"kernel","SYSLOG_IDENTIFIER":"kernel","_SOURCE_MONOTONIC_TIMESTAMP":"12500000","MESSAGE":"Killed process 7 (app)"}"#,
        )
        .unwrap();
        assert_eq!(line.text, "Killed process 7 (app)");
        assert_eq!(line.node.as_deref(), Some("web-1"));
        assert_eq!(line.voice, Voice::Kernel);
        assert_eq!(line.uptime, Some(12.5));
        assert_eq!(line.date.unwrap().moment(None).unwrap().at.to_string(), "2023-11-14T22:13:20.123456Z");
    }

    #[test]
    fn what_holds_no_message_is_no_line() {
        assert!(line("{\"a\": 1}").is_none());
        assert!(line("{broken").is_none());
    }
}
