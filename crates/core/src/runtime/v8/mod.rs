//! Node.js and its engine V8, from outside.
//!
//! The program is recognised by what it exports, the version by its own constants, the heap by the pages' headers, and
//! the amounts by V8's own counters, each proven by what must be true of it.

mod areas;
mod flags;
mod image;
mod isolate;
mod layout;
mod page;

use std::collections::{BTreeMap, BTreeSet};

use self::image::{Embedder, Program};
use self::isolate::{Isolate, Limits, Reader};
use self::layout::Layout;
use self::page::Page;
use super::{Heap, Inside, Name, Reading, Runtime, Target, Tear};
use crate::fact::Gap;
use crate::units::Bytes;

/// Node.js 16 to 26; recognises Bun, Deno and Electron.
#[derive(Debug)]
pub(super) struct V8;

/// Isolates that are read, at most; each is a thread.
const ISOLATES_MAX: usize = 4096;

/// Reads until two agree, at most.
const TRIES: usize = 16;

/// Used memory of two readings agrees when it differs by less than this part of the heap: a program that runs allocates.
const CLOSE: u64 = 128;

/// The virtual functions of Node's allocator of array buffers, and how far behind the symbol objects point (Itanium C++
/// ABI, 2.5.2).
const ALLOCATOR: &str = "_ZTVN4node24NodeArrayBufferAllocatorE";
const TABLE_HEAD: u64 = 16;

impl Runtime for V8 {
    fn read(&self, target: &Target<'_>) -> Option<Reading> {
        let mut programs = image::candidates(target).filter_map(|first| Program::open(target, first));
        let (program, embedder) = programs.find_map(|it| it.embedder().map(|embedder| (it, embedder)))?;
        Some(match embedder {
            Embedder::Node => node(target, &program),
            Embedder::Bun => foreign(Name::Native, "Bun's engine is JavaScriptCore, whose heap cannot be read"),
            Embedder::Deno => foreign(Name::V8, "a program like Deno, whose V8 does not export its version"),
            Embedder::Other => foreign(Name::V8, "a program that embeds V8 and is not Node.js"),
        })
    }
}

fn gap(what: &str, because: impl Into<String>) -> Gap {
    Gap { what: what.to_owned(), because: because.into(), command: String::new() }
}

fn foreign(name: Name, because: &str) -> Reading {
    let mut reading = Reading::unresolved(name);
    reading.gaps.push(gap("the JavaScript heap", because));
    reading
}

fn node(target: &Target<'_>, program: &Program<'_>) -> Reading {
    let mut reading = Reading::unresolved(Name::V8);
    reading.version = program.node_version(target.memory);
    if reading.version.is_none() {
        reading.gaps.push(gap("the version of Node.js", format!("{} does not hold it", program.file_name())));
    }
    let mut limits = None;
    match layout_of(target, program) {
        Ok(layout) => limits = heaps(&mut reading, target, program, layout),
        Err(because) => reading.gaps.push(gap("the V8 heap", because)),
    }
    reading.flags = flags::effective(target, limits);
    reading
}

fn layout_of(target: &Target<'_>, program: &Program<'_>) -> Result<&'static Layout, String> {
    let [major, minor, build, patch] = program.v8_version(target.memory).ok_or("the version of V8 is not in memory")?;
    layout::of((major, minor)).ok_or_else(|| format!("the layout of V8 {major}.{minor}.{build}.{patch} is not known"))
}

/// Fills in the heaps of all isolates; the limits of the main thread's, where that can be told.
fn heaps(reading: &mut Reading, target: &Target<'_>, program: &Program<'_>, layout: &'static Layout) -> Option<Limits> {
    let pages = page::find(target, layout.header);
    let by_address: BTreeMap<u64, Page> = pages.iter().map(|page| (page.at, *page)).collect();
    let allocator_table = program.symbol(ALLOCATOR).and_then(|table| table.checked_add(TABLE_HEAD));
    let reader = Reader { memory: target.memory, layout, pages: &by_address, allocator_table };
    let main = main_heap(target, &pages);
    areas::fill(reading, target.memory, &pages, layout, main);
    match isolates(&reader, &pages) {
        Ok(isolates) => {
            sums(reading, &isolates, layout, main);
            let of_main = |isolate: &&Isolate| main.is_none_or(|main| isolate.heap == main);
            isolates.iter().find(of_main).and_then(|isolate| isolate.limits)
        }
        Err(Unread { because, tear }) => {
            reading.gaps.push(gap("the V8 heap", because));
            reading.tear = tear;
            None
        }
    }
}

/// The heap of the main thread's isolate: that which lies in the program break, where the main thread's malloc takes
/// memory; other threads have arenas of their own. `None` where that does not tell.
fn main_heap(target: &Target<'_>, pages: &[Page]) -> Option<u64> {
    let heaps = heaps_of(pages);
    let is_main = |heap: &&u64| target.mapping_at(**heap).is_some_and(|mapping| mapping.name == "[heap]");
    match heaps.iter().filter(is_main).collect::<Vec<_>>().as_slice() {
        [main] => Some(**main),
        [] if heaps.len() == 1 => heaps.first().copied(),
        _ => None,
    }
}

fn heaps_of(pages: &[Page]) -> BTreeSet<u64> {
    pages.iter().map(|page| page.heap).filter(|heap| *heap != 0).collect()
}

/// Why isolates could not be read, and whether that may be because they changed.
struct Unread {
    because: String,
    tear: Option<Tear>,
}

/// All isolates.
fn isolates(reader: &Reader<'_>, pages: &[Page]) -> Result<Vec<Isolate>, Unread> {
    let unknown = |because: String| Unread { because, tear: None };
    let heaps = heaps_of(pages);
    if heaps.len() > ISOLATES_MAX {
        return Err(unknown(format!("pages name {} heaps", heaps.len())));
    }
    // Worker threads that have ended leave pages behind. A heap that is there, but not as the table says, is not taken
    // for one of them: all of a process have the same layout, so another one tells.
    let (gone, there): (Vec<u64>, Vec<u64>) = heaps.into_iter().partition(|heap| reader.is_gone(*heap));
    match there.as_slice() {
        [] if gone.is_empty() => Err(unknown("no page of a heap is in memory".to_owned())),
        [] => Err(unknown("the spaces are not where they must be".to_owned())),
        _ => there.into_iter().map(|heap| steady(reader, heap)).collect(),
    }
}

/// Reads an isolate until two readings in a row agree: its threads may be running. What objects take is left out where
/// it changes from one reading to the next by more than a program can allocate meanwhile.
fn steady(reader: &Reader<'_>, heap: u64) -> Result<Isolate, Unread> {
    let read = || {
        let contradiction = |because: String| Unread { tear: Some(Tear::Contradiction(because.clone())), because };
        reader.isolate(heap).map_err(contradiction)
    };
    let mut before = read()?;
    let mut last = None;
    for _ in 0..TRIES {
        let now = read()?;
        if before.committed() == now.committed() && before.limits == now.limits {
            if now.used_agrees(&before, now.committed() / CLOSE) {
                return Ok(now);
            }
            last = Some(now.clone());
        }
        before = now;
    }
    let too_fast =
        || Unread { because: "the heap changes too fast".to_owned(), tear: Some(Tear::Moving("the V8 heap")) };
    last.map(Isolate::without_used).ok_or_else(too_fast)
}

/// The amounts of all isolates together, and by space.
fn sums(reading: &mut Reading, isolates: &[Isolate], layout: &Layout, main: Option<u64>) {
    let sum = |amount: fn(&Isolate) -> Option<u64>| {
        isolates.iter().try_fold(0_u64, |sum, isolate| sum.checked_add(amount(isolate)?)).map(Bytes)
    };
    reading.resolved = true;
    reading.heap = Heap {
        used: sum(Isolate::used),
        committed: sum(|isolate| Some(isolate.committed())),
        max: sum(|isolate| isolate.limits.map(Limits::heap)),
    };
    reading.external = sum(|isolate| isolate.array_buffers.map(|(_, bytes)| bytes));
    if reading.heap.used.is_none() {
        // Where some reads tell it, it changes; where none does, pages may be new since the page table was read.
        let moving = isolates.iter().any(|isolate| isolate.used_changed);
        let elsewhere = "the areas that it allocates from are on none of its pages";
        let tear = if moving { Tear::Moving("what objects take") } else { Tear::Contradiction(elsewhere.to_owned()) };
        reading.tear = Some(tear);
    }
    let missing = [
        (
            reading.heap.used.is_none(),
            "what objects take of the V8 heap",
            "the heap is being collected, or this build of V8 keeps its allocation areas elsewhere",
        ),
        (reading.heap.max.is_none(), "the limit of the V8 heap", "it is not where it must be"),
        (reading.external.is_none(), "array buffers", "their allocator is not Node's"),
    ];
    for (_, what, because) in missing.into_iter().filter(|(is_missing, ..)| *is_missing) {
        reading.gaps.push(gap(what, because));
    }
    let mut used: BTreeMap<(usize, usize), u64> = BTreeMap::new();
    for isolate in isolates {
        let rank = rank(isolate.heap, main);
        for size in &isolate.spaces {
            let sum = used.entry((rank, size.id)).or_default();
            *sum = sum.saturating_add(size.used.unwrap_or_default());
        }
    }
    for ((rank, id), bytes) in used.into_iter().filter(|(_, bytes)| *bytes > 0) {
        let space = layout.spaces[id];
        reading.inside.push(Inside { part: space.part(), name: space.used[rank], bytes: Bytes(bytes) });
    }
}

/// 0 for the main thread's isolate, 1 for a worker's; 0 for all where that cannot be told.
fn rank(heap: u64, main: Option<u64>) -> usize {
    usize::from(main.is_some_and(|main| main != heap))
}
