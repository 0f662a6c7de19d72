//! Node.js and its engine V8, from outside.
//!
//! The program is recognised by what it exports, the version by its own constants, the heap by the pages' headers, and
//! the amounts by V8's own counters, each proven by what must be true of it.

mod image;
mod isolate;
mod layout;
mod page;

use std::collections::BTreeMap;

use self::image::{Embedder, Program};
use self::isolate::{Isolate, Reader};
use self::layout::{Kind, Layout};
use self::page::Page;
use super::{Area, Heap, Inside, Name, Reading, Runtime, Target};
use crate::fact::Gap;
use crate::units::Bytes;
use crate::waterfall::PartKind;

/// Node.js 16 to 26; recognises Bun, Deno and Electron.
#[derive(Debug)]
pub(super) struct V8;

/// Isolates that are read, at most; each is a thread.
const ISOLATES_MAX: usize = 4096;

/// Reads until two agree, at most.
const TRIES: usize = 6;

impl Runtime for V8 {
    fn read(&self, target: &Target<'_>) -> Option<Reading> {
        let programs = image::candidates(target).filter_map(|first| Program::open(target, first));
        let (program, embedder) = programs.filter_map(|it| it.embedder().map(|embedder| (it, embedder))).next()?;
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
    let Some(v8) = program.v8_version(target.memory) else {
        reading.gaps.push(gap("the V8 heap", "the version of V8 is not in memory"));
        return reading;
    };
    let Some(layout) = layout::of((v8[0], v8[1])) else {
        let [major, minor, build, patch] = v8;
        reading.gaps.push(gap("the V8 heap", format!("V8 {major}.{minor}.{build}.{patch} is not known")));
        return reading;
    };
    let pages = page::find(target, layout.header);
    let by_address: BTreeMap<u64, Page> = pages.iter().map(|page| (page.at, *page)).collect();
    let reader = Reader {
        memory: target.memory,
        layout,
        pages: &by_address,
        allocator_table: program.symbol("_ZTVN4node24NodeArrayBufferAllocatorE").and_then(|at| at.checked_add(16)),
    };
    match isolates(&reader, &pages) {
        Ok(isolates) => fill(&mut reading, target, &pages, &isolates, layout),
        Err(because) => reading.gaps.push(gap("the V8 heap", because)),
    }
    reading
}

/// All isolates, the one of the main thread first where that can be told.
fn isolates(reader: &Reader<'_>, pages: &[Page]) -> Result<Vec<Isolate>, String> {
    let mut heaps: Vec<u64> = pages.iter().map(|page| page.heap).filter(|heap| *heap != 0).collect();
    heaps.sort_unstable();
    heaps.dedup();
    if heaps.is_empty() || heaps.len() > ISOLATES_MAX {
        return Err(format!("no page of a heap was found, or of too many: {}", heaps.len()));
    }
    heaps.into_iter().map(|heap| steady(reader, heap)).collect()
}

/// Reads an isolate until two readings in a row agree: its threads may be running.
fn steady(reader: &Reader<'_>, heap: u64) -> Result<Isolate, String> {
    let mut before = reader.isolate(heap)?;
    for _ in 0..TRIES {
        let now = reader.isolate(heap)?;
        if now.committed() == before.committed() && now.array_buffers == before.array_buffers {
            return Ok(now);
        }
        before = now;
    }
    Err("the heap changes too fast".to_owned())
}

fn fill(reading: &mut Reading, target: &Target<'_>, pages: &[Page], isolates: &[Isolate], layout: &Layout) {
    let _ = (target, Kind::New);
    let is_worker = |_heap: u64| false;
    let sum = |amount: fn(&Isolate) -> Option<u64>| {
        isolates.iter().try_fold(0_u64, |sum, isolate| sum.checked_add(amount(isolate)?)).map(Bytes)
    };
    reading.resolved = true;
    reading.heap = Heap {
        used: sum(Isolate::used),
        committed: sum(|isolate| Some(isolate.committed())),
        max: sum(|isolate| isolate.limits.map(isolate::Limits::heap)),
    };
    reading.external = sum(|isolate| isolate.array_buffers.map(|(_, bytes)| bytes));
    let ranks: BTreeMap<u64, usize> =
        isolates.iter().map(|isolate| (isolate.heap, usize::from(is_worker(isolate.heap)))).collect();
    for (rank, size) in
        isolates.iter().flat_map(|isolate| isolate.spaces.iter().map(|size| (ranks[&isolate.heap], size)))
    {
        let space = layout.spaces[size.id];
        let part = if space.code { PartKind::V8Code } else { PartKind::V8Heap };
        if let Some(used) = size.used.filter(|used| *used > 0) {
            reading.inside.push(Inside { part, name: space.used[rank], bytes: Bytes(used) });
        }
    }
    for page in pages {
        reading.areas.push(Area { at: page.at..page.at.saturating_add(page.size), part: PartKind::V8Heap, name: "" });
    }
}
