//! glibc's malloc: its arenas, from `main_arena` in the C library's data around the circle, and their heaps.

use std::ops::Range;

use super::layout::{self, HEAP_MAX, Layout};
use super::{Counted, Malloc, chunks, fastbins, gap, mapped};
use crate::process::Mapping;
use crate::runtime::elf::{self, Elf};
use crate::runtime::{Area, Inside, Target};
use crate::units::Bytes;
use crate::waterfall::PartKind;

/// More arenas than any process has: eight for each of 512 processors.
const ARENAS_MAX: usize = 4096;
/// A process that runs changes its heaps while they are read; then they are read anew.
const ATTEMPTS: usize = 3;

/// Where the C library is mapped, if it is glibc: `libc.so.6`, and `libc-2.31.so` before 2.34.
pub(super) fn library<'t>(target: &'t Target<'_>) -> Option<&'t Mapping> {
    target.mapping_of(|name| name == "libc.so.6" || (name.starts_with("libc-2.")))
}

/// Reads all that glibc has, into `malloc`.
pub(super) fn read(target: &Target<'_>, libc: &Mapping, taken: &[Area], malloc: &mut Malloc) {
    let Some(minor) = release(target, libc) else {
        malloc.gaps.push(gap("glibc's malloc", "the C library does not tell its release"));
        return;
    };
    let Some(layout) = layout::of(minor) else {
        malloc.gaps.push(gap("glibc's malloc", format!("the layout of its heaps in glibc 2.{minor} is not known")));
        return;
    };
    let data: Vec<Data> = data(target, libc);
    let Some(main) = data.iter().find_map(|data| data.main_arena(target, layout)) else {
        // A process that never asked malloc for anything has no arena yet; neither has one that brings its own malloc.
        return;
    };
    let Some(arenas) = circle(target, layout, main) else {
        malloc.gaps.push(gap("glibc's malloc", "its list of arenas does not close"));
        return;
    };
    let mut sum = Sum::default();
    let mut failed = Vec::new();
    for (number, arena) in arenas.iter().enumerate() {
        let mut read = self::arena(target, layout, *arena, number == 0);
        for _ in 1..ATTEMPTS {
            read = read.or_else(|_| self::arena(target, layout, *arena, number == 0));
        }
        match read {
            Ok(arena) => sum.add(arena, &mut malloc.areas),
            Err(because) => failed.push(because),
        }
    }
    let resident: u64 = malloc.areas.iter().map(|area| target.residency.bytes_in(area.at.clone())).sum();
    let parameters = data.iter().find_map(|data| data.parameters(layout, sum.heap_base?, target.page));
    let chunks = parameters.as_ref().map(|told| mapped::find(target, layout, told, taken, &malloc.areas));
    if let Some(because) = failed.first() {
        let what = format!("use of {} of {} malloc arenas", failed.len(), arenas.len());
        malloc.gaps.push(gap(what, *because));
    } else {
        malloc.inside.push(inside("used", resident.saturating_sub(sum.free.resident)));
        malloc.inside.push(inside("free but retained", sum.free.resident));
    }
    let mut counted = Counted { used: Bytes(sum.system - sum.free.bytes.min(sum.system)), ..Counted::default() };
    counted.free = Bytes(sum.free.bytes);
    match (chunks, parameters) {
        (Some(Ok(found)), Some(told)) => {
            let resident = found.iter().map(|area| target.residency.bytes_in(area.at.clone())).sum();
            malloc.inside.push(inside("mmapped", resident));
            malloc.areas.extend(found);
            counted.mapped = Bytes(told.bytes);
            malloc.counted = failed.is_empty().then_some(counted);
        }
        (Some(Err(because)), _) => malloc.gaps.push(gap("malloc's chunks with mappings of their own", because)),
        _ => malloc.gaps.push(gap("malloc's chunks with mappings of their own", "glibc's count of them was not found")),
    }
}

/// The minor of `2.minor`, from the banner that every build carries (csu/version.c).
fn release(target: &Target<'_>, libc: &Mapping) -> Option<u32> {
    let file = elf::open(target, libc)?;
    let constants = Elf::parse(&file, libc)?.constants()?;
    let banner = &constants[memchr::memmem::find(constants, b"GNU C Library ")?..];
    let banner = &banner[..banner.len().min(256)];
    let marker = b"release version 2.";
    let number = &banner[memchr::memmem::find(banner, marker)? + marker.len()..];
    let digits = number.iter().take_while(|byte| byte.is_ascii_digit()).count();
    std::str::from_utf8(&number[..digits]).ok()?.parse().ok()
}

/// The C library's variables.
struct Data {
    start: u64,
    bytes: Vec<u8>,
}

fn data(target: &Target<'_>, libc: &Mapping) -> Vec<Data> {
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
    fn main_arena(&self, target: &Target<'_>, layout: &Layout) -> Option<u64> {
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
    fn parameters(&self, layout: &Layout, heap_base: u64, page: u64) -> Option<Told> {
        let at = layout.parameters;
        let read = |offset: usize| {
            (self.word(offset + at.heap_base)? == heap_base).then_some(())?;
            let chunks = self.word(offset + at.mapped_chunks - at.mapped_chunks % 8)?;
            let chunks = if at.mapped_chunks.is_multiple_of(8) { chunks & 0xffff_ffff } else { chunks >> 32 };
            let (bytes, most) = (self.word(offset + at.mapped_bytes)?, self.word(offset + at.mapped_bytes + 8)?);
            let agrees =
                (chunks == 0) == (bytes == 0) && bytes.is_multiple_of(page) && bytes <= most && chunks <= bytes / page;
            agrees.then_some(Told { chunks, bytes })
        };
        let mut found = (0..self.bytes.len()).step_by(8).filter_map(read);
        let first = found.next();
        first.filter(|_| found.next().is_none())
    }
}

fn word(bytes: &[u8], offset: usize) -> Option<u64> {
    Some(u64::from_le_bytes(bytes.get(offset..)?.first_chunk::<8>().copied()?))
}

/// What an arena says of itself.
struct State {
    bytes: Vec<u8>,
    top: u64,
    next: u64,
    system: u64,
}

impl State {
    fn read(target: &Target<'_>, layout: &Layout, address: u64) -> Option<Self> {
        let bytes = target.memory.bytes(address, layout.state)?;
        let (top, next) = (word(&bytes, layout.top)?, word(&bytes, layout.next)?);
        let system = word(&bytes, layout.system_mem)?;
        Some(Self { bytes, top, next, system })
    }

    /// Its memory is something, never was more than `max_system_mem` (the next field), and its top is writable memory.
    fn is_plausible(&self, target: &Target<'_>) -> bool {
        let writable = |address| target.mapping_at(address).is_some_and(|mapping| mapping.writable);
        self.system > 0
            && self.system < 1 << 47
            && self.top.is_multiple_of(16)
            && writable(self.top)
            && writable(self.next)
    }
}

/// The arenas, the main one first: each names the next, and the last the first.
fn circle(target: &Target<'_>, layout: &Layout, main: u64) -> Option<Vec<u64>> {
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
struct Arena {
    heaps: Vec<Range<u64>>,
    system: u64,
    free: chunks::Free,
    heap_base: Option<u64>,
}

#[derive(Default)]
struct Sum {
    system: u64,
    free: chunks::Free,
    heap_base: Option<u64>,
}

impl Sum {
    fn add(&mut self, arena: Arena, areas: &mut Vec<Area>) {
        self.system = self.system.saturating_add(arena.system);
        self.free.bytes = self.free.bytes.saturating_add(arena.free.bytes);
        self.free.resident = self.free.resident.saturating_add(arena.free.resident);
        self.heap_base = self.heap_base.or(arena.heap_base);
        areas.extend(arena.heaps.into_iter().map(area));
    }
}

fn arena(target: &Target<'_>, layout: &Layout, address: u64, is_main: bool) -> Result<Arena, &'static str> {
    let state = State::read(target, layout, address).ok_or("its state is not in memory")?;
    let (heaps, heap_base) = if is_main {
        let heap = main_heap(target, &state)?;
        let base = heap.at.start;
        (vec![heap], Some(base))
    } else {
        (heaps(target, layout, address, &state)?, None)
    };
    let mut free = chunks::Free::default();
    for heap in &heaps {
        let top = heap.at.contains(&state.top).then_some(state.top);
        let counted = chunks::walk(target, heap.first..heap.at.end, top)
            .ok_or("its chunks do not add up: they changed while they were read, or pages are swapped out")?;
        free.bytes = free.bytes.saturating_add(counted.bytes);
        free.resident = free.resident.saturating_add(counted.resident);
    }
    if let Some(bins) = layout.fastbins {
        let lists = (0..layout::FASTBINS).filter_map(|bin| word(&state.bytes, bins.at + 8 * bin));
        let fast = fastbins::sum(target, lists, bins.protected, state.system).ok_or("its fast bins do not end")?;
        free.bytes = free.bytes.saturating_add(fast);
        free.resident = free.resident.saturating_add(fast);
    }
    if free.bytes > state.system {
        return Err("more is free than it has");
    }
    Ok(Arena { heaps: heaps.into_iter().map(|heap| heap.at).collect(), system: state.system, free, heap_base })
}

/// A stretch of addresses with chunks.
struct Heap {
    at: Range<u64>,
    first: u64,
}

/// The main heap ends with its top and is as long as the arena says, unless something else moved the program break.
fn main_heap(target: &Target<'_>, state: &State) -> Result<Heap, &'static str> {
    let size =
        target.memory.u64(state.top.saturating_add(8)).ok_or("its end is not in memory: it grew meanwhile")? & !7;
    let end = state.top.checked_add(size).ok_or("its end is no address")?;
    let start = end.checked_sub(state.system).ok_or("it is larger than its addresses")?;
    let broken = "the program break was moved by others than malloc";
    let mapping = target.mapping_at(start).filter(|mapping| mapping.writable).ok_or(broken)?;
    let continues = end <= mapping.end || target.mapping_at(end - 1).is_some_and(|last| last.writable);
    // Without randomised addresses the heap begins within the last page of the program's data.
    (continues && state.top >= start).then_some(()).ok_or(broken)?;
    Ok(Heap { at: start..end, first: start.next_multiple_of(16) })
}

/// The heaps of another arena, from the newest to the one that holds its state; together they are what it says.
fn heaps(target: &Target<'_>, layout: &Layout, arena: u64, state: &State) -> Result<Vec<Heap>, &'static str> {
    let broken = "its heaps are not as large together as it says";
    let mut heaps = Vec::new();
    let mut sum: u64 = 0;
    let mut at = state.top & !(HEAP_MAX - 1);
    while at != 0 {
        let header = target.memory.bytes(at, 24).ok_or("a heap's header is not in memory")?;
        let [owner, previous, size] = [0, 8, 16].map(|offset| word(&header, offset).unwrap_or_default());
        let fits = owner == arena
            && size > 0
            && size <= HEAP_MAX
            && size.is_multiple_of(target.page)
            && at.is_multiple_of(HEAP_MAX);
        sum = sum.saturating_add(size);
        if !fits || sum > state.system {
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

pub(super) fn area(at: Range<u64>) -> Area {
    Area { at, part: PartKind::Malloc, name: "" }
}

fn inside(name: &'static str, bytes: u64) -> Inside {
    Inside { part: PartKind::Malloc, name, bytes: Bytes(bytes) }
}
