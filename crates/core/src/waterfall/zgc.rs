//! Heaps of ZGC, which are shared memory that need not be mapped.

use super::charge::less;
use super::measure::{Measured, counted};
use super::{Part, PartKind};
use crate::units::Bytes;

/// What ZGC names the file without a name that its heap is in, pages of hugetlbfs apart (`ZMountPoint`,
/// src/hotspot/os/linux/gc/z/zPhysicalMemoryBacking_linux.cpp, JDK 15 to 25).
const ZGC_HEAP: &str = "/memfd:java_heap";

/// Adds to the heaps that are in shared memory what is committed of them and mapped nowhere: pages that wait for the next
/// objects. By the virtual machine's count, and at most so much as no process maps.
pub(super) fn heaps_in_shared_memory(measured: &Measured<'_>, shmem: Bytes, parts: &mut Vec<Part>) {
    let heaps = measured.processes.iter().filter(|seen| seen.mappings.iter().any(|it| it.name == ZGC_HEAP));
    for seen in heaps {
        let Some(committed) = seen.reading.heap.committed else { continue };
        let rest = less(shmem, Bytes(parts.iter().map(|part| part.bytes.0).sum()));
        let is_heap = |part: &Part| part.kind == PartKind::JvmHeap && part.pid == Some(seen.pid);
        let at = parts.iter().position(is_heap).unwrap_or_else(|| {
            parts.push(Part { pid: Some(seen.pid), ..counted(PartKind::JvmHeap, "", Bytes(0), "page table") });
            parts.len() - 1
        });
        let heap = &mut parts[at];
        let waiting = Bytes(less(committed, heap.bytes).0.min(rest.0));
        if waiting.0 > 0 {
            let name = "committed and not mapped";
            let inside = counted(PartKind::JvmHeap, name, waiting, "the process's memory");
            heap.bytes = Bytes(heap.bytes.0 + waiting.0);
            heap.parts.push(Part { exact: false, pid: heap.pid, ..inside });
            heap.exact = false;
            "page table, and the virtual machine's count".clone_into(&mut heap.from);
        }
    }
}
