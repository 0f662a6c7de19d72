//! Phrases by which tools tell how a container ended, and those of the kubelet that stand alone.

use jiff::Timestamp;

use crate::decode::columns::columns;
use crate::decode::moment;
use crate::fact::Termination;

/// Longer lines are data, not a sentence.
const LONGEST: usize = 4096;

/// What stands before an exit code, in lower case.
const CODE_KEYS: [&str; 8] =
    ["exit code", "exitcode", "exit_code", "exited with code", "exited (", "exit-code", "terminated (", "oomkilled ("];

/// Reasons that runtimes and the kubelet write. A word from elsewhere is no reason.
const REASONS: [&str; 7] =
    ["OOMKilled", "OOM Killed", "Error", "Completed", "ContainerCannotRun", "StartError", "ContainerStatusUnknown"];

/// The kubelet's and Job controller's sentences, and the pod's reason that goes with each.
const FATES: [(&str, &str); 14] = [
    ("The node was low on ", "Evicted"),
    ("The node had condition: [", "Evicted"),
    ("ephemeral local storage usage exceeds the total limit", "Evicted"),
    ("exceeded its local ephemeral storage limit", "Evicted"),
    ("Usage of EmptyDir volume ", "Evicted"),
    ("Pod was terminated in response to imminent node shutdown", "Terminated"),
    ("Node is shutting, evicting pods", "Shutdown"),
    ("Pod was rejected as the node is shutting down", "NodeShutdown"),
    ("Preempted in order to admit critical pod", "Preempting"),
    ("Pod was active on the node longer than", "DeadlineExceeded"),
    ("Job was active longer than", "DeadlineExceeded"),
    ("have enough resource: memory", "OutOfmemory"),
    ("have enough resource: cpu", "OutOfcpu"),
    ("have enough resource: pods", "OutOfpods"),
];

/// The end that a line tells of.
pub(super) fn end(line: &str) -> Option<Termination> {
    if line.len() > LONGEST {
        return None;
    }
    // ASCII alone changes, so that places in both are the same.
    let lower = line.to_ascii_lowercase();
    let exit_code = CODE_KEYS.iter().find_map(|key| code_after(&lower, key));
    let reason = reason(line, &lower, exit_code.is_some());
    if exit_code.is_none() && reason.is_none() {
        return None;
    }
    let started = moment_after(line, &lower, "startedat");
    let finished = moment_after(line, &lower, "finishedat");
    Some(Termination { exit_code, reason, started, finished, ..Termination::default() })
}

/// The pod's end or refusal, as (reason, message).
pub(super) fn fate(line: &str) -> Option<(String, String)> {
    let (words, reason) = FATES.iter().find(|(words, _)| line.contains(words))?;
    let at = line.find(words)?;
    // The sentence may begin before its telling words.
    let begin = line[..at].rfind([':', '"', '\'', '>']).map_or(0, |before| before + 1);
    let message = line[begin..].trim().trim_end_matches(['"', '\'']).to_owned();
    Some(((*reason).to_owned(), message))
}

/// A runtime's words about a container that it could not start.
pub(super) fn refused(line: &str) -> Option<String> {
    let tells = ["OCI runtime create failed", "container init was OOM-killed", "runc create failed"];
    (line.len() <= LONGEST && tells.iter().any(|words| line.contains(words))).then(|| line.trim().to_owned())
}

/// The number behind a key: `exitCode:137`, `exit code 137`, `'exit_code': 137`, `exited (137)`.
fn code_after(lower: &str, key: &str) -> Option<i32> {
    let (before, rest) = lower.split_once(key)?;
    if before.ends_with(|c: char| c.is_ascii_alphanumeric()) {
        return None;
    }
    let rest = rest.trim_start_matches([' ', ':', '=', '(', '\'', '"']);
    let end = rest
        .char_indices()
        .find(|(at, c)| !(c.is_ascii_digit() || *at == 0 && *c == '-'))
        .map_or(rest.len(), |(at, _)| at);
    let whole = !rest[end..].starts_with(|c: char| c.is_ascii_alphanumeric());
    rest[..end].parse().ok().filter(|_| whole)
}

/// The reason: behind its key, before `(exit code`, as a flag of an engine, or as a column of its own.
fn reason(line: &str, lower: &str, has_code: bool) -> Option<String> {
    let known = |text: &str| REASONS.iter().find(|reason| **reason == text).map(|reason| (*reason).to_owned());
    let behind = || {
        let at = lower.match_indices("reason").find(|(at, _)| {
            let rest = line[at + "reason".len()..].trim_start_matches([' ', ':', '=', '\'', '"']);
            rest.len() + at + "reason".len() < line.len() && begins_with_reason(rest).is_some()
        });
        let rest = line[at?.0 + "reason".len()..].trim_start_matches([' ', ':', '=', '\'', '"']);
        begins_with_reason(rest).map(str::to_owned)
    };
    let before = || {
        let head = &line[..lower.find(" (exit code")?];
        REASONS.iter().find(|reason| head.ends_with(*reason)).map(|reason| (*reason).to_owned())
    };
    let flagged = || {
        let rest = &lower[lower.find("oomkilled")? + "oomkilled".len()..];
        rest.trim_start_matches([':', '=', '"', ' ']).starts_with("true").then(|| "OOMKilled".to_owned())
    };
    let column = || columns(line).into_iter().find(|column| column.starts_with("OOM")).and_then(known);
    let beside = || (has_code || is_record(line)).then(|| asserted(line)).flatten().map(str::to_owned);
    let ecs =
        || line.contains("OutOfMemoryError: Container killed due to memory usage").then(|| "OOMKilled".to_owned());
    // Without a code only the word itself tells enough.
    before()
        .or_else(ecs)
        .or_else(flagged)
        .or_else(column)
        .or_else(|| behind().filter(|reason| has_code || reason.starts_with("OOM")))
        .or_else(beside)
}

/// `web-0 OOMKilled 137`: a few words that a template printed.
fn is_record(line: &str) -> bool {
    let words: Vec<&str> = line.split_whitespace().collect();
    words.len() <= 6 && words.contains(&"137") && words.contains(&"OOMKilled")
}

/// The word stands in the line, and nothing before it takes it back.
fn asserted(line: &str) -> Option<&'static str> {
    let (before, after) = line.split_once("OOMKilled")?;
    let mut words = before.split(|c: char| !c.is_alphanumeric() && c != '\'').filter(|word| !word.is_empty()).rev();
    let denied = words.by_ref().take(4).any(|word| {
        matches!(
            word.to_ascii_lowercase().as_str(),
            "not" | "no" | "never" | "without" | "isn't" | "wasn't" | "if" | "maybe"
        )
    });
    let asked = after.contains('?') || after.trim_start_matches([':', '=', '"', ' ']).starts_with("false");
    (!denied && !asked).then_some("OOMKilled")
}

fn begins_with_reason(text: &str) -> Option<&'static str> {
    REASONS.into_iter().find(|reason| {
        text.strip_prefix(*reason)
            .is_some_and(|rest| !rest.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_'))
    })
}

/// `FinishedAt:2023-08-21 06:10:57 +0000 UTC`, `finishedAt:2019-05-02T10:00:01Z`.
fn moment_after(line: &str, lower: &str, key: &str) -> Option<Timestamp> {
    let rest = line[lower.find(key)? + key.len()..].trim_start_matches([' ', ':', '=', '\'', '"']);
    let word = rest.split([' ', ',', ']', '}', '"', '\'']).next()?;
    let at: Timestamp = match word.parse() {
        Ok(at) => at,
        Err(_) => rest
            .get(..19)?
            .replacen(' ', "T", 1)
            .parse::<jiff::civil::DateTime>()
            .ok()
            .filter(|_| rest[19..].trim_start_matches(|c: char| c == '.' || c.is_ascii_digit()).starts_with(" +0000"))?
            .to_zoned(jiff::tz::TimeZone::UTC)
            .ok()?
            .timestamp(),
    };
    moment::real(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_and_reasons_are_found_in_any_notation() {
        for (line, code, reason) in [
            ("Error from pod: OOMKilled (exit code 137)", Some(137), Some("OOMKilled")),
            ("pod failed: exitCode 137 reason OOMKilled", Some(137), Some("OOMKilled")),
            ("map[terminated:map[exitCode:1 reason:Error]]", Some(1), Some("Error")),
            ("{'exit_code': 137, 'reason': 'OOMKilled', 'message': None}", Some(137), Some("OOMKilled")),
            ("web_1 exited with code 143", Some(143), None),
            ("Exited (137) 2 minutes ago", Some(137), None),
            ("State:{ExitCode:137,OOMKilled:false}", Some(137), None),
            ("web-0   OOMKilled   137", None, Some("OOMKilled")),
        ] {
            let end = end(line).unwrap();
            assert_eq!((end.exit_code, end.reason.as_deref()), (code, reason), "{line}");
        }
    }

    #[test]
    fn talk_is_no_end() {
        for line in
            ["was it OOMKilled?", "the reason is unknown", "exit code", "exited 3 times", "for this reason Errors came"]
        {
            assert_eq!(end(line), None, "{line}");
        }
    }

    #[test]
    fn times_of_go_are_read() {
        let end = end("ExitCode:1,StartedAt:2023-08-21 06:10:52 +0000 UTC,FinishedAt:2023-08-21 06:10:57.25 +0000 UTC")
            .unwrap();
        assert_eq!(end.finished.unwrap().to_string(), "2023-08-21T06:10:57Z");
    }
}
