//! The node itself ran out of memory: the kernel's global OOM killer, or one confined to a cpuset or NUMA policy.

use super::{Cause, Finding, Found, Proof, advice, kernel, killing, quote, told_on_node};
use crate::case::{Case, Seen, Silence};
use crate::diagnosis::{Advice, Confidence, Verdict, VictimKind};
use crate::fact::{Event, Level, NodeNote, NodeNoteKind};

pub(super) const CAUSE: Cause = Cause { verdict: Verdict::NodeOom, judge, advise };

const SAYS: &str = "the kubelet saw the node's own OOM killer act";

fn advise(case: &Case<'_>) -> Vec<Advice> {
    match killing::of(case).and_then(|killing| killing.report) {
        Some(kill) if kill.kill.sysrq => vec![advice::advice(
            "find who asked: somebody pressed SysRq-f, or wrote f to /proc/sysrq-trigger",
            "the kernel was told to kill a process; no limit of memory was hit",
            "none",
        )],
        _ => advice::node_short(case),
    }
}

fn judge(case: &Case<'_>) -> Finding {
    if killing::of(case).is_some() {
        return kernel::judge(case, Verdict::NodeOom);
    }
    // Docker and containerd on cgroup v1 flag kills by the container's own limit only: a node's kill is a bare 137.
    if case.exit_code() == Some(137) && !matches!(case.kernel_silence(), Silence::Proves(_)) {
        if let Some(proof) = system_oom(case) {
            return at_the_end(case, proof).into();
        }
        if let Some(event) = undated(case) {
            return some_day(case, &event).into();
        }
    }
    if let Some(event) = kernel::of_node_alone(case, "SystemOOM") {
        let host = event.it.object.name.as_deref().map(|name| format!(" {name}")).unwrap_or_default();
        let summary =
            format!("The node{host} ran out of memory and the kernel killed a process; whose is not told here.");
        let proofs = vec![quote::event(&event, SAYS)];
        let mut found = Found::new(Confidence::Likely, summary, proofs)
            .oom_kill(Some(true))
            .missing("the kernel's report, which names the cgroup of the process", kernel::kernel_log_command(case));
        found.level = Some((Level::Node, Confidence::Likely));
        return found.into();
    }
    kernel::judge(case, Verdict::NodeOom)
}

/// The node's own OOM killer acted when the container got SIGKILL.
fn at_the_end(case: &Case<'_>, proof: Proof) -> Found {
    let mut proofs = vec![proof];
    proofs.extend(quote::termination(case));
    let summary = format!("The node ran out of memory at the moment when {} was killed with SIGKILL.", case.noun());
    let mut found = Found::new(Confidence::Likely, summary, proofs)
        .oom_kill(Some(true))
        .missing("the kernel's report, which names the process that was killed", kernel::kernel_log_command(case));
    found.level = Some((Level::Node, Confidence::Likely));
    found.victim = Some(VictimKind::Main);
    found
}

/// It acted at a moment that a text without dates does not tell.
fn some_day(case: &Case<'_>, event: &Seen<'_, Event>) -> Found {
    let mut proofs = vec![quote::event(event, SAYS)];
    proofs.extend(quote::termination(case));
    let summary = format!(
        "{} was killed with SIGKILL, and its node ran out of memory at some time; whether it was then is not told here.",
        kernel::capital(&case.noun())
    );
    Found::new(Confidence::Possible, summary, proofs)
        .oom_kill(None)
        .missing("when the node ran out of memory", "kubectl get events -A --field-selector reason=SystemOOM -o yaml")
        .missing("the kernel's report, which names the process that was killed", kernel::kernel_log_command(case))
}

/// An event about it without a date, in another text than the end.
fn undated<'a>(case: &Case<'a>) -> Option<Seen<'a, Event>> {
    let mut events = case.index.events.with_reason("SystemOOM");
    events.find(|event| {
        let dated = event.it.last.or(event.it.first).is_some();
        let pod = case.pod_spec().is_some_and(|pod| pod.node.is_some() && pod.node == event.it.object.name);
        !dated && pod && !told_on_node::is_anothers(case, event.it)
    })
}

/// The kubelet saw an OOM kill that was of no container's own cgroup (pkg/kubelet/oom/oom_watcher_linux.go, v1.37).
fn system_oom(case: &Case<'_>) -> Option<Proof> {
    // A line without a moment counts: it stands in a text that is about this end.
    let near = |note: &Seen<'_, NodeNote>| case.is_near_end(note.it.at).unwrap_or(true);
    if let Some(note) = case.notes.iter().find(|note| note.it.kind == NodeNoteKind::SystemOom && near(note)) {
        return Some(quote::note(note, SAYS));
    }
    let event = told_on_node::of_this_end(case, "SystemOOM").into_iter().next()?;
    Some(quote::event(&event, SAYS))
}
