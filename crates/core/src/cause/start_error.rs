//! The container never started: a wrong command, image, mount or configuration.

use super::{Cause, Finding, Found, Proof, advice, kernel, killing, quote, start};
use crate::case::Case;
use crate::diagnosis::{Advice, Confidence, Verdict};

pub(super) const CAUSE: Cause = Cause { verdict: Verdict::StartError, judge, advise };

/// Reasons of a waiting state that mean: cannot start.
const WAITING: [&str; 9] = [
    "CreateContainerConfigError",
    "CreateContainerError",
    "RunContainerError",
    "ErrImagePull",
    "ImagePullBackOff",
    "ErrImageNeverPull",
    "InvalidImageName",
    "ImageInspectError",
    "PostStartHookError",
];

fn judge(case: &Case<'_>) -> Finding {
    let killed = killing::of(case).is_some_and(|killing| killing.verdict == Verdict::StartOom);
    if killed || start::limit_is_too_small(case) {
        return Finding::Absent;
    }
    let Some((words, mut proof)) = failure(case) else { return Finding::Absent };
    let why = reason(&words);
    if !words.is_empty() {
        proof.says = format!("{}; the message ends in: {}", proof.says, quote::last_links(&words));
    }
    // Without the runtime's words its init may as well have been killed.
    let lost = start::init_was_lost(&words);
    let otherwise = if lost {
        None
    } else if words.is_empty() && case.engine.is_some() {
        kernel::excluded(case)
    } else {
        Some(false)
    };
    let summary = match why {
        _ if lost => {
            format!("{} never started: the runtime lost its init process.", kernel::capital(&case.noun()))
        }
        Some(why) => format!("{} never started: {why}.", kernel::capital(&case.noun())),
        None => format!("{} never started.", kernel::capital(&case.noun())),
    };
    let found = Found::new(Confidence::Proven, summary, vec![proof]).oom_kill(kernel::oom_kill(case, otherwise));
    if lost {
        return found.missing("what ended the init process", kernel::kernel_log_command(case)).into();
    }
    found.into()
}

fn failure(case: &Case<'_>) -> Option<(String, Proof)> {
    if let Some(end) = case.termination().filter(|_| start::never_ran(case)) {
        return Some((end.message.clone().unwrap_or_default(), quote::termination(case)?));
    }
    if let Some(found) = by_engine(case) {
        return Some(found);
    }
    if case.death.is_some() {
        return None;
    }
    if let Some((reason, message)) = case.waiting()
        && WAITING.contains(&reason)
    {
        let from = case.from.clone()?.join("/state/waiting");
        let excerpt = quote::cut_middle(format!("{reason}: {message}").trim_end_matches(": "), 300);
        return Some((
            message.to_owned(),
            Proof { says: format!("the kubelet could not start it ({reason})"), from, excerpt },
        ));
    }
    let event = start::failed_start(case)?;
    Some((event.it.message.clone(), quote::event(&event, "it could not be started")))
}

/// The engine's word: an error beside a container that never ran, or (Podman keeps no error) cleaned up unstarted.
fn by_engine(case: &Case<'_>) -> Option<(String, Proof)> {
    let engine = case.engine?;
    let created = engine.it.status.as_deref() == Some("created");
    let unstarted =
        engine.it.started.is_none_or(|started| engine.it.finished.is_some_and(|finished| finished <= started))
            && matches!(engine.it.exit_code, Some(126..=128));
    if let Some(error) = engine.it.error.as_deref().filter(|error| !error.is_empty() && (created || unstarted)) {
        let from = engine.from.join("/State/Error");
        let proof =
            Proof { says: "the engine could not start it".into(), from, excerpt: quote::cut_middle(error, 240) };
        return Some((error.to_owned(), proof));
    }
    let event = case.failed_start().filter(|_| created)?;
    Some((String::new(), quote::engine_event(&event, "the engine made it and cleaned it up, and never started it")))
}

/// The part of a runtime's message that people need.
fn reason(words: &str) -> Option<String> {
    let table = [
        ("executable file not found", "its command is not in the image"),
        ("no such file or directory", "a file of its command or mounts does not exist"),
        ("permission denied", "permission was denied"),
        ("exec format error", "the program is built for another architecture"),
        ("ErrImagePull", "its image could not be pulled"),
        ("pull", "its image could not be pulled"),
        ("not present with pull policy", "its image is not on the node and may not be pulled"),
        ("couldn't find key", "a key of a ConfigMap or Secret is missing"),
        ("not found", "something that it refers to does not exist"),
        ("failed to create pod sandbox", "its sandbox could not be made"),
        ("Failed to create pod sandbox", "its sandbox could not be made"),
    ];
    table.iter().find(|(needle, _)| words.contains(needle)).map(|(_, why)| (*why).to_owned())
}

fn advise(case: &Case<'_>) -> Vec<Advice> {
    if failure(case).is_some_and(|(words, _)| start::init_was_lost(&words)) {
        return vec![advice::see_kernel_log(case, "it says whether the kernel killed the runtime's init process")];
    }
    vec![advice::advice(
        "correct what the runtime's message names: command, image, mount, key or permission",
        "the program never ran, so its memory cannot be the reason",
        "none",
    )]
}
