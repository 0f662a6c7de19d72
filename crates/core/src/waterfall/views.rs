//! The numbers that people compare with the kernel's, and why they differ.

use super::measure::Seen;
use super::{Charge, View};
use crate::runtime::Name;
use crate::units::Bytes;

/// Every number that somebody may have on a screen, largest claim first.
pub(super) fn views(charge: &Charge, processes: &[Seen<'_>]) -> Vec<View> {
    let mut views = Vec::new();
    let mut add = |name: &str, bytes: Option<Bytes>, includes: &str| {
        if let Some(bytes) = bytes {
            views.push(View { name: name.to_owned(), bytes, includes: includes.to_owned() });
        }
    };
    add(
        "the kernel's charge",
        charge.usage,
        "everything below, page cache and kernel memory included: what is held against the limit, after reclaim",
    );
    add(
        "kubectl top, docker stats (working set)",
        charge.working_set(),
        "the charge less the page cache that was not used lately; active page cache and reclaimable slab are still in it",
    );
    add(
        "container_memory_rss",
        charge.anon,
        "anonymous memory only: no tmpfs or shared memory, no kernel memory, no sockets, no page cache",
    );
    let resident: u64 = processes.iter().filter_map(Seen::resident).map(|it| it.0).sum();
    add(
        "RSS, summed over processes (ps, top)",
        (!processes.is_empty()).then_some(Bytes(resident)),
        "mapped pages only, shared ones once per process and also when others pay for them; no unmapped cache, tmpfs or kernel memory",
    );
    for seen in processes {
        let (name, includes) = match seen.reading.name {
            Name::Hotspot => ("heap used (JMX)", "Java objects only: one region of the process"),
            Name::V8 => ("heapUsed (process.memoryUsage)", "JavaScript objects only: no buffers, no native memory"),
            Name::Go => ("HeapAlloc (runtime.MemStats)", "Go objects only: no free spans, stacks, cgo or mapped files"),
            Name::Cpython => ("pymalloc blocks", "small Python objects only: what is over 512 bytes comes from malloc"),
            _ => continue,
        };
        add(&format!("{name} of {} ({})", seen.pid, seen.status.name), seen.reading.heap.used, includes);
    }
    views
}
