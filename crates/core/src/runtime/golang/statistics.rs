//! The runtime's own counters, and whether they agree with each other.

use super::layout::Layout;
use super::places::Places;
use super::words::{u32_at, u64_at};
use crate::runtime::Memory;
use crate::units::Bytes;

/// Reads before it is given up: one that meets a thread between two counters that belong together does not add up, and
/// the next one, microseconds later, does.
const ROUNDS: usize = 64;
/// Bytes that no process has (48 bits of addresses).
const IMPOSSIBLE: u64 = 1 << 48;

/// What a Go runtime counts of its own memory, as `runtime.MemStats` names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Statistics {
    /// `HeapAlloc`: objects that are live or not swept yet. It lags behind by what the allocation caches have given out
    /// since they were filled, which `ReadMemStats` collects first.
    pub heap_alloc: Bytes,
    /// `HeapInuse`: spans with objects.
    pub heap_in_use: Bytes,
    /// `HeapIdle` less `HeapReleased`: spans without, still the process's.
    pub heap_free: Bytes,
    /// `HeapReleased`: given back to the kernel.
    pub heap_released: Bytes,
    /// `StackInuse`: spans of goroutines' stacks, in the heap's address ranges.
    pub stacks_in_use: Bytes,
    /// `StackSys` less `StackInuse`: stacks of threads that the runtime mapped apart.
    pub stacks_apart: Bytes,
    /// `MSpanSys`: descriptors of spans.
    pub mspan_sys: Bytes,
    /// `MCacheSys`: allocation caches.
    pub mcache_sys: Bytes,
    /// `BuckHashSys`: the profiler's table.
    pub buckhash_sys: Bytes,
    /// `GCSys` less what of it lies in the heap's address ranges.
    pub gc_apart: Bytes,
    /// The rest of `GCSys`: work buffers and the like, in the heap's address ranges.
    pub gc_in_heap: Bytes,
    /// `OtherSys`.
    pub other_sys: Bytes,
    /// `Sys` less `HeapReleased`: all that the runtime mapped and did not give back, which is what GOMEMLIMIT bounds.
    pub mapped_ready: Bytes,
    /// The memory limit in force; `None` for off.
    pub memory_limit: Option<Bytes>,
    /// The percentage of GOGC in force; `None` for off.
    pub gc_percent: Option<u32>,
}

impl Statistics {
    /// `Sys`.
    pub fn sys(&self) -> Bytes {
        Bytes(self.mapped_ready.0.saturating_add(self.heap_released.0))
    }

    /// What lies in the heap's address ranges: the heap, stacks and work buffers.
    pub(super) fn in_heap_ranges(&self) -> u64 {
        let parts = [self.heap_in_use, self.heap_free, self.heap_released, self.stacks_in_use, self.gc_in_heap];
        parts.iter().fold(0, |sum, part| sum.saturating_add(part.0))
    }
}

/// Reads them until they agree.
pub(super) fn read(memory: &dyn Memory, places: &Places, layout: &Layout) -> Result<Statistics, Unread> {
    let size = |bytes: u64| usize::try_from(bytes).unwrap_or(usize::MAX);
    let sizes = (size(layout.controller_size), size(layout.other_sys + 8));
    let mut was_read = false;
    for _ in 0..ROUNDS {
        let controller = memory.bytes(places.controller, sizes.0);
        let statistics = memory.bytes(places.statistics, sizes.1);
        let (Some(controller), Some(statistics)) = (controller, statistics) else { continue };
        was_read = true;
        if let Some(it) = decode(&controller, &statistics, layout) {
            return Ok(it);
        }
    }
    Err(if was_read { Unread::Contradicting } else { Unread::Absent })
}

/// Why there are none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unread {
    /// Those that were read do not add up.
    Contradicting,
    /// They are not in memory that is present.
    Absent,
}

/// The counters, if they pass what the runtime itself demands of them with the world stopped (`readmemstats_m`,
/// src/runtime/mstats.go): each sum was counted twice, independently.
fn decode(controller: &[u8], statistics: &[u8], layout: &Layout) -> Option<Statistics> {
    let amount = |bytes: &[u8], at| u64_at(bytes, at).filter(|amount| *amount < IMPOSSIBLE);
    // Parts of it may be negative: memory is freed on another processor than it was allocated on.
    let consistent = |member: u64| {
        let delta = |index: u64| u64_at(statistics, layout.deltas + index * layout.delta_size + member);
        let sum = delta(0)?.wrapping_add(delta(1)?).wrapping_add(delta(2)?);
        (sum < IMPOSSIBLE).then_some(sum)
    };
    let heap_in_use = amount(controller, layout.heap_in_use)?;
    let heap_free = amount(controller, layout.heap_free)?;
    let heap_released = amount(controller, layout.heap_released)?;
    let mapped_ready = amount(controller, layout.mapped_ready)?;
    let heap_alloc = u64_at(controller, layout.total_alloc)?.checked_sub(u64_at(controller, layout.total_free)?)?;
    let stacks_in_use = consistent(layout.delta_in_stacks)?;
    let scalar_bits = layout.delta_in_ptr_scalar_bits.map_or(Some(0), consistent)?;
    let gc_in_heap = consistent(layout.delta_in_work_bufs)? + scalar_bits;
    let [stacks_apart, mspan_sys, mcache_sys, buckhash_sys, gc_apart, other_sys] = [
        layout.stacks_sys,
        layout.mspan_sys,
        layout.mcache_sys,
        layout.buckhash_sys,
        layout.gc_misc_sys,
        layout.other_sys,
    ]
    .map(|at| amount(statistics, at));
    let apart = [stacks_apart?, mspan_sys?, mcache_sys?, buckhash_sys?, gc_apart?, other_sys?];
    let ready = heap_in_use + heap_free + stacks_in_use + gc_in_heap + apart.iter().sum::<u64>();
    let agree = ready == mapped_ready
        && consistent(layout.delta_in_heap)? == heap_in_use
        && consistent(layout.delta_released)? == heap_released
        && heap_alloc <= heap_in_use;
    let limit = i64::from_le_bytes(u64_at(controller, layout.memory_limit)?.to_le_bytes());
    let percent = i32::from_le_bytes(u32_at(controller, layout.gc_percent)?.to_le_bytes());
    if !agree || limit < 0 || percent < -1 {
        return None;
    }
    Some(Statistics {
        heap_alloc: Bytes(heap_alloc),
        heap_in_use: Bytes(heap_in_use),
        heap_free: Bytes(heap_free),
        heap_released: Bytes(heap_released),
        stacks_in_use: Bytes(stacks_in_use),
        stacks_apart: Bytes(apart[0]),
        mspan_sys: Bytes(apart[1]),
        mcache_sys: Bytes(apart[2]),
        buckhash_sys: Bytes(apart[3]),
        gc_apart: Bytes(apart[4]),
        gc_in_heap: Bytes(gc_in_heap),
        other_sys: Bytes(apart[5]),
        mapped_ready: Bytes(mapped_ready),
        memory_limit: u64::try_from(limit).ok().filter(|_| limit != i64::MAX).map(Bytes),
        gc_percent: u32::try_from(percent).ok(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn put(bytes: &mut [u8], at: u64, value: u64) {
        let at = usize::try_from(at).unwrap();
        bytes[at..at + 8].copy_from_slice(&value.to_le_bytes());
    }

    /// Counters of a heap with 10 in use, 3 free, 5 released and 2 stacks, of which another processor freed one.
    fn counters(layout: &Layout) -> (Vec<u8>, Vec<u8>) {
        let (mut controller, mut statistics) = (vec![0; 512], vec![0; 4096]);
        put(&mut controller, layout.heap_in_use, 10);
        put(&mut controller, layout.heap_free, 3);
        put(&mut controller, layout.heap_released, 5);
        put(&mut controller, layout.total_alloc, 1009);
        put(&mut controller, layout.total_free, 1000);
        put(&mut controller, layout.mapped_ready, 10 + 3 + 2 + 7);
        put(&mut controller, layout.memory_limit, 1 << 30);
        put(&mut controller, layout.gc_percent, u64::from(u32::MAX));
        put(&mut statistics, layout.delta_in_heap, 10);
        put(&mut statistics, layout.delta_released, 5);
        put(&mut statistics, layout.delta_in_stacks, 3);
        put(&mut statistics, layout.delta_size + layout.delta_in_stacks, u64::MAX);
        put(&mut statistics, layout.other_sys, 7);
        (controller, statistics)
    }

    #[test]
    fn counters_that_agree_are_told_and_others_are_not() {
        for layout in (19..=27).filter_map(Layout::of) {
            let (mut controller, statistics) = counters(&layout);
            let it = decode(&controller, &statistics, &layout).unwrap();
            assert_eq!((it.heap_alloc, it.stacks_in_use, it.sys()), (Bytes(9), Bytes(2), Bytes(27)));
            assert_eq!((it.memory_limit, it.gc_percent, it.in_heap_ranges()), (Some(Bytes(1 << 30)), None, 20));
            put(&mut controller, layout.mapped_ready, 23);
            assert_eq!(decode(&controller, &statistics, &layout), None);
        }
    }

    proptest! {
        #[test]
        fn no_bytes_panic(controller in prop::collection::vec(any::<u8>(), 0..500), statistics in prop::collection::vec(any::<u8>(), 0..4000)) {
            let layout = Layout::of(22).unwrap();
            decode(&controller, &statistics, &layout);
        }
    }
}
