//! The C library's variables, and in them the two that malloc hangs on: `main_arena` and `mp_`. Neither has a symbol in
//! a stripped library; what they hold tells them.

use std::ops::Range;

use super::arena::State;
use super::layout::{self, Layout};
use crate::process::Mapping;
use crate::runtime::Target;

/// The C library's variables.
pub(super) struct Data {
    start: u64,
    bytes: Vec<u8>,
}

/// All of them that are in memory.
pub(super) fn read(target: &Target<'_>, libc: &Mapping) -> Vec<Data> {
    let own = |mapping: &&Mapping| mapping.inode == libc.inode && mapping.name == libc.name && mapping.writable;
    let runs =
        target.mappings.iter().filter(own).flat_map(|mapping| target.residency.within(mapping.start..mapping.end));
    let ranges = runs.fold(Vec::<Range<u64>>::new(), |mut ranges, run| {
        match ranges.last_mut() {
            Some(last) if last.end == run.at.start => last.end = run.at.end,
            _ => ranges.push(run.at),
        }
        ranges
    });
    let read = |range: Range<u64>| {
        let length = usize::try_from(range.end - range.start).ok()?;
        Some(Data { start: range.start, bytes: target.memory.bytes(range.start, length)? })
    };
    ranges.into_iter().filter_map(read).collect()
}

/// What `mp_` says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Told {
    /// Chunks with a mapping of their own.
    pub chunks: u64,
    /// Their sum.
    pub bytes: u64,
}

impl Data {
    fn word(&self, offset: usize) -> Option<u64> {
        word(&self.bytes, offset)
    }

    /// `main_arena`, a local symbol: all its bins point at themselves or at chunks.
    pub(super) fn main_arena(&self, target: &Target<'_>, layout: &Layout) -> Option<u64> {
        let chunk = |address: u64| {
            address.is_multiple_of(16) && target.mapping_at(address).is_some_and(|mapping| mapping.writable)
        };
        let is_bin = |at: usize| {
            // A bin is a chunk whose `fd` and `bk` are the two pointers: it begins 16 bytes before them.
            let itself = self.start + at as u64 - 16;
            match (self.word(at), self.word(at + 8)) {
                (Some(forth), Some(back)) if forth == itself || back == itself => forth == back,
                (Some(forth), Some(back)) => chunk(forth) && chunk(back),
                _ => false,
            }
        };
        let is = |offset: &usize| {
            let address = self.start + *offset as u64;
            (0..layout::BINS).all(|bin| is_bin(offset + layout.bins + 16 * bin))
                && State::read(target, layout, address).is_some_and(|state| state.is_plausible(target))
        };
        let mut offsets = (0..self.bytes.len().saturating_sub(layout.state)).step_by(8).filter(is);
        offsets.next().map(|offset| self.start + offset as u64)
    }

    /// What `mp_`, a local symbol as well, says: it is found by its `sbrk_base`.
    pub(super) fn parameters(&self, layout: &Layout, heap_base: u64, page: u64) -> Option<Told> {
        let at = layout.parameters;
        let read = |offset: usize| {
            (self.word(offset + at.heap_base)? == heap_base).then_some(())?;
            let chunks = self.word(offset + at.mapped_chunks - at.mapped_chunks % 8)?;
            let chunks = if at.mapped_chunks.is_multiple_of(8) { chunks & 0xffff_ffff } else { chunks >> 32 };
            let (bytes, most) = (self.word(offset + at.mapped_bytes)?, self.word(offset + at.mapped_bytes + 8)?);
            let some = if chunks == 0 { layout.mapped.agrees(bytes, 0) } else { bytes > 0 };
            let agrees = some && bytes.is_multiple_of(16) && bytes <= most && chunks <= bytes / page;
            agrees.then_some(Told { chunks, bytes })
        };
        let mut found = (0..self.bytes.len()).step_by(8).filter_map(read);
        let first = found.next();
        first.filter(|_| found.next().is_none())
    }
}

/// The word at `offset`.
pub(super) fn word(bytes: &[u8], offset: usize) -> Option<u64> {
    Some(u64::from_le_bytes(bytes.get(offset..)?.first_chunk::<8>().copied()?))
}
