//! The arenas of glibc's malloc: each has heaps, and in them chunks.

use std::ops::Range;

use super::chunks::{self, Free};
use super::data::word;
use super::fastbins;
use super::layout::{self, HEAP_MAX, Layout};
use crate::runtime::Target;

/// More arenas than any process has: eight for each of 512 processors.
const ARENAS_MAX: usize = 4096;
/// A process that runs changes its heaps while they are read; then they are read anew.
const ATTEMPTS: usize = 3;

/// What an arena says of itself.
pub(super) struct State {
    bytes: Vec<u8>,
    top: u64,
    next: u64,
    system: u64,
}

impl State {
    /// Reads it at `address`.
    pub(super) fn read(target: &Target<'_>, layout: &Layout, address: u64) -> Option<Self> {
        let bytes = target.memory.bytes(address, layout.state)?;
        let (top, next) = (word(&bytes, layout.top)?, word(&bytes, layout.next)?);
        let system = word(&bytes, layout.system_mem)?;
        Some(Self { bytes, top, next, system })
    }

    /// It has some memory, and the end of it as well as the next arena are in writable memory.
    pub(super) fn is_plausible(&self, target: &Target<'_>) -> bool {
        let writable = |address| target.mapping_at(address).is_some_and(|mapping| mapping.writable);
        self.system > 0
            && self.system < 1 << 47
            && self.top.is_multiple_of(16)
            && writable(self.top)
            && writable(self.next)
    }
}

/// The arenas, the main one first: each names the next, and the last the first.
pub(super) fn circle(target: &Target<'_>, layout: &Layout, main: u64) -> Option<Vec<u64>> {
    let mut arenas = vec![main];
    while arenas.len() <= ARENAS_MAX {
        let next = State::read(target, layout, *arenas.last()?)?.next;
        if next == main {
            return Some(arenas);
        }
        arenas.push(next);
    }
    None
}

/// What one arena has.
pub(super) struct Arena {
    /// Its heaps' addresses.
    pub heaps: Vec<Range<u64>>,
    /// `system_mem`: what it has from the system.
    pub system: u64,
    /// What of it is free.
    pub free: Free,
}

/// Reads the arena at `address`; the main one has the program break for its heap.
pub(super) fn read(target: &Target<'_>, layout: &Layout, address: u64, is_main: bool) -> Result<Arena, &'static str> {
    let mut read = once(target, layout, address, is_main);
    for _ in 1..ATTEMPTS {
        read = read.or_else(|_| once(target, layout, address, is_main));
    }
    let mut arena = read?;
    let mut fast = fast(target, layout, address);
    for _ in 1..ATTEMPTS {
        fast = fast.or_else(|| self::fast(target, layout, address));
    }
    let fast = fast.ok_or("its fast bins do not end")?;
    arena.free.bytes = arena.free.bytes.saturating_add(fast);
    arena.free.resident = arena.free.resident.saturating_add(fast);
    if arena.free.bytes > arena.system {
        return Err("more is free than it has");
    }
    Ok(arena)
}

fn once(target: &Target<'_>, layout: &Layout, address: u64, is_main: bool) -> Result<Arena, &'static str> {
    let state = State::read(target, layout, address).ok_or("its state is not in memory")?;
    let heaps = if is_main { vec![main_heap(target, &state)?] } else { heaps(target, layout, address, &state)? };
    let mut free = Free::default();
    for heap in &heaps {
        let counted = chunks::walk(target, heap.first..heap.at.end, heap.at.contains(&state.top))
            .ok_or("its chunks do not add up: they changed while they were read, or pages are swapped out")?;
        free.bytes = free.bytes.saturating_add(counted.bytes);
        free.resident = free.resident.saturating_add(counted.resident);
    }
    Ok(Arena { heaps: heaps.into_iter().map(|heap| heap.at).collect(), system: state.system, free })
}

fn fast(target: &Target<'_>, layout: &Layout, address: u64) -> Option<u64> {
    let Some(bins) = layout.fastbins else { return Some(0) };
    let state = State::read(target, layout, address)?;
    let lists = (0..layout::FASTBINS).filter_map(|bin| word(&state.bytes, bins.at + 8 * bin));
    fastbins::sum(target, lists, bins.protected, state.system)
}

/// A stretch of addresses with chunks.
struct Heap {
    at: Range<u64>,
    first: u64,
}

/// The main heap ends with its top and is as long as the arena says, unless something else moved the program break.
fn main_heap(target: &Target<'_>, state: &State) -> Result<Heap, &'static str> {
    let broken = "its heap is not of one piece: others moved the program break, or it could not be moved";
    let size =
        target.memory.u64(state.top.saturating_add(8)).ok_or("its end was not in memory: it grew meanwhile")? & !7;
    let end = state.top.checked_add(size).ok_or(broken)?;
    let start = end.checked_sub(state.system).ok_or(broken)?;
    let writable = |address| target.mapping_at(address).is_some_and(|mapping| mapping.writable);
    if state.top < start || size == 0 || !writable(start) || !writable(end - 1) {
        return Err(broken);
    }
    // Without randomised addresses it begins within the last page of the program's data.
    Ok(Heap { at: start..end, first: start.next_multiple_of(16) })
}

/// The heaps of another arena, from the newest to the one that holds its state; together they are what it says.
fn heaps(target: &Target<'_>, layout: &Layout, arena: u64, state: &State) -> Result<Vec<Heap>, &'static str> {
    let broken = "its heaps are not as large together as it says";
    let mut heaps = Vec::new();
    let mut sum: u64 = 0;
    let mut at = state.top & !(HEAP_MAX - 1);
    loop {
        let header = target.memory.bytes(at, 24).ok_or("a heap's header is not in memory")?;
        let [owner, previous, size] = [0, 8, 16].map(|offset| word(&header, offset).unwrap_or_default());
        let fits = owner == arena && size > 0 && size <= HEAP_MAX && size.is_multiple_of(target.page);
        sum = sum.saturating_add(size);
        if !fits || !at.is_multiple_of(HEAP_MAX) || sum > state.system {
            return Err(broken);
        }
        let holds_state = arena == at + layout.heap_header;
        let first = if holds_state { arena + layout.state as u64 } else { at + layout.heap_header };
        heaps.push(Heap { at: at..at + size, first: first.next_multiple_of(16) });
        if holds_state {
            break;
        }
        at = previous;
    }
    if sum == state.system { Ok(heaps) } else { Err(broken) }
}
