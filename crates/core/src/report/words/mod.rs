//! The wording that text and markdown share: every number with its unit, every unknown left out.

use jiff::Timestamp;

use crate::diagnosis::{
    Advice, Confidence, Diagnosis, Document, GapReport, KillReport, Pattern, PatternKind, RuledOut, SourceReport,
    SourceState, SubjectReport, TerminationReport, Verdict, VictimKind,
};
use crate::fact::{ContainerKind, Level};
use crate::signal;
use crate::units::span;

mod kill;
mod memory;

pub(in crate::report) use kill::{earlier, kill_facts, kill_table, next_victims, unclaimed};
pub(in crate::report) use memory::{Balance, balance, settings};

/// A label and what it says.
pub(in crate::report) type Labelled = (&'static str, String);

/// `2026-11-21 21:18:02Z`.
pub(in crate::report) fn moment(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%SZ").to_string()
}

/// `1 death`, `3 deaths`.
pub(in crate::report) fn count(number: usize, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

/// The diagnosis is a workload's: no pod of it is known.
fn is_workload(subject: &SubjectReport) -> bool {
    subject.pod.is_none() && subject.pod_uid.is_none() && subject.owner.is_some()
}

/// The subject's short name: `shop/checkout-7d9f/app`, as much of it as is known.
pub(in crate::report) fn name(subject: &SubjectReport) -> String {
    // A workload whose pods were never made.
    let workload = if is_workload(subject) { &subject.owner } else { &None };
    let parts = [&subject.namespace, workload, &subject.pod, &subject.container];
    let parts: Vec<&str> = parts.into_iter().flatten().map(String::as_str).collect();
    match (&parts[..], &subject.pod_uid, &subject.container_id) {
        ([], Some(uid), _) => format!("pod uid {uid}"),
        ([], None, Some(id)) => format!("container {}", short_id(id)),
        ([], None, None) => UNKNOWN.to_owned(),
        (parts, ..) => parts.join("/"),
    }
}

/// The subject's short name, or the cgroup that its kill names where nothing else is known of it.
pub(in crate::report) fn label(document: &Document, diagnosis: &Diagnosis) -> String {
    let cgroup = || kills(document, diagnosis).find_map(|kill| kill.task_memcg.as_ref().or(kill.oom_memcg.as_ref()));
    match (name(&diagnosis.subject), cgroup()) {
        (name, Some(path)) if name == UNKNOWN => format!("cgroup {path}"),
        (name, _) => name,
    }
}

/// The name of a subject of which nothing is known.
const UNKNOWN: &str = "unknown";

/// The 12 digits that tools print.
pub(in crate::report) fn short_id(id: &str) -> &str {
    id.get(..12).unwrap_or(id)
}

/// The moment a diagnosis is about: the end, else the last of its kernel kills.
pub(in crate::report) fn when(document: &Document, diagnosis: &Diagnosis) -> Option<Timestamp> {
    let ended = diagnosis.termination.finished_at;
    ended.or_else(|| kills(document, diagnosis).filter_map(|kill| kill.at).max())
}

/// The kernel kills that belong to a diagnosis.
pub(in crate::report) fn kills<'a>(
    document: &'a Document,
    diagnosis: &'a Diagnosis,
) -> impl Iterator<Item = &'a KillReport> {
    document.kernel_kills.iter().filter(|kill| diagnosis.kills.contains(&kill.id))
}

pub(in crate::report) const fn confidence(confidence: Confidence) -> &'static str {
    match confidence {
        Confidence::Possible => "possible",
        Confidence::Likely => "likely",
        Confidence::Proven => "proven",
    }
}

const fn level(level: Level) -> &'static str {
    match level {
        Level::Container => "container: its own limit was reached",
        Level::Pod => "pod: the limit of the pod's cgroup was reached",
        Level::NodeAllocatable => "node-allocatable: the limit of all pods together (/kubepods) was reached",
        Level::Slice => "slice: the limit of a QoS or systemd slice was reached",
        Level::Node => "node: the node itself ran out of memory",
        Level::Cpuset => "cpuset: the memory nodes of a cpuset were full",
        Level::Mempolicy => "mempolicy: the memory nodes of a NUMA policy were full",
        Level::Lxc => "lxc: the limit of an LXC container was reached",
        Level::EcsTask => "ecs-task: the limit of an ECS task was reached",
        Level::UserUnit => "user-unit: the limit of a user's systemd unit was reached",
        Level::Other => "other: the limit of another cgroup was reached",
    }
}

const fn victim(kind: VictimKind) -> &'static str {
    match kind {
        VictimKind::Main => "the container's first process",
        VictimKind::Child => "a child process, not the container's first",
        VictimKind::RuntimeInit => "the runtime's own process, before the program ran",
        VictimKind::Sandbox => "the pod's sandbox",
    }
}

/// What a container is called by its list in the pod; an ordinary one has no epithet.
const fn kind(kind: ContainerKind) -> Option<&'static str> {
    match kind {
        ContainerKind::App => None,
        ContainerKind::Init => Some("init container"),
        ContainerKind::Sidecar => Some("sidecar"),
        ContainerKind::Ephemeral => Some("ephemeral container"),
        ContainerKind::Sandbox => Some("sandbox"),
    }
}

/// The facts under a diagnosis' sentence.
pub(in crate::report) fn facts(document: &Document, diagnosis: &Diagnosis) -> Vec<Labelled> {
    let mut out = vec![("verdict", format!("{}, {}", diagnosis.verdict, confidence(diagnosis.confidence)))];
    out.push((
        "oom kill",
        match diagnosis.oom_kill {
            Some(true) => "yes".to_owned(),
            Some(false) => "no".to_owned(),
            None => "cannot be told from this evidence".to_owned(),
        },
    ));
    if let Some(which) = diagnosis.level {
        let sure = diagnosis.level_confidence.map(|sure| format!(" ({})", confidence(sure))).unwrap_or_default();
        out.push(("level", format!("{}{sure}", level(which))));
    }
    out.extend(diagnosis.victim.map(|which| ("killed", victim(which).to_owned())));
    out.push(("container", whose(label(document, diagnosis), &diagnosis.subject)));
    let ended = Some(ended(&diagnosis.termination)).filter(|text| !text.is_empty());
    match (ended, when(document, diagnosis)) {
        (Some(text), _) => out.push(("ended", text)),
        (None, Some(at)) => out.push(("at", moment(at))),
        (None, None) => {}
    }
    if diagnosis.subject.container.is_none() {
        for (label, _) in &mut out {
            if *label == "container" {
                *label = if is_workload(&diagnosis.subject) { "workload" } else { "pod" };
            }
        }
    }
    out
}

fn whose(mut out: String, subject: &SubjectReport) -> String {
    if let Some(kind) = subject.container_kind.and_then(kind) {
        out = format!("{out} ({kind})");
    }
    if let Some(owner) = subject.owner.as_ref().filter(|_| !is_workload(subject)) {
        out = format!("{out} of {owner}");
    }
    if let Some(node) = &subject.node {
        out = format!("{out} on node {node}");
    }
    if let Some(id) = &subject.container_id {
        out = format!("{out}, id {}", short_id(id));
    }
    if let Some(class) = &subject.runtime_class {
        out = format!("{out}, runtime class {class}");
    }
    out
}

fn ended(termination: &TerminationReport) -> String {
    let mut parts = Vec::new();
    match (termination.started_at, termination.finished_at) {
        (Some(start), Some(end)) => {
            parts.push(format!(
                "{} after {}",
                moment(end),
                span((end - start).total(jiff::Unit::Second).unwrap_or(-1.0))
            ));
        }
        (None, Some(end)) => parts.push(moment(end)),
        (Some(start), None) => parts.push(format!("started {}", moment(start))),
        (None, None) => {}
    }
    match (termination.exit_code, termination.signal) {
        (Some(code), Some(signal)) => parts.push(format!("exit code {code} ({})", signal::name(signal))),
        (Some(code), None) => parts.push(format!("exit code {code}")),
        (None, Some(signal)) => parts.push(signal::name(signal)),
        (None, None) => {}
    }
    parts.extend(termination.reason.as_ref().map(|reason| format!("reason {reason}")));
    if termination.grace_expired == Some(true) {
        parts.push("its grace period ran out".to_owned());
    }
    if let Some(restarts) = termination.restart_count {
        parts.push(count(restarts as usize, "restart", "restarts"));
    }
    parts.join(", ")
}

/// How the deaths repeat, in sentences; nothing for a single death alone.
pub(in crate::report) fn pattern(pattern: &Pattern) -> Option<String> {
    let mut out = Vec::new();
    if pattern.deaths > 1 || pattern.kind != PatternKind::Single {
        // The status keeps two ends: what they have in common is not said of all.
        let known = pattern.seconds_to_death.len();
        let partly = known < pattern.deaths as usize;
        let of = if partly { format!(" of the last {known}") } else { String::new() };
        let each = match known {
            0..=2 if partly => "the last life".to_owned(),
            _ if partly => format!("each of the last {} lives", known - 1),
            _ => "each life".to_owned(),
        };
        let shape = match pattern.kind {
            PatternKind::Single => "the shape of its lifetimes is not known".to_owned(),
            PatternKind::Constant => format!("equal lifetimes{of}: the same start-up peak or the same work each time"),
            PatternKind::Shrinking => format!("{each} shorter than the one before"),
            PatternKind::Growing => format!("{each} longer than the one before"),
            PatternKind::Irregular => format!("lifetimes{of} without order"),
        };
        out.push(format!("{}, {shape}.", count(pattern.deaths as usize, "death", "deaths")));
        let lives: Vec<_> = pattern.seconds_to_death.iter().rev().take(8).rev().map(|life| span(*life)).collect();
        if !lives.is_empty() {
            let cut = if lives.len() < pattern.seconds_to_death.len() { "…, " } else { "" };
            out.push(format!("Lived {cut}{}.", lives.join(", ")));
        }
    }
    if !pattern.together.is_empty() {
        let shown: Vec<_> = pattern.together.iter().take(6).map(String::as_str).collect();
        let more = match pattern.together.len() - shown.len() {
            0 => String::new(),
            rest => format!(" and {rest} more"),
        };
        out.push(format!("In the same minute on the same node: {}{more}.", shown.join(", ")));
    }
    (!out.is_empty()).then(|| out.join(" "))
}

/// What is ruled out, the verdicts that one fact excludes together.
pub(in crate::report) fn ruled_out(diagnosis: &Diagnosis) -> Vec<(Vec<Verdict>, &str)> {
    let mut out: Vec<(Vec<Verdict>, &str)> = Vec::new();
    for RuledOut { verdict, because } in &diagnosis.ruled_out {
        match out.iter_mut().find(|(_, known)| known == because) {
            Some((verdicts, _)) => verdicts.push(*verdict),
            None => out.push((vec![*verdict], because)),
        }
    }
    out
}

/// What a piece of advice rests on and costs; a cost of nothing is not worth a line.
pub(in crate::report) fn why_and_risk(advice: &Advice) -> impl Iterator<Item = (&'static str, &str)> {
    let parts = [("why", advice.why.as_str()), ("risk", advice.risk.as_str())];
    parts.into_iter().filter(|(label, words)| !words.is_empty() && (*label != "risk" || *words != "none"))
}

/// Gaps of one reason together: a reason that holds for every process is told once.
pub(in crate::report) fn gaps(list: &[GapReport]) -> Vec<GapReport> {
    // Commands for several processes differ in their numbers alone.
    let shape = |command: &str| command.chars().filter(|c| !c.is_ascii_digit()).collect::<String>();
    let mut joined: Vec<(GapReport, Vec<&str>)> = Vec::new();
    for gap in list {
        let same = |known: &GapReport| known.because == gap.because && shape(&known.command) == shape(&gap.command);
        match joined.iter_mut().find(|(known, _)| !gap.because.is_empty() && same(known)) {
            Some((_, whats)) if whats.contains(&gap.what.as_str()) => {}
            Some((_, whats)) => whats.push(&gap.what),
            None => joined.push((gap.clone(), vec![&gap.what])),
        }
    }
    let named = |(gap, whats): (GapReport, Vec<&str>)| {
        let shown = whats.iter().take(GAP_NAMES).copied().collect::<Vec<_>>().join(", ");
        let more = whats.len().saturating_sub(GAP_NAMES);
        let what = if more == 0 { shown } else { format!("{shown} and {more} more") };
        GapReport { what, ..gap }
    };
    joined.into_iter().map(named).collect()
}

/// Gaps of one reason named one by one.
const GAP_NAMES: usize = 3;

/// What a source gave, after its name.
pub(in crate::report) fn source(source: &SourceReport) -> String {
    let mut out = source.kind.clone();
    match (source.from, source.to) {
        (Some(from), Some(to)) => out = format!("{out}, {} to {}", moment(from), moment(to)),
        (Some(from), None) => out = format!("{out}, from {}", moment(from)),
        (None, Some(to)) => out = format!("{out}, to {}", moment(to)),
        (None, None) => {}
    }
    match source.status {
        SourceState::Read => {}
        SourceState::Partial => out = format!("{out}, in part"),
        SourceState::Forbidden => out = format!("{out}, no permission"),
        SourceState::Absent => out = format!("{out}, not there"),
    }
    // A reason may begin with the words for the state.
    let state = out.rsplit(", ").next().unwrap_or_default();
    let because = source.because.strip_prefix(state).map(|rest| rest.trim_start_matches([':', ' ']));
    let because = because.unwrap_or(&source.because);
    let out = if because.is_empty() { out } else { format!("{out}: {because}") };
    out.trim_start_matches([',', ' ']).to_owned()
}

/// `12 diagnoses: 7 container-limit-oom, 5 liveness-kill`, most frequent first.
pub(in crate::report) fn tally(diagnoses: &[Diagnosis]) -> String {
    let mut counts: Vec<(usize, Verdict)> = Verdict::ALL
        .iter()
        .copied()
        .map(|verdict| (diagnoses.iter().filter(|diagnosis| diagnosis.verdict == verdict).count(), verdict))
        .filter(|(number, _)| *number > 0)
        .collect();
    counts.sort_by_key(|(number, verdict)| (std::cmp::Reverse(*number), *verdict));
    let parts: Vec<_> = counts.iter().map(|(number, verdict)| format!("{number} {verdict}")).collect();
    format!("{}: {}", count(diagnoses.len(), "diagnosis", "diagnoses"), parts.join(", "))
}

/// The sentence of an answer without diagnoses.
pub(in crate::report) fn nothing(document: &Document) -> &'static str {
    let read = document.sources.iter().any(|source| matches!(source.status, SourceState::Read | SourceState::Partial));
    if document.named.as_ref().is_some_and(|well| !well.is_empty()) {
        "No death to explain: what was asked for runs well."
    } else if !document.kernel_kills.is_empty() {
        "The kernel killed processes, but of no container that is known here."
    } else if read {
        "No death to explain was found in what was read."
    } else {
        "Nothing could be read, so nothing can be said."
    }
}
