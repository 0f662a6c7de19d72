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
