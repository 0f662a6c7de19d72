//! From the index to cases: one per container that ended, lost a process or could not start, and per pod that never ran.

use jiff::Timestamp;

use crate::ask::Ask;
use crate::fact::{Container, EngineContainer, KernelKill, Locus, Owner, State, Termination, WaitStatus};
use crate::naming;

use super::gather::{gather, is_of_case, lend_unnamed};
use super::worth::{is_oom_reason, is_runtimes, is_worth_a_diagnosis, pod_has_a_fate};
use super::{Case, Death, Index, Life, PodView, Seen, moment, orphans};

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
    cases.extend(super::unmade::workloads(index, ask));
    moment::tie_nameless(index, &mut cases);
    let of_anyone = ask.pod.is_none() && ask.owner.is_none() || index.pods.iter().all(|view| !asked(view, ask));
    if of_anyone && !ask.shown_only {
        cases.extend(orphans::kills(index, &cases, ask));
        cases.extend(orphans::userspace_kills(index, &cases, ask));
        if ask.pod.is_none() && ask.namespace.is_none() && ask.container.is_none() {
            cases.extend(super::counted::orphans(index, &cases));
        }
    }
    if cases.is_empty() {
        cases.extend(orphans::bare_log(index));
        cases.extend(orphans::bare_note(index));
    }
    if cases.is_empty() && ask.pod.is_none() && ask.owner.is_none() && ask.namespace.is_none() {
        cases.extend(orphans::node_events(index).filter(|case| is_recent(case, ask)));
    }
    if cases.is_empty() && ask.pod.is_none() && ask.owner.is_none() && ask.container.is_none() {
        cases.extend(super::counted::bare(index));
    }
    lend_unnamed(index, &mut cases);
    cases
}

pub(super) fn asked(view: &PodView, ask: &Ask) -> bool {
    let pod = &view.pod;
    let fits = |asked: Option<&String>, known: Option<&String>| match (asked, known) {
        (Some(asked), Some(known)) => asked == known,
        _ => true,
    };
    !(ask.shown_only && view.gone)
        && fits(ask.namespace.as_ref(), pod.namespace.as_ref())
        && (ask.pod.is_none() || fits(ask.pod.as_ref(), pod.name.as_ref()))
        && ask.owner.as_ref().is_none_or(|(kind, name)| match (&pod.owner, &pod.name) {
            (Some(owner), _) => is_or_made(owner, kind, name),
            // No event is left of who made it.
            (None, Some(pod)) => view.gone && naming::is_pod_of(kind, name, pod),
            (None, None) => false,
        })
}

/// The owner is the workload, or a ReplicaSet or Job that it made.
pub(super) fn is_or_made(owner: &Owner, kind: &str, name: &str) -> bool {
    let middle = match kind {
        "Deployment" => "ReplicaSet",
        "CronJob" => "Job",
        _ => return owner.kind == kind && owner.name == name,
    };
    let made = owner.name.strip_prefix(name).is_some_and(|rest| rest.starts_with('-') && !rest[1..].contains('-'));
    owner.kind == kind && owner.name == name || owner.kind == middle && made
}

/// The containers of a pod that have something to tell; where none has, the pod itself that was refused or taken away;
/// where it was neither, the one container that was named. So a fate has the same subject whether it was named or not.
fn pod_cases<'a>(index: &'a Index<'a>, view: &'a PodView, ask: &Ask, cases: &mut Vec<Case<'a>>) {
    let named = ask.pod.is_some() && ask.pod == view.pod.name;
    let the_one = named && (ask.container.is_some() || view.pod.containers.len() == 1);
    let before = cases.len();
    let of_containers = |named: bool| {
        let containers = view.pod.containers.iter().enumerate();
        let asked = containers.filter(|(_, container)| ask.container.is_none() || ask.container == container.name);
        asked.map(move |(position, container)| {
            let mut case = Case {
                container: Some(container),
                from: Some(view.status_locus(position)),
                death: death(container, || view.status_locus(position)),
                named,
                ..bare(index, Some(view))
            };
            gather(&mut case);
            case
        })
    };
    let tells = |case: &Case<'a>| is_worth_a_diagnosis(case) && is_recent(case, ask);
    let ended = |case: Case<'a>| Case { named: the_one && case.death.is_some(), ..case };
    cases.extend(of_containers(false).map(ended).filter(tells).map(|case| Case { named: the_one, ..case }));
    if view.gone && ask.container.is_none() {
        cases.extend(in_some_container(index, view, named).into_iter().filter(|case| is_recent(case, ask)));
    }
    let of_pod = |named: bool| {
        let mut case = Case { from: Some(view.from.clone()), named, ..bare(index, Some(view)) };
        gather(&mut case);
        Some(case).filter(|case| pod_has_a_fate(case) && is_recent(case, ask))
    };
    if cases.len() == before && ask.container.is_none() {
        cases.extend(of_pod(false));
    }
    if cases.len() == before && the_one {
        cases.extend(of_containers(true).filter(tells));
    }
    if cases.len() == before && named && ask.container.is_none() {
        cases.extend(of_pod(true));
    }
}

/// Kills in a pod that is gone and had several containers, or is not known to have had any: whose the id in the
/// kernel's path was, no status tells any more. A case for each program that was killed, however often its container was
/// started again, and one for all starts that failed.
fn in_some_container<'a>(index: &'a Index<'a>, view: &'a PodView, named: bool) -> Vec<Case<'a>> {
    if view.pod.containers.len() == 1 {
        return Vec::new();
    }
    let whole = || {
        let mut case = Case { from: Some(view.from.clone()), named, ..bare(index, Some(view)) };
        gather(&mut case);
        case
    };
    let mut programs: Vec<Option<&str>> = whole().kills.iter().map(|kill| program(kill.kill.it)).collect();
    programs.sort_unstable();
    programs.dedup();
    let of = |of: Option<&str>| {
        let mut case = whole();
        case.kills.retain(|kill| program(kill.kill.it) == of);
        for kill in &mut case.kills {
            kill.life = Life::This;
        }
        case
    };
    programs.into_iter().map(of).collect()
}

/// What was killed; `None` for a start, of which the runtime's processes are many.
fn program(kill: &KernelKill) -> Option<&str> {
    let comm = kill.victims.first().map_or("", |victim| victim.comm.as_deref().unwrap_or_default());
    Some(comm).filter(|comm| !is_runtimes(comm) && *comm != "pause")
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

/// The end to diagnose: the present state where it is Terminated, else the last one. One that ended well after an OOM
/// kill needs no explaining, the kill does.
fn death(container: &Container, from: impl Fn() -> Locus) -> Option<Death> {
    let status = container.status.as_ref()?;
    let is_oom = |end: &Termination| end.reason.as_deref().is_some_and(is_oom_reason);
    let recovered =
        |end: &Termination| end.exit_code == Some(0) && !is_oom(end) && status.last.as_ref().is_some_and(is_oom);
    if let Some(State::Terminated(end)) = &status.state
        && !recovered(end)
    {
        return Some(Death {
            termination: end.clone(),
            from: from().join("/state/terminated"),
            current: true,
            life: status.restart_count,
        });
    }
    let end = status.last.clone()?;
    // Another life has begun since.
    let followed = matches!(status.state, Some(State::Running { .. } | State::Terminated(_)));
    let life = status.restart_count.map(|count| if followed { count.saturating_sub(1) } else { count });
    Some(Death { termination: end, from: from().join("/lastState/terminated"), current: false, life })
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
            signal: match engine.it.wait_status {
                Some(WaitStatus::Signaled(signal) | WaitStatus::NeverRan(signal)) => Some(signal),
                _ => None,
            },
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
        || running && case.engine_events.iter().any(|event| event.it.action == "oom")
        || case.counters.iter().any(|counters| counters.oom_kill > Some(0));
    let never_ran = matches!(engine.it.status.as_deref(), Some("created"))
        && (engine.it.error.as_deref().is_some_and(|error| !error.is_empty()) || case.failed_start().is_some());
    let rebooted = engine.it.host_rebooted;
    (case.death.is_some() || lost || never_ran || rebooted || case.named).then_some(case)
}

pub(super) fn is_recent(case: &Case<'_>, ask: &Ask) -> bool {
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
