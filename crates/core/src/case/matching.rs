//! Whether a fact belongs to a container: by id, by uid, by name, by time.

use jiff::{SignedDuration, Timestamp};

use crate::fact::{Container, KernelKill, Pod, Subject};

use super::identity::had;
use super::{Case, CaseKill, Index, Life, Seen, Tie};

/// Slack between clocks that should agree: the status has whole seconds, the kill comes before the exit is seen.
const SLACK: SignedDuration = SignedDuration::from_secs(3);

/// Ids are equal, or one is the 12-digit head of the other.
pub(super) fn same_id(one: &str, other: &str) -> bool {
    let (short, long) = if one.len() < other.len() { (one, other) } else { (other, one) };
    short.len() >= 12 && long.starts_with(short) || (!short.is_empty() && short == long)
}

/// No name that both know differs, and they share at least one that identifies.
pub(super) fn names(case: &Case<'_>, subject: &Subject) -> bool {
    let pod = case.pod_spec();
    let engine = case.engine.map(|engine| &engine.it.subject);
    let ids: Vec<&str> = container_ids(case).collect();
    if let Some(id) = subject.container_id.as_deref() {
        if ids.iter().any(|known| same_id(known, id)) {
            return true;
        }
        if !ids.is_empty() && subject.pod.is_none() {
            return false;
        }
    }
    let mut shared = false;
    let mut differs = |known: Option<&str>, said: Option<&str>, identifies: bool| match (known, said) {
        (Some(known), Some(said)) if known == said => {
            shared |= identifies;
            false
        }
        (Some(_), Some(_)) => true,
        _ => false,
    };
    let uid = pod.and_then(|pod| pod.uid.as_deref()).or(engine.and_then(|engine| engine.pod_uid.as_deref()));
    let name = pod.and_then(|pod| pod.name.as_deref()).or(engine.and_then(|engine| engine.pod.as_deref()));
    let namespace = pod.and_then(|pod| pod.namespace.as_deref());
    let container = case
        .container
        .and_then(|container| container.name.as_deref())
        .or(engine.and_then(|engine| engine.container.as_deref()));
    let hash = pod.and_then(|pod| pod.config_hash.as_deref());
    let uid_said = subject.pod_uid.as_deref();
    let uid_differs = !(uid_said.is_some() && same_uid(hash, uid_said)) && differs(uid, uid_said, true);
    let name_differs = differs(name, subject.pod.as_deref(), true);
    let namespace_differs = differs(namespace, subject.namespace.as_deref(), false);
    let container_differs = differs(container, subject.container.as_deref(), pod.is_none());
    !(uid_differs || name_differs || namespace_differs || container_differs)
        && (shared || same_uid(hash, uid_said) && hash.is_some())
}

/// A uid without its dashes.
pub(super) fn bare_uid(uid: &str) -> String {
    uid.replace('-', "")
}

/// Uids are compared without dashes: a static pod's hash has none.
pub(super) fn same_uid(one: Option<&str>, other: Option<&str>) -> bool {
    let (Some(one), Some(other)) = (one, other) else { return false };
    one.chars().filter(|c| *c != '-').eq(other.chars().filter(|c| *c != '-'))
}

/// The uid is this pod's, or the hash by which a static pod's cgroup is named.
pub(super) fn is_uid_of(pod: &Pod, uid: Option<&str>) -> bool {
    same_uid(pod.uid.as_deref(), uid) || same_uid(pod.config_hash.as_deref(), uid)
}

/// Every id that some life of the container is known to have had.
pub(super) fn container_ids<'c>(case: &'c Case<'_>) -> impl Iterator<Item = &'c str> {
    let status = case.status();
    let last = status.and_then(|status| status.last.as_ref()?.container_id.as_deref());
    let death = case.termination().and_then(|end| end.container_id.as_deref());
    let current = status.and_then(|status| status.id.as_deref());
    let engine = case.engine.and_then(|engine| engine.it.subject.container_id.as_deref());
    [death, current, last, engine].into_iter().flatten()
}

/// How a kill belongs to a case, or `None`.
pub(super) fn tie<'a>(case: &Case<'_>, index: &'a Index<'a>, number: usize) -> Option<CaseKill<'a>> {
    let (kill, from) = &index.kills[number];
    let seen = Seen { it: kill, from };
    let tied = |life, tie| Some(CaseKill { number, kill: seen, life, tie });
    if let Some(id) = kill.container_id.as_deref()
        && container_ids(case).any(|known| same_id(known, id))
    {
        return tied(life_by_id(case, id), Tie::ContainerId);
    }
    let pod = case.pod_spec()?;
    if is_uid_of(pod, kill.pod_uid.as_deref()) {
        return by_pod(case, kill).and_then(|(life, tie)| tied(life, tie));
    }
    None
}

fn life_by_id(case: &Case<'_>, id: &str) -> Life {
    let died = case.termination().and_then(|end| end.container_id.as_deref());
    match died {
        Some(died) if same_id(died, id) => Life::This,
        Some(_) => match case.status().and_then(|status| status.id.as_deref()) {
            Some(current) if same_id(current, id) && case.is_running() => Life::Present,
            _ => Life::Earlier,
        },
        // The end has no id of its own (describe prints the container's): the id is the life's unless it runs again.
        None if case.death.as_ref().is_some_and(|death| death.current) || !case.is_running() => Life::This,
        None if case.death.is_none() => Life::This,
        None => by_time(case, None).unwrap_or(Life::Present),
    }
}

/// A kill whose path names the pod: by an id that no status shows (an earlier life), or by none at all.
fn by_pod(case: &Case<'_>, kill: &KernelKill) -> Option<(Life, Tie)> {
    let pod = case.pod?;
    if kill.container_id.as_deref().is_some_and(|id| belongs_to_another(case, id)) {
        return None;
    }
    // It never was restarted: whoever has an id that is not its only one is somebody else.
    let never_restarted = case.status().is_some_and(|status| status.restart_count == Some(0));
    if never_restarted && kill.container_id.is_some() && container_ids(case).next().is_some() {
        return None;
    }
    // The sandbox's own processes belong to no container.
    if kill.victims.iter().all(|victim| victim.comm.as_deref() == Some("pause")) && !kill.victims.is_empty() {
        return case.container.is_none().then_some((Life::Unknown, Tie::PodUid));
    }
    if pod.gone && pod.pod.containers.len() != 1 {
        let tie = if case.container.is_some() { Tie::SomeContainer } else { Tie::PodUid };
        return Some((Life::Unknown, tie));
    }
    let timed = kill.at.filter(|_| kill.at_from.is_some());
    if let Some(life) = by_time(case, timed) {
        let ids_known = kill.container_id.is_some() && container_ids(case).next().is_some();
        // An id that is none of this container's known ones cannot be of the lives that those ids name.
        // What does not run again has the id of the life that ended, which a describe text does not print beside the end.
        let current = case.death.as_ref().is_some_and(|death| death.current) || !case.is_running();
        let of_end = case.termination().is_some_and(|end| end.container_id.is_some())
            || current && case.status().is_some_and(|status| status.id.is_some());
        if !(ids_known && life == Life::This && of_end) {
            return Some((life, Tie::PodUidAndTime));
        }
        return Some((Life::Earlier, Tie::PodUid));
    }
    let dying = |container: &&crate::fact::Container| {
        container.status.as_ref().is_some_and(|status| {
            status.restart_count.unwrap_or(0) > 0
                || status.last.is_some()
                || matches!(status.state, Some(crate::fact::State::Terminated(_)))
        })
    };
    let candidates = pod.pod.containers.iter().filter(dying).count();
    let only = pod.pod.containers.len() == 1 || candidates == 1 && case.death.is_some();
    if !only {
        return None;
    }
    let ids_known = container_ids(case).next().is_some();
    let life = match (&kill.container_id, ids_known) {
        (Some(_), true) => Life::Earlier,
        (Some(_), false) | (None, _) => Life::Unknown,
    };
    Some((life, Tie::PodUid))
}

/// The id is known to be of another container of the pod.
fn belongs_to_another(case: &Case<'_>, id: &str) -> bool {
    let Some(view) = case.pod else { return false };
    let ours = |container: &Container| case.container.is_some_and(|own| std::ptr::eq(own, container));
    view.pod.containers.iter().any(|container| !ours(container) && had(container, id))
}

/// The life that a moment falls into.
pub(super) fn by_time(case: &Case<'_>, at: Option<Timestamp>) -> Option<Life> {
    let at = at?;
    let finished = case.finished()?;
    if at.duration_since(finished) > SLACK {
        return Some(if case.is_running() { Life::Present } else { Life::This }).filter(|_| case.is_running());
    }
    match case.started() {
        Some(started) if started.duration_since(at) > SLACK => Some(Life::Earlier),
        Some(_) => Some(Life::This),
        None if finished.duration_since(at) < SLACK => Some(Life::This),
        None => None,
    }
}
