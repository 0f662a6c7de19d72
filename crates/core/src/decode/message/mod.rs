//! What tools around Kubernetes and engines say of an end: proposals' lists, workflow engines, Spark, Nomad, Compose.
//!
//! Read only where a text holds nothing of Kubernetes' or an engine's own.

use super::{Decoded, Input};
use crate::fact::{Container, ContainerStatus, Event, Locus, ObjectRef, Pod, State, Termination, What};

mod engine_list;
mod list;
mod phrase;

/// A line tells of an end.
pub(super) fn tells(line: &str) -> bool {
    tells_as_list(line)
        || phrase::end(line).is_some()
        || phrase::fate(line).is_some()
        || phrase::refused(line).is_some()
}

/// Some line of a text tells of an end; a large text is a log, whose words are its program's.
pub(super) fn tells_in(text: &[u8]) -> bool {
    text.len() <= LONGEST && String::from_utf8_lossy(text).lines().any(tells)
}

/// A longer text is no message.
const LONGEST: usize = 64 << 10;

/// A line is of a list that would pass for YAML or a describe text.
pub(super) fn tells_as_list(line: &str) -> bool {
    list::tells(line)
}

/// The end that a sentence tells of, where it is one of a tool's.
pub(super) fn end(text: &str) -> Option<Termination> {
    phrase::end(text)
}

/// Decodes a segment.
pub(super) fn decode(input: Input<'_>, out: &mut Decoded) {
    let text = String::from_utf8_lossy(input.bytes);
    if text.lines().any(list::tells) {
        list::decode(&text, input, out);
        return;
    }
    let mut ends: Vec<(Termination, usize)> = Vec::new();
    let mut listed: Vec<(Container, usize)> = Vec::new();
    let mut fate: Option<(Pod, usize)> = None;
    for (number, line) in text.lines().enumerate() {
        let at = input.first_line + number;
        if let Some(message) = phrase::refused(line) {
            let object = ObjectRef { kind: Some("Pod".into()), ..ObjectRef::default() };
            let event = Event { object, warning: true, reason: "Failed".into(), message, count: 1, ..Event::default() };
            out.fact(What::Event(Box::new(event)), Locus::line(input.id, at));
            fate.get_or_insert((Pod::default(), at));
        } else if let Some((reason, message)) = phrase::fate(line) {
            let pod = Pod { reason: Some(reason), message: Some(message), ..Pod::default() };
            fate.get_or_insert((pod, at));
        } else if let Some(container) = engine_list::row(line) {
            listed.push((container, at));
        } else if let Some(end) = phrase::end(line) {
            match ends.last_mut() {
                // The code and the reason stand in lines of their own.
                Some((last, _)) if joins(last, &end) => {
                    last.exit_code = last.exit_code.or(end.exit_code);
                    last.reason = last.reason.take().or(end.reason);
                }
                Some((last, _)) if *last == end => {}
                _ => ends.push((end, at)),
            }
        }
    }
    // The containers of a list are each other's neighbours, not one pod's.
    for (container, at) in listed {
        let pod = Pod { containers: vec![container], ..Pod::default() };
        out.fact(What::Pod(Box::new(pod)), Locus::line(input.id, at));
    }
    let Some(at) = fate.as_ref().map(|(_, at)| *at).or(ends.first().map(|(_, at)| *at)) else { return };
    let mut pod = fate.map(|(pod, _)| pod).unwrap_or_default();
    pod.containers = ends.into_iter().map(|(end, _)| container(State::Terminated(end))).collect();
    out.fact(What::Pod(Box::new(pod)), Locus::line(input.id, at));
}

/// Two lines tell different things of one end.
fn joins(one: &Termination, other: &Termination) -> bool {
    (one.exit_code.is_none() || other.exit_code.is_none()) && (one.reason.is_none() || other.reason.is_none())
}

fn container(state: State) -> Container {
    let status = ContainerStatus { state: Some(state), ..ContainerStatus::default() };
    Container { status: Some(status), ..Container::default() }
}
