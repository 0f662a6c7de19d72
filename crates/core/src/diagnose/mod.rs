//! From a case to its diagnosis: every cause looks, the surest finding wins, the excluded ones are named.

use crate::case::{Case, Life, PodView, Tie};
use crate::cause::{CAUSES, Cause, Finding, Found, Proof, beside_the_end, consumer, grace_expired};
use crate::diagnosis::{Diagnosis, Evidence, Missing, RuledOut, SubjectReport, TerminationReport, Verdict};
use crate::fact::{Level, ObjectRef};

mod changes;
mod contributors;
mod kills;
mod memory;
mod pattern;

pub use kills::kill_report;

/// The diagnosis of a case; `None` for one that turns out to hold nothing to tell (a healthy container).
pub fn diagnose(case: &Case<'_>, all: &[Case<'_>]) -> Option<Diagnosis> {
    let mut ruled_out = Vec::new();
    let mut best: Option<(&Cause, Found)> = None;
    for cause in CAUSES {
        match (cause.judge)(case) {
            Finding::Absent => {}
            Finding::RuledOut(because) => ruled_out.push(RuledOut { verdict: cause.verdict, because }),
            Finding::Found(found) => {
                if best.as_ref().is_none_or(|(_, known)| found.confidence > known.confidence)
                    && !found.proofs.is_empty()
                {
                    best = Some((cause, *found));
                }
            }
        }
    }
    let (winner, mut found) = best?;
    // No `yes` without a sentence that says why.
    if found.oom_kill == Some(true) && !winner.verdict.is_kill() {
        found.proofs.extend(beside_the_end(case).filter(|proof| !found.proofs.contains(proof)));
    }
    ruled_out.retain(|rival| rival.verdict != winner.verdict);
    let kills = case.kills.iter().filter(|kill| kill.life != Life::Earlier && kill.tie != Tie::SomeContainer);
    let mut missing = found.missing;
    missing.extend(case.possible_kill().map(|kill| Missing {
        what: format!(
            "whether kill k{} in this pod was of this container: no status is left that tells its containers' ids",
            kill.number + 1
        ),
        command: "on the node: crictl ps --all --no-trunc".into(),
    }));
    let node_kill = found.level.is_some_and(|(level, _)| level == Level::Node);
    Some(Diagnosis {
        subject: subject(case, winner.verdict),
        verdict: winner.verdict,
        oom_kill: found.oom_kill,
        confidence: found.confidence,
        level: found.level.map(|(level, _)| level),
        level_confidence: found.level.map(|(_, confidence)| confidence),
        victim: found.victim,
        summary: found.summary,
        termination: termination(case).unwrap_or_default(),
        evidence: found.proofs.iter().chain(&successor(case)).map(|proof| evidence(case, proof)).collect(),
        ruled_out,
        missing: deduplicated(missing),
        contributors: contributors::of(case, found.oom_kill == Some(true) && !node_kill),
        advice: (winner.advise)(case),
        kills: kills.map(|kill| format!("k{}", kill.number + 1)).collect(),
        memory: memory::of(case),
        pattern: pattern::of(case, all),
        changes: changes::of(case),
    })
}

fn deduplicated(missing: Vec<Missing>) -> Vec<Missing> {
    let mut unique: Vec<Missing> = Vec::new();
    for item in missing {
        if !unique.contains(&item) {
            unique.push(item);
        }
    }
    unique
}

/// The pod that has the name of this one now: what is told here is not of that.
fn successor(case: &Case<'_>) -> Option<Proof> {
    let gone = case.pod.filter(|view| view.gone)?;
    let same = |view: &&PodView| {
        let (one, other) = (&view.pod, &gone.pod);
        !view.gone && one.name.is_some() && one.name == other.name && one.namespace == other.namespace
    };
    let view = case.index.pods.iter().find(same)?;
    let created = view.pod.created.map(|at| format!("creationTimestamp: {at}"));
    Some(Proof {
        says: "this pod is gone; the one that has its name now is another".into(),
        from: view.from.join("/metadata"),
        excerpt: view.pod.uid.iter().map(|uid| format!("uid: {uid}")).chain(created).collect::<Vec<_>>().join(", "),
    })
}

fn evidence(case: &Case<'_>, proof: &Proof) -> Evidence {
    Evidence {
        says: proof.says.clone(),
        source: case.index.artifact_name(proof.from.artifact).to_owned(),
        locator: proof.from.locator(),
        excerpt: proof.excerpt.clone(),
    }
}

fn subject(case: &Case<'_>, verdict: Verdict) -> SubjectReport {
    let pod = case.pod_spec();
    let engine = case.engine.map(|engine| &engine.it.subject);
    let own = || case.kills.iter().filter(|kill| kill.tie != Tie::SomeContainer);
    // Of a pod that is gone the last life is the one told of.
    let kill =
        if case.is_gone() { own().max_by_key(|kill| kill.kill.at) } else { own().next() }.map(|kill| kill.kill.it);
    let userspace = case.userspace.first().map(|kill| kill.it);
    // Where neither status nor engine tells of it, its log or its cgroup's counters may know its names.
    let by_sign = case.signs.first().map(|sign| &sign.it.subject);
    let by_counters = case.counters.first().map(|counters| &counters.it.subject);
    let told = by_sign.or(by_counters).filter(|_| pod.is_none() && engine.is_none());
    let known = |own: Option<&String>, engine_has: Option<&String>| own.or(engine_has).cloned();
    // An eviction's message may name the one container that used too much.
    let named_by_message = || {
        matches!(verdict, Verdict::KubeletMemoryEviction)
            .then(|| consumer(pod?.message.as_deref()?).map(str::to_owned))
            .flatten()
    };
    let container = case.container.and_then(|container| container.name.as_ref());
    // A workload whose pods were refused has its own events, and no pod.
    let of_events = case.events.first().map(|event| &event.it.object).filter(|_| pod.is_none() && engine.is_none());
    let workload = of_events.filter(|object| object.kind.as_deref().is_some_and(|kind| kind != "Node"));
    let made_by = |object: &ObjectRef| Some(format!("{}/{}", object.kind.as_ref()?, object.name.as_ref()?));
    SubjectReport {
        namespace: known(pod.and_then(|pod| pod.namespace.as_ref()), engine.and_then(|it| it.namespace.as_ref()))
            .or_else(|| told?.namespace.clone())
            .or_else(|| workload?.namespace.clone()),
        pod: known(pod.and_then(|pod| pod.name.as_ref()), engine.and_then(|it| it.pod.as_ref()))
            .or_else(|| told?.pod.clone()),
        pod_uid: known(pod.and_then(|pod| pod.uid.as_ref()), engine.and_then(|it| it.pod_uid.as_ref()))
            .or_else(|| kill?.pod_uid.clone())
            .or_else(|| userspace?.pod_uid.clone())
            .or_else(|| told?.pod_uid.clone()),
        container: known(container, engine.and_then(|it| it.container.as_ref()))
            .or_else(|| told?.container.clone())
            .or_else(named_by_message),
        container_kind: case.container.map(|container| container.kind),
        container_id: case
            .termination()
            .and_then(|end| end.container_id.clone())
            .or_else(|| case.status().and_then(|status| status.id.clone()))
            .or_else(|| engine.and_then(|it| it.container_id.clone()))
            .or_else(|| kill?.container_id.clone())
            .or_else(|| userspace?.container_id.clone())
            .or_else(|| told?.container_id.clone()),
        node: known(pod.and_then(|pod| pod.node.as_ref()), engine.and_then(|it| it.node.as_ref()))
            .or_else(|| kill?.node.clone())
            .or_else(|| userspace?.node.clone())
            .or_else(|| told?.node.clone()),
        owner: pod
            .and_then(|pod| pod.owner.as_ref())
            .map(|owner| format!("{}/{}", owner.kind, owner.name))
            .or_else(|| made_by(workload?)),
        runtime_class: pod.and_then(|pod| pod.runtime_class.clone()),
    }
}

fn termination(case: &Case<'_>) -> Option<TerminationReport> {
    let end = case.termination()?;
    // 128 + n is how shells and runtimes report signal n; codes over 159 are a program's own.
    let by_code = end.exit_code.filter(|code| (129..=159).contains(code) && case.was_signaled(code - 128));
    let by_code = by_code.map(|code| code - 128);
    Some(TerminationReport {
        exit_code: end.exit_code,
        signal: end.signal.filter(|signal| *signal != 0).or(by_code),
        reason: end.reason.clone(),
        started_at: end.started,
        finished_at: end.finished,
        restart_count: case
            .status()
            .and_then(|status| status.restart_count)
            .or_else(|| case.engine.and_then(|engine| engine.it.restart_count)),
        grace_expired: grace_expired(case),
    })
}
