//! Kills whose report names no cgroup, as a grepped line does, or that of a pod whose uid nothing tells, beside a describe
//! text: of the one container whose OOM kill was at that moment.
//!
//! Only what the API or engine calls an OOM kill is matched, and only where kill and end are each other's only choice.

use jiff::tz::Offset;
use jiff::{SignedDuration, Timestamp};

use super::coverage::{LATE, NEAR, is_of_node};
use super::matching::{by_time, is_uid_of};
use super::worth::is_oom_reason;
use super::{Case, CaseKill, Index, Life, PodView, Seen, Tie};
use crate::fact::{Constraint, KernelKill, Level, Termination};
use crate::kubelet;

/// Zones differ by whole quarters of an hour.
const QUARTER: i64 = 15 * 60;

/// The farthest zone from UTC is that of the Line Islands (tzdata, `Pacific/Kiritimati`).
const ZONE: SignedDuration = SignedDuration::from_hours(14);

/// Limits are set in whole pages; 64 KiB pages are the largest in use (arm64, ppc64le).
const PAGE: u64 = 64 << 10;

/// An end that is called an OOM kill and wants the kernel's report of it.
struct End<'c> {
    /// The case's place.
    case: usize,
    /// The end.
    it: &'c Termination,
    /// Whether it is the one that is diagnosed, or that of the life before.
    life: Life,
}

/// Ties such kills to cases.
pub(super) fn tie_nameless<'a>(index: &'a Index<'a>, cases: &mut [Case<'a>]) {
    let claimed = |number: usize, cases: &[Case<'a>]| {
        cases.iter().any(|case| case.kills.iter().any(|kill| kill.number == number))
    };
    let free = |number: &usize| {
        let kill = &index.kills[*number].0;
        (is_nameless(kill) || is_of_an_unknown_pod(index, kill)) && !claimed(*number, cases)
    };
    let kills: Vec<usize> = (0..index.kills.len()).filter(free).collect();
    let ends: Vec<End<'_>> = cases.iter().enumerate().flat_map(|(position, case)| wanting(position, case)).collect();
    let fits = |number: usize, end: &End<'_>| {
        let (case, kill) = (&cases[end.case], &index.kills[number].0);
        fits(case, end, kill) && (is_nameless(kill) || may_have_its_name(case, end, kill))
    };
    // The end that it is of: the nearest of one container's, and none where it may be of several containers.
    let end_of = |number: usize| {
        let (kill, fitting) = (&index.kills[number].0, ends.iter().filter(|end| fits(number, end)));
        let fitting: Vec<&End<'_>> = fitting.collect();
        let nearest = fitting.iter().copied().min_by_key(|end| distance(kill, end.it))?;
        fitting.iter().all(|end| end.case == nearest.case).then_some(nearest)
    };
    let mut pairs: Vec<(usize, usize, Life)> = Vec::new();
    for &number in &kills {
        let Some(end) = end_of(number) else { continue };
        let elsewhere = |other: usize| end_of(other).is_some_and(|of| of.case == end.case && of.life != end.life);
        let rivals = kills.iter().filter(|other| **other != number && fits(**other, end) && !elsewhere(**other));
        // Undated lines of one program, no more than the container had lives: the last of them is the last one's.
        let lives = cases[end.case].status().and_then(|status| status.restart_count).map_or(1, |count| count + 1);
        let comm = |number: usize| index.kills[number].0.victims.first().and_then(|victim| victim.comm.as_deref());
        let mut rivals = rivals.peekable();
        let life = if rivals.peek().is_none() {
            end.life
        } else {
            let (mut count, mut last, mut alike) = (1_u32, true, index.kills[number].0.at.is_none());
            for &rival in rivals {
                count += 1;
                last &= rival < number;
                alike &= index.kills[rival].0.at.is_none() && comm(rival) == comm(number);
            }
            if !alike || count > lives {
                continue;
            }
            if last { Life::This } else { Life::Earlier }
        };
        pairs.push((number, end.case, life));
    }
    let more: Vec<_> = kills.iter().filter_map(|number| of_the_same_pod(*number, &pairs, index, cases)).collect();
    for (number, position, life) in pairs.into_iter().chain(more) {
        let (it, from) = &index.kills[number];
        cases[position].kills.push(CaseKill { number, kill: Seen { it, from }, life, tie: Tie::Moment });
    }
}

/// A kill in the pod, by the uid in its path, that another kill's moment tied to its only container: of the life that it
/// falls into when that other one is set to the end.
fn of_the_same_pod(
    number: usize,
    pairs: &[(usize, usize, Life)],
    index: &Index<'_>,
    cases: &[Case<'_>],
) -> Option<(usize, usize, Life)> {
    let kill = &index.kills[number].0;
    let uid = kill.pod_uid.as_deref().filter(|_| pairs.iter().all(|(known, _, _)| *known != number))?;
    let of_uid = |(known, _, life): &&(usize, usize, Life)| {
        *life == Life::This && index.kills[*known].0.pod_uid.as_deref() == Some(uid)
    };
    let (known, position, _) = pairs.iter().find(of_uid)?;
    let case = &cases[*position];
    let alone = case.pod_spec().is_some_and(|pod| pod.containers.len() == 1);
    let apart = kill.at?.duration_since(index.kills[*known].0.at?);
    let life = by_time(case, case.finished()?.checked_add(apart).ok())?;
    // Two kills of one life would leave it open which of them ended it.
    (alone && life != Life::This).then_some((number, *position, life))
}

/// It has victims and nothing that tells whose they are.
fn is_nameless(kill: &KernelKill) -> bool {
    !kill.victims.is_empty()
        && kill.task_memcg.is_none()
        && kill.oom_memcg.is_none()
        && kill.container_id.is_none()
        && kill.pod_uid.is_none()
}

/// Its cgroup's name is that of a pod of which no evidence tells the uid, and it is dated.
fn is_of_an_unknown_pod(index: &Index<'_>, kill: &KernelKill) -> bool {
    let known = |view: &PodView| is_uid_of(&view.pod, kill.pod_uid.as_deref());
    !kill.victims.is_empty() && kill.pod_uid.is_some() && kill.at.is_some() && !index.pods.iter().any(known)
}

/// The pod's uid and the id of the container that ended are not told, as in a describe text, and what is told of both
/// is the same: quality of service and limit.
fn may_have_its_name(case: &Case<'_>, end: &End<'_>, kill: &KernelKill) -> bool {
    let (Some(pod), Some(container), Some(death)) = (case.pod_spec(), case.container, &case.death) else {
        return false;
    };
    let id = end.it.container_id.as_ref().or_else(|| {
        let status = container.status.as_ref();
        status.and_then(|status| status.id.as_ref()).filter(|_| death.current && end.life == Life::This)
    });
    let limit = match kill.level {
        Some(Level::Container) => container.resources.limit_bytes(),
        Some(Level::Pod) if pod.containers.len() > 1 => kubelet::pod_limit(pod),
        Some(Level::Pod) => pod.resources.limit_bytes().or_else(|| container.resources.limit_bytes()),
        _ => None,
    };
    let hit = kill.memory.and_then(|memory| memory.limit);
    let same_limit = limit.zip(hit).is_none_or(|(own, hit)| own.0 / PAGE == hit.0 / PAGE);
    let same_qos = pod.qos.zip(kill.qos).is_none_or(|(own, named)| own == named);
    pod.uid.is_none() && pod.config_hash.is_none() && id.is_none() && same_limit && same_qos
}

/// Its ends that are called an OOM kill, and of which no report is there: the one that is diagnosed, and the one before.
fn wanting<'c>(position: usize, case: &'c Case<'_>) -> impl Iterator<Item = End<'c>> {
    let said = case.reason().is_some_and(is_oom_reason) || case.engine.is_some_and(|it| it.it.oom_killed == Some(true));
    let this = case.termination().filter(|_| said && case.life_kills().next().is_none());
    let current = case.death.as_ref().is_some_and(|death| death.current);
    let told = || case.kills.iter().any(|kill| kill.life == Life::Earlier);
    let last = case.status().and_then(|status| status.last.as_ref()).filter(|_| current && !told());
    let last = last.filter(|end| end.reason.as_deref().is_some_and(is_oom_reason));
    let ends = [(this, Life::This), (last, Life::Earlier)];
    ends.into_iter().filter_map(move |(it, life)| Some(End { case: position, it: it?, life }))
}

/// Nothing says that it was of another moment or node.
fn fits(case: &Case<'_>, end: &End<'_>, kill: &KernelKill) -> bool {
    let node = case.pod_spec().and_then(|pod| pod.node.as_deref());
    if matches!((kill.node.as_deref(), node), (Some(log), Some(node)) if !is_of_node(log, node)) {
        return false;
    }
    let (Some(at), Some(finished)) = (kill.at, end.it.finished) else {
        // Without a moment any process of the node fits: only a memory cgroup's kill may be a container's own.
        return kill.constraint == Some(Constraint::Memcg) && end.life == Life::This;
    };
    let dated = if kill.at_year_known { Some(at) } else { in_year_near(at, finished) };
    let Some(at) = dated else { return false };
    if end.it.started.is_some_and(|started| started.duration_since(at) > ZONE) {
        return false;
    }
    if kill.at_zone_known {
        return (-NEAR..=LATE).contains(&at.duration_since(finished));
    }
    is_near_but_for_a_zone(at, finished)
}

/// How far a kill is from an end, but for a zone.
fn distance(kill: &KernelKill, end: &Termination) -> Option<i64> {
    let apart = kill.at?.as_second() - end.finished?.as_second();
    let but_for_a_zone = (apart + QUARTER / 2).rem_euclid(QUARTER) - QUARTER / 2;
    Some(if kill.at_zone_known { apart } else { but_for_a_zone }.abs())
}

/// A date without a year, in the year that brings it closest to a moment.
fn in_year_near(at: Timestamp, moment: Timestamp) -> Option<Timestamp> {
    let date = Offset::UTC.to_datetime(at);
    let year = Offset::UTC.to_datetime(moment).year();
    (-1..=1)
        .filter_map(|step| date.with().year(year.saturating_add(step)).build().ok())
        .filter_map(|date| Offset::UTC.to_timestamp(date).ok())
        .min_by_key(|at| at.duration_since(moment).abs())
}

/// The same but for a zone's whole quarters of an hour, as a date without a zone is read.
fn is_near_but_for_a_zone(at: Timestamp, finished: Timestamp) -> bool {
    if at.duration_since(finished).abs() > ZONE + NEAR {
        return false;
    }
    let seconds = (at.as_second() - finished.as_second() - LATE.as_secs()).rem_euclid(QUARTER);
    let window = SignedDuration::from_secs(QUARTER) - NEAR - LATE;
    seconds == 0 || seconds >= window.as_secs()
}
