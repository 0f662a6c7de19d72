//! What to do about a probe that ended a life. Its own words decide: only a probe that timed out wants more time.

use super::advice::{advice, patched};
use super::probe::{self, Which};
use super::{kernel, killing};
use crate::case::Case;
use crate::diagnosis::Advice;

/// How a probe failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Failure {
    /// No answer within `timeoutSeconds`.
    Timeout,
    /// Nothing listens.
    Refused,
    /// An answer, and not a good one.
    BadAnswer,
    /// Its command ended with an error.
    Command,
    /// No event tells.
    Untold,
}

/// Reads the message of an `Unhealthy` event (pkg/kubelet/prober/prober.go and pkg/probe, v1.37).
fn failure(message: &str) -> Failure {
    let said = |words: &[&str]| words.iter().any(|words| message.contains(words));
    if said(&["timed out", "deadline exceeded", "Client.Timeout", "i/o timeout", "timeout: failed to connect"]) {
        Failure::Timeout
    } else if said(&["connection refused", "connection reset", "no route to host"]) {
        Failure::Refused
    } else if said(&["HTTP probe failed with statuscode", "service unhealthy", "NOT_SERVING"]) {
        Failure::BadAnswer
    } else if said(&["probe failed: Get \"", "probe failed: dial ", "probe errored"]) || message.is_empty() {
        Failure::Untold
    } else {
        Failure::Command
    }
}

/// What to do about the probe that ended this life.
pub(super) fn of(case: &Case<'_>) -> Vec<Advice> {
    let which = probe::which(case);
    let event = probe::failures(case, Some(which));
    let failure = event.map_or(Failure::Untold, |event| failure(&event.it.message));
    let mut list: Vec<Advice> = killed(which, case).into_iter().collect();
    list.push(look(which, failure));
    if failure == Failure::Timeout {
        list.extend(more_time(case, which));
    }
    if which == Which::Startup {
        list.extend(longer_start(case));
    }
    list
}

/// A process of that life was killed for memory: the probe's own command, or what should have answered it.
fn killed(which: Which, case: &Case<'_>) -> Option<Advice> {
    let killing = killing::of(case).filter(|killing| killing.certain)?;
    Some(advice(
        format!(
            "see first why the OOM killer killed {} in that life: the {} probe may have failed for it",
            kernel::who(&killing),
            which.word()
        ),
        "a probe's command runs in the container and counts towards its memory limit, and a program that lost a process may not answer",
        "none",
    ))
}

fn look(which: Which, failure: Failure) -> Advice {
    let word = which.word();
    let (action, why) = match failure {
        Failure::Timeout => {
            let action = format!(
                "find out why the {word} probe got no answer in time: a stall (GC, CPU throttling, a lock), or a \
                 timeout too short"
            );
            let why = "the kubelet restarts a container whose probe fails failureThreshold times in a row";
            return advice(action, why, "a slacker probe leaves a hanging container up for longer");
        }
        Failure::Refused => (
            format!(
                "find out why nothing takes the {word} probe's connection: the program does not listen yet, not any \
                 more, or elsewhere"
            ),
            "a refused connection is an answer at once: a longer timeout changes nothing",
        ),
        Failure::BadAnswer => (
            format!(
                "find out why the program answers the {word} probe with an error: it calls itself unhealthy, or the \
                 path is not one of its own"
            ),
            "the answer came in time: a longer timeout changes nothing",
        ),
        Failure::Command => (
            format!("run the {word} probe's command in the container, and see why it fails"),
            "the command ended in time, with an error: a longer timeout changes nothing",
        ),
        Failure::Untold => (
            format!("find out how the {word} probe failed: the pod's Unhealthy events have its words"),
            "a timeout, a refused connection and an error in the answer want different remedies",
        ),
    };
    advice(action, why, "none")
}

fn more_time(case: &Case<'_>, which: Which) -> Option<Advice> {
    let timeout = probe::spec(case, which).map(|probe| probe.timeout).filter(|timeout| *timeout <= 1)?;
    let base = advice(
        format!("give the probe more than {timeout} s to answer"),
        "one second is Kubernetes' default and shorter than a garbage collection of a loaded heap",
        "a hanging container is found later",
    );
    Some(patched(base, format!("{}Probe:\n  timeoutSeconds: 5", which.word())))
}

fn longer_start(case: &Case<'_>) -> Option<Advice> {
    let probe = probe::spec(case, Which::Startup)?;
    let seconds = probe.failures.checked_mul(probe.period)?.checked_add(probe.delay)?;
    Some(advice(
        format!(
            "allow the start the time that it takes: it has {seconds} s (failureThreshold {} x periodSeconds {})",
            probe.failures, probe.period
        ),
        "a startup probe ends a program that is not up when its attempts are used up",
        "a start that hangs is found later",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_events_own_words_tell_how_a_probe_failed() {
        for (words, expected) in [
            ("Liveness probe failed: command timed out: \"sh -c x\" timed out after 1s", Failure::Timeout),
            (
                "Liveness probe failed: Get \"http://10.0.0.1/\": context deadline exceeded (Client.Timeout exceeded)",
                Failure::Timeout,
            ),
            ("Liveness probe failed: dial tcp 10.0.0.1:80: connect: connection refused", Failure::Refused),
            ("Liveness probe failed: HTTP probe failed with statuscode: 404", Failure::BadAnswer),
            ("Startup probe failed: ", Failure::Command),
            ("Startup probe failed: cat: can't open '/tmp/up': No such file or directory", Failure::Command),
            ("Liveness probe errored: rpc error: code = Unknown", Failure::Untold),
        ] {
            assert_eq!(failure(words), expected, "{words}");
        }
    }
}
