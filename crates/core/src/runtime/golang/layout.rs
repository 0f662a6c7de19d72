//! Where the Go runtime of each minor version keeps what the probe reads.

macro_rules! layouts {
    (from $first:literal; $($(#[doc = $doc:literal])* $field:ident: $kind:ty = $values:expr;)*) => {
        /// Offsets and sizes, in bytes, in the runtime of one minor version on a 64-bit machine. Patch releases do not
        /// change them: the first and the last one of every minor version agree.
        #[derive(Debug)]
        pub(super) struct Layout {
            $($(#[doc = $doc])* pub(super) $field: $kind,)*
        }

        impl Layout {
            /// That of Go 1.`minor`; `None` where it is not known.
            pub(super) fn of(minor: u32) -> Option<Self> {
                let column = usize::try_from(minor.checked_sub($first)?).ok()?;
                Some(Self {
                    $($field: {
                        const VALUES: &[$kind] = &$values;
                        *VALUES.get(column)?
                    },)*
                })
            }
        }
    };
}

// Printed by tests/runtimes/golang/offsets from DWARF: a column for each of Go 1.19 to 1.27.
layouts! {
    from 19;
    /// `gcControllerState.gcPercent` (src/runtime/mgcpacer.go), an `int32`; -1 is off.
    gc_percent: u64 = [0, 0, 0, 0, 0, 0, 0, 0, 0];
    /// `memoryLimit`, an `int64`; its largest value is none.
    memory_limit: u64 = [8, 8, 8, 8, 8, 8, 8, 8, 8];
    /// `heapInUse`: bytes in spans of the heap.
    heap_in_use: u64 = [304, 248, 272, 272, 272, 272, 272, 272, 272];
    /// `heapReleased`: bytes given back to the kernel.
    heap_released: u64 = [312, 256, 280, 280, 280, 280, 280, 280, 280];
    /// `heapFree`: bytes in no span that were not given back.
    heap_free: u64 = [320, 264, 288, 288, 288, 288, 288, 288, 288];
    /// `totalAlloc`: bytes allocated since the start.
    total_alloc: u64 = [328, 272, 296, 296, 296, 296, 296, 296, 296];
    /// `totalFree`: of those, bytes freed.
    total_free: u64 = [336, 280, 304, 304, 304, 304, 304, 304, 304];
    /// `mappedReady`: all that the runtime mapped and did not give back; what GOMEMLIMIT bounds.
    mapped_ready: u64 = [344, 288, 312, 312, 312, 312, 312, 312, 312];
    /// Its size.
    controller_size: u64 = [424, 368, 392, 392, 392, 392, 392, 392, 392];
    /// `mstats.stacks_sys` (src/runtime/mstats.go): stacks of threads that are not of the heap.
    stacks_sys: u64 = [3544, 3544, 3544, 3544, 3544, 3544, 3520, 3520, 3520];
    /// `mspan_sys`: descriptors of spans.
    mspan_sys: u64 = [3552, 3552, 3552, 3552, 3552, 3552, 3528, 3528, 3528];
    /// `mcache_sys`: allocation caches.
    mcache_sys: u64 = [3560, 3560, 3560, 3560, 3560, 3560, 3536, 3536, 3536];
    /// `buckhash_sys`: the profiler's table.
    buckhash_sys: u64 = [3568, 3568, 3568, 3568, 3568, 3568, 3544, 3544, 3544];
    /// `gcMiscSys`: the collector's own.
    gc_misc_sys: u64 = [3576, 3576, 3576, 3576, 3576, 3576, 3552, 3552, 3552];
    /// `other_sys`: all other.
    other_sys: u64 = [3584, 3584, 3584, 3584, 3584, 3584, 3560, 3560, 3560];
    /// `mstats.heapStats.stats`: three `heapStatsDelta`, whose sum is what holds.
    deltas: u64 = [0, 0, 0, 0, 0, 0, 0, 0, 0];
    /// The size of one.
    delta_size: u64 = [1176, 1176, 1176, 1176, 1176, 1176, 1168, 1168, 1168];
    /// `heapStatsDelta.released`: what `heapReleased` is.
    delta_released: u64 = [8, 8, 8, 8, 8, 8, 8, 8, 8];
    /// `inHeap`: what `heapInUse` is.
    delta_in_heap: u64 = [16, 16, 16, 16, 16, 16, 16, 16, 16];
    /// `inStacks`: spans of goroutines' stacks.
    delta_in_stacks: u64 = [24, 24, 24, 24, 24, 24, 24, 24, 24];
    /// `inWorkBufs`: spans of the collector's work buffers.
    delta_in_work_bufs: u64 = [32, 32, 32, 32, 32, 32, 32, 32, 32];
    /// `inPtrScalarBits`: spans of unrolled type programs.
    delta_in_ptr_scalar_bits: Option<u64> = [Some(40), Some(40), Some(40), Some(40), Some(40), Some(40), None, None, None];
    /// `mheap.pages.inUse.ranges` (src/runtime/mpagealloc.go, mranges.go): a slice of the heap's address ranges.
    in_use: u64 = [65696, 65688, 65688, 65688, 65688, 65688, 65688, 65688, 65688];
    /// `mheap.pages.inUse.totalBytes`: their length together.
    in_use_total: u64 = [65720, 65712, 65712, 65712, 65712, 65712, 65712, 65712, 65712];
    /// `mheap.pages.summary`: five slices in reserved ranges.
    summary: u64 = [16, 8, 8, 8, 8, 8, 8, 8, 8];
    /// `mheap.pages.chunks`: pointers to 8192 bitmaps of 128 bytes.
    chunks: u64 = [136, 128, 128, 128, 128, 128, 128, 128, 128];
    /// `mheap.pages.scav.index.chunks`: a slice in a reserved range.
    scavenge_index: u64 = [65752, 65736, 65728, 65728, 65728, 65728, 65728, 65728, 65728];
    /// The size of its elements.
    scavenge_index_entry: u64 = [1, 1, 8, 8, 8, 8, 8, 8, 8];
    /// `mheap.allspans`: a slice of pointers.
    all_spans: u64 = [65856, 65824, 65864, 65864, 65864, 65864, 65864, 65864, 65864];
    /// `mheap.arenas`: a pointer to the index of arenas by address.
    arenas: u64 = [65936, 65904, 65944, 66008, 66008, 66008, 66008, 66008, 66008];
    /// The size of `heapArena`, which describes one arena.
    heap_arena_size: u64 = [2_165_776, 1_133_584, 1_133_584, 68624, 68624, 68624, 69648, 69648, 69648];
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_version_from_1_19_to_1_27_has_a_layout_and_no_other() {
        let known: Vec<u32> = (0..100).filter(|minor| Layout::of(*minor).is_some()).collect();
        assert_eq!(known, (19..=27).collect::<Vec<_>>());
    }
}
