//! From the index to cases: one per container that ended, lost a process or could not start, and per pod that never ran.

use jiff::Timestamp;

use crate::fact::{
    Container, ContainerKind, EngineContainer, Event, KernelKill, Locus, State, Termination, UserspaceKill,
};
use crate::why::Ask;

use super::matching::{names, same_id, same_uid, tie};
use super::{Case, CaseKill, Death, Index, Life, PodView, Seen, Tie};

/// Every case of the evidence that was asked for, in no order.
pub fn assemble<'a>(index: &'a Index<'a>, ask: &Ask) -> Vec<Case<'a>> {
    let mut cases = Vec::new();
    for view in index.pods.iter().filter(|view| asked(view, ask)) {
        pod_cases(index, view, ask, &mut cases);
    }
    for (engine, from) in &index.engines {
        if !cases.iter().any(|case| is_of_case(case, engine)) {
            cases.extend(engine_case(index, Seen { it: engine, from }, ask));
        }
    }
    if ask.pod.is_none() && ask.owner.is_none() || index.pods.iter().all(|view| !asked(view, ask)) {
        cases.extend(orphan_kills(index, &cases, ask));
        cases.extend(orphan_userspace_kills(index, &cases, ask));
        if ask.pod.is_none() && ask.namespace.is_none() && ask.container.is_none() {
            cases.extend(super::counted::orphans(index, &cases));
        }
    }
    if cases.is_empty() {
        cases.extend(bare_log(index));
        cases.extend(bare_note(index));
    }
    lend_unnamed(index, &mut cases);
    cases
}

fn asked(view: &PodView, ask: &Ask) -> bool {
    let pod = &view.pod;
    let fits = |asked: Option<&String>, known: Option<&String>| match (asked, known) {
        (Some(asked), Some(known)) => asked == known,
        _ => true,
    };
    fits(ask.namespace.as_ref(), pod.namespace.as_ref())
        && (ask.pod.is_none() || fits(ask.pod.as_ref(), pod.name.as_ref()))
        && ask.owner.as_ref().is_none_or(|(kind, name)| owned_by(pod, kind, name))
}

/// Owned by it, or by a ReplicaSet or Job whose name begins with it.
fn owned_by(pod: &crate::fact::Pod, kind: &str, name: &str) -> bool {
    pod.owner.as_ref().is_some_and(|owner| {
        let direct = owner.kind == kind && owner.name == name;
        let middle = match kind {
            "Deployment" => "ReplicaSet",
            "CronJob" => "Job",
            _ => return direct,
        };
        direct
            || owner.kind == middle
                && owner.name.strip_prefix(name).is_some_and(|rest| rest.starts_with('-') && !rest[1..].contains('-'))
    })
}

fn pod_cases<'a>(index: &'a Index<'a>, view: &'a PodView, ask: &Ask, cases: &mut Vec<Case<'a>>) {
    let named = ask.pod.is_some() && ask.pod == view.pod.name;
    let before = cases.len();
    for (position, container) in view.pod.containers.iter().enumerate() {
        if ask.container.is_some() && ask.container != container.name {
            continue;
        }
        let mut case = Case {
            container: Some(container),
            from: Some(view.status_locus(position)),
            death: death(container, || view.status_locus(position)),
            named: named && (ask.container.is_some() || view.pod.containers.len() == 1),
            ..bare(index, Some(view))
        };
        gather(&mut case);
        if is_worth_a_diagnosis(&case) && is_recent(&case, ask) {
            cases.push(case);
        }
    }
    if cases.len() == before && ask.container.is_none() {
        let mut case = Case { from: Some(view.from.clone()), named, ..bare(index, Some(view)) };
        gather(&mut case);
        if pod_has_a_fate(&case) && is_recent(&case, ask) {
            cases.push(case);
        }
    }
}

pub(super) fn bare<'a>(index: &'a Index<'a>, pod: Option<&'a PodView>) -> Case<'a> {
    Case {
        index,
        pod,
        container: None,
        from: None,
        engine: None,
        death: None,
        kills: Vec::new(),
        events: Vec::new(),
        signs: Vec::new(),
        notes: Vec::new(),
        engine_events: Vec::new(),
        counters: Vec::new(),
        userspace: Vec::new(),
        kernel_notes: Vec::new(),
        node: pod.and_then(|view| index.node(view.pod.node.as_deref())),
        named: false,
    }
}

/// The end to diagnose: the present state where it is Terminated, else the last one.
fn death(container: &Container, from: impl Fn() -> Locus) -> Option<Death> {
    let status = container.status.as_ref()?;
    if let Some(State::Terminated(end)) = &status.state {
        return Some(Death {
            termination: end.clone(),
            from: from().join("/state/terminated"),
            current: true,
            life: status.restart_count,
        });
    }
    let end = status.last.clone()?;
    let running = matches!(status.state, Some(State::Running { .. }));
    let life = status.restart_count.map(|count| if running { count.saturating_sub(1) } else { count });
    Some(Death { termination: end, from: from().join("/lastState/terminated"), current: false, life })
}

/// Gives a case everything in the index that belongs to it.
fn gather<'a>(case: &mut Case<'a>) {
    let index = case.index;
    let mut kills: Vec<CaseKill<'a>> = (0..index.kills.len()).filter_map(|number| tie(case, index, number)).collect();
    settle_unknown_lives(case, &mut kills);
    case.kills = kills;
    case.events = seen(&index.events).filter(|event| is_event_of(case, event)).collect();
    case.signs = seen(&index.signs).filter(|sign| names(case, &sign.subject)).collect();
    case.notes = seen(&index.notes).filter(|note| names(case, &note.subject)).collect();
    case.counters = seen(&index.counters).filter(|counters| names(case, &counters.subject)).collect();
    case.userspace = seen(&index.userspace)
        .filter(|kill| {
            let uid = kill.pod_uid.as_deref();
            let pod = case.pod_spec();
            let by_uid = same_uid(pod.and_then(|pod| pod.uid.as_deref()), uid)
                || same_uid(pod.and_then(|pod| pod.config_hash.as_deref()), uid);
            let named = kill
                .container_id
                .as_deref()
                .is_some_and(|id| super::matching::container_ids(case).any(|known| same_id(known, id)));
            named || by_uid && kill.container_id.is_none()
        })
        .collect();
    case.kernel_notes = seen(&index.kernel_notes)
        .filter(|note| {
            let path = note.cgroup.as_deref().unwrap_or_default();
            let uid = case.pod_spec().and_then(|pod| pod.uid.as_deref());
            !path.is_empty()
                && (super::matching::container_ids(case).any(|id| path.contains(id))
                    || uid.is_some_and(|uid| path.contains(uid) || path.contains(&uid.replace('-', "_"))))
        })
        .collect();
    if case.engine.is_none() {
        case.engine = seen(&index.engines).find(|engine| is_of_case(case, engine.it));
    }
    let ids: Vec<&str> = super::matching::container_ids(case).collect();
    let events: Vec<_> = seen(&index.engine_events)
        .filter(|event| event.container_id.as_deref().is_some_and(|id| ids.iter().any(|known| same_id(known, id))))
        .collect();
    case.engine_events = events;
}

pub(super) fn seen<T>(list: &[(T, Locus)]) -> impl Iterator<Item = Seen<'_, T>> {
    list.iter().map(|(it, from)| Seen { it, from })
}

/// A kill tied by uid alone is of this life when the API says this life was OOM killed and no other kill explains it.
fn settle_unknown_lives(case: &Case<'_>, kills: &mut [CaseKill<'_>]) {
    let explained = kills.iter().any(|kill| kill.life == Life::This);
    let oom = case.reason().is_some_and(is_oom_reason) || case.exit_code() == Some(137);
    if !explained
        && (oom || case.death.is_none())
        && let Some(kill) = kills.iter_mut().rev().find(|kill| kill.life == Life::Unknown)
    {
        kill.life = Life::This;
    }
}

/// The reasons by which runtimes report an OOM kill: `OOMKilled`, the `OOM Killed` of 2014 and of Nomad (drivers/docker),
/// and the ECS agent's sentence, which rests on the engine's flag (agent/engine/errors.go).
pub(crate) fn is_oom_reason(reason: &str) -> bool {
    matches!(reason, "OOMKilled" | "OOM Killed" | "OomKilled")
        || reason.starts_with("OutOfMemoryError: Container killed due to memory usage")
}

fn is_event_of(case: &Case<'_>, event: &Seen<'_, Event>) -> bool {
    let object = &event.it.object;
    if object.kind.as_deref().is_some_and(|kind| kind != "Pod") {
        return false;
    }
    let Some(view) = case.pod else { return false };
    let pod = &view.pod;
    let ours = match (&object.uid, &pod.uid) {
        (Some(said), Some(_)) => {
            same_uid(pod.uid.as_deref(), Some(said)) || same_uid(pod.config_hash.as_deref(), Some(said))
        }
        _ => match (&object.name, &pod.name) {
            (Some(said), Some(known)) => {
                said == known
                    && (object.namespace.is_none() || pod.namespace.is_none() || object.namespace == pod.namespace)
            }
            _ => event.from.artifact == view.from.artifact,
        },
    };
    let container = case.container.and_then(|container| container.name.as_deref());
    ours && match (object.container.as_deref(), container) {
        (Some(said), Some(known)) => said == known,
        _ => true,
    }
}

/// The engine's container is this case's.
fn is_of_case(case: &Case<'_>, engine: &EngineContainer) -> bool {
    if let Some(id) = engine.subject.container_id.as_deref()
        && super::matching::container_ids(case).any(|known| same_id(known, id))
    {
        return true;
    }
    case.pod.is_some() && engine.subject.pod.is_some() && names(case, &engine.subject)
}

fn is_worth_a_diagnosis(case: &Case<'_>) -> bool {
    if let Some(end) = case.termination() {
        let well = end.exit_code == Some(0) && !end.reason.as_deref().is_some_and(is_oom_reason);
        let quiet = case.kills.is_empty() && !case.counters.iter().any(|counters| counters.oom_kill > Some(0));
        let routine_init = case.container.is_some_and(|container| container.kind == ContainerKind::Init);
        return !(well && quiet && routine_init && !case.named);
    }
    if case.is_gone() && case.events.iter().any(|event| event.it.reason == "Killing") {
        return true;
    }
    if case.named || case.kills.iter().any(|kill| kill.life != Life::Earlier) {
        return true;
    }
    if case.counters.iter().any(|counters| counters.oom_kill > Some(0)) || !case.userspace.is_empty() {
        return true;
    }
    if let Some((reason, _)) = case.waiting() {
        let routine = matches!(reason, "" | "ContainerCreating" | "PodInitializing");
        return !routine || case.events.iter().any(|event| event.it.warning && is_start_failure(&event.it.reason));
    }
    if case.is_running() && case.events.iter().any(|event| event.it.reason == "Killing") {
        return case.status().is_some_and(|status| status.restart_count.unwrap_or(0) > 0);
    }
    // A restart without a recorded end: something ended, nobody says how.
    case.status().is_some_and(|status| status.restart_count.unwrap_or(0) > 0)
        || case.container.is_some_and(|container| container.name.is_none())
            && case.events.iter().any(|event| event.it.reason == "Killing")
}

pub(crate) fn is_start_failure(reason: &str) -> bool {
    matches!(
        reason,
        "FailedCreatePodSandBox"
            | "Failed"
            | "FailedMount"
            | "InspectFailed"
            | "ErrImageNeverPull"
            | "FailedCreatePodContainer"
    )
}

/// The pod itself was rejected, evicted or taken away, and no container tells of it.
fn pod_has_a_fate(case: &Case<'_>) -> bool {
    let Some(pod) = case.pod_spec() else { return false };
    let routine = matches!(
        pod.reason.as_deref(),
        None | Some("" | "Running" | "Completed" | "ContainerCreating" | "PodInitializing")
    );
    case.named
        || !routine
        || pod.phase.as_deref() == Some("Failed")
        || pod.conditions.iter().any(|condition| condition.kind == "DisruptionTarget" && condition.status == "True")
        || case.events.iter().any(|event| {
            matches!(
                event.it.reason.as_str(),
                "Evicted"
                    | "FailedScheduling"
                    | "Preempted"
                    | "Preempting"
                    | "TaintManagerEviction"
                    | "DeadlineExceeded"
                    | "NodeShutdown"
            ) || event.it.reason == "Killing"
                || event.it.warning && is_start_failure(&event.it.reason)
        })
}

fn is_recent(case: &Case<'_>, ask: &Ask) -> bool {
    let (Some(since), Some(at)) = (ask.since, newest_moment(case)) else { return true };
    at >= since
}

/// The moment that orders a case among the others.
pub(crate) fn newest_moment(case: &Case<'_>) -> Option<Timestamp> {
    let kill = case.kills.iter().filter(|kill| kill.life != Life::Earlier).filter_map(|kill| kill.kill.at).max();
    let engine = case.engine.and_then(|engine| engine.it.finished);
    let event = || case.events.iter().filter_map(|event| event.it.last).max();
    let userspace = || case.userspace.iter().filter_map(|kill| kill.it.at).max();
    case.finished().max(kill).or(engine).or_else(event).or_else(userspace)
}

/// A container that only an engine tells of.
fn engine_case<'a>(index: &'a Index<'a>, engine: Seen<'a, EngineContainer>, ask: &Ask) -> Option<Case<'a>> {
    let fits = |asked: &Option<String>, known: &Option<String>| asked.is_none() || asked == known;
    let named = fits(&ask.pod, &engine.it.subject.pod) || fits(&ask.pod, &engine.it.subject.container);
    if !named || !fits(&ask.container, &engine.it.subject.container) {
        return None;
    }
    let ended = engine.it.finished.is_some()
        || matches!(engine.it.status.as_deref(), Some("exited" | "dead"))
        || engine.it.status.is_none() && engine.it.exit_code.is_some();
    let restarted = engine.it.restart_count.unwrap_or(0) > 0;
    let running = engine.it.status.as_deref() == Some("running");
    let death = (ended && (!running || restarted)).then(|| Death {
        termination: Termination {
            exit_code: engine.it.exit_code.filter(|_| !running),
            reason: engine.it.reason.clone(),
            message: engine.it.error.clone().filter(|error| !error.is_empty()),
            started: engine.it.started.filter(|_| !running),
            finished: engine.it.finished,
            container_id: engine.it.subject.container_id.clone(),
            signal: None,
        },
        from: engine.from.join(if engine.it.engine == "cri" { "/status" } else { "/State" }),
        current: !running,
        life: engine.it.restart_count,
    });
    let mut case = Case {
        engine: Some(engine),
        from: Some(engine.from.clone()),
        death,
        named: ask.pod.is_some() || ask.container.is_some(),
        ..bare(index, None)
    };
    gather(&mut case);
    let lost = case.kills.iter().any(|kill| kill.life != Life::Earlier)
        || engine.it.oom_killed == Some(true)
        || case.counters.iter().any(|counters| counters.oom_kill > Some(0));
    let never_ran = matches!(engine.it.status.as_deref(), Some("created"))
        && (engine.it.error.as_deref().is_some_and(|error| !error.is_empty()) || case.failed_start().is_some());
    let rebooted = engine.it.host_rebooted;
    (case.death.is_some() || lost || never_ran || rebooted || case.named).then_some(case)
}

/// Kills that no pod or engine explains: one case per victim's cgroup, or per kill where none is named.
fn orphan_kills<'a>(index: &'a Index<'a>, cases: &[Case<'a>], ask: &Ask) -> Vec<Case<'a>> {
    let mut found: Vec<Case<'a>> = Vec::new();
    let claimed = |number: usize, found: &[Case<'a>]| {
        cases.iter().chain(found).any(|case| case.kills.iter().any(|kill| kill.number == number))
    };
    for (number, (kill, from)) in index.kills.iter().enumerate() {
        if kill.victims.is_empty() || claimed(number, &found) || is_of_a_known_pod(index, kill) {
            continue;
        }
        if ask.pod.is_some() || ask.namespace.is_some() && !index.pods.is_empty() {
            continue;
        }
        let mut case = bare(index, None);
        let same = |other: &KernelKill| {
            kill.container_id.is_some() && kill.container_id == other.container_id
                || kill.container_id.is_none()
                    && kill.pod_uid.is_none()
                    && kill.task_memcg.is_some()
                    && kill.task_memcg == other.task_memcg
        };
        case.kills = (0..index.kills.len())
            .filter(|other| *other == number || same(&index.kills[*other].0))
            .map(|other| {
                let (it, from) = &index.kills[other];
                CaseKill { number: other, kill: Seen { it, from }, life: Life::This, tie: Tie::ContainerId }
            })
            .collect();
        case.node = index.node(kill.node.as_deref());
        case.from = Some(from.clone());
        if is_recent(&case, ask) {
            found.push(case);
        }
    }
    found
}

/// Kills by userspace killers that no pod or engine explains.
fn orphan_userspace_kills<'a>(index: &'a Index<'a>, cases: &[Case<'a>], ask: &Ask) -> Vec<Case<'a>> {
    let claimed = |kill: &Seen<'a, UserspaceKill>| {
        cases.iter().any(|case| case.userspace.iter().any(|known| std::ptr::eq(known.it, kill.it)))
    };
    let orphans = seen(&index.userspace).filter(|kill| ask.pod.is_none() && !claimed(kill));
    orphans
        .map(|kill| Case {
            from: Some(kill.from.clone()),
            node: index.node(kill.it.node.as_deref()),
            userspace: vec![kill],
            ..bare(index, None)
        })
        .filter(|case| is_recent(case, ask))
        .collect()
}

/// The kill's pod is known, though no case claimed it (an earlier life of a healthy container, another namespace).
fn is_of_a_known_pod(index: &Index<'_>, kill: &KernelKill) -> bool {
    let uid = kill.pod_uid.as_deref();
    uid.is_some()
        && index
            .pods
            .iter()
            .any(|view| same_uid(view.pod.uid.as_deref(), uid) || same_uid(view.pod.config_hash.as_deref(), uid))
}

/// Nothing but a container's log was given: it is the case.
fn bare_log<'a>(index: &'a Index<'a>) -> Option<Case<'a>> {
    let signs: Vec<_> = seen(&index.signs).collect();
    let first = signs.first()?;
    let mut case = bare(index, None);
    case.from = Some(first.from.clone());
    case.signs = signs;
    Some(case)
}

/// Nothing but daemons' log lines: they are the case.
fn bare_note<'a>(index: &'a Index<'a>) -> Option<Case<'a>> {
    let notes: Vec<_> = seen(&index.notes).collect();
    let first = notes.first()?;
    let mut case = bare(index, None);
    case.from = Some(first.from.clone());
    case.notes = notes;
    Some(case)
}

/// Log lines and notes that name nobody belong to the case of their own artifact, or to the only case there is.
fn lend_unnamed<'a>(index: &'a Index<'a>, cases: &mut [Case<'a>]) {
    let only = cases.len() == 1;
    for case in cases {
        let artifact = case.from.as_ref().map(|from| from.artifact);
        let near = |from: &Locus| only || artifact == Some(from.artifact);
        // A container's name alone differs from nothing where the only case has no name.
        let unnamed = only && case.container.is_some_and(|container| container.name.is_none());
        let nameless = |subject: &crate::fact::Subject| {
            subject.pod.is_none()
                && subject.pod_uid.is_none()
                && subject.container_id.is_none()
                && (subject.container.is_none() || unnamed)
        };
        let signs: Vec<_> = seen(&index.signs).filter(|sign| nameless(&sign.it.subject) && near(sign.from)).collect();
        let notes: Vec<_> = seen(&index.notes).filter(|note| nameless(&note.it.subject) && near(note.from)).collect();
        let counters: Vec<_> =
            seen(&index.counters).filter(|counters| nameless(&counters.it.subject) && only).collect();
        if case.signs.is_empty() {
            case.signs = signs;
        }
        for note in notes {
            if !case.notes.iter().any(|known| std::ptr::eq(known.it, note.it)) {
                case.notes.push(note);
            }
        }
        if case.counters.is_empty() {
            case.counters = counters;
        }
    }
}
