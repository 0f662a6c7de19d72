//! The kubelet's probes: whether one of them ended a life.

use std::cmp::Reverse;

use jiff::Timestamp;

use super::stop::SLACK;
use super::{Proof, quote};
use crate::case::{Case, Seen};
use crate::diagnosis::Confidence;
use crate::fact::{Event, NodeNoteKind, Probe};

/// The probes that end a life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Which {
    Liveness,
    Startup,
}

impl Which {
    /// As in `livenessProbe`.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Liveness => "liveness",
            Self::Startup => "startup",
        }
    }

    /// The probe that the kubelet's words about a kill are of.
    pub(super) fn of_kill(message: &str) -> Self {
        if message.contains("startup") { Self::Startup } else { Self::Liveness }
    }

    /// The probe whose failure an event tells.
    fn of_failure(event: &Event) -> Option<Self> {
        match event.message.split_once(" probe ")?.0 {
            _ if event.reason != "Unhealthy" => None,
            "Liveness" => Some(Self::Liveness),
            "Startup" => Some(Self::Startup),
            _ => None,
        }
    }
}

/// The probe that ended the life: as the kubelet says, else the one that was failing.
pub(super) fn which(case: &Case<'_>) -> Which {
    let told = killing_event(case, is_probe_kill).map(|(event, _)| Which::of_kill(&event.it.message));
    let noted = || noted(case).map(|(which, _)| which);
    let failing = || failures(case, None).and_then(|event| Which::of_failure(event.it));
    told.or_else(noted).or_else(failing).unwrap_or(Which::Liveness)
}

/// The probe in the pod's spec.
pub(super) fn spec(case: &Case<'_>, which: Which) -> Option<Probe> {
    let container = case.container?;
    match which {
        Which::Liveness => container.liveness,
        Which::Startup => container.startup,
    }
}

/// The kubelet's own words that it restarts the container for this, and how surely they are of this life.
pub(super) fn killing_event<'a>(case: &Case<'a>, is_it: fn(&str) -> bool) -> Option<(Seen<'a, Event>, Confidence)> {
    let events = case.events.iter().filter(|event| {
        // Until 1.13 the sentence was `Killing container with id docker://app:Container failed liveness probe..`.
        matches!(event.it.reason.as_str(), "Killing" | "Unhealthy") && is_it(&event.it.message)
    });
    events.filter_map(|event| Some((*event, places_in_life(case, event.it)?))).max_by_key(|(_, confidence)| *confidence)
}

/// How surely an event is of the life that is diagnosed; `None`: it is of another.
fn places_in_life(case: &Case<'_>, event: &Event) -> Option<Confidence> {
    let Some(finished) = case.finished() else { return Some(Confidence::Likely) };
    let Some(last) = event.last.or(event.first) else {
        // Ages only. As often as the container restarted: every end was one of these.
        let restarts = case.status().and_then(|status| status.restart_count).unwrap_or(0);
        return Some(if restarts > 0 && event.count >= restarts { Confidence::Proven } else { Confidence::Likely });
    };
    let started = case.started();
    if last.duration_since(finished) <= SLACK {
        let early = started.is_some_and(|started| started.duration_since(last) > SLACK);
        if early {
            // The kubelet stops counting an event that repeats (see `failures`), and the container goes on ending.
            return (event.count > 1 && fails_in_a_loop(case)).then_some(Confidence::Likely);
        }
        return Some(Confidence::Proven);
    }
    // A series whose last member is of the next life: its members are as many as the ends it stands for.
    let first = event.first.unwrap_or(last);
    (event.count > 1 && first.duration_since(finished) <= SLACK).then_some(Confidence::Likely)
}

/// `Container app failed liveness probe, will be restarted` and its older spellings; startup probes alike.
pub(super) fn is_probe_kill(message: &str) -> bool {
    // Until 1.7: `pod "web_shop(0e1f)" container "web" is unhealthy, it will be killed and re-created.`
    message.contains("is unhealthy, it will be killed")
        || (message.contains("liveness probe") || message.contains("startup probe"))
            && (message.contains("will be restarted")
                || message.contains("will be killed")
                || message.contains("failed") && message.contains("be re-created"))
}

/// The newest failures of the liveness or startup probe (of `which` where that is known) that began before the end. They
/// may be of an earlier life: the kubelet stops counting an event that repeats (25 at once, then one in five minutes;
/// client-go `EventSourceObjectSpamFilter`).
pub(super) fn failures<'a>(case: &Case<'a>, which: Option<Which>) -> Option<Seen<'a, Event>> {
    let of_probe =
        |event: &&Seen<'_, Event>| Which::of_failure(event.it).is_some_and(|of| which.is_none_or(|which| which == of));
    let finished = case.finished();
    let in_time = |at: Timestamp| finished.is_none_or(|finished| at.duration_since(finished) <= SLACK);
    let began = |event: &&Seen<'_, Event>| event.it.first.or(event.it.last).is_none_or(in_time);
    // A series that goes on after the end had a member shortly before it. Without dates the youngest is the newest.
    let newest = |event: &Seen<'_, Event>| {
        let last = event.it.last.or(event.it.first);
        (last.map(|last| finished.map_or(last, |finished| last.min(finished))), event.it.age_seconds.map(Reverse))
    };
    case.events.iter().filter(of_probe).filter(began).max_by_key(|event| newest(event)).copied()
}

/// It ends again and again (`CrashLoopBackOff`), and its liveness or startup probe failed in the life that is diagnosed.
pub(super) fn fails_in_a_loop(case: &Case<'_>) -> bool {
    let in_life = |event: Seen<'_, Event>| {
        let last = event.it.last.or(event.it.first);
        last.zip(case.started()).is_some_and(|(last, started)| started.duration_since(last) <= SLACK)
    };
    case.waiting().is_some_and(|(reason, _)| reason == "CrashLoopBackOff") && failures(case, None).is_some_and(in_life)
}

/// The kubelet's log says that a probe failed in this life and the container will be restarted: which probe, and where.
pub(super) fn noted(case: &Case<'_>) -> Option<(Which, Proof)> {
    let in_life = |at: Timestamp| {
        case.finished().is_none_or(|finished| at.duration_since(finished) <= SLACK)
            && case.started().is_none_or(|started| started.duration_since(at) <= SLACK)
    };
    case.notes.iter().filter(|note| note.it.at.is_none_or(in_life)).find_map(|note| {
        let which = match note.it.kind {
            NodeNoteKind::LivenessFailed => Which::Liveness,
            NodeNoteKind::StartupFailed => Which::Startup,
            _ => return None,
        };
        let word = which.word();
        let says = format!("the kubelet's log says that the {word} probe failed and the container will be restarted");
        Some((which, quote::note(note, says)))
    })
}

/// Lifetime and probe timing fit: the first failing run of the probe, plus what stopping took.
pub(super) fn timing_fits(case: &Case<'_>) -> bool {
    let (Some(probe), Some(lived)) = (case.container.and_then(|container| container.liveness), case.seconds_lived())
    else {
        return false;
    };
    let earliest =
        probe.failures.saturating_sub(1).max(0).saturating_mul(probe.period).saturating_add(probe.delay) as f64;
    lived >= earliest
}
