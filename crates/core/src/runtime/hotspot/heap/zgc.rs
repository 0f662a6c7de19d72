//! ZGC: one allocator of pages counts what is used and what is taken from the system.

use super::super::vm::{Read, Vm};
use super::{Collector, Usage};

/// The distance between values that ZGC keeps per NUMA node (`ZValueStorage::offset`, zValue.hpp).
const NODE_STRIDE: u64 = 4096;

/// More nodes than any machine has.
const NODES_MAX: u64 = 1024;

pub(super) fn usage(vm: &Vm<'_>) -> Read<Usage> {
    let collected = vm.heap()?;
    // JDK 21 and 22 have both: there the one without generations is spelled with an X.
    if vm.has("XCollectedHeap::_heap") && Collector::of(vm)? == Collector::Zgc {
        let heap = vm.place(collected, "XCollectedHeap::_heap")?;
        let pages = vm.place(heap, "XHeap::_page_allocator")?;
        return plain(vm, pages, "XPageAllocator::_used", "XPageAllocator::_capacity");
    }
    let heap = vm.place(collected, "ZCollectedHeap::_heap")?;
    let pages = vm.place(heap, "ZHeap::_page_allocator")?;
    if vm.has("ZPageAllocator::_capacity") {
        return plain(vm, pages, "ZPageAllocator::_used", "ZPageAllocator::_capacity");
    }
    if vm.has("ZPageAllocator::_physical") {
        let used = vm.word(pages, "ZPageAllocator::_used")?;
        let physical = vm.place(pages, "ZPageAllocator::_physical")?;
        let committed = Some(vm.word(physical, "ZPhysicalMemoryManager::_capacity")?);
        return Ok(Usage { used, committed, spaces: Vec::new() });
    }
    partitions(vm, pages)
}

fn plain(vm: &Vm<'_>, pages: u64, used: &str, capacity: &str) -> Read<Usage> {
    Ok(Usage { used: vm.word(pages, used)?, committed: Some(vm.word(pages, capacity)?), spaces: Vec::new() })
}

/// JDK 25: a partition per NUMA node. How many there are is not exported, so they are added up until they make the
/// allocator's own sum, which stands behind `_max_capacity` (zPageAllocator.hpp) under no exported name. Where nodes
/// may be empty, only the sum is certain.
fn partitions(vm: &Vm<'_>, pages: u64) -> Read<Usage> {
    let sum_at = vm.place(pages, "ZPageAllocator::_max_capacity")?.saturating_add(8);
    let sum = vm.target.memory.u64(sum_at).ok_or("the page of ZPageAllocator is not in memory")?;
    let first = vm.word(vm.place(pages, "ZPageAllocator::_partitions")?, "ZPerNUMAZPartition::_addr")?;
    let (mut used, mut capacity) = (0_u64, 0_u64);
    for node in 0..NODES_MAX {
        let partition = first.saturating_add(node.saturating_mul(NODE_STRIDE));
        used = used.saturating_add(vm.word(partition, "ZPartition::_used")?);
        capacity = capacity.saturating_add(vm.word(partition, "ZPartition::_capacity")?);
        if used == sum {
            let committed = (!vm.flags.is_on("UseNUMA")).then_some(capacity);
            return Ok(Usage { used, committed, spaces: Vec::new() });
        }
        if used > sum {
            break;
        }
    }
    Err("the partitions of ZGC do not add up to what it uses".to_owned())
}
