//! Lists: the enhancement proposals' of a pod's and a container's fields, Spark's of its executors, Nomad's of its tasks.

use crate::decode::{Decoded, Input};
use crate::fact::{Locus, Pod, State, Termination, What};

/// A line of such a list.
pub(super) fn tells(line: &str) -> bool {
    let bare = line.trim().trim_start_matches(['-', '*', ' ']);
    let field = ["`exitCode=", "`reason=", "`phase=", "`message="].iter().any(|key| bare.starts_with(key));
    field
        || bare.contains("The API gave the following")
        || bare.contains("Exit Code: ") && bare.contains("Exit Message:")
}

/// Decodes the text.
pub(super) fn decode(text: &str, input: Input<'_>, out: &mut Decoded) {
    let (mut pod, mut end) = (Pod::default(), Termination::default());
    let (mut at, mut of_container, mut waits) = (None, false, false);
    for (number, line) in text.lines().enumerate() {
        let bare = line.trim().trim_start_matches(['-', '*', ' ']);
        if bare.starts_with("Container status") {
            of_container = true;
        } else if bare.starts_with("Pod status") {
            of_container = false;
        }
        waits |= bare.starts_with("`state=Waiting");
        let told = assignment(bare, of_container, &mut pod, &mut end)
            || spark(line, &mut pod)
            || nomad(line, &mut end)
            || executor(line, &mut end)
            || java_object(line, &mut end);
        if told {
            at = at.or(Some(input.first_line + number));
        }
    }
    let Some(at) = at else { return };
    if end != Termination::default() {
        let state =
            if waits { State::Waiting { reason: end.reason, message: end.message } } else { State::Terminated(end) };
        pod.containers.push(super::container(state));
    }
    out.fact(What::Pod(Box::new(pod)), Locus::line(input.id, at));
}

/// `exitCode=137` in backticks.
fn assignment(bare: &str, of_container: bool, pod: &mut Pod, end: &mut Termination) -> bool {
    let Some((key, value)) = bare.strip_prefix('`').and_then(|text| text.trim_end_matches('`').split_once('=')) else {
        return false;
    };
    let value = Some(value.trim()).filter(|value| !value.is_empty()).map(str::to_owned);
    let of_container = of_container || end.exit_code.is_some();
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

/// Spark's driver about the pod of an executor that was lost.
fn spark(line: &str, pod: &mut Pod) -> bool {
    let after = |words: &str| line.split_once(words).map(|(_, rest)| rest.trim().to_owned());
    let known = |text: &String| !matches!(text.as_str(), "" | "N/A" | "null");
    if let Some(reason) = after("The API gave the following brief reason:") {
        pod.reason = Some(reason).filter(known);
        return true;
    }
    if let Some(message) = after("The API gave the following message:") {
        pod.message = Some(message).filter(known);
        return true;
    }
    false
}

/// Spark's words about the container: `exit code: 137`, `termination reason: OOMKilled`. Its own sentence about an
/// executor that `exited with exit code -1(unexpected)` has a code that Spark made up.
fn executor(line: &str, end: &mut Termination) -> bool {
    let bare = line.trim();
    if let Some(code) =
        bare.strip_prefix("exit code: ").or_else(|| bare.split_once("exited with exit code ").map(|(_, rest)| rest))
    {
        let digits = code.find(|c: char| !c.is_ascii_digit()).map_or(code, |end| &code[..end]);
        end.exit_code = digits.parse().ok().or(end.exit_code);
        return true;
    }
    match bare.strip_prefix("termination reason: ") {
        Some(reason) => {
            end.reason = Some(reason.trim().to_owned());
            true
        }
        None => false,
    }
}

/// `ContainerStateTerminated(exitCode=137, reason=OOMKilled, ...)`, as Spark 2 prints it.
fn java_object(line: &str, end: &mut Termination) -> bool {
    let Some(found) = line.contains("ContainerStateTerminated(").then(|| super::phrase::end(line)).flatten() else {
        return false;
    };
    *end = found;
    true
}

/// `Terminated: Exit Code: 137, Exit Message: "..."`.
fn nomad(line: &str, end: &mut Termination) -> bool {
    let Some((_, rest)) = line.split_once("Exit Code: ") else { return false };
    let Some((code, rest)) = rest.split_once(", Exit Message: ") else { return false };
    end.exit_code = code.trim().parse().ok();
    end.reason = Some(rest.trim().trim_matches('"').to_owned()).filter(|reason| !reason.is_empty());
    true
}
