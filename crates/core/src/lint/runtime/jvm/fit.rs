//! Which heap fits a limit, and which limit a heap.

use super::Jvm;
use crate::budget::jvm::{self, BesideHeap, heap_flag};
use crate::budget::{limit_for_growing, round_down, scaled};
use crate::units::Bytes;

/// What a service with nothing known about it needs beside its heap.
pub(crate) fn beside(it: &Jvm<'_>, limit: Bytes, tmpfs: Bytes) -> BesideHeap {
    BesideHeap { rest: tmpfs, ..BesideHeap::usual(&it.caps(limit)) }
}

/// A heap that fits the limit beside what is usual, and beside what its caps allow in full: that is what an error is
/// measured by.
fn fitting_heap(it: &Jvm<'_>, limit: Bytes, cpus: u32, tmpfs: Bytes) -> Option<Bytes> {
    let collector = it.collector(limit, cpus);
    let usual = jvm::heap_for_limit(limit, &beside(it, limit, tmpfs), collector, Bytes(0))?;
    let room = Bytes(limit.0.checked_sub(it.caps(limit).written().0)?.checked_sub(tmpfs.0)?);
    let heap = round_down(scaled(room, 1000, 1000 + collector.overhead()));
    // A heap that takes all of the room is one that takes the limit.
    let heap = if heap == room { Bytes(heap.0.saturating_sub(1 << 20)) } else { heap };
    Some(usual.min(heap)).filter(|heap| *heap >= Bytes::mib(2))
}

/// A heap that is smaller than the present one, and a limit that is higher, with which there is nothing to say.
pub(crate) fn help(it: &Jvm<'_>, limit: Bytes, cpus: u32, tmpfs: Bytes) -> String {
    let present = it.heap(limit).0;
    let needed = |limit: Bytes| {
        let caps = it.caps(limit);
        let full = Bytes(caps.written().0.saturating_add(caps.heap.0));
        let usual = jvm::need_of_heap(caps.heap, &beside(it, limit, Bytes(0)), it.collector(limit, cpus));
        Bytes(usual.max(full).0.saturating_add(tmpfs.0))
    };
    let wanted = limit_for_growing(limit, needed).filter(|wanted| *wanted > limit);
    let wanted = wanted.map(|wanted| format!("a limit of at least {}Mi", wanted.0 >> 20));
    let fitting = fitting_heap(it, limit, cpus, tmpfs).filter(|heap| *heap < present);
    match (fitting, wanted) {
        // With less than a quarter of its heap it is another program.
        (Some(heap), Some(wanted)) if heap.0 < present.0 / 4 => {
            format!("{wanted}: beside the rest of a JVM this one leaves {heap} for the heap")
        }
        (Some(heap), Some(wanted)) => {
            format!("{} for this limit, or {wanted}; `oomph size` measures what is needed", heap_flag(heap))
        }
        (Some(heap), None) => format!("{} for this limit; a higher one gives the heap more too", heap_flag(heap)),
        (None, Some(wanted)) => format!("{wanted}: beside the rest of a JVM this one leaves no room for a heap"),
        (None, None) => "a smaller heap, or caps that are".to_owned(),
    }
}
