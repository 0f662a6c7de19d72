//! `docker events` and `podman events`, as JSON lines or as text.
//!
//! Docker: `api/types/events` of moby v28 and its text in `cli/command/system/events.go`. Podman: `libpod/events` of v5.

use serde_json::Value;

use super::super::documents::{number, text};
use super::super::{Decoded, Input, moment};
use crate::fact::{Coverage, CoverageOf, EngineEvent, Gap, Locus, What};
use crate::signal;

/// Decodes events, one a line. Only those of containers are kept; the stretch they cover is that of all.
pub(in crate::decode) fn events(input: Input<'_>, out: &mut Decoded) {
    let text = String::from_utf8_lossy(input.bytes);
    let mut unread = Unread::default();
    let (mut first, mut last) = (None, None);
    let mut rest = text.as_ref();
    let mut number = input.first_line;
    while !rest.is_empty() {
        let (row, end) = next(rest);
        match row {
            Next::Row(row) => {
                first = earlier(first, row.event.at);
                last = later(last, row.event.at);
                if row.of_container {
                    out.fact(What::EngineEvent(Box::new(row.event)), Locus::line(input.id, number));
                }
            }
            Next::Unread => unread.line(number),
            Next::Nothing => {}
        }
        let (read, after) = rest.split_at(end);
        number += read.bytes().filter(|byte| *byte == b'\n').count();
        rest = after;
    }
    if first.is_some() {
        out.coverage.push(Coverage {
            artifact: input.id,
            of: CoverageOf::EngineEvents,
            node: input.artifact.about.node.clone(),
            boot_id: None,
            from: first,
            to: later(input.artifact.at, last),
            holes: Vec::new(),
        });
    }
    out.gaps.extend(unread.gap(input));
}

/// Lines that are no event.
#[derive(Default)]
struct Unread {
    count: usize,
    first: usize,
}

impl Unread {
    fn line(&mut self, number: usize) {
        if self.count == 0 {
            self.first = number;
        }
        self.count += 1;
    }

    fn gap(&self, input: Input<'_>) -> Option<Gap> {
        let because = match self.count {
            0 => return None,
            1 => format!("line {} is no event", self.first),
            count => format!("{count} lines are no events, the first is line {}", self.first),
        };
        Some(Gap { what: format!("some events in {}", input.artifact.name), because, command: String::new() })
    }
}

type Moment = Option<jiff::Timestamp>;

fn earlier(one: Moment, other: Moment) -> Moment {
    one.into_iter().chain(other).min()
}

fn later(one: Moment, other: Moment) -> Moment {
    one.into_iter().chain(other).max()
}

/// One line.
struct Row {
    of_container: bool,
    event: EngineEvent,
}

/// What stands next in a text.
enum Next {
    Row(Row),
    Unread,
    /// An empty line, a prompt, a comment, the brackets and commas of an array.
    Nothing,
}

/// The next line or JSON object (which `jq` spreads over many lines), and where it ends.
fn next(text: &str) -> (Next, usize) {
    let end = text.find('\n').map_or(text.len(), |at| at + 1);
    let line = text[..end].trim();
    if text.starts_with('{') {
        let mut objects = serde_json::Deserializer::from_str(text).into_iter::<Value>();
        return match objects.next() {
            Some(Ok(object)) => (json(&object).map_or(Next::Unread, Next::Row), objects.byte_offset()),
            _ => (Next::Unread, end),
        };
    }
    // To the object of an indented line, or of a line that holds several.
    let blank = text.len() - text.trim_start_matches([' ', '\t', ',', '[']).len();
    if blank > 0 && text[blank..].starts_with('{') {
        return (Next::Nothing, blank);
    }
    if line.is_empty() || line.starts_with(['#', '$']) || matches!(line, "[" | "]" | "," | "[]") {
        return (Next::Nothing, end);
    }
    (plain(line).map_or(Next::Unread, Next::Row), end)
}

fn json(event: &Value) -> Option<Row> {
    let any = |keys: &[&str]| keys.iter().find_map(|key| text(&event[*key]));
    let kind = any(&["Type", "type"]);
    let word = any(&["Action", "Status", "status"])?;
    let attributes = if event["Actor"].is_object() { &event["Actor"]["Attributes"] } else { &event["Attributes"] };
    let id = text(&event["Actor"]["ID"]).or_else(|| any(&["ID", "Id", "id"]));
    let action = action(&word, any(&["HealthStatus"]).as_deref());
    let code = [&attributes["exitCode"], &attributes["containerExitCode"]]
        .into_iter()
        .chain([&event["ContainerExitCode"], &event["containerExitCode"]])
        .find_map(number);
    let at = [&event["timeNano"], &event["Time"], &event["time"]].into_iter().find_map(moment::of);
    let of_container = match kind.as_deref() {
        Some(kind) => kind == "container",
        // Until Docker 1.9 only the id told containers from images.
        None => id.as_deref().is_some_and(is_id),
    };
    Some(Row {
        of_container,
        event: EngineEvent {
            container_id: id,
            name: text(&attributes["name"]).or_else(|| any(&["Name"])),
            signal: text(&attributes["signal"]).as_deref().and_then(signal::number),
            exit_code: exit_code(&action, code),
            action,
            at,
        },
    })
}

/// `TIME container ACTION ID (key=value, ...)`; until Docker 1.9 `TIME ID: (from IMAGE) ACTION`.
fn plain(line: &str) -> Option<Row> {
    let (at, rest) = leading_moment(line)?;
    let (kind, rest) = rest.split_once(' ')?;
    if let Some(id) = kind.strip_suffix(':') {
        let word = rest.rsplit(')').next()?.trim();
        let event = EngineEvent {
            container_id: Some(id.to_owned()),
            action: action(word, None),
            at: Some(at),
            ..EngineEvent::default()
        };
        return Some(Row { of_container: is_id(id) && !word.is_empty(), event });
    }
    if kind != "container" {
        // Of an image, a volume, a network, a pod, the daemon.
        let is_kind = kind.bytes().all(|byte| byte.is_ascii_lowercase());
        return is_kind
            .then(|| Row { of_container: false, event: EngineEvent { at: Some(at), ..EngineEvent::default() } });
    }
    let (word, id, attributes) = around_id(rest)?;
    let attribute = |name: &str| attribute(attributes, name);
    let action = action(word, attribute("health_status"));
    let code = attribute("exitCode").or_else(|| attribute("containerExitCode")).and_then(|code| code.parse().ok());
    Some(Row {
        of_container: true,
        event: EngineEvent {
            container_id: Some(id.to_owned()),
            name: attribute("name").map(str::to_owned),
            signal: attribute("signal").and_then(signal::number),
            exit_code: exit_code(&action, code),
            action,
            at: Some(at),
        },
    })
}

/// The moment before an event: one word of Docker's, four of Podman's (`2026-11-25 22:00:00.1 +0000 UTC`).
fn leading_moment(line: &str) -> Option<(jiff::Timestamp, &str)> {
    for words in [1, 4] {
        let end = line.match_indices(' ').nth(words - 1)?.0;
        if let Some(at) = moment::parse(&line[..end]) {
            return Some((at, line[end..].trim_start()));
        }
    }
    None
}

/// The action, the container's id and its attributes. An action may have words of its own (`exec_start: sh -c ...`), so
/// the id is the last word of hexadecimal digits before the attributes.
fn around_id(text: &str) -> Option<(&str, &str, &str)> {
    let spaces: Vec<_> = text.match_indices(' ').map(|(at, _)| at + 1).collect();
    spaces
        .into_iter()
        .filter_map(|start| {
            let rest = &text[start..];
            let end = rest.find(' ').unwrap_or(rest.len());
            let (id, attributes) = rest.split_at(end);
            let attributes = attributes.trim_start();
            let whole = attributes.is_empty() || attributes.starts_with('(');
            (whole && is_id(id)).then(|| (text[..start].trim(), id, attributes.trim_matches(['(', ')'])))
        })
        .next_back()
}

fn is_id(text: &str) -> bool {
    (12..=64).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn attribute<'a>(attributes: &'a str, name: &str) -> Option<&'a str> {
    attributes
        .split(", ")
        .find_map(|pair| pair.trim().strip_prefix(name)?.strip_prefix('='))
        .filter(|value| !value.is_empty())
}

/// The action in Docker's words, without what `exec_create: COMMAND` and the like say of arguments.
fn action(word: &str, health: Option<&str>) -> String {
    let (name, detail) = word.split_once(':').map_or((word, None), |(name, detail)| (name, Some(detail.trim())));
    match name.trim() {
        "died" => "die".to_owned(),
        "exec_died" => "exec_die".to_owned(),
        "health_status" => match detail.or(health) {
            Some(health) => format!("health_status: {health}"),
            None => "health_status".to_owned(),
        },
        name => name.to_owned(),
    }
}

/// Podman prints an exit code of 0 with every event: only an end has one.
fn exit_code(action: &str, code: Option<i64>) -> Option<i32> {
    code.filter(|_| matches!(action, "die" | "exec_die")).and_then(|code| i32::try_from(code).ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::artifact::{Artifact, ArtifactId};
    use proptest::prelude::*;

    const ID: &str = "0a1b2c3d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f60718293a4b5c6d7e8f9";

    const SAMPLE: &str = concat!(
        r#"{"status":"kill","id":"@","from":"box","Type":"container","Action":"kill","Actor":{"ID":"@","Attributes":{"image":"box","name":"web","signal":"15"}},"scope":"local","time":1795644000,"timeNano":1795644000123456789}"#,
        "\n",
        r#"{"Type":"network","Action":"disconnect","Actor":{"ID":"n","Attributes":{"name":"bridge"}},"time":1795644001,"timeNano":1795644001000000000}"#,
        "\n",
        r#"{"Type":"container","Action":"die","Actor":{"ID":"@","Attributes":{"exitCode":"137","name":"web"}},"time":1795644002,"timeNano":1795644002000000000}"#,
        "\n",
        r#"{"ContainerExitCode":143,"ID":"@","Image":"box","Name":"job","Status":"died","Time":"2026-11-25T23:00:03+01:00","Type":"container","Attributes":{}}"#,
        "\n",
        r#"{"ID":"@","Name":"job","Status":"start","time":1795644004,"timeNano":1795644004000000000,"Type":"container","ContainerExitCode":0}"#,
        "\n",
        "2026-11-25T22:00:05.123456789Z container die @ (exitCode=137, execDuration=4, image=box, name=web)\n",
        "2026-11-25T22:00:06.000000000Z container exec_create: sh -c secret @ (image=box, name=web)\n",
        "2026-11-25T22:00:06.500000000Z container health_status: unhealthy @ (image=box, name=web)\n",
        "2026-11-25T22:00:07.000000000Z image pull box:1 (name=box)\n",
        "2026-11-25 22:00:08.1 +0000 UTC container died @ (image=box, name=job, health_status=)\n",
        "2026-11-25 22:00:08.2 +0000 UTC container health_status @ (image=box, name=job, health_status=unhealthy)\n",
        "2026-11-25T22:00:09Z @: (from box:1) oom\n",
    );

    fn decode(artifact: &Artifact) -> Decoded {
        let mut out = Decoded::default();
        events(Input::whole(ArtifactId(0), artifact), &mut out);
        out
    }

    fn rows(out: Decoded) -> Vec<(String, EngineEvent)> {
        let row = |fact: crate::fact::Fact| match fact.what {
            What::EngineEvent(event) => (fact.from.locator(), *event),
            other => panic!("{other:?}"),
        };
        out.facts.into_iter().map(row).collect()
    }

    #[test]
    fn every_form_of_an_event_is_read() {
        let out = decode(&Artifact::new("events", SAMPLE.replace('@', ID)));
        assert_eq!(out.gaps, []);
        let rows = rows(out);
        let short: Vec<_> = rows
            .iter()
            .map(|(place, event)| {
                (place.as_str(), event.action.as_str(), event.name.as_deref(), event.signal, event.exit_code)
            })
            .collect();
        assert_eq!(
            short,
            [
                ("line 1", "kill", Some("web"), Some(15), None),
                ("line 3", "die", Some("web"), None, Some(137)),
                ("line 4", "die", Some("job"), None, Some(143)),
                ("line 5", "start", Some("job"), None, None),
                ("line 6", "die", Some("web"), None, Some(137)),
                ("line 7", "exec_create", Some("web"), None, None),
                ("line 8", "health_status: unhealthy", Some("web"), None, None),
                ("line 10", "die", Some("job"), None, None),
                ("line 11", "health_status: unhealthy", Some("job"), None, None),
                ("line 12", "oom", None, None, None),
            ]
        );
        assert!(rows.iter().all(|(_, event)| event.container_id.as_deref() == Some(ID)));
        let at = |row: usize| rows[row].1.at.unwrap().to_string();
        assert_eq!(at(0), "2026-11-25T22:00:00.123456789Z");
        assert_eq!(at(2), "2026-11-25T22:00:03Z");
        assert_eq!(at(7), "2026-11-25T22:00:08.1Z");
    }

    #[test]
    fn events_cover_the_time_from_the_first_to_the_reading() {
        let text = "2026-11-25T22:00:05Z container start @ (name=a)\n".replace('@', ID);
        let coverage = decode(&Artifact::new("events", text.as_str())).coverage.remove(0);
        assert_eq!(
            (coverage.from, coverage.to),
            ("2026-11-25T22:00:05Z".parse().ok(), "2026-11-25T22:00:05Z".parse().ok())
        );
        let read = Artifact { at: "2026-11-25T23:00:00Z".parse().ok(), ..Artifact::new("events", text) };
        let coverage = decode(&read).coverage.remove(0);
        assert_eq!((coverage.of, coverage.to), (CoverageOf::EngineEvents, read.at));
    }

    #[test]
    fn objects_over_many_lines_and_in_an_array_are_events() {
        let one = r#"{"Type": "container", "Action": "oom", "Actor": {"ID": "aa"}, "time": 1795644000}"#;
        let spread = one.replace(", ", ",\n  ");
        let out = decode(&Artifact::new("events", format!("[\n  {spread},\n  {one}, {one}\n]\n")));
        assert!(out.gaps.is_empty());
        assert_eq!(
            rows(out).iter().map(|(place, _)| place.as_str()).collect::<Vec<_>>(),
            ["line 2", "line 6", "line 6"]
        );
    }

    #[test]
    fn what_is_no_event_is_a_gap() {
        let out = decode(&Artifact::new("events", "one line\n{\"Type\": \"container\", \"Act"));
        assert_eq!(out.gaps[0].because, "2 lines are no events, the first is line 1");
        assert!(out.facts.is_empty() && out.coverage.is_empty());
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            decode(&Artifact::new("a", bytes));
        }

        #[test]
        fn no_cut_or_changed_events_panic(from in 0_usize..2000, to in 0_usize..2000, at in 0_usize..2000, byte: u8) {
            let mut bytes = SAMPLE.replace('@', ID).into_bytes();
            let at = at % bytes.len();
            bytes[at] = byte;
            let to = to.min(bytes.len());
            decode(&Artifact::new("a", &bytes[from.min(to)..to]));
        }
    }
}
