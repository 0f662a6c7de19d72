//! Concurrent mark sweep (JDK 8 to 13): what is used of its old generation is what its free lists do not hold.

use super::super::vm::{Read, Vm};
use super::Usage;
use super::generations::pair;

/// Lists of free chunks by size in words (`IndexSetSize`, compactibleFreeListSpace.hpp).
const LISTS: u64 = 257;

pub(super) fn usage(vm: &Vm<'_>) -> Read<Usage> {
    let (young, old) = pair(vm)?;
    let mut usage = Usage::default();
    usage.add_young(vm, young)?;
    let space = vm.word(old, "ConcurrentMarkSweepGeneration::_cmsSpace")?;
    let (bottom, end) = (vm.word(space, "Space::_bottom")?, vm.word(space, "Space::_end")?);
    let capacity = end.checked_sub(bottom).ok_or("the bounds of the old generation do not make sense")?;
    let free = free_words(vm, space)?.checked_mul(8).filter(|free| *free <= capacity);
    usage.used = usage.used.saturating_add(capacity - free.ok_or("more is free than there is")?);
    usage.committed = usage.committed.map(|sum| sum.saturating_add(capacity));
    usage.spaces.push((bottom..end, "old"));
    Ok(usage)
}

/// `CompactibleFreeListSpace::free`: the block that is allocated from, the dictionary of large chunks, and the lists.
fn free_words(vm: &Vm<'_>, space: u64) -> Read<u64> {
    let linear = vm.place(space, "CompactibleFreeListSpace::_smallLinearAllocBlock")?;
    let mut words = vm.word(linear, "LinearAllocBlock::_word_size")?;
    let dictionary = vm.word(space, "CompactibleFreeListSpace::_dictionary")?;
    words = words.saturating_add(vm.word(dictionary, "AFLBinaryTreeDictionary::_total_size")?);
    let lists = vm.place(space, "CompactibleFreeListSpace::_indexedFreeList[0]")?;
    let stride = vm.structs.size("AdaptiveFreeList<FreeChunk>").ok_or("the size of a free list is not known")?;
    // Chunks of one and two words there are none: a free chunk takes three.
    for index in 3..LISTS {
        let list = lists.saturating_add(stride.saturating_mul(index));
        let count = vm.word(list, "AdaptiveFreeList<FreeChunk>::_count")?;
        words = words.saturating_add(count.saturating_mul(index));
    }
    Ok(words)
}
