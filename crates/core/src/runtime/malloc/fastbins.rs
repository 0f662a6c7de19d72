//! The fast bins of a glibc arena: single lists of small free chunks, which their neighbours believe to be in use.

use std::collections::HashMap;

use crate::runtime::Target;

/// Read at once; lists mostly run through neighbouring chunks.
const BLOCK: u64 = 16 << 10;
/// Blocks kept: 8 MiB.
const BLOCKS_MAX: usize = 512;
/// The largest chunk that M_MXFAST can put there, with its header.
const CHUNK_MAX: u64 = 176;

/// The sizes of all chunks on `lists`, together; `None` where a list holds what cannot be a chunk. `protected` links are
/// combined with their own address (malloc/malloc.c, `PROTECT_PTR`).
pub(super) fn sum(target: &Target<'_>, lists: impl Iterator<Item = u64>, protected: bool, system: u64) -> Option<u64> {
    let mut blocks = Blocks { target, kept: HashMap::new() };
    let mut sum: u64 = 0;
    for list in lists {
        let mut chunk = list;
        while chunk != 0 {
            let size = blocks.word(chunk.checked_add(8)?)? & !7;
            let at = chunk.checked_add(16)?;
            let link = blocks.word(at)?;
            sum = sum.checked_add(size)?;
            // The sum bounds the walk, too: a list that runs in circles exceeds what the arena has.
            if !(32..=CHUNK_MAX).contains(&size) || sum > system || !chunk.is_multiple_of(16) {
                return None;
            }
            chunk = if protected { link ^ (at >> 12) } else { link };
        }
    }
    Some(sum)
}

/// Memory in blocks, so that a list of neighbours costs few reads.
struct Blocks<'a> {
    target: &'a Target<'a>,
    kept: HashMap<u64, Vec<u8>>,
}

impl Blocks<'_> {
    fn word(&mut self, address: u64) -> Option<u64> {
        let start = address - address % BLOCK;
        let offset = usize::try_from(address % BLOCK).ok()?;
        if !self.kept.contains_key(&start) {
            if self.kept.len() >= BLOCKS_MAX {
                self.kept.clear();
            }
            let length = usize::try_from(BLOCK).ok()?;
            self.kept.insert(start, self.target.memory.bytes(start, length).unwrap_or_default());
        }
        match self.kept.get(&start).filter(|block| !block.is_empty()) {
            Some(block) => Some(u64::from_le_bytes(block.get(offset..)?.first_chunk::<8>().copied()?)),
            // Not all of the block is in memory.
            None => self.target.memory.u64(address),
        }
    }
}
