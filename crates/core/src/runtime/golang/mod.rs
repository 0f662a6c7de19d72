//! Go 1.19 to 1.27 on x86-64: the heap as the runtime's own counters tell it.
//!
//! The program's file tells the version and, through Go's function table, where a few functions of the runtime are;
//! their instructions tell where its variables are; a table tells what is where in those. So it works without symbols,
//! for position-independent programs, and for programs with C code in them.

use super::elf::{self, Elf};
use super::{Area, Heap, Inside, Name, Reading, Runtime, Target, Tear};
use crate::budget::golang::BESIDE_HEAP;
use crate::fact::Gap;
use crate::process::Mapping;
use crate::units::Bytes;
use crate::waterfall::PartKind;

mod areas;
mod functions;
mod layout;
mod places;
mod settings;
mod statistics;
mod version;
mod words;

use functions::Functions;
use layout::Layout;
pub use statistics::Statistics;
use statistics::Unread;

/// The Go runtime.
pub(super) struct Golang;

impl Runtime for Golang {
    fn read(&self, target: &Target<'_>) -> Option<Reading> {
        let (version, found) = look(target)?;
        let mut reading = Reading { version, ..Reading::unresolved(Name::Go) };
        match found {
            Ok(found) => resolve(target, &found, &mut reading),
            Err(NotFound { because, tear }) => {
                reading.gaps.push(gap(target, because));
                reading.tear = tear;
            }
        }
        Some(reading)
    }
}

/// The counters of a Go program's runtime; `None` where it is none, or where they could not be read for certain.
pub fn statistics(target: &Target<'_>) -> Option<Statistics> {
    look(target)?.1.ok().map(|found| found.statistics)
}

/// What was found in a program.
struct Found {
    statistics: Statistics,
    /// `None` where the heap's address ranges contradict the counters.
    areas: Option<Vec<Area>>,
}

/// Why nothing was found, and whether that may be because it changed.
struct NotFound {
    because: String,
    tear: Option<Tear>,
}

impl From<String> for NotFound {
    fn from(because: String) -> Self {
        Self { because, tear: None }
    }
}

impl From<&str> for NotFound {
    fn from(because: &str) -> Self {
        Self::from(because.to_owned())
    }
}

impl From<Unread> for NotFound {
    fn from(unread: Unread) -> Self {
        match unread {
            Unread::Contradicting => Self {
                because: "its counters do not add up".to_owned(),
                tear: Some(Tear::Moving("the counters of the Go runtime")),
            },
            Unread::Absent => Self::from("its counters are not in memory that is present".to_owned()),
        }
    }
}

/// The mapping that begins the program that was started: the lowest file that is mapped to be executed. Interpreters
/// and libraries are mapped above it (`ELF_ET_DYN_BASE`, fs/binfmt_elf.c).
fn program<'a>(target: &Target<'a>) -> Option<&'a Mapping> {
    let code = target.mappings.iter().find(|mapping| mapping.executable && mapping.inode != 0)?;
    let begins = |it: &&Mapping| it.inode == code.inode && it.name == code.name && it.offset == 0;
    target.mappings.iter().find(begins)
}

/// The version, where it is told, and what was found, or why nothing was. `None` for a program that is not Go's.
fn look(target: &Target<'_>) -> Option<(Option<String>, Result<Found, NotFound>)> {
    let mapping = program(target)?;
    let file = elf::open(target, mapping)?;
    let program = Elf::parse(&file, mapping)?;
    let version = version::version(&program)?;
    let found = find(target, &program, &version);
    Some(((!version.is_empty()).then_some(version), found))
}

fn find(target: &Target<'_>, program: &Elf<'_, '_>, version: &str) -> Result<Found, NotFound> {
    if version.is_empty() {
        return Err("it was built with Go before 1.18; 1.19 to 1.27 can be read".into());
    }
    let layout = version::minor(version).and_then(Layout::of);
    let layout = layout.ok_or_else(|| format!("it was built with {version}; 1.19 to 1.27 can be read"))?;
    if !program.is_amd64() {
        return Err("only programs for x86-64 can be read".into());
    }
    let functions = Functions::of(program, target)?;
    let places = places::places(program, &functions, &layout)?;
    let statistics = statistics::read(target.memory, &places, &layout)?;
    let heap = areas::heap(target.memory, &places, &layout, &statistics);
    let areas = heap.map(|heap| areas::areas(target, &places, &layout, &heap));
    Ok(Found { statistics, areas })
}

fn resolve(target: &Target<'_>, found: &Found, reading: &mut Reading) {
    let it = &found.statistics;
    reading.resolved = true;
    reading.heap = Heap {
        used: Some(it.heap_alloc),
        committed: Some(Bytes(it.heap_in_use.0.saturating_add(it.heap_free.0))),
        // GOMEMLIMIT is a goal: the heap outgrows it when what lives needs more.
        max: None,
    };
    reading.flags = settings::settings(target, it);
    let Some(areas) = &found.areas else {
        let because = "the address ranges of its heap contradict its counters";
        reading.gaps.push(gap(target, because.to_owned()));
        reading.tear = Some(Tear::Contradiction(because.to_owned()));
        return;
    };
    reading.areas.clone_from(areas);
    let inside = |name, bytes| Inside { part: PartKind::GoHeap, name, bytes };
    reading.inside = vec![
        inside("objects", it.heap_alloc),
        inside(BESIDE_HEAP[0], it.stacks_in_use),
        inside(BESIDE_HEAP[1], it.gc_in_heap),
        inside("free spans, not given back", it.heap_free),
        inside("free slots in spans", Bytes(it.heap_in_use.0.saturating_sub(it.heap_alloc.0))),
    ];
    reading.inside.retain(|inside| inside.bytes.0 > 0);
}

fn gap(target: &Target<'_>, because: String) -> Gap {
    Gap { what: format!("the Go runtime of process {}", target.pid), because, command: String::new() }
}
