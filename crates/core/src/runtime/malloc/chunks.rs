//! A walk over the chunks of one glibc heap: each begins with its size, and tells whether its predecessor is in use.
//!
//! `mchunk_size` stands 8 bytes behind a chunk's address; its lowest bits are PREV_INUSE, IS_MMAPPED and
//! NON_MAIN_ARENA (malloc/malloc.c, unchanged since 2.3).

use std::ops::Range;

use crate::runtime::Target;

const PREV_INUSE: u64 = 1;
const FLAGS: u64 = 7;
/// The smallest chunk.
const CHUNK_MIN: u64 = 32;
/// A heap that is not its arena's newest ends with two chunks that are none, within so many bytes.
const FENCE: u64 = 64;
/// Read at once: large enough that the call does not matter, small enough for the processor's cache.
const WINDOW: u64 = 256 << 10;

/// Free chunks of a heap.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Free {
    /// All of them, the last one included.
    pub bytes: u64,
    /// Of these, what is in memory.
    pub resident: u64,
}

/// Walks from the first chunk to the last: the arena's top where this heap `has_top`, which ends with the heap, else the
/// fence at its end. Where the top begins may change meanwhile. `None` when a chunk cannot be one, or a header is not in
/// memory.
pub(super) fn walk(target: &Target<'_>, heap: Range<u64>, has_top: bool) -> Option<Free> {
    let mut window = Window::new(target, heap.end);
    let mut free = Free::default();
    let mut at = heap.start;
    let mut previous = 0;
    loop {
        let word = window.size_of(at)?;
        let size = word & !FLAGS;
        if word & PREV_INUSE == 0 && previous != 0 {
            free.add(&window, at - previous..at);
        }
        let (end, left) = (at.checked_add(size)?, heap.end.checked_sub(at)?);
        if has_top && end == heap.end {
            free.add(&window, at..end);
            return Some(free);
        }
        if !has_top && size == 0 && left <= FENCE {
            return Some(free);
        }
        let fence = !has_top && size == CHUNK_MIN / 2 && left <= FENCE;
        if (size < CHUNK_MIN && !fence) || !size.is_multiple_of(16) || end > heap.end {
            return None;
        }
        previous = size;
        at = end;
    }
}

impl Free {
    fn add(&mut self, window: &Window<'_>, chunk: Range<u64>) {
        self.bytes = self.bytes.saturating_add(chunk.end - chunk.start);
        let resident = window.resident(chunk);
        self.resident = self.resident.saturating_add(resident);
    }
}

/// A stretch of pages that are in memory, read at once.
struct Window<'a> {
    target: &'a Target<'a>,
    end: u64,
    start: u64,
    bytes: Vec<u8>,
    /// How much is read next: little behind a jump over a large chunk, as a row of them is likely.
    next: u64,
}

impl<'a> Window<'a> {
    fn new(target: &'a Target<'a>, end: u64) -> Self {
        Self { target, end, start: 0, bytes: Vec::new(), next: WINDOW }
    }

    fn holds(&self, range: &Range<u64>) -> bool {
        self.start <= range.start && range.end <= self.start + self.bytes.len() as u64
    }

    /// The word that holds the size of the chunk at `at`.
    fn size_of(&mut self, at: u64) -> Option<u64> {
        let word = at.checked_add(8)?;
        let behind = at.checked_add(16)?;
        if !self.holds(&(word..behind)) {
            self.move_to(word)?;
        }
        let offset = usize::try_from(word - self.start).ok()?;
        Some(u64::from_le_bytes(self.bytes.get(offset..)?.first_chunk::<8>().copied()?))
    }

    fn move_to(&mut self, at: u64) -> Option<()> {
        let page = self.target.page;
        let loaded = self.start + self.bytes.len() as u64;
        let jumped = self.bytes.is_empty() || at > loaded.saturating_add(page);
        self.next = if jumped { page } else { self.next.saturating_mul(4).min(WINDOW) };
        let start = at - at % page;
        let most = start.saturating_add(self.next).min(self.end.next_multiple_of(page));
        let mut end = start;
        for run in self.target.residency.within(start..most) {
            if run.at.start != end {
                break;
            }
            end = run.at.end;
        }
        self.start = start;
        self.bytes.resize(usize::try_from(end - start).ok()?, 0);
        if self.bytes.is_empty() || !self.target.memory.read(start, &mut self.bytes) {
            self.bytes.clear();
            return None;
        }
        Some(())
    }

    fn resident(&self, chunk: Range<u64>) -> u64 {
        // What was read is in memory; so are small chunks in sum, without asking for each.
        if self.holds(&chunk) { chunk.end - chunk.start } else { self.target.residency.bytes_in(chunk) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::process::{Mapping, Page, Residency, Run};
    use crate::runtime::{Image, Images, Memory};

    const START: u64 = 0x1_0000;

    /// One page.
    struct Stretch(Vec<u8>);

    impl Memory for Stretch {
        fn read(&self, address: u64, into: &mut [u8]) -> bool {
            let Some(at) = address.checked_sub(START).and_then(|at| usize::try_from(at).ok()) else { return false };
            let Some(bytes) = self.0.get(at..at + into.len()) else { return false };
            into.copy_from_slice(bytes);
            true
        }
    }

    impl Images for Stretch {
        fn open(&self, _: &Mapping) -> Option<Box<dyn Image + '_>> {
            None
        }
    }

    /// A heap of one page whose chunks have these sizes, with their flags.
    fn counted(chunks: &[u64], has_top: bool) -> Option<(u64, u64)> {
        let mut bytes = vec![0; 4096];
        let mut at = 0;
        for word in chunks {
            bytes[at + 8..at + 16].copy_from_slice(&word.to_le_bytes());
            at += usize::try_from(word & !FLAGS).unwrap();
        }
        let page = Page { file: false, counted: false, charged_here: None };
        let residency = Residency::new([Run { at: START..START + 4096, page }], 0);
        let stretch = Stretch(bytes);
        let target = Target {
            pid: 1,
            comm: "",
            mappings: &[],
            residency: &residency,
            threads: &[],
            arguments: &[],
            environment: &[],
            memory: &stretch,
            images: &stretch,
            limit: None,
            page: 4096,
        };
        walk(&target, START..START + 4096, has_top).map(|free| (free.bytes, free.resident))
    }

    #[test]
    fn a_chunk_is_free_when_its_neighbour_says_so_and_the_top_always_is() {
        assert_eq!(counted(&[0x101, 0x201, 0x100, 0xc01], true), Some((0x200 + 0xc00, 0x200 + 0xc00)));
        assert_eq!(counted(&[0x1001], true), Some((0x1000, 0x1000)));
    }

    #[test]
    fn a_heap_without_top_ends_with_a_fence() {
        assert_eq!(counted(&[0x801, 0x7e1, 0x10, 0x1], false), Some((0x7e0, 0x7e0)));
    }

    #[test]
    fn what_cannot_be_a_chunk_is_no_number() {
        for chunks in [&[0x101, 0x8][..], &[0x101, 0x2001], &[0x101, 0x1f1, 0x11, 0xd01], &[0x101, 0xf11]] {
            assert_eq!(counted(chunks, true), None, "{chunks:x?}");
        }
    }
}
