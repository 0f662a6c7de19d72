//! The kill that decides a case: by the kernel's own report, or by the API's or a counter's word in its stead.

use jiff::{SignedDuration, Timestamp};

use super::level::{verdict_at, verdict_of, without_report};
use super::victim::{
    PROMPT, before_the_end, came_late, first_of_its_container, has_survivors, may_have_failed_a_probe_since, was_alone,
    was_outlived,
};
use super::{Proof, counted, due, signal, victim};
use crate::case::{Case, CaseKill, Life, Seen, Silence, Tie, is_oom_reason, is_runtimes};
use crate::diagnosis::{Confidence, Verdict, VictimKind};
use crate::fact::{Counters, CountersOf, EngineEvent, Level, NodeNote, NodeNoteKind, WaitStatus};

/// A kill of a life, read.
pub(super) struct Killing<'c, 'a> {
    /// The kernel's report; `None` where only the API tells of it.
    pub(super) report: Option<&'c CaseKill<'a>>,
    /// Which process; the main one where nothing tells.
    pub(super) victim: VictimKind,
    /// Something tells which process it was.
    pub(super) victim_told: bool,
    /// What it means for the container.
    pub(super) verdict: Verdict,
    /// The level that fired, where known.
    pub(super) level: Option<(Level, Confidence)>,
    /// How sure the verdict is.
    pub(super) confidence: Confidence,
    /// Whether it is known to have been a kill: false under CRI-O without more.
    pub(super) certain: bool,
}

/// The kill that decides the case: of the main process if there is one, else of a child; of several the one closest to
/// the end.
pub(super) fn of<'c, 'a>(case: &'c Case<'a>) -> Option<Killing<'c, 'a>> {
    let reported = case
        .life_kills()
        .filter(|kill| !kill.kill.victims.is_empty())
        .map(|kill| (kill, victim::of(case, kill)))
        .min_by_key(|(kill, victim)| {
            let rank = match victim {
                VictimKind::Main => 0,
                VictimKind::RuntimeInit => 1,
                VictimKind::Child => 2,
                VictimKind::Sandbox => 3,
            };
            // Where no end is known the newest is the closest to it.
            let newest = std::cmp::Reverse(kill.kill.at);
            (rank, before_the_end(case, kill).map_or(SignedDuration::MAX, SignedDuration::abs), newest)
        });
    match reported {
        Some((kill, victim)) => Some(due::doubted(case, by_report(case, kill, victim))),
        None => by_api(case).map(|killing| due::doubted(case, killing)).or_else(|| in_present_life(case)),
    }
}

/// Whether the OOM killer ended the main process.
pub(super) fn of_main(case: &Case<'_>) -> bool {
    of(case).is_some_and(|killing| killing.victim == VictimKind::Main)
}

/// The engine ended it by a signal of its own: whatever was killed before was another process. Docker's flag stands for
/// any OOM event in the container's life (moby daemon/monitor.go, v27), and a dead process gets no signal.
pub(super) fn ended_by_engine(case: &Case<'_>) -> bool {
    let sent = signal::sent_by_engine(case);
    let number = case.exit_code().and_then(|code| code.checked_sub(128));
    let just_before = |at: Timestamp| case.finished().is_none_or(|end| end.duration_since(at) <= PROMPT);
    sent.iter().any(|event| number.is_some() && event.it.signal == number && event.it.at.is_some_and(just_before))
}

/// The engine's OOM event of this life that is closest to the end.
pub(super) fn engine_event<'a>(case: &Case<'a>) -> Option<Seen<'a, EngineEvent>> {
    let oom = |event: &&Seen<'a, EngineEvent>| event.it.action == "oom" && signal::is_of_life(case, event.it.at);
    case.engine_events.iter().rev().find(oom).copied()
}

/// A process of the life that runs now was killed, after an end that was no kill.
fn in_present_life<'c, 'a>(case: &'c Case<'a>) -> Option<Killing<'c, 'a>> {
    let kill = case.kills.iter().rev().find(|kill| kill.life == Life::Present && !kill.kill.victims.is_empty())?;
    if was_alone(kill) {
        return None;
    }
    let found = by_report(case, kill, VictimKind::Child);
    Some(Killing { verdict: Verdict::ChildOomInvisible, ..found })
}

/// When programs of its container were killed in the life that is diagnosed: it had started by then.
pub(super) fn of_programs(case: &Case<'_>) -> impl Iterator<Item = Timestamp> {
    let is_program = |kill: &&CaseKill<'_>| {
        let comm = kill.kill.victims.first().and_then(|victim| victim.comm.as_deref());
        comm.is_some_and(|comm| comm != "pause" && !is_runtimes(comm))
    };
    case.life_kills().filter(is_program).filter_map(|kill| kill.kill.at)
}

/// The level whose limit fired. A run may stand in the cgroup of another one, whose limit is not its own.
fn level_of(case: &Case<'_>, kill: &CaseKill<'_>) -> Option<Level> {
    let own = case.engine.filter(|_| case.is_command()).and_then(|engine| engine.it.cgroup.as_deref());
    let named = kill.kill.oom_memcg.as_deref();
    let above = own.zip(named).is_some_and(|(own, named)| own.len() > named.len() && own.starts_with(named));
    kill.kill.level.map(|level| if above && level == Level::Container { Level::Other } else { level })
}

fn by_report<'c, 'a>(case: &Case<'_>, kill: &'c CaseKill<'a>, victim: VictimKind) -> Killing<'c, 'a> {
    let level = level_of(case, kill);
    let tied = match kill.tie {
        Tie::ContainerId | Tie::PodUidAndTime => Confidence::Proven,
        Tie::PodUid | Tie::SomeContainer | Tie::Moment => Confidence::Likely,
    };
    let first = first_of_its_container(case, kill);
    // What runc says of its own init needs no report to be so.
    let said = victim == VictimKind::RuntimeInit && start_message(case).is_some();
    let confidence = if said { Confidence::Proven } else { tied };
    // Without a status nobody says that the container ended with its victim.
    let ended = case.death.is_some() || !matches!(victim, VictimKind::Main | VictimKind::Child) || case.is_running();
    let verdict = match victim {
        VictimKind::RuntimeInit | VictimKind::Sandbox => Verdict::StartOom,
        VictimKind::Child
            if case.death.is_none() && (case.container.is_some() || case.engine.is_some()) && !case.is_gone() =>
        {
            Verdict::ChildOomInvisible
        }
        VictimKind::Child => of_child(case, was_outlived(case, kill) || may_have_failed_a_probe_since(case, kill)),
        // Another process that lived on may have been the first, and no end is there to tell.
        VictimKind::Main if case.is_gone() && first.is_none() && !kill.kill.group && has_survivors(kill) => {
            Verdict::Undetermined
        }
        VictimKind::Main => verdict_of(case, kill),
    };
    // Without a level the verdict is no more than the likeliest limit's. A table of more than the container's own
    // processes tells a child by its `oom_score_adj` alone, and a 137 may be the kernel's.
    let by_adj = victim == VictimKind::Child
        && level == Some(Level::Pod)
        && first == Some(false)
        && matches!(case.exit_code(), Some(137) | None);
    let late = victim == VictimKind::Main && came_late(case, kill) && !victim::is_told(case, kill);
    let sure = ended && (level.is_some() || victim != VictimKind::Main) && !by_adj && !late;
    // A line that names no cgroup says no more of the level than the status does.
    let unnamed = || (kill.tie == Tie::Moment && victim == VictimKind::Main).then(|| without_report(case).1).flatten();
    let told = case.death.is_some() || victim != VictimKind::Main || kill.kill.group || first.is_some();
    Killing {
        report: Some(kill),
        victim,
        victim_told: told,
        verdict,
        level: level.map(|level| (level, tied)).or_else(unnamed),
        confidence: if sure { confidence } else { confidence.min(Confidence::Likely) },
        certain: true,
    }
}

/// What a child's kill means for the end. Where the main process was itself ended by a signal, by an engine or long
/// after, something else did that: [`Verdict::Undetermined`] by this kill, so that other causes speak.
fn of_child(case: &Case<'_>, outlived: bool) -> Verdict {
    let by_signal = matches!(case.exit_code(), Some(137 | 143));
    if by_signal && (outlived || ended_by_engine(case)) { Verdict::Undetermined } else { Verdict::ChildOom }
}

/// The API or engine says OOMKilled, and no kernel report of this life is there.
fn by_api<'c, 'a>(case: &'c Case<'a>) -> Option<Killing<'c, 'a>> {
    let by_reason = case.reason().is_some_and(is_oom_reason) && case.killed_next_door().is_none();
    let event = engine_event(case);
    let by_engine = case.engine.is_some_and(|engine| engine.it.oom_killed == Some(true)) || event.is_some();
    let outlived = event.is_some_and(|event| {
        let before = event.it.at.zip(case.finished()).map(|(at, end)| end.duration_since(at));
        before.is_some_and(|time| time > PROMPT)
    });
    let start = start_message(case).is_some();
    if !by_reason && !by_engine && !start && seen_by_runtime(case).is_none() {
        return by_counters(case);
    }
    // What runc says of its own init is no count of events.
    let crio = !start && case.runtime().is_some_and(|runtime| runtime.starts_with("cri-o"));
    let code = case.exit_code();
    let victim = match code {
        _ if start => VictimKind::RuntimeInit,
        Some(137) if outlived || ended_by_engine(case) => VictimKind::Child,
        Some(137) | None if case.death.is_some() => VictimKind::Main,
        _ => VictimKind::Child,
    };
    let counted = || counted::level(case).map(|counted| (counted.level, counted.confidence));
    let (verdict, level, confidence) = match victim {
        VictimKind::RuntimeInit | VictimKind::Sandbox => (Verdict::StartOom, None, Confidence::Proven),
        VictimKind::Child if case.death.is_none() => (Verdict::ChildOomInvisible, counted(), Confidence::Proven),
        VictimKind::Child if crio => (of_child(case, outlived), counted(), Confidence::Possible),
        VictimKind::Child => (of_child(case, outlived), counted(), Confidence::Proven),
        VictimKind::Main if crio && contradiction(case).is_some() => {
            (Verdict::Undetermined, None, Confidence::Possible)
        }
        VictimKind::Main => without_report(case),
    };
    Some(Killing {
        report: None,
        victim,
        victim_told: verdict != Verdict::Undetermined,
        verdict,
        level,
        confidence: if crio { confidence.min(Confidence::Possible) } else { confidence },
        certain: !crio || victim == VictimKind::Main && verdict != Verdict::Undetermined,
    })
}

/// A kernel log that covers the end without a hole and names no kill, where the status calls the end an OOM kill: the
/// runtime's word is then of an OOM that killed nothing, or of a kill that the kernel did not print.
pub(super) fn contradiction(case: &Case<'_>) -> Option<Proof> {
    let said = case.death.is_some() && case.reason().is_some_and(is_oom_reason);
    let Silence::Proves(log) = case.kernel_silence() else { return None };
    let says = "the kernel log covers the moment and names no kill of it, which the status' reason speaks of";
    said.then(|| Proof { says: says.into(), from: log, excerpt: String::new() })
}

/// The runtime's log tells of an OOM kill in the container's cgroup at the moment of a bare SIGKILL: the event came too
/// late for the status (containerd's `TaskOOM` and Docker's line are of the cgroup that they watch, the container's own).
pub(super) fn seen_by_runtime<'a>(case: &Case<'a>) -> Option<Seen<'a, NodeNote>> {
    let near = |note: &&Seen<'a, NodeNote>| case.is_near_end(note.it.at).unwrap_or(true);
    let notes = case.notes.iter().filter(|note| note.it.kind == NodeNoteKind::RuntimeOom);
    notes.filter(near).find(|_| case.exit_code() == Some(137)).copied()
}

/// runc's own words when its init is killed before the program's exec (runc libcontainer/process_linux.go).
pub(super) fn start_message<'c>(case: &'c Case<'_>) -> Option<&'c str> {
    let messages = [
        case.termination().and_then(|end| end.message.as_deref()),
        case.waiting().map(|(_, message)| message),
        case.engine.and_then(|engine| engine.it.error.as_deref()),
    ];
    let event = || {
        case.events
            .iter()
            .map(|event| event.it.message.as_str())
            .find(|message| message.contains("container init was OOM-killed"))
    };
    messages.into_iter().flatten().find(|message| message.contains("container init was OOM-killed")).or_else(event)
}

/// The cgroup's counter moved, though nothing else tells of a kill.
fn by_counters<'c, 'a>(case: &'c Case<'a>) -> Option<Killing<'c, 'a>> {
    let hit = case.counters.iter().any(|counters| counters.oom_kill > Some(0));
    if !hit {
        return None;
    }
    let ended = case.death.is_some();
    let counted = counted::level(case);
    let level = counted.as_ref().map(|counted| counted.level);
    // A cgroup that was made for one run counts the kills of that run and of nothing else.
    let of_this_run = case.is_command();
    let sure = if of_this_run { Confidence::Likely } else { Confidence::Possible };
    let nameless = case.container.is_none() && case.engine.is_none() && case.pod.is_none();
    let of_container = |counters: &Seen<'_, Counters>| counters.it.of != CountersOf::Unknown;
    let dead = case.termination().and_then(|end| end.container_id.as_deref());
    let of_the_dead = dead.is_some_and(|id| counts(case, id));
    let present = case.status().and_then(|status| status.id.as_deref()).filter(|_| ended && case.is_running());
    let of_the_living = present.is_some_and(|id| dead.is_some() && dead != Some(id) && counts(case, id));
    let (victim, verdict, confidence) = match case.exit_code() {
        _ if matches!(case.wait_status(), Some(WaitStatus::NeverRan(_))) => {
            (VictimKind::RuntimeInit, Verdict::StartOom, sure)
        }
        // The cgroup of the life that ended counts it; nothing else tells of what killed that.
        Some(137) if of_the_dead && case.was_signaled(9) && !ended_by_engine(case) => {
            let (verdict, level, confidence) = without_report(case);
            return Some(Killing {
                report: None,
                victim: VictimKind::Main,
                victim_told: true,
                verdict,
                level,
                confidence: confidence.min(Confidence::Likely),
                certain: true,
            });
        }
        _ if of_the_living => (VictimKind::Child, Verdict::ChildOomInvisible, Confidence::Likely),
        // Counters of some cgroup: neither whose process it was is told, nor whether it runs on.
        None if nameless && !case.counters.iter().any(of_container) => {
            (VictimKind::Main, Verdict::Undetermined, Confidence::Possible)
        }
        None if !ended => (VictimKind::Child, Verdict::ChildOomInvisible, Confidence::Likely),
        Some(137) if case.was_signaled(9) && of_this_run => {
            (VictimKind::Main, verdict_at(case, level, None, case.pod.is_some()), sure)
        }
        // The counter may be of another life than the one whose end the status does not call an OOM kill.
        Some(137) if case.was_signaled(9) => (VictimKind::Main, Verdict::Undetermined, Confidence::Possible),
        _ if case.is_running() => return None,
        _ => (VictimKind::Child, Verdict::ChildOom, sure),
    };
    Some(Killing {
        report: None,
        victim,
        victim_told: verdict != Verdict::Undetermined,
        verdict,
        level: counted
            .map(|counted| (counted.level, counted.confidence))
            .filter(|_| !ended || verdict != Verdict::Undetermined),
        confidence,
        certain: !ended || of_this_run || of_the_living || verdict == Verdict::ChildOom,
    })
}

/// Counters of the cgroup of the container with this id tell of a kill.
fn counts(case: &Case<'_>, id: &str) -> bool {
    let named = |counters: &&Seen<'_, Counters>| counters.it.subject.container_id.as_deref() == Some(id);
    case.counters.iter().filter(named).any(|counters| counters.oom_kill > Some(0))
}
