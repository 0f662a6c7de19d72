//! Large chunks of glibc's malloc, each with a mapping of its own. Neighbouring mappings are one to the kernel, so they
//! are told by the header at their first page.

use std::ops::Range;

use super::data::Told;
use super::glibc;
use super::layout::Layout;
use crate::process::{Backing, Mapping};
use crate::runtime::{Area, Target};

/// Pages looked at in one call.
const PAGES: usize = 1024;
const IS_MMAPPED: u64 = 2;

/// The chunks that were found.
pub(super) struct Found {
    pub(super) areas: Vec<Area>,
    /// How they differ from glibc's count, where they do: a program that runs maps and unmaps some meanwhile.
    pub(super) apart: Option<String>,
}

/// A program that runs may give back or take so many of its chunks while they are looked for.
const FEW: u64 = 16;

/// The chunks. An error where there are more of them than glibc counts: then some of what was found is none. `taken` and
/// `heaps` hold none.
pub(super) fn find(
    target: &Target<'_>,
    layout: &Layout,
    told: &Told,
    taken: &[Area],
    heaps: &[Area],
) -> Result<Found, String> {
    let mut seen = taken.iter().chain(heaps).map(|area| area.at.clone()).collect::<Vec<_>>();
    seen.sort_unstable_by_key(|range| range.start);
    let mut search = Search { target, layout, told, found: Vec::new(), bytes: 0 };
    let candidates: Vec<&Mapping> = target.mappings.iter().filter(|mapping| may_hold(mapping)).collect();
    // A mapping's first page is the likeliest place, and rows of chunks begin there.
    for mapping in &candidates {
        search.row(mapping.start, mapping.end, &seen);
    }
    if !search.is_done() {
        search.found.clear();
        search.bytes = 0;
        for mapping in &candidates {
            search.everywhere(mapping, &seen);
        }
    }
    let apart = (!search.is_done()).then(|| {
        let (count, bytes) = (search.found.len(), search.bytes);
        format!("found {count} of {bytes} B, glibc counts {} of {} B", told.chunks, told.bytes)
    });
    if let Some(apart) = apart.as_ref().filter(|_| !is_credible(search.found.len() as u64, search.bytes, told)) {
        return Err(apart.clone());
    }
    Ok(Found { areas: search.found.into_iter().map(glibc::area).collect(), apart })
}

/// So many chunks may be told's: each has a header of its own, so fewer are only not all of them (some may be swapped out,
/// or came later), but many more are something else.
fn is_credible(count: u64, bytes: u64, told: &Told) -> bool {
    let few = told.chunks / FEW + 2;
    let of_few = told.bytes / told.chunks.max(1) * few;
    count <= told.chunks.saturating_add(few) && bytes <= told.bytes.saturating_add(of_few)
}

fn may_hold(mapping: &Mapping) -> bool {
    let anonymous = mapping.backing() == Backing::Anonymous && !mapping.shared;
    // Their names tell of others: the program break, stacks, Go's and V8's heaps.
    let named = !mapping.name.is_empty() && !mapping.name.starts_with("[anon: glibc: malloc");
    anonymous && mapping.readable && mapping.writable && !named
}

struct Search<'a> {
    target: &'a Target<'a>,
    layout: &'a Layout,
    told: &'a Told,
    found: Vec<Range<u64>>,
    bytes: u64,
}

impl Search<'_> {
    fn is_done(&self) -> bool {
        self.found.len() as u64 == self.told.chunks && self.layout.mapped.agrees(self.told.bytes, self.bytes)
    }

    /// The length of the mapping of the chunk whose first words these are.
    fn length(&self, at: u64, end: u64, previous: u64, size: u64) -> Option<u64> {
        let length = self.layout.mapped.length(size & !7);
        let is = previous == 0 && size & 7 == IS_MMAPPED && length > 0 && length.is_multiple_of(self.target.page);
        (is && length <= end - at).then_some(length)
    }

    fn push(&mut self, at: Range<u64>) {
        self.bytes = self.bytes.saturating_add(at.end - at.start);
        self.found.push(at);
    }

    /// Chunks one behind the other, from `at` on.
    fn row(&mut self, mut at: u64, end: u64, seen: &[Range<u64>]) {
        while at < end && !self.is_done() {
            if let Some(range) = holder(seen, at) {
                at = range.end;
                continue;
            }
            let mut header = [0; 16];
            let [previous, size] = if self.target.memory.read(at, &mut header) { words(header) } else { [0; 2] };
            let Some(length) = self.length(at, end, previous, size) else { return };
            self.push(at..at + length);
            at += length;
        }
    }

    /// Every page that is in memory and not within a chunk that was found.
    fn everywhere(&mut self, mapping: &Mapping, seen: &[Range<u64>]) {
        let page = self.target.page;
        let mut next = mapping.start;
        let mut headers = Vec::new();
        for run in self.target.residency.within(mapping.start..mapping.end) {
            let mut at = run.at.start.max(next);
            while at < run.at.end && !self.is_done() {
                if let Some(range) = holder(seen, at) {
                    at = range.end.next_multiple_of(page);
                    continue;
                }
                let pages: Vec<u64> =
                    (at..run.at.end).step_by(usize::try_from(page).unwrap_or(4096)).take(PAGES).collect();
                let read = self.target.memory.gather(&pages, 16, &mut headers);
                next = at;
                for ((address, header), read) in pages.iter().zip(headers.chunks_exact(16)).zip(read) {
                    let Ok(header) = <[u8; 16]>::try_from(header) else { continue };
                    if *address < next || !read || holder(seen, *address).is_some() {
                        continue;
                    }
                    let [previous, size] = words(header);
                    if let Some(length) = self.length(*address, mapping.end, previous, size) {
                        self.push(*address..*address + length);
                        next = *address + length;
                    }
                }
                at = next.max(pages.last().map_or(run.at.end, |last| last + page));
                next = at;
            }
        }
    }
}

fn words(header: [u8; 16]) -> [u64; 2] {
    let (first, second) = header.split_at(8);
    [first, second].map(|half| half.try_into().map_or(0, u64::from_le_bytes))
}

/// The range of `sorted` that holds `address`.
fn holder(sorted: &[Range<u64>], address: u64) -> Option<&Range<u64>> {
    let behind = sorted.partition_point(|range| range.start <= address);
    sorted[..behind].last().filter(|range| range.contains(&address))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn some_chunks_that_came_or_went_meanwhile_do_not_make_the_others_doubtful() {
        let mib = |count: u64| count << 20;
        let is = |count, told| is_credible(count, mib(count), &Told { chunks: told, bytes: mib(told) });
        assert!(is(134, 136) && is(136, 134) && is(3, 1) && is(0, 9));
        assert!(!is(160, 134) && !is(4, 1), "what was found are not all chunks");
        assert!(!is_credible(10, mib(100), &Told { chunks: 10, bytes: mib(10) }), "they are much larger");
        assert!(!is(1, 0));
    }
}
