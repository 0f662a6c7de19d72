//! Evidence in words: a sentence, the place, the words themselves.

use std::fmt::Write as _;

use jiff::Timestamp;

use super::Proof;
use crate::case::{Case, CaseKill, Seen};
use crate::fact::{EngineEvent, Event, LogSign, NodeNote, State};
use crate::signal;
use crate::units::span;

/// Whole seconds in UTC, as people write them.
pub(super) fn time(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%SZ").to_string()
}

/// The end of the container as its status or engine gives it.
pub(super) fn termination(case: &Case<'_>) -> Option<Proof> {
    let death = case.death.as_ref()?;
    let end = &death.termination;
    let mut says = format!("{} ended", case.noun());
    if let Some(code) = end.exit_code {
        let signal = if case.was_signaled(code.saturating_sub(128)) { of_signal(code) } else { String::new() };
        let _ = write!(says, " with exit code {code}{signal}");
    }
    if let Some(reason) = &end.reason {
        let _ = write!(says, ", reason {reason}");
    }
    if let Some(finished) = end.finished {
        let _ = write!(says, ", at {}", time(finished));
    }
    if let Some(seconds) = case.seconds_lived() {
        let _ = write!(says, " after {}", span(seconds));
    }
    let mut words = Vec::new();
    words.extend(end.reason.as_ref().map(|reason| format!("reason: {reason}")));
    words.extend(end.exit_code.map(|code| format!("exitCode: {code}")));
    words.extend(end.message.as_ref().map(|message| format!("message: {}", cut_middle(message, 240))));
    words.extend(end.finished.map(|at| format!("finishedAt: {at}")));
    Some(Proof { says, from: death.from.clone(), excerpt: words.join(", ") })
}

/// The life after the end that is diagnosed ended well.
pub(super) fn recovery(case: &Case<'_>) -> Option<Proof> {
    let Some(State::Terminated(end)) = &case.status()?.state else { return None };
    let later = case.death.as_ref().is_some_and(|death| !death.current);
    (later && end.exit_code == Some(0)).then_some(())?;
    Some(Proof {
        says: "it was started again and then ended well".into(),
        from: case.from.as_ref()?.join("/state/terminated"),
        excerpt: "exitCode: 0".into(),
    })
}

/// ` (128 + SIGKILL)` behind an exit code that such a signal makes.
fn of_signal(code: i32) -> String {
    match code {
        129..=132 | 134..=137 | 139 | 143 => format!(" (128 + {})", signal::name(code - 128)),
        _ => String::new(),
    }
}

/// The line of a kernel report that names the victim, else its most telling line.
pub(super) fn kill(kill: &CaseKill<'_>) -> Proof {
    let report = kill.kill.it;
    let victim = report.victims.first();
    let mut says = "the kernel's OOM killer".to_owned();
    match victim {
        Some(victim) => {
            says.push_str(" killed ");
            says.push_str(victim.comm.as_deref().unwrap_or("a process"));
            if let Some(pid) = victim.pid {
                let _ = write!(says, " (pid {pid})");
            }
            if report.victims.len() > 1 {
                let _ = write!(says, " and {} more of its group", report.victims.len() - 1);
            }
        }
        None => says.push_str(" was invoked"),
    }
    match (&report.oom_memcg, report.memory.and_then(|memory| memory.limit)) {
        (Some(path), Some(limit)) => {
            let _ = write!(says, ": cgroup {} was at its limit of {limit}", tail(path));
        }
        (Some(path), None) => {
            let _ = write!(says, ": cgroup {} was at its limit", tail(path));
        }
        (None, _) if report.constraint == Some(crate::fact::Constraint::None) => {
            says.push_str(": the node itself was out of memory");
        }
        _ => {}
    }
    let telling = |needle: &str| report.lines.iter().find(|(_, line)| line.contains(needle));
    let line = telling("oom-kill:").or_else(|| telling("Killed process")).or_else(|| report.lines.last());
    match line {
        Some((from, line)) => Proof { says, from: from.clone(), excerpt: cut(line, 240) },
        None => Proof { says, from: kill.kill.from.clone(), excerpt: String::new() },
    }
}

/// The last two parts of a cgroup path: enough to know it by.
pub(super) fn tail(path: &str) -> String {
    let parts: Vec<&str> = path.rsplitn(3, '/').collect();
    match parts.as_slice() {
        [last, middle, rest] if !rest.is_empty() => format!(".../{}/{}", short(middle), short(last)),
        _ => path.to_owned(),
    }
}

/// Long ids are cut to their first 12 digits.
fn short(part: &str) -> String {
    if part.len() > 60 { format!("{}…", part.chars().take(48).collect::<String>()) } else { part.to_owned() }
}

/// An event.
pub(super) fn event(event: &Seen<'_, Event>, says: impl Into<String>) -> Proof {
    let it = event.it;
    let mut says = says.into();
    if let Some(at) = it.last.or(it.first) {
        let _ = write!(
            says,
            " ({}{})",
            time(at),
            if it.count > 1 { format!(", {} times", it.count) } else { String::new() }
        );
    }
    Proof { says, from: event.from.clone(), excerpt: cut_middle(&format!("{}: {}", it.reason, it.message), 300) }
}

/// A line of the container's log.
pub(super) fn sign(sign: &Seen<'_, LogSign>, says: impl Into<String>) -> Proof {
    Proof { says: says.into(), from: sign.from.clone(), excerpt: cut(&sign.it.line, 240) }
}

/// A line of a daemon's log.
pub(super) fn note(note: &Seen<'_, NodeNote>, says: impl Into<String>) -> Proof {
    Proof { says: says.into(), from: note.from.clone(), excerpt: cut(&note.it.line, 240) }
}

/// An event of an engine.
pub(super) fn engine_event(event: &Seen<'_, EngineEvent>, says: impl Into<String>) -> Proof {
    let it = event.it;
    let signal = it.signal.map(|signal| format!(" signal={signal}")).unwrap_or_default();
    let exit = it.exit_code.map(|code| format!(" exitCode={code}")).unwrap_or_default();
    let at = it.at.map(|at| format!("{} ", time(at))).unwrap_or_default();
    Proof { says: says.into(), from: event.from.clone(), excerpt: format!("{at}{}{signal}{exit}", it.action) }
}

/// The pod's own reason and message.
pub(super) fn pod_reason(case: &Case<'_>, says: impl Into<String>) -> Option<Proof> {
    let view = case.pod?;
    let reason = view.pod.reason.as_deref().unwrap_or_default();
    let message = view.pod.message.as_deref().unwrap_or_default();
    Some(Proof {
        says: says.into(),
        from: view.from.join("/status"),
        excerpt: cut(format!("reason: {reason}, message: {message}").trim_end_matches(", message: "), 300),
    })
}

/// At most so many characters, with an ellipsis where something was cut; line breaks become spaces.
pub(super) fn cut(text: &str, most: usize) -> String {
    let flat = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if flat.chars().count() <= most {
        return flat;
    }
    flat.chars().take(most.saturating_sub(1)).chain(['…']).collect()
}

/// The same with the middle cut out: an error that wraps others names the cause at its end.
pub(super) fn cut_middle(text: &str, most: usize) -> String {
    let flat: Vec<char> = text.split_whitespace().collect::<Vec<_>>().join(" ").chars().collect();
    if flat.len() <= most {
        return flat.into_iter().collect();
    }
    let (head, tail) = (most / 4, most - most / 4 - 1);
    flat[..head].iter().chain(&['…']).chain(&flat[flat.len() - tail..]).collect()
}

/// The end of an error that wraps others, whole links of it: there the cause stands.
pub(super) fn last_links(message: &str) -> String {
    const MOST: usize = 160;
    let flat = message.split_whitespace().collect::<Vec<_>>().join(" ");
    let begins = flat.match_indices(": ").map(|(at, _)| at + 2);
    let fits = |at: &usize| flat.len() - at <= MOST;
    match std::iter::once(0).chain(begins).find(fits) {
        Some(at) => flat[at..].to_owned(),
        None => cut_middle(&flat, MOST),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_cut_of_a_wrapped_error_is_not_its_cause() {
        let cause = "exec: \"/data\": permission denied";
        let chain = format!("failed to create containerd task: {}{cause}", "failed to create shim task: ".repeat(12));
        assert!(last_links(&chain).ends_with(cause) && last_links(&chain).starts_with("failed to create shim task"));
        assert_eq!(last_links(cause), cause);
        let cut = cut_middle(&chain, 100);
        assert!(cut.chars().count() == 100 && cut.starts_with("failed to create") && cut.ends_with(cause), "{cut}");
        assert_eq!(last_links(&"x".repeat(400)).chars().count(), 160);
    }
}
