//! The evidence does not say. An honest answer, with what would tell.

use super::{Cause, Finding, Found, Proof, advice, kernel, killing, quote, removal};
use crate::case::{Case, Silence};
use crate::diagnosis::{Advice, Confidence, Verdict};

pub(super) const CAUSE: Cause = Cause { verdict: Verdict::Undetermined, judge, advise };

fn judge(case: &Case<'_>) -> Finding {
    if let Some(proof) = removal::unnamed_disruption(case) {
        let summary = "The pod is being taken away by a disruption (preemption, eviction, taint, or the node's end); \
                       the evidence here does not say which.";
        let found = removal::found(case, Confidence::Possible, summary, vec![proof]);
        return found.missing("the reason of the condition", condition_command(case)).into();
    }
    let mut proofs: Vec<Proof> =
        quote::termination(case).into_iter().chain(restart(case)).chain(fate(case)).take(1).collect();
    let killing = killing::of(case).filter(|killing| killing.verdict == Verdict::Undetermined);
    proofs.extend(killing.as_ref().and_then(|killing| killing.report).map(quote::kill));
    if killing.as_ref().is_some_and(|killing| killing.report.is_none()) {
        proofs.extend(kernel::counter_proofs(case));
        proofs.extend(killing::contradiction(case));
    }
    let of_node = kernel::of_node_alone(case, "OOMKilling");
    proofs.extend(of_node.map(|event| quote::event(&event, "the node's kernel killed a process")));
    if proofs.is_empty() && case.pod.is_none() && case.engine.is_none() {
        proofs.extend(kernel::child_killed(case));
    }
    if proofs.is_empty() {
        return Finding::Absent;
    }
    let summary = match (&killing, case.exit_code()) {
        (Some(killing), None) if killing.report.is_none() => {
            "The kernel killed processes of this cgroup; when, and whether its own limit was hit, is not told here."
                .into()
        }
        (Some(killing), None) if killing.level.is_some() => format!(
            "The kernel killed {} of {}; whether that was a main process, or a child of one that lived on, is not told.",
            kernel::who(killing),
            case.noun()
        ),
        (Some(killing), None) => {
            format!("The kernel killed {}; whether a limit was hit, and whose, is not told here.", kernel::who(killing))
        }
        (Some(killing), Some(_)) if killing.report.is_none() && killing::contradiction(case).is_some() => format!(
            "{} got SIGKILL, and its status calls that an OOM kill, as CRI-O also does where an OOM killed nothing; the \
             kernel log of the moment names no kill.",
            kernel::capital(&case.noun())
        ),
        (Some(killing), Some(code)) if killing.report.is_none() => format!(
            "{} ended with {code}, and a counter tells of OOM kills; whether one of them was in that life is not told.",
            kernel::capital(&case.noun())
        ),
        (Some(killing), Some(code)) => format!(
            "{} ended with {code} after the kernel had killed {} of it; the evidence here does not say who ended it.",
            kernel::capital(&case.noun()),
            kernel::who(killing)
        ),
        (None, None) if of_node.is_some() => "The kernel killed a process of the node; whose is not told here.".into(),
        (None, None) if kernel::child_killed(case).is_some() && case.death.is_none() => {
            "A child process was killed with SIGKILL; the evidence here does not say by whom.".into()
        }
        (None, Some(137)) if case.wait_status().is_some() => {
            format!("{} got SIGKILL; the evidence here does not say from whom.", kernel::capital(&case.noun()))
        }
        (None, Some(137)) => format!(
            "{} got SIGKILL, or left with 137 itself; the evidence here does not say which, or from whom.",
            kernel::capital(&case.noun())
        ),
        _ => format!("{} ended, and the evidence here does not say why.", kernel::capital(&case.noun())),
    };
    let killed = of_node.is_some().then_some(true).or(case.counted_none().map(|_| false));
    let mut found = Found::new(Confidence::Possible, summary, proofs).oom_kill(kernel::oom_kill(case, killed));
    let reported = case.death.is_none() && killing.as_ref().is_some_and(|killing| killing.report.is_some());
    if reported {
        found.level = killing.and_then(|killing| killing.level);
    } else if let Silence::Worthless(why) = case.kernel_silence() {
        found = found.missing(format!("the kernel log of the moment ({why})"), kernel::kernel_log_command(case));
    }
    if case.events.is_empty() && case.pod.is_some() {
        let command = advice::pod_args(case).map(|args| format!("kubectl describe pod {args}"));
        let command = command.unwrap_or_default();
        found = found.missing("the pod's events, which name a failed probe, an eviction or a deletion", command);
    }
    found.into()
}

/// The pod's status has a reason that says little by itself, as a row of a table has.
fn fate(case: &Case<'_>) -> Option<Proof> {
    let pod = case.pod_spec().filter(|_| case.container.is_none())?;
    pod.reason.as_deref().filter(|reason| !reason.is_empty())?;
    quote::pod_reason(case, "the pod's status names this reason and no more")
}

/// It restarted, though no end is recorded.
fn restart(case: &Case<'_>) -> Option<Proof> {
    let count = case.status()?.restart_count.filter(|count| *count > 0)?;
    Some(Proof {
        says: format!("{} was restarted {count} times; how it ended is not recorded here", case.noun()),
        from: case.from.clone()?,
        excerpt: format!("restartCount: {count}"),
    })
}

/// Shows the condition that a describe text leaves out; empty where the pod's name is not known.
fn condition_command(case: &Case<'_>) -> String {
    let path = "'{.status.conditions[?(@.type==\"DisruptionTarget\")]}'";
    advice::pod_args(case).map(|args| format!("kubectl get pod {args} -o jsonpath={path}")).unwrap_or_default()
}

fn advise(case: &Case<'_>) -> Vec<Advice> {
    if removal::unnamed_disruption(case).is_some() {
        return vec![advice::advice(
            "read the reason of its DisruptionTarget condition, or the events of its node",
            "preemption, eviction, taints and the node's end call for different things; no limit is to be changed before it is known",
            "none",
        )];
    }
    vec![advice::see_kernel_log(
        case,
        "it tells an OOM kill from any other SIGKILL; do not change a limit before that is known",
    )]
}
