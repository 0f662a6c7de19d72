//! What the causes of a kill by the kernel's OOM killer share: how it is told, and what excludes it.

use super::killing::{self, Killing};
use super::level::{container_limit, resize_since, was_resized_since};
use super::{Finding, Found, Proof, counted, due, quote, start, stop, told_on_node};
use crate::case::{Case, CaseKill, Life, Seen, Silence, is_oom_reason};
use crate::diagnosis::{Verdict, VictimKind};
use crate::fact::{Constraint, Event, KernelKill, Level, LimitHit, NodeNoteKind, Sign};
use crate::units::Bytes;

/// What the four causes of a killed main process share: found where the kill points to them, ruled out otherwise.
pub(super) fn judge(case: &Case<'_>, verdict: Verdict) -> Finding {
    let Some(killing) = killing::of(case) else { return ruled_out(case) };
    if killing.verdict != verdict {
        return other_level(case, &killing, verdict);
    }
    let mut proofs: Vec<Proof> = killing.report.map(quote::kill).into_iter().collect();
    proofs.extend(quote::termination(case));
    proofs.extend(quote::recovery(case));
    proofs.extend(while_deleted(case, &killing));
    let resized = resize_since(case);
    proofs.extend(
        resized
            .map(|event| quote::event(&event, "it was resized after this end: another limit may have been in force")),
    );
    let noted = killing::seen_by_runtime(case).filter(|_| killing.report.is_none());
    proofs.extend(noted.map(|note| quote::note(&note, "the runtime saw an OOM kill in the container's cgroup")));
    proofs.extend(told_on_node::proof(case).filter(|_| killing.report.is_none()));
    let due = due::beside(case, &killing);
    proofs.extend(due.as_ref().and_then(|due| due.proof.clone()));
    match counted::level(case).filter(|_| killing.report.is_none()) {
        Some(counted) => proofs.extend(counted.proofs),
        None => proofs.extend(counter_proofs(case)),
    }
    if proofs.is_empty() {
        proofs.extend(engine_proof(case));
    }
    proofs.extend(killing::contradiction(case).filter(|_| killing.report.is_none()));
    let or_else = due.as_ref().map_or("", |due| due.sentence);
    let mut found = Found::new(killing.confidence, summary(case, &killing) + or_else, proofs);
    found.oom_kill = killing.certain.then_some(true);
    found.level = killing.level;
    found.victim = killing.victim_told.then_some(killing.victim);
    if killing.report.is_none() {
        found =
            found.missing("the kernel's report, which names the cgroup whose limit fired", kernel_log_command(case));
    }
    if due.is_some() {
        let (what, command) = due::missing(case, &killing);
        found = found.missing(what, command);
    }
    found.into()
}

/// What tells of a kill in a life that something else ended: the report, else the word that stands for it.
pub(crate) fn beside_the_end(case: &Case<'_>) -> Option<Proof> {
    let killing = killing::of(case).filter(|killing| killing.certain)?;
    if let Some(report) = killing.report {
        return Some(quote::kill(report));
    }
    let says = "the OOM killer killed a process of it in that life, which did not end the main one";
    if let Some(death) = case.death.as_ref().filter(|_| case.reason().is_some_and(is_oom_reason)) {
        let excerpt = format!("reason: {}", case.reason().unwrap_or_default());
        return Some(Proof { says: says.into(), from: death.from.clone(), excerpt });
    }
    let noted = || killing::seen_by_runtime(case).map(|note| quote::note(&note, says));
    counter_proofs(case).into_iter().next().or_else(noted).or_else(|| engine_proof(case))
}

/// What the kernel had done in a life before something else ended it: a sentence, and its reports.
pub(super) fn before(case: &Case<'_>) -> Option<(String, Vec<Proof>)> {
    let killing = killing::of(case).filter(|killing| killing.report.is_some())?;
    let reports = case.kills.iter().filter(|kill| matches!(kill.life, Life::This | Life::Unknown));
    let killed: Vec<_> = reports.filter(|kill| !kill.kill.victims.is_empty()).collect();
    let more = match killed.len() {
        0 | 1 => String::new(),
        reports => format!(", the last of {reports} such kills"),
    };
    let sentence = format!("Before, the kernel's OOM killer had killed {}{more}.", who(&killing));
    Some((sentence, killed.into_iter().map(quote::kill).collect()))
}

/// The kill came while the container was being stopped with its pod.
pub(super) fn while_deleted(case: &Case<'_>, killing: &Killing<'_, '_>) -> Option<Proof> {
    let asked = stop::asked(case)?;
    let at = killing.report.and_then(|kill| kill.kill.at).or_else(|| case.finished())?;
    let event = stop::stopping(case).filter(|_| at >= asked)?;
    Some(quote::event(&event, "the pod was being deleted when that happened"))
}

/// The engine's flag, which stands for an OOM event in the container's cgroup, or that event itself.
pub(super) fn engine_proof(case: &Case<'_>) -> Option<Proof> {
    let says = "the engine saw an OOM event of the container's cgroup";
    let Some(engine) = case.engine.filter(|engine| engine.it.oom_killed == Some(true)) else {
        return killing::engine_event(case).map(|event| quote::engine_event(&event, says));
    };
    Some(Proof { says: says.into(), from: engine.from.join("/State"), excerpt: "OOMKilled: true".into() })
}

/// Nothing but the kernel's report tells of it, and that names a cgroup that is no container's: a unit, a job.
pub(super) fn is_of_no_container(case: &Case<'_>) -> bool {
    let known = case.pod.is_some() || case.container.is_some() || case.engine.is_some();
    let ids = |kill: &CaseKill<'_>| kill.kill.container_id.is_some() || kill.kill.pod_uid.is_some();
    !known && !case.kills.is_empty() && !case.kills.iter().any(ids)
}

/// The node's event that a case consists of.
pub(super) fn of_node_alone<'a>(case: &Case<'a>, reason: &str) -> Option<Seen<'a, Event>> {
    let alone = case.pod.is_none() && case.container.is_none() && case.engine.is_none() && case.kills.is_empty();
    case.events.iter().find(|event| alone && event.it.reason == reason).copied()
}

pub(super) fn counter_proofs(case: &Case<'_>) -> Vec<Proof> {
    let moved = case.counters.iter().filter(|counters| counters.oom_kill > Some(0));
    moved
        .take(2)
        .map(|counters| Proof {
            says: format!("the cgroup's OOM counter stands at {}", counters.it.oom_kill.unwrap_or_default()),
            from: counters.from.clone(),
            excerpt: format!("oom_kill {}", counters.it.oom_kill.unwrap_or_default()),
        })
        .collect()
}

/// How to get the kernel's words.
pub(super) fn kernel_log_command(case: &Case<'_>) -> String {
    match case.pod_spec().and_then(|pod| pod.node.as_deref()) {
        Some(node) => format!("kubectl debug node/{node} -it --profile=sysadmin --image=busybox -- dmesg"),
        None if case.engine.is_some() && !case.is_command() => "sudo dmesg | oomph why --docker -f -".into(),
        None => "sudo dmesg".into(),
    }
}

fn summary(case: &Case<'_>, killing: &Killing<'_, '_>) -> String {
    let who = who(killing);
    let of_kernel = killing.report.is_some_and(|kill| kill.kill.limit_hit == Some(LimitHit::KernelMemory));
    let line = |kill: &CaseKill<'_>| if of_kernel { kill.kill.kmem } else { kill.kill.memory };
    let limit = killing.report.and_then(line).and_then(|memory| memory.limit);
    let own = case.container.and_then(container_limit).filter(|_| !was_resized_since(case) && !of_kernel);
    let own = own.or_else(|| case.engine.filter(|_| !of_kernel).and_then(|engine| engine.it.memory_limit));
    let noun = match case.pod_spec() {
        Some(_) if case.container.is_none() => format!("a container of {}", case.noun()),
        _ => case.noun(),
    };
    let counter = match killing.report.and_then(|kill| kill.kill.limit_hit) {
        Some(LimitHit::MemorySwap) => "memory+swap",
        Some(LimitHit::KernelMemory) => "kernel memory",
        _ => "memory",
    };
    let of = |limit: Option<Bytes>| limit.map(|limit| format!(" of {limit}")).unwrap_or_default();
    match killing.verdict {
        Verdict::ContainerLimitOom if below(killing).is_some() => format!(
            "Cgroup {} in {noun} hit its limit{} and the kernel killed {who}; the container's own limit was not hit.",
            below(killing).unwrap_or_default(),
            of(limit)
        ),
        Verdict::ContainerLimitOom => {
            match killing.level.map(|(level, _)| level).filter(|_| killing.report.is_some()) {
                Some(Level::UserUnit | Level::Slice | Level::Other | Level::Lxc | Level::EcsTask) => {
                    let path = killing.report.and_then(|kill| kill.kill.oom_memcg.as_deref()).unwrap_or("its cgroup");
                    format!(
                        "The memory limit{} of cgroup {} was hit and the kernel killed {who}.",
                        of(limit),
                        quote::tail(path)
                    )
                }
                None if case.death.is_none() && killing.report.is_some_and(|kill| kill.kill.oom_memcg.is_none()) => {
                    format!(
                        "Some memory cgroup hit its limit{} and the kernel killed {who}; whose limit it was is not told here.",
                        of(limit)
                    )
                }
                _ => format!(
                    "{} hit its {counter} limit{} and the kernel killed {who}.",
                    capital(&noun),
                    of(limit.or(own))
                ),
            }
        }
        Verdict::PodLimitOom => {
            format!("The pod's memory limit{} was hit and the kernel killed {who}.", of(limit))
        }
        Verdict::NodeAllocatableOom => {
            format!(
                "The pods of the node together hit the limit{} of {} and the kernel killed {who}; no limit of its own fired.",
                of(limit),
                killing.report.and_then(|kill| kill.kill.oom_memcg.as_deref()).unwrap_or("/kubepods")
            )
        }
        _ if killing.report.is_some_and(|kill| kill.kill.sysrq) => {
            format!("Somebody had the kernel kill a process by hand (SysRq-f), and it chose {who}; no limit fired.")
        }
        _ => format!("The node ran out of memory and the kernel killed {who}; no limit of its own fired."),
    }
}

/// The cgroup inside the container whose limit fired, where it was not the container's own.
fn below<'c>(killing: &'c Killing<'_, '_>) -> Option<&'c str> {
    killing.report?.kill.it.below_the_container()
}

/// The victim in words.
pub(super) fn who(killing: &Killing<'_, '_>) -> String {
    let victim = killing.report.and_then(|kill| kill.kill.victims.first());
    let comm = victim.and_then(|victim| victim.comm.as_deref());
    if killing.report.is_some_and(|kill| kill.kill.group) {
        return "all its processes".into();
    }
    match (killing.victim, comm) {
        (VictimKind::Main, Some(comm)) if killing.victim_told => format!("its main process {comm}"),
        (VictimKind::Main, None) if killing.victim_told => "its main process".into(),
        (VictimKind::Child, Some(comm)) => format!("a child process ({comm})"),
        (VictimKind::Child, None) => "a child process".into(),
        (_, Some(comm)) => comm.to_owned(),
        (_, None) => "a process of it".into(),
    }
}

/// First letter upper case.
pub(super) fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

fn other_level(case: &Case<'_>, killing: &Killing<'_, '_>, asked: Verdict) -> Finding {
    if killing.report.is_none() && asked == Verdict::NodeOom && told_on_node::of_a_cgroup(case) {
        return Finding::RuledOut("the kernel speaks of a memory cgroup's limit, not of the node".into());
    }
    if killing.report.is_none() && killing.victim == VictimKind::Main && asked == Verdict::ContainerLimitOom {
        return match counted::level(case) {
            Some(counted) if counted.level != Level::Container => {
                Finding::RuledOut("no OOM is counted in the container's own cgroup: its limit was not hit".into())
            }
            _ => Finding::Absent,
        };
    }
    let Some(kill) = killing.report.filter(|_| killing.victim == VictimKind::Main) else { return Finding::Absent };
    let Some(named) = kill.kill.oom_memcg.as_deref().or((kill.kill.level == Some(Level::Node)).then_some("the node"))
    else {
        let of_cgroup = kill.kill.constraint == Some(Constraint::Memcg) && asked == Verdict::NodeOom;
        let because = "the kernel speaks of a memory cgroup's limit, not of the node";
        return if of_cgroup { Finding::RuledOut(because.into()) } else { Finding::Absent };
    };
    match asked {
        Verdict::NodeOom if killing.verdict != Verdict::NodeOom => {
            Finding::RuledOut(format!("the kernel names a cgroup's limit ({}), not the node", quote::tail(named)))
        }
        Verdict::PodLimitOom if kill.kill.level == Some(Level::Pod) => {
            Finding::RuledOut("the limit of the pod's cgroup is nothing but this container's own".into())
        }
        Verdict::ContainerLimitOom | Verdict::PodLimitOom | Verdict::NodeAllocatableOom => {
            Finding::RuledOut(format!("the kernel names {}", quote::tail(named)))
        }
        _ => Finding::Absent,
    }
}

/// No kill is known: does anything exclude one?
fn ruled_out(case: &Case<'_>) -> Finding {
    if case.death.is_none() {
        return Finding::Absent;
    }
    if start::init_was_lost(case.termination().and_then(|end| end.message.as_deref()).unwrap_or_default()) {
        // Whatever ended the runtime's own process may have been such a kill.
        return Finding::Absent;
    }
    if let Some(kill) = case.killed_next_door().filter(|_| case.reason().is_some_and(is_oom_reason)) {
        return Finding::RuledOut(next_door(kill.it));
    }
    match case.exit_code() {
        Some(137) if case.counted_none().is_some() => {
            Finding::RuledOut("the counters of its own cgroup, read after its end, count no kill".into())
        }
        Some(137) => match case.kernel_silence() {
            Silence::Proves(log) => Finding::RuledOut(format!(
                "{} covers the moment and names no kill of it",
                case.index.artifact_name(log.artifact)
            )),
            Silence::Worthless(_) => Finding::Absent,
        },
        Some(_) if start::never_ran(case) => {
            Finding::RuledOut("no main process ran that could have been killed: the runtime could not start it".into())
        }
        Some(code) if code != 0 => {
            Finding::RuledOut(format!("the OOM killer sends SIGKILL (137); the main process ended with {code}"))
        }
        _ => Finding::Absent,
    }
}

/// What the status' OOMKilled means where the kernel log covers the end and names no kill of this container.
fn next_door(kill: &KernelKill) -> String {
    let id = kill.container_id.as_deref().unwrap_or_default();
    let of = kill.oom_memcg.as_deref().map(quote::tail).unwrap_or_default();
    format!(
        "the kernel log covers the moment and names no kill of it, but one of container {} at {}, by the limit of {of}: \
         every container below that is told of it, and the runtime calls their ends OOMKilled",
        id.get(..12).unwrap_or(id),
        kill.at.unwrap_or_default()
    )
}

/// Whether the OOM killer killed a process in the life that ended or runs, whatever ended it: a report, the API's
/// word, or a counter say yes; `otherwise` is the answer where none of them does.
pub(crate) fn oom_kill(case: &Case<'_>, otherwise: Option<bool>) -> Option<bool> {
    match killing::of(case) {
        Some(killing) if killing.certain => Some(true),
        Some(_) => None,
        None if case.possible_kill().is_some() => None,
        None => otherwise,
    }
}

/// Its log says that a child of it got SIGKILL: whoever sent that, a kill is not excluded.
pub(super) fn child_killed(case: &Case<'_>) -> Option<Proof> {
    let sign = case.signs.iter().rev().find(|sign| sign.it.sign == Sign::ChildKilled && sign.it.near_end)?;
    Some(quote::sign(sign, "its log says that a child process was killed by signal 9"))
}

/// It left with -9, as Python's `sys.exit(child.returncode)` and Node's `process.exit(-9)` do where a child got SIGKILL:
/// of a negative code the system keeps the last eight bits.
pub(super) fn reports_a_killed_child(case: &Case<'_>) -> bool {
    case.exit_code() == Some(256 - 9)
}

/// What excludes a kill of any process of the container, a child's too: a kernel log that covers the moment, or a
/// runtime that would have said OOMKilled and gives another reason. Podman on cgroup v1 never says it.
pub(super) fn excluded(case: &Case<'_>) -> Option<bool> {
    if case.is_windows() {
        return None;
    }
    if case.counted_none().is_some() || matches!(case.kernel_silence(), Silence::Proves(_)) {
        return Some(false);
    }
    if let Some(engine) = case.engine.filter(|_| case.pod.is_none()) {
        let tells = engine.it.engine != "podman" && engine.it.oom_killed == Some(false);
        // 255 is also what Docker writes of a container that ran when its host went down.
        return (tells && !matches!(case.exit_code(), Some(137 | 255))).then_some(false);
    }
    let noted =
        case.notes.iter().any(|note| matches!(note.it.kind, NodeNoteKind::RuntimeOom | NodeNoteKind::SystemOom));
    let hinted = noted || child_killed(case).is_some() || reports_a_killed_child(case);
    (case.reason().is_some_and(|reason| !is_oom_reason(reason)) && case.exit_code() != Some(137) && !hinted)
        .then_some(false)
}
