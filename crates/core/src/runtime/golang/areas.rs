//! Which addresses are the Go heap's, and which its runtime's own.

use std::ops::Range;

use super::layout::Layout;
use super::places::Places;
use super::statistics::Statistics;
use crate::runtime::{Area, Memory, Target};
use crate::waterfall::PartKind;

/// Where addresses are turned into indices: they are 48 bits with a sign (`arenaBaseOffset` on amd64,
/// src/runtime/malloc.go).
const FIRST_ADDRESS: u64 = 0x8000_0000_0000;
/// The heap grows by this much (`pallocChunkBytes`, src/runtime/mpagealloc.go).
const CHUNK: u64 = 4 << 20;
/// An arena (`heapArenaBytes`, Linux on 64 bits) and the index of all of them (`arenaL2Bits`).
const ARENA_BITS: u32 = 26;
const ARENA_INDEX: u64 = 8 << 22;
/// Chunks whose bitmaps are one block, and its size (`pallocChunksL2Bits`, `pallocData`).
const CHUNKS_BITS: u32 = 22 + 13;
const CHUNKS_BLOCK: u64 = 128 << 13;
/// `persistentChunkSize` (src/runtime/malloc.go).
const PERSISTENT: u64 = 256 << 10;
/// `gcBitsChunkBytes` (src/runtime/mheap.go), and in such a block the pointer to the next one.
const MARK_BITS: u64 = 64 << 10;
const MARK_BITS_NEXT: u64 = 8;
/// `gcBitsArenas`: a lock, and the lists `free`, `next`, `current` and `previous`.
const MARK_BITS_LISTS: Range<u64> = 1..5;

/// More ranges than a heap has: it is contiguous but where another mapping was in its way.
const RANGES_MAX: u64 = 1 << 16;
/// Arenas, and blocks of a list: a terabyte of heap, 16 GiB of structures.
const ARENAS_MAX: usize = 1 << 14;
const BLOCKS_MAX: usize = 1 << 16;
/// No structure is longer.
const STRUCTURE_MAX: u64 = 1 << 36;

/// The address ranges of the heap, if they hold at least what the counters say is in them.
pub(super) fn heap(
    memory: &dyn Memory,
    places: &Places,
    layout: &Layout,
    statistics: &Statistics,
) -> Option<Vec<Range<u64>>> {
    let slice = places.heap.checked_add(layout.in_use)?;
    let (first, count) = (memory.u64(slice)?, memory.u64(slice.checked_add(8)?)?);
    let total = memory.u64(places.heap.checked_add(layout.in_use_total)?)?;
    if count == 0 || count > RANGES_MAX {
        return None;
    }
    let bytes = memory.bytes(first, usize::try_from(count * 16).ok()?)?;
    let words: Vec<u64> =
        bytes.chunks_exact(8).filter_map(|word| Some(u64::from_le_bytes(*word.first_chunk()?))).collect();
    let ranges: Vec<Range<u64>> = words.chunks_exact(2).map(|pair| pair[0]..pair[1]).collect();
    let sane =
        ranges.iter().all(|it| it.start < it.end && it.start.is_multiple_of(CHUNK) && it.end.is_multiple_of(CHUNK));
    let sorted = ranges.windows(2).all(|pair| pair[0].end <= pair[1].start);
    let length = ranges.iter().try_fold(0_u64, |sum, it| sum.checked_add(it.end.checked_sub(it.start)?))?;
    // Address space is never given back: the ranges may have grown since the counters were read, not shrunk.
    (sane && sorted && length == total && total >= statistics.in_heap_ranges()).then_some(ranges)
}

/// The heap's ranges and then everything that the runtime keeps beside it. What cannot be found is left out; it stays
/// other anonymous memory.
pub(super) fn areas(target: &Target<'_>, places: &Places, layout: &Layout, heap: &[Range<u64>]) -> Vec<Area> {
    let memory = target.memory;
    let area = |part, name, at| Area { at, part, name };
    let mut areas: Vec<Area> = heap.iter().map(|at| area(PartKind::GoHeap, "", at.clone())).collect();
    let mut add = |name, start: Option<u64>, length: u64| {
        let end = start.and_then(|start| start.checked_add(length)).filter(|_| length <= STRUCTURE_MAX);
        if let (Some(start @ 1..), Some(end)) = (start, end) {
            areas.push(area(PartKind::GoRuntime, name, start..end));
        }
    };

    for block in list(memory, places.persistent.and_then(|at| memory.u64(at)), 0) {
        add("spans, caches and profiles", Some(block), PERSISTENT);
    }
    for which in MARK_BITS_LISTS {
        let first = places.mark_bits.and_then(|lists| memory.u64(lists.checked_add(8 * which)?));
        for block in list(memory, first, MARK_BITS_NEXT) {
            add("mark bits", Some(block), MARK_BITS);
        }
    }
    let word = |offset: u64| memory.u64(places.heap.checked_add(offset)?);
    let index = word(layout.arenas);
    add("arenas", index, ARENA_INDEX);
    for which in indices(heap, ARENA_BITS).take(ARENAS_MAX) {
        let description = index.and_then(|index| memory.u64(index.checked_add(8 * which)?));
        add("arenas", description, layout.heap_arena_size.next_multiple_of(target.page));
    }
    for block in indices(heap, CHUNKS_BITS).take(ARENAS_MAX) {
        add("free pages", word(layout.chunks + 8 * block), CHUNKS_BLOCK);
    }
    // A slice is a pointer, a length and a capacity, which is what was reserved for it.
    let mut slice = |name, offset: u64, element: u64| {
        add(name, word(offset), word(offset + 16).unwrap_or(0).saturating_mul(element));
    };
    (0..5).for_each(|level| slice("free pages", layout.summary + 24 * level, 8));
    slice("free pages", layout.scavenge_index, layout.scavenge_index_entry);
    slice("list of spans", layout.all_spans, 8);
    // Go 1.25 and later names what it maps where the kernel takes names (src/runtime/set_vma_name_linux.go).
    for mapping in target.mappings.iter().filter(|mapping| mapping.name.starts_with("[anon: Go: ")) {
        add("", Some(mapping.start), mapping.length());
    }
    areas
}

/// The blocks of a list, each of which holds at `next` the address of the one behind it.
fn list(memory: &dyn Memory, first: Option<u64>, next: u64) -> impl Iterator<Item = u64> {
    let is_block = |block: &u64| *block != 0 && block.is_multiple_of(4096);
    let behind = move |block: &u64| memory.u64(block.checked_add(next)?).filter(is_block);
    std::iter::successors(first.filter(is_block), behind).take(BLOCKS_MAX)
}

/// The indices of the pieces of `1 << bits` bytes that `ranges` lie in.
fn indices(ranges: &[Range<u64>], bits: u32) -> impl Iterator<Item = u64> {
    let index = move |address: u64| address.wrapping_add(FIRST_ADDRESS) >> bits;
    let mut behind = 0;
    ranges.iter().flat_map(move |range| {
        let pieces = index(range.start).max(behind)..=index(range.end - 1);
        behind = pieces.end() + 1;
        pieces
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_piece_that_a_range_touches_is_named_once() {
        let base = 0xc0_0000_0000_u64;
        let ranges = [base..base + CHUNK, base + 3 * CHUNK..base + 20 * CHUNK, base + 400 * CHUNK..base + 401 * CHUNK];
        let first = (base + FIRST_ADDRESS) >> ARENA_BITS;
        assert_eq!(indices(&ranges, ARENA_BITS).map(|index| index - first).collect::<Vec<_>>(), [0, 1, 25]);
    }
}
