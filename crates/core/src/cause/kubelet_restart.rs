//! The kubelet restarted the container because its spec changed or a resize needs it.

use super::stop::{self, SLACK};
use super::{Cause, Finding, Found, advice, kernel, killing, probe, quote, signal};
use crate::case::{Case, Seen};
use crate::diagnosis::{Advice, Confidence, Verdict};
use crate::fact::Event;

pub(super) const CAUSE: Cause = Cause { verdict: Verdict::KubeletRestart, judge, advise };

/// `Container app definition changed, will be restarted`; `Container app resize requires restart`
/// (pkg/kubelet/kuberuntime/kuberuntime_manager.go, v1.37).
fn is_restart(message: &str) -> bool {
    message.contains("definition changed") || message.contains("spec hash changed") || is_resize(message)
}

fn is_resize(message: &str) -> bool {
    message.contains("resize requires restart")
}

/// The kubelet kills a container whose postStart hook failed and gives its own reason for a message
/// (pkg/kubelet/kuberuntime/kuberuntime_container.go `startContainer`, v1.37).
fn is_hook(message: &str) -> bool {
    message.contains("FailedPostStartHook") || message.contains("PostStartHook failed")
}

/// A postStart hook failed in the life that ended, though the kubelet's word that it kills for it is not there: it stops
/// counting events that repeat, one before the other (see `probe::failures`).
fn failed_hook<'a>(case: &Case<'a>) -> Option<Seen<'a, Event>> {
    let finished = case.finished()?;
    let stopped = matches!(case.exit_code(), Some(137 | 143));
    let of_life = |event: &&Seen<'a, Event>| {
        let Some(last) = event.it.last.or(event.it.first) else { return stopped };
        let repeats = event.it.count > 1 && event.it.first.is_some_and(|first| first <= finished);
        // A hook also fails where the program had ended before it.
        let in_time = if stopped { last.duration_since(finished) <= SLACK } else { last < finished };
        in_time && signal::is_of_life(case, Some(last)) || repeats && stopped
    };
    let failed = case.events.iter().filter(|event| event.it.reason == "FailedPostStartHook");
    failed.filter(|_| !stop::is_deleted(case)).find(of_life).copied()
}

fn judge(case: &Case<'_>) -> Finding {
    if case.is_restart_placeholder() {
        let summary = format!(
            "The kubelet restarted all containers of the pod, {} among them, by a restart policy rule of one that ended; the \
             137 is its placeholder, not an exit code.",
            case.noun()
        );
        let proofs = quote::termination(case).into_iter().collect();
        let killed = kernel::oom_kill(case, Some(false));
        return Found::new(Confidence::Proven, summary, proofs).oom_kill(killed).into();
    }
    let killed = killing::of_main(case);
    if let Some((event, confidence)) = probe::killing_event(case, is_hook).filter(|_| !killed) {
        let mut proofs =
            vec![quote::event(&event, "the kubelet kills the container because its postStart hook failed")];
        let failed = case.events.iter().find(|event| event.reason == "FailedPostStartHook");
        proofs.extend(failed.map(|event| quote::event(event, "the postStart hook had failed")));
        proofs.extend(quote::termination(case));
        let summary = format!("The kubelet killed {} because its postStart hook failed.", case.noun());
        return Found::new(confidence, summary, proofs).oom_kill(kernel::oom_kill(case, Some(false))).into();
    }
    let told = probe::killing_event(case, is_restart);
    if let Some(event) = failed_hook(case).filter(|_| !killed && told.is_none()) {
        let mut proofs = vec![quote::event(&event, "the postStart hook had failed")];
        proofs.extend(quote::termination(case));
        let summary = format!("The kubelet killed {} because its postStart hook failed.", case.noun());
        let found = Found::new(Confidence::Likely, summary, proofs).oom_kill(kernel::oom_kill(case, Some(false)));
        return found.missing("the kubelet's Killing event for this container", advice::events_command(case)).into();
    }
    let Some((event, confidence)) = told else { return Finding::Absent };
    let mut proofs = vec![quote::event(&event, "the kubelet says that it restarts the container for a change")];
    proofs.extend(quote::termination(case));
    let why = if is_resize(&event.it.message) {
        "a resize of its resources needs a restart"
    } else {
        "its spec was changed, as a new image does"
    };
    let summary = format!("The kubelet restarted {} because {why}.", case.noun());
    Found::new(confidence, summary, proofs).oom_kill(kernel::oom_kill(case, Some(false))).into()
}

fn advise(case: &Case<'_>) -> Vec<Advice> {
    if case.is_restart_placeholder() {
        return vec![advice::advice(
            "see which container of the pod ended, and why: its restartPolicyRules say RestartAllContainers",
            "the others are restarted with it, whatever they do",
            "none",
        )];
    }
    let told = probe::killing_event(case, is_restart);
    if probe::killing_event(case, is_hook).is_some() || told.is_none() {
        return vec![advice::advice(
            "correct the postStart hook, or do its work in the program or an init container",
            "the kubelet kills a container whose postStart hook fails, whatever the program does",
            "none",
        )];
    }
    if !told.is_some_and(|(event, _)| is_resize(&event.it.message)) {
        return vec![advice::advice(
            "change the image in the workload's template rather than in the running pod",
            "a container whose image is changed is restarted on purpose; a rollout makes new pods first and can be undone",
            "none",
        )];
    }
    vec![advice::advice(
        "set resizePolicy to NotRequired for memory if the program can live with a new limit while it runs",
        "a resize with RestartContainer ends the container on purpose",
        "a limit lowered in place below the usage is refused or kills",
    )]
}
