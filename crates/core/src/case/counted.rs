//! Containers that lost a process by the count of their cgroup alone: no report of it is left, and no status shows it.

use super::gather::seen;
use super::matching::{same_id, same_uid};
use super::{Case, Index, Seen, assemble};
use crate::fact::{Counters, CountersOf};

/// Counters of a cgroup that nobody names tell of a kill, and nothing else of any end: they are the case, whatever runs
/// well beside them.
pub(super) fn bare<'a>(index: &'a Index<'a>) -> Option<Case<'a>> {
    let nameless =
        |counters: &Seen<'_, Counters>| counters.it.of == CountersOf::Unknown && counters.it.cgroup.is_none();
    let counters = seen(&index.counters).find(|counters| nameless(counters) && counters.it.oom_kill > Some(0))?;
    Some(Case { from: Some(counters.from.clone()), counters: vec![counters], ..assemble::bare(index, None) })
}

/// One case for each that no other case, kill or pod stands for.
pub(super) fn orphans<'a>(index: &'a Index<'a>, cases: &[Case<'a>]) -> Vec<Case<'a>> {
    let is_orphan = |counters: &Seen<'_, Counters>| {
        let Some(id) = counters.it.subject.container_id.as_deref() else { return false };
        let uid = counters.it.subject.pod_uid.as_deref();
        let of_it = |known: Option<&String>| known.is_some_and(|known| same_id(known, id));
        counters.it.of == CountersOf::Container
            && counters.it.oom_kill > Some(0)
            && !index.kills.iter().any(|(kill, _)| of_it(kill.container_id.as_ref()))
            && !index.engines.iter().any(|(engine, _)| of_it(engine.subject.container_id.as_ref()))
            && !index.pods.iter().any(|view| same_uid(view.pod.uid.as_deref(), uid))
            && !cases.iter().any(|case| case.counters.iter().any(|known| std::ptr::eq(known.it, counters.it)))
    };
    let case = |counters: Seen<'a, Counters>| Case {
        from: Some(counters.from.clone()),
        node: index.node(counters.it.subject.node.as_deref()),
        counters: vec![counters],
        ..assemble::bare(index, None)
    };
    seen(&index.counters).filter(is_orphan).map(case).collect()
}
