//! Other ways of writing a status down: the lists of enhancement proposals, Spark's words about its executors, Nomad's
//! about its tasks.

use super::Block;
use crate::decode::{Decoded, Input};
use crate::fact::{Container, ContainerStatus, Locus, Pod, State, Termination, What};

/// Decodes a block of such a kind; false where it is none.
pub(super) fn decode(block: &Block<'_>, input: Input<'_>, out: &mut Decoded) -> bool {
    let mut pod = Pod { name: block.name.map(str::to_owned), ..Pod::default() };
    let mut end = Termination::default();
    let mut at = None;
    for line in &block.lines {
        if assignment(line.raw, &mut pod, &mut end) || spark(line.raw, &mut pod) || nomad(line.raw, &mut end) {
            at = at.or(Some(line.number));
        }
    }
    let Some(at) = at else { return false };
    if end != Termination::default() {
        let status = ContainerStatus { state: Some(State::Terminated(end)), ..ContainerStatus::default() };
        pod.containers.push(Container { status: Some(status), ..Container::default() });
    }
    out.fact(What::Pod(Box::new(pod)), Locus::line(input.id, at));
    true
}

/// "  - `exitCode=137`"
fn assignment(raw: &str, pod: &mut Pod, end: &mut Termination) -> bool {
    let bare = raw.trim().trim_start_matches(['-', '*', ' ']);
    let (quoted, text) = match bare.strip_prefix('`') {
        Some(rest) => (true, rest.trim_end_matches('`')),
        None => (false, bare),
    };
    let Some((key, value)) = text.split_once('=').filter(|_| quoted) else { return false };
    let value = (!value.trim().is_empty()).then(|| value.trim().to_owned());
    let of_container = end.exit_code.is_some();
    match key {
        "phase" => pod.phase = value,
        "reason" if of_container => end.reason = value,
        "reason" => pod.reason = value,
        "message" if !of_container => pod.message = value,
        "exitCode" => end.exit_code = value.and_then(|value| value.parse().ok()),
        "state" | "message" | "status" => {}
        _ => return false,
    }
    true
}

/// Spark's driver about an executor that was lost.
fn spark(raw: &str, pod: &mut Pod) -> bool {
    let after = |words: &str| raw.split_once(words).map(|(_, rest)| rest.trim().to_owned());
    if let Some(reason) = after("The API gave the following brief reason:") {
        pod.reason = Some(reason).filter(|reason| reason != "N/A" && !reason.is_empty());
        return true;
    }
    if let Some(message) = after("The API gave the following message:") {
        pod.message = Some(message).filter(|message| message != "N/A" && !message.is_empty());
        return true;
    }
    false
}

/// `Terminated: Exit Code: 137, Exit Message: "..."`.
fn nomad(raw: &str, end: &mut Termination) -> bool {
    let Some((_, rest)) = raw.split_once("Exit Code: ") else { return false };
    let Some((code, rest)) = rest.split_once(", Exit Message: ") else { return false };
    end.exit_code = code.trim().parse().ok();
    end.reason = Some(rest.trim().trim_matches('"').to_owned()).filter(|reason| !reason.is_empty());
    true
}
