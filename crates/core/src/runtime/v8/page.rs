//! V8's pages: aligned to 256 KiB, each with a header that tells its size, heap and space (`MemoryChunk`,
//! src/heap/memory-chunk.h).
//!
//! They are found by looking at every such address that is in memory, so nothing needs to be known of the isolates.

use super::layout::Header;
use crate::process::Backing;
use crate::runtime::{Memory, Target};

/// The alignment of pages: `kPageSize` (src/common/globals.h).
pub(super) const ALIGNMENT: u64 = 256 << 10;

/// Words of a page's header that are looked at.
const HEADER_WORDS: usize = 11;

/// Pages that are looked at, at most: 1 TiB of heap.
const PAGES_MAX: usize = 4 << 20;

/// A page of the heap, which may be large.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Page {
    /// Where it begins.
    pub at: u64,
    /// Its length.
    pub size: u64,
    /// The `Heap` that it belongs to; 0 for the read-only space that all isolates share.
    pub heap: u64,
    /// The `Space` that it belongs to; 0 as before.
    pub owner: u64,
    /// Where objects begin and end.
    pub area: [u64; 2],
}

/// All pages of `target`, by address.
pub(super) fn find(target: &Target<'_>, header: Header) -> Vec<Page> {
    let mut pages = Vec::new();
    let places = aligned_and_present(target);
    let heads = read(target.memory, &places, 0);
    let metadata: Vec<u64> = match header {
        Header::Metadata => heads.iter().map(|head| head.map_or(0, |words| words[1])).collect(),
        _ => Vec::new(),
    };
    let metadata = read(target.memory, &metadata, 8);
    let mut end = 0;
    for (index, (at, head)) in places.iter().zip(&heads).enumerate() {
        // What lies inside a large page is data, whatever it looks like.
        if *at < end {
            continue;
        }
        let Some(head) = head else { continue };
        let page = match header {
            Header::SizeFirst => of_words(*at, head[10], head[0], head[2], [head[3], head[4]], head[8]),
            Header::FlagsFirst => of_words(*at, head[1], head[2], head[3], [head[4], head[5]], head[9]),
            // The metadata, from its second word: address, reservation, allocated, wasted, mark, size, end, heap, start, owner.
            Header::Metadata => metadata
                .get(index)
                .copied()
                .flatten()
                .and_then(|words| of_words(*at, words[0], words[5], words[7], [words[8], words[6]], words[9])),
        };
        if let Some(page) = page {
            end = page.at.saturating_add(page.size);
            pages.push(page);
        }
    }
    pages
}

/// A page, if the words of its header are those of one: it names itself, and what it holds lies inside.
fn of_words(at: u64, own: u64, size: u64, heap: u64, area: [u64; 2], owner: u64) -> Option<Page> {
    let end = at.checked_add(size)?;
    let inside = at < area[0] && area[0] <= area[1] && area[1] <= end;
    let aligned = heap.is_multiple_of(8) && owner.is_multiple_of(8);
    (own == at && (4096..1 << 40).contains(&size) && inside && aligned).then_some(Page { at, size, heap, owner, area })
}

/// Every multiple of the alignment that is in memory, outside of files.
fn aligned_and_present(target: &Target<'_>) -> Vec<u64> {
    let mut places = Vec::new();
    for mapping in target.mappings.iter().filter(|mapping| mapping.readable && mapping.backing() == Backing::Anonymous)
    {
        for run in target.residency.within(mapping.start..mapping.end) {
            let mut at = run.at.start.checked_next_multiple_of(ALIGNMENT);
            while let Some(place) = at.filter(|place| *place < run.at.end && places.len() < PAGES_MAX) {
                places.push(place);
                at = place.checked_add(ALIGNMENT);
            }
        }
    }
    places
}

/// The words that begin `skip` bytes behind each place.
fn read(memory: &dyn Memory, places: &[u64], skip: u64) -> Vec<Option<[u64; HEADER_WORDS]>> {
    let places: Vec<u64> = places.iter().map(|place| place.saturating_add(skip)).collect();
    let mut bytes = Vec::new();
    let there = memory.gather(&places, HEADER_WORDS * 8, &mut bytes);
    let words = bytes.chunks_exact(HEADER_WORDS * 8).map(|slot| {
        let mut words = [0; HEADER_WORDS];
        for (word, bytes) in words.iter_mut().zip(slot.as_chunks::<8>().0) {
            *word = u64::from_le_bytes(*bytes);
        }
        words
    });
    there.iter().zip(words).map(|(there, words)| there.then_some(words)).collect()
}
