//! Kills whose report names no cgroup, as a grepped line does, or that of a pod whose uid nothing tells, beside a describe
//! text: of the one container whose OOM kill was at that moment.
//!
//! Only what the API or engine calls an OOM kill is matched, and only where kill and end are each other's only choice.

use jiff::tz::Offset;
use jiff::{SignedDuration, Timestamp};

use super::coverage::{LATE, NEAR, is_of_node};
use super::matching::is_uid_of;
use super::worth::is_oom_reason;
use super::{Case, CaseKill, Index, Life, PodView, Seen, Tie};
use crate::fact::{Constraint, KernelKill, Level};
use crate::kubelet;

/// Zones differ by whole quarters of an hour.
const QUARTER: i64 = 15 * 60;

/// The farthest zone from UTC is that of the Line Islands (tzdata, `Pacific/Kiritimati`).
const ZONE: SignedDuration = SignedDuration::from_hours(14);

/// Limits are set in whole pages; 64 KiB pages are the largest in use (arm64, ppc64le).
const PAGE: u64 = 64 << 10;

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
    let dying: Vec<usize> = (0..cases.len()).filter(|position| wants_a_kill(&cases[*position])).collect();
    let fits = |number: usize, position: usize| {
        let (case, kill) = (&cases[position], &index.kills[number].0);
        fits(case, kill) && (is_nameless(kill) || may_have_its_name(case, kill))
    };
    let mut pairs: Vec<(usize, usize, Life)> = Vec::new();
    for &number in &kills {
        let mut ends = dying.iter().copied().filter(|position| fits(number, *position));
        let (Some(position), None) = (ends.next(), ends.next()) else { continue };
        let rivals = kills.iter().filter(|other| **other != number && fits(**other, position));
        // Undated lines of one program, no more than the container had lives: the last of them is the last one's.
        let lives = cases[position].status().and_then(|status| status.restart_count).map_or(1, |count| count + 1);
        let comm = |number: usize| index.kills[number].0.victims.first().and_then(|victim| victim.comm.as_deref());
        let mut rivals = rivals.peekable();
        let life = if rivals.peek().is_none() {
            Life::This
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
        pairs.push((number, position, life));
    }
    for (number, position, life) in pairs {
        let (it, from) = &index.kills[number];
        cases[position].kills.push(CaseKill { number, kill: Seen { it, from }, life, tie: Tie::Moment });
    }
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
fn may_have_its_name(case: &Case<'_>, kill: &KernelKill) -> bool {
    let (Some(pod), Some(container), Some(death)) = (case.pod_spec(), case.container, &case.death) else {
        return false;
    };
    let id = death.termination.container_id.as_ref().or_else(|| {
        let status = container.status.as_ref();
        status.and_then(|status| status.id.as_ref()).filter(|_| death.current)
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

/// Its end is called an OOM kill, and no report of one is there.
fn wants_a_kill(case: &Case<'_>) -> bool {
    let said = case.reason().is_some_and(is_oom_reason) || case.engine.is_some_and(|it| it.it.oom_killed == Some(true));
    said && case.death.is_some() && case.life_kills().next().is_none()
}

/// Nothing says that it was of another moment or node.
fn fits(case: &Case<'_>, kill: &KernelKill) -> bool {
    let node = case.pod_spec().and_then(|pod| pod.node.as_deref());
    if matches!((kill.node.as_deref(), node), (Some(log), Some(node)) if !is_of_node(log, node)) {
        return false;
    }
    let (Some(at), Some(finished)) = (kill.at, case.finished()) else {
        // Without a moment any process of the node fits: only a memory cgroup's kill may be a container's own.
        return kill.constraint == Some(Constraint::Memcg);
    };
    let dated = if kill.at_year_known { Some(at) } else { in_year_near(at, finished) };
    let Some(at) = dated else { return false };
    if case.started().is_some_and(|started| started.duration_since(at) > ZONE) {
        return false;
    }
    if kill.at_zone_known {
        return (-NEAR..=LATE).contains(&at.duration_since(finished));
    }
    is_near_but_for_a_zone(at, finished)
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
