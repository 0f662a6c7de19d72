//! What the kernel's own report, or the API's OOMKilled in its stead, says of a case: who was killed, at which level.

use super::{Finding, Found, Proof, counted, quote};
use crate::case::{Case, CaseKill, Life, Silence, Tie, is_oom_reason};
use crate::diagnosis::{Confidence, Verdict, VictimKind};
use crate::fact::{Level, LimitHit, NodeNoteKind, Resources};
use crate::units::Bytes;

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

/// The kill that decides the case: of the main process if there is one, else of a child.
pub(super) fn killing<'c, 'a>(case: &'c Case<'a>) -> Option<Killing<'c, 'a>> {
    let reported = case
        .life_kills()
        .filter(|kill| !kill.kill.victims.is_empty())
        .map(|kill| (kill, victim(case, kill)))
        .min_by_key(|(_, victim)| match victim {
            VictimKind::Main => 0,
            VictimKind::RuntimeInit => 1,
            VictimKind::Child => 2,
            VictimKind::Sandbox => 3,
        });
    match reported {
        Some((kill, victim)) => Some(by_report(case, kill, victim)),
        None => by_api(case).or_else(|| in_present_life(case)),
    }
}

/// A process of the life that runs now was killed, after an end that was no kill.
fn in_present_life<'c, 'a>(case: &'c Case<'a>) -> Option<Killing<'c, 'a>> {
    let kill = case.kills.iter().rev().find(|kill| kill.life == Life::Present && !kill.kill.victims.is_empty())?;
    let found = by_report(case, kill, VictimKind::Child);
    Some(Killing { verdict: Verdict::ChildOomInvisible, ..found })
}

/// Which process of the container a report's victims are.
fn victim(case: &Case<'_>, kill: &CaseKill<'_>) -> VictimKind {
    let report = kill.kill.it;
    let comm = report.victims.first().and_then(|victim| victim.comm.as_deref()).unwrap_or_default();
    // runc re-executes itself as `runc:[1:CHILD]` and `runc:[2:INIT]` (libcontainer/nsenter) before the program's exec.
    if comm.starts_with("runc:[") || comm == "crun" || comm == "youki" || comm.starts_with("youki:[") {
        return VictimKind::RuntimeInit;
    }
    if comm == "pause" && case.container.is_none_or(|container| container.name.as_deref() != Some("pause")) {
        return VictimKind::Sandbox;
    }
    if case.death.is_none() && (case.is_running() || case.container.is_some()) {
        return VictimKind::Child;
    }
    if case.exit_code().is_some_and(|code| code != 137) {
        return VictimKind::Child;
    }
    if report.group {
        return VictimKind::Main;
    }
    match first_of_its_cgroup(case, kill) {
        Some(false) => VictimKind::Child,
        _ => VictimKind::Main,
    }
}

/// Whether a victim is the first process of its cgroup: the table of a container's own cgroup lists its processes
/// alone, and the first of them has the lowest pid. `None`: the table is of more than one container, or not there.
fn first_of_its_cgroup(case: &Case<'_>, kill: &CaseKill<'_>) -> Option<bool> {
    let report = kill.kill.it;
    let alone = report.level == Some(Level::Container) || case.pod.is_none() && report.task_memcg == report.oom_memcg;
    let first = report.candidates.iter().filter(|row| row.comm != "pause").map(|row| row.pid).min()?;
    alone.then(|| report.victims.iter().any(|victim| victim.pid == Some(first)))
}

fn by_report<'c, 'a>(case: &Case<'_>, kill: &'c CaseKill<'a>, victim: VictimKind) -> Killing<'c, 'a> {
    let level = kill.kill.level;
    let confidence = match kill.tie {
        Tie::ContainerId | Tie::PodUidAndTime => Confidence::Proven,
        Tie::PodUid | Tie::Moment => Confidence::Likely,
    };
    // Without a status nobody says that the container ended with its victim.
    let ended = case.death.is_some() || !matches!(victim, VictimKind::Main | VictimKind::Child) || case.is_running();
    let verdict = match victim {
        VictimKind::RuntimeInit | VictimKind::Sandbox => Verdict::StartOom,
        VictimKind::Child
            if case.death.is_none() && (case.container.is_some() || case.engine.is_some()) && !case.is_gone() =>
        {
            Verdict::ChildOomInvisible
        }
        VictimKind::Child => Verdict::ChildOom,
        VictimKind::Main => verdict_of(case, kill),
    };
    let told = case.death.is_some()
        || victim != VictimKind::Main
        || kill.kill.group
        || first_of_its_cgroup(case, kill).is_some();
    Killing {
        report: Some(kill),
        victim,
        victim_told: told,
        verdict,
        level: level.map(|level| (level, confidence)),
        confidence: if ended { confidence } else { confidence.min(Confidence::Likely) },
        certain: true,
    }
}

/// Which knob a kill of the main process points to.
fn verdict_of(case: &Case<'_>, kill: &CaseKill<'_>) -> Verdict {
    let report = kill.kill.it;
    let limit = report.memory.and_then(|memory| memory.limit);
    verdict_at(case, report.level, limit, report.pod_uid.is_some())
}

/// The same, by the level alone; `limit` is the one that was hit, `of_pod`: the victim's cgroup is a pod's.
fn verdict_at(case: &Case<'_>, level: Option<Level>, limit: Option<Bytes>, of_pod: bool) -> Verdict {
    match level {
        Some(Level::Pod) if pod_limit_is_the_containers(case, limit) => Verdict::ContainerLimitOom,
        Some(Level::Pod) => Verdict::PodLimitOom,
        Some(Level::NodeAllocatable) => Verdict::NodeAllocatableOom,
        Some(Level::Slice) if of_pod || case.pod.is_some() => Verdict::NodeAllocatableOom,
        Some(Level::Node | Level::Cpuset | Level::Mempolicy) => Verdict::NodeOom,
        // A node that is itself a container (kind, LXC): its outer limit is the node's memory.
        Some(Level::Lxc | Level::EcsTask | Level::UserUnit | Level::Other) if of_pod => Verdict::NodeOom,
        _ => Verdict::ContainerLimitOom,
    }
}

/// The pod's limit is nothing but the limit of its only limited container: the kubelet sums the containers' limits
/// into the pod's cgroup when every one has a limit (pkg/kubelet/cm/helpers_linux.go `ResourceConfigForPod`, v1.37).
fn pod_limit_is_the_containers(case: &Case<'_>, limit: Option<Bytes>) -> bool {
    let Some(pod) = case.pod_spec() else { return false };
    if pod.resources.memory_limit.is_some() {
        return false;
    }
    let Some(own) = case.container.and_then(container_limit) else { return false };
    let limited = pod.containers.iter().filter(|container| container_limit(container).is_some()).count();
    limited == 1 && limit.is_none_or(|limit| page_round(limit) == page_round(own))
}

/// Limits are set in whole pages; 64 KiB pages are the largest in use (arm64, ppc64le).
fn page_round(bytes: Bytes) -> u64 {
    bytes.0 / 65_536
}

/// The limit that the node has applied, else the one of the spec.
pub(super) fn container_limit(container: &crate::fact::Container) -> Option<Bytes> {
    let applied = container.applied.as_ref().and_then(Resources::limit_bytes);
    applied.or_else(|| container.resources.limit_bytes())
}

/// The API or engine says OOMKilled, and no kernel report of this life is there.
fn by_api<'c, 'a>(case: &'c Case<'a>) -> Option<Killing<'c, 'a>> {
    let by_reason = case.reason().is_some_and(is_oom_reason);
    let by_engine = case.engine.is_some_and(|engine| engine.it.oom_killed == Some(true));
    let start = start_message(case).is_some();
    if !by_reason && !by_engine && !start {
        return by_counters(case);
    }
    let crio = case.runtime().is_some_and(|runtime| runtime.starts_with("cri-o"));
    let code = case.exit_code();
    let victim = match code {
        _ if start => VictimKind::RuntimeInit,
        Some(137) | None if case.death.is_some() => VictimKind::Main,
        _ => VictimKind::Child,
    };
    let counted = || counted::level(case).map(|counted| (counted.level, counted.confidence));
    let (verdict, level, confidence) = match victim {
        VictimKind::RuntimeInit | VictimKind::Sandbox => (Verdict::StartOom, None, Confidence::Proven),
        VictimKind::Child if case.death.is_none() => (Verdict::ChildOomInvisible, counted(), Confidence::Proven),
        VictimKind::Child if crio => (Verdict::ChildOom, counted(), Confidence::Possible),
        VictimKind::Child => (Verdict::ChildOom, counted(), Confidence::Proven),
        VictimKind::Main => level_without_report(case),
    };
    Some(Killing {
        report: None,
        victim,
        victim_told: true,
        verdict,
        level,
        confidence: if crio { confidence.min(Confidence::Possible) } else { confidence },
        certain: !crio || victim == VictimKind::Main,
    })
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
    let (victim, verdict, confidence) = match case.exit_code() {
        None if !ended => (VictimKind::Child, Verdict::ChildOomInvisible, Confidence::Likely),
        // The counter is of a life whose end the status does not call an OOM kill: some process of it was killed.
        Some(137) => (VictimKind::Main, verdict_at(case, level, None, case.pod.is_some()), Confidence::Possible),
        _ if case.is_running() => return None,
        _ => (VictimKind::Child, Verdict::ChildOom, Confidence::Possible),
    };
    Some(Killing {
        report: None,
        victim,
        victim_told: true,
        verdict,
        level: counted.map(|counted| (counted.level, counted.confidence)),
        confidence,
        certain: !ended || verdict == Verdict::ChildOom,
    })
}

/// Which level an OOMKilled of the main process most likely means: by the counters of the cgroups, by an earlier kill,
/// by events, else from the limits that are there.
fn level_without_report(case: &Case<'_>) -> (Verdict, Option<(Level, Confidence)>, Confidence) {
    let earlier = case.kills.iter().rev().find(|kill| kill.life != Life::Present && !kill.kill.victims.is_empty());
    if let Some(kill) = earlier.filter(|kill| kill.kill.level.is_some()) {
        let level = kill.kill.level.map(|level| (level, Confidence::Likely));
        return (verdict_of(case, kill), level, Confidence::Likely);
    }
    if let Some(counted) = counted::level(case) {
        let verdict = verdict_at(case, Some(counted.level), None, case.pod.is_some());
        return (verdict, Some((counted.level, counted.confidence)), counted.confidence);
    }
    let told = told_by_events(case);
    if let Some(Level::Node) = told {
        return (Verdict::NodeOom, Some((Level::Node, Confidence::Likely)), Confidence::Likely);
    }
    let engine = case.engine.and_then(|engine| engine.it.memory_limit);
    if case.container.and_then(container_limit).or(engine).is_some() {
        return (Verdict::ContainerLimitOom, Some((Level::Container, Confidence::Likely)), Confidence::Likely);
    }
    if case.pod_spec().is_some_and(|pod| pod.resources.memory_limit.is_some()) {
        return (Verdict::PodLimitOom, Some((Level::Pod, Confidence::Likely)), Confidence::Likely);
    }
    if told == Some(Level::NodeAllocatable) {
        return (Verdict::NodeAllocatableOom, told.map(|level| (level, Confidence::Likely)), Confidence::Likely);
    }
    if has_no_limit(case) {
        return (
            Verdict::NodeAllocatableOom,
            Some((Level::NodeAllocatable, Confidence::Possible)),
            Confidence::Possible,
        );
    }
    (Verdict::ContainerLimitOom, Some((Level::Container, Confidence::Possible)), Confidence::Likely)
}

/// The artifact shows the container's resources, and there is no limit on memory at any level of the pod.
fn has_no_limit(case: &Case<'_>) -> bool {
    case.pod_spec().is_some_and(|pod| {
        let shown = pod.complete || pod.qos.is_some();
        shown
            && pod.resources.memory_limit.is_none()
            && case.container.is_some_and(|own| container_limit(own).is_none())
    })
}

/// node-problem-detector's event repeats the kernel's sentence: a memory cgroup's kill of a process with
/// `oom_score_adj` 1000 (BestEffort: no limit of its own) can only be an ancestor's; "Out of memory:" is the node's.
fn told_by_events(case: &Case<'_>) -> Option<Level> {
    let finished = case.finished();
    let near = |event: &crate::fact::Event| match (event.last.or(event.first), finished) {
        (Some(at), Some(finished)) => (at - finished).total(jiff::Unit::Second).is_ok_and(|gap| gap.abs() < 10.0),
        _ => true,
    };
    let node = case.pod_spec().and_then(|pod| pod.node.as_deref());
    case.index.events.iter().find_map(|(event, _)| {
        // A piece of a node's describe text may stand among a pod's: only nodes have such events.
        let here = event.object.kind.as_deref() == Some("Pod")
            || node.is_none()
            || event.object.name.is_none()
            || event.object.name.as_deref() == node;
        if event.reason != "OOMKilling" || !here || !near(event) {
            return None;
        }
        if event.message.contains("Memory cgroup out of memory") {
            return event.message.contains("oom_score_adj:1000").then_some(Level::NodeAllocatable);
        }
        event.message.contains("Out of memory").then_some(Level::Node)
    })
}

/// What the four causes of a killed main process share: found where the kill points to them, ruled out otherwise.
pub(super) fn judge(case: &Case<'_>, verdict: Verdict) -> Finding {
    let Some(killing) = killing(case) else { return ruled_out(case) };
    if killing.verdict != verdict {
        return other_level(case, &killing, verdict);
    }
    let mut proofs: Vec<Proof> = killing.report.map(quote::kill).into_iter().collect();
    proofs.extend(quote::termination(case).filter(|_| case.death.is_some()));
    match counted::level(case).filter(|_| killing.report.is_none()) {
        Some(counted) => proofs.extend(counted.proofs),
        None => proofs.extend(counter_proofs(case)),
    }
    if proofs.is_empty()
        && let (Some(engine), Some(true)) = (case.engine, case.engine.and_then(|engine| engine.it.oom_killed))
    {
        proofs.push(Proof {
            says: "the engine saw an OOM event of the container's cgroup".into(),
            from: engine.from.join("/State"),
            excerpt: "OOMKilled: true".into(),
        });
    }
    let mut found = Found::new(killing.confidence, summary(case, &killing), proofs);
    found.oom_kill = killing.certain.then_some(true);
    found.level = killing.level;
    found.victim = killing.victim_told.then_some(killing.victim);
    if killing.report.is_none() {
        found =
            found.missing("the kernel's report, which names the cgroup whose limit fired", kernel_log_command(case));
    }
    found.into()
}

fn counter_proofs(case: &Case<'_>) -> Vec<Proof> {
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
        None if case.engine.is_some() => "sudo dmesg | oomph why --docker -f -".into(),
        None => "sudo dmesg".into(),
    }
}

fn summary(case: &Case<'_>, killing: &Killing<'_, '_>) -> String {
    let who = who(killing);
    let limit = killing.report.and_then(|kill| kill.kill.memory).and_then(|memory| memory.limit);
    let own =
        case.container.and_then(container_limit).or_else(|| case.engine.and_then(|engine| engine.it.memory_limit));
    let counter = match killing.report.and_then(|kill| kill.kill.limit_hit) {
        Some(LimitHit::MemorySwap) => "memory+swap",
        Some(LimitHit::KernelMemory) => "kernel memory",
        _ => "memory",
    };
    let of = |limit: Option<Bytes>| limit.map(|limit| format!(" of {limit}")).unwrap_or_default();
    match killing.verdict {
        Verdict::ContainerLimitOom => match killing.report.and_then(|kill| kill.kill.level) {
            Some(Level::UserUnit | Level::Slice | Level::Other | Level::Lxc | Level::EcsTask) => {
                let path = killing.report.and_then(|kill| kill.kill.oom_memcg.as_deref()).unwrap_or("its cgroup");
                format!(
                    "The memory limit{} of cgroup {} was hit and the kernel killed {who}.",
                    of(limit),
                    quote::tail(path)
                )
            }
            _ => format!(
                "{} hit its {counter} limit{} and the kernel killed {who}.",
                capital(&case.noun()),
                of(limit.or(own))
            ),
        },
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
        _ => format!("The node ran out of memory and the kernel killed {who}; no limit of its own fired."),
    }
}

/// The victim in words.
pub(super) fn who(killing: &Killing<'_, '_>) -> String {
    let victim = killing.report.and_then(|kill| kill.kill.victims.first());
    let comm = victim.and_then(|victim| victim.comm.as_deref());
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
    if killing.report.is_none() && killing.victim == VictimKind::Main && asked == Verdict::ContainerLimitOom {
        return match counted::level(case) {
            Some(counted) if counted.level != Level::Container => {
                Finding::RuledOut("no OOM is counted in the container's own cgroup: its limit was not hit".into())
            }
            _ => Finding::Absent,
        };
    }
    let Some(kill) = killing.report.filter(|_| killing.victim == VictimKind::Main) else { return Finding::Absent };
    let named = kill.kill.oom_memcg.as_deref().unwrap_or("the node");
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
    match case.exit_code() {
        Some(137) => match case.kernel_silence() {
            Silence::Proves(log) => Finding::RuledOut(format!(
                "{} covers the moment and names no kill of it",
                case.index.artifact_name(log.artifact)
            )),
            Silence::Worthless(_) => Finding::Absent,
        },
        Some(code) if code != 0 => {
            Finding::RuledOut(format!("the OOM killer sends SIGKILL (137); the main process ended with {code}"))
        }
        _ => Finding::Absent,
    }
}

/// Whether the OOM killer killed a process in the life that ended or runs, whatever ended it: a report, the API's
/// word, or a counter say yes; `otherwise` is the answer where none of them does.
pub(crate) fn oom_kill(case: &Case<'_>, otherwise: Option<bool>) -> Option<bool> {
    match killing(case) {
        Some(killing) if killing.certain => Some(true),
        Some(_) => None,
        None => otherwise,
    }
}

/// What excludes a kill of any process of the container, a child's too: a kernel log that covers the moment, or a
/// runtime that would have said OOMKilled and gives another reason. Podman on cgroup v1 never says it.
pub(super) fn excluded(case: &Case<'_>) -> Option<bool> {
    if case.is_windows() {
        return None;
    }
    if matches!(case.kernel_silence(), Silence::Proves(_)) {
        return Some(false);
    }
    if let Some(engine) = case.engine.filter(|_| case.pod.is_none()) {
        let tells = engine.it.engine != "podman" && engine.it.oom_killed == Some(false);
        return (tells && case.exit_code() != Some(137)).then_some(false);
    }
    let hinted =
        case.notes.iter().any(|note| matches!(note.it.kind, NodeNoteKind::RuntimeOom | NodeNoteKind::SystemOom));
    (case.reason().is_some_and(|reason| !is_oom_reason(reason)) && case.exit_code() != Some(137) && !hinted)
        .then_some(false)
}
