//! Whose limit fired, by the counters of cgroups alone: what is left where the kernel's report is not.
//!
//! On cgroup v2 `oom` counts in the cgroup whose limit was hit, `oom_kill` in the victim's own (mm/memcontrol.c
//! `mem_cgroup_oom`, mm/oom_kill.c `__oom_kill_process`, Linux 6.12; measured on 6.1 and 6.12). So a container that lost
//! a process, with no `oom` in any cgroup from it up to kubepods, was hit by the node's own end, though its runtime,
//! which watches `oom_kill`, calls it OOMKilled as if by its limit. Version 1 has no `oom`: it tells nothing of the level.

use super::Proof;
use crate::case::{Case, Seen};
use crate::cgroup_path::cgroup_names;
use crate::diagnosis::Confidence;
use crate::fact::{Counters, CountersOf, Level};

/// A level, and the counters that tell it.
pub(super) struct Counted {
    pub(super) level: Level,
    pub(super) confidence: Confidence,
    pub(super) proofs: Vec<Proof>,
}

/// The level whose limit had a process of the case's container killed.
pub(super) fn level(case: &Case<'_>) -> Option<Counted> {
    let chain = chain(case)?;
    let lowest = chain.first()?;
    if lowest.it.oom_kill == Some(0) && lowest.it.of == CountersOf::Container {
        return None;
    }
    for (position, rung) in chain.iter().enumerate() {
        let below = position.checked_sub(1).map(|below| chain[below]);
        if let Some(confidence) = fired(rung, below) {
            return Some(Counted { level: level_of(rung), confidence, proofs: vec![proof(rung)] });
        }
        if rung.it.oom > Some(0) && !rung.it.local && below.is_none() {
            // Its whole tree's count, and nothing is known of what is below: one of its containers, or itself.
            return None;
        }
    }
    let top = chain.last()?;
    let confidence = match level_of(top) {
        Level::NodeAllocatable => Confidence::Likely,
        // The cgroups above it may have fired.
        Level::Slice | Level::Pod => Confidence::Possible,
        _ => return None,
    };
    Some(Counted { level: Level::Node, confidence, proofs: chain.iter().map(proof).collect() })
}

/// The counters of the container, its pod and the cgroups above, nearest first; from the pod on where the container's
/// cgroup went away with it. Only those that count `oom`.
fn chain<'a>(case: &Case<'a>) -> Option<Vec<Seen<'a, Counters>>> {
    let uid = case.pod_spec().and_then(|pod| pod.uid.as_deref());
    let all = || {
        let counted = case.index.counters.iter().filter(|(it, _)| it.oom.is_some() && it.cgroup.is_some());
        counted.map(|(it, from)| Seen { it, from })
    };
    // What runs now has a cgroup of its own; the one of a life that ended is gone with it.
    let gone = case.death.is_some() && case.is_running();
    let dead = case.termination().and_then(|end| end.container_id.as_deref());
    let of_life = |it: &Seen<'_, Counters>| !gone || dead.is_some() && it.it.subject.container_id.as_deref() == dead;
    let is_own = |it: &Seen<'_, Counters>| it.it.of == CountersOf::Container && it.it.oom.is_some() && of_life(it);
    let own = case.counters.iter().copied().find(is_own);
    let of_pod =
        || all().find(|it| it.of == CountersOf::Pod && uid.is_some() && it.it.subject.pod_uid.as_deref() == uid);
    let lowest = own.filter(|it| it.it.cgroup.is_some()).or_else(of_pod)?;
    let path = lowest.it.cgroup.as_deref()?;
    let above = |it: &Seen<'_, Counters>| {
        let known = it.it.cgroup.as_deref().unwrap_or_default();
        known != path && known != "/" && path.strip_prefix(known).is_some_and(|rest| rest.starts_with('/'))
    };
    let mut chain: Vec<_> = std::iter::once(lowest).chain(all().filter(above)).collect();
    chain.sort_by_key(|it| std::cmp::Reverse(it.it.cgroup.as_deref().map_or(0, str::len)));
    Some(chain)
}

/// Whether this cgroup's own limit was hit. Counts of a whole tree hold those of the cgroups below.
fn fired(rung: &Seen<'_, Counters>, below: Option<Seen<'_, Counters>>) -> Option<Confidence> {
    let count = rung.it.oom.filter(|count| *count > 0)?;
    if rung.it.local || rung.it.of == CountersOf::Container {
        return Some(Confidence::Likely);
    }
    // More than what came from below in the container's own line; a neighbour's is counted here, too.
    (count > below?.it.oom.unwrap_or(0)).then_some(Confidence::Possible)
}

fn level_of(counters: &Seen<'_, Counters>) -> Level {
    counters.it.cgroup.as_deref().map_or(Level::Other, |path| cgroup_names(path).level)
}

fn proof(counters: &Seen<'_, Counters>) -> Proof {
    let it = counters.it;
    let path = super::quote::tail(it.cgroup.as_deref().unwrap_or_default());
    let (oom, kills) = (it.oom.unwrap_or_default(), it.oom_kill.unwrap_or_default());
    let says = if oom > 0 {
        format!("the limit of cgroup {path} was hit: its count of OOMs stands at {oom}")
    } else {
        format!("the limit of cgroup {path} was never hit with a kill as its end")
    };
    Proof { says, from: counters.from.clone(), excerpt: format!("oom {oom}, oom_kill {kills}") }
}
