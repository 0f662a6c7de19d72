//! A userspace killer (systemd-oomd, earlyoom, Talos and their like) killed it before the kernel had to.

use super::{Cause, Finding, Found, Proof, advice, kernel, quote};
use crate::case::{Case, Seen};
use crate::diagnosis::{Advice, Confidence, Verdict};
use crate::fact::UserspaceKill;

pub(super) const CAUSE: Cause = Cause { verdict: Verdict::UserspaceOomKiller, judge, advise };

fn judge(case: &Case<'_>) -> Finding {
    let near = |kill: &&Seen<'_, UserspaceKill>| case.is_near_end(kill.it.at).unwrap_or(true);
    let Some(kill) = case.userspace.iter().find(near) else { return Finding::Absent };
    let mut proofs = vec![Proof {
        says: format!("{} says that it killed it", kill.it.killer),
        from: kill.from.clone(),
        excerpt: quote::cut(&kill.it.line, 240),
    }];
    proofs.extend(quote::termination(case));
    let named = kill.it.process.as_ref().and_then(|process| process.comm.clone());
    let whom = match (case.pod.is_some() || case.engine.is_some(), named, kill.it.cgroup.as_deref()) {
        (true, _, _) => case.noun(),
        (false, Some(comm), _) => comm,
        (false, None, Some(path)) => format!("the processes of {}", quote::tail(path)),
        (false, None, None) => "a process".into(),
    };
    let oom_kill = kernel::oom_kill(case, Some(false));
    // Where the kernel may have killed as well, nothing tells who was first.
    let first = if oom_kill == Some(false) { ", and it acted before the kernel did" } else { "" };
    let summary = format!("{} killed {whom}: the node was short of memory{first}.", kill.it.killer);
    Found::new(Confidence::Proven, summary, proofs).oom_kill(oom_kill).into()
}

fn advise(case: &Case<'_>) -> Vec<Advice> {
    let mut list = advice::node_short(case);
    list.push(advice::advice(
        "exempt the kubelet's cgroups from the userspace killer, or leave the node's memory to Kubernetes alone",
        "the kubelet does not know of such kills and reports a bare 137",
        "without it the kernel's OOM killer acts later, at the very end",
    ));
    list
}
