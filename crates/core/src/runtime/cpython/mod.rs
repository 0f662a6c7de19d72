//! CPython: what its object allocator holds (pymalloc, for objects of up to 512 bytes), read from the headers of its
//! pools and checked against its array of arenas. Larger objects are malloc's.

use super::elf::{self, Elf, Symbol, Table};
use super::{Area, Heap, Inside, Name, Reading, Runtime, Target, Tear, flags};
use crate::fact::Gap;
use crate::process::Mapping;
use crate::units::Bytes;
use crate::waterfall::PartKind;
use layout::Layout;
use version::Version;

mod arenas;
mod image;
mod layout;
mod pools;
mod version;

/// CPython.
pub(super) struct Cpython;

/// A process that runs changes its pools while they are read; then they are read anew.
const ATTEMPTS: usize = 3;

impl Runtime for Cpython {
    fn read(&self, target: &Target<'_>) -> Option<Reading> {
        let image = image::find(target)?;
        let file = elf::open(target, image)?;
        let elf = Elf::parse(&file, image)?;
        let exports = ["_PyRuntime", "Py_Version", "Py_GetVersion"];
        let [runtime, version, function] = elf.symbols(Table::Exported, exports);
        let Some(runtime) = runtime else { return function.map(|_| too_old(target, image)) };
        let version = version::read(target, &elf, image, version);
        let mut reading = Reading::unresolved(Name::Cpython);
        reading.flags = flags::given(target);
        reading.version = version.as_ref().map(|version| version.text.clone());
        match objects(target, image, runtime, version.as_ref()) {
            Ok(objects) => objects.tell(target, &mut reading),
            Err(Unread { because, may_change }) => {
                reading.tear = may_change.then(|| Tear::Contradiction(because.clone()));
                reading.gaps.push(gap("Python's objects", because));
            }
        }
        Some(reading)
    }
}

/// An interpreter from before `_PyRuntime` (3.7).
fn too_old(target: &Target<'_>, image: &Mapping) -> Reading {
    let mut reading = Reading::unresolved(Name::Cpython);
    reading.flags = flags::given(target);
    reading.version = version::of_old(target, image);
    let is = reading.version.as_ref().map_or_else(|| "it is older".to_owned(), |version| format!("it is {version}"));
    let (first, last) = layout::known();
    reading.gaps.push(gap("Python's objects", format!("{is}; CPython 3.{first} to 3.{last} can be read")));
    reading
}

/// All of pymalloc.
struct Objects {
    layout: &'static Layout,
    arenas: Vec<arenas::Arena>,
    pools: Vec<pools::Pool>,
    /// Pools in use that are in none of the arenas.
    foreign: usize,
}

/// Why they could not be read.
struct Unread {
    because: String,
    /// It may be another time.
    may_change: bool,
}

impl From<String> for Unread {
    fn from(because: String) -> Self {
        Self { because, may_change: false }
    }
}

fn objects(
    target: &Target<'_>,
    image: &Mapping,
    runtime: Symbol,
    version: Option<&Version>,
) -> Result<Objects, Unread> {
    let version = version.ok_or_else(|| "its version is not known".to_owned())?;
    let layout = layout::of(version.minor).ok_or_else(|| format!("pymalloc of {} is not known", version.text))?;
    if version::is_free_threaded(target, runtime) {
        return Err("a free-threaded build keeps its objects in mimalloc".to_owned().into());
    }
    // `PYTHONMALLOC` is read once, at the start.
    if let Some(other @ ("malloc" | "malloc_debug" | "mimalloc" | "mimalloc_debug")) = target.variable("PYTHONMALLOC") {
        return Err(format!("PYTHONMALLOC={other}: its objects are not in pymalloc").into());
    }
    let mut last = Err(Unread::from("no pools were found: built without pymalloc, or swapped out".to_owned()));
    let may_change = |because: String| Unread { because, may_change: true };
    for _ in 0..ATTEMPTS {
        let pools = pools::all(target, layout);
        if pools.is_empty() {
            return last;
        }
        let Some(arenas) = arenas::all(target, layout, image, &pools) else {
            last = Err(may_change("the interpreter's list of arenas was not found".to_owned()));
            continue;
        };
        let used = |pool: &&pools::Pool| pool.blocks > 0;
        let (own, others): (Vec<_>, Vec<_>) =
            pools.into_iter().partition(|pool| arenas::holder(layout, &arenas, pool).is_some());
        let foreign = others.iter().filter(used).count();
        let told: u64 = arenas.iter().map(|arena| u64::from(arena.pools - arena.free_pools)).sum();
        let found = own.iter().filter(used).count() as u64;
        let objects = Objects { layout, arenas, pools: own, foreign };
        if found == told {
            return Ok(objects);
        }
        // Between two reads of a process that runs some pools come and go; more is another matter: swapped pages.
        let near = found.abs_diff(told) <= told / 100;
        let apart = || may_change(format!("found {found} pools in use, its arenas count {told}"));
        last = if near { Ok(objects) } else { Err(apart()) };
    }
    last
}

impl Objects {
    fn tell(self, target: &Target<'_>, reading: &mut Reading) {
        let used: u64 = self.pools.iter().map(|pool| u64::from(pool.blocks) * pool.size).sum();
        let resident = |at: std::ops::Range<u64>| target.residency.bytes_in(at);
        let in_use = self.pools.iter().filter(|pool| pool.blocks > 0);
        let in_pools: u64 = in_use.map(|pool| resident(pool.address..pool.address + self.layout.pool)).sum();
        let areas = self.arenas.iter().map(|arena| Area {
            at: arena.address..arena.address + self.layout.arena,
            part: PartKind::Pymalloc,
            name: "",
        });
        reading.areas = areas.collect();
        let in_arenas: u64 = reading.areas.iter().map(|area| resident(area.at.clone())).sum();
        let inside = |name, bytes| Inside { part: PartKind::Pymalloc, name, bytes: Bytes(bytes) };
        reading.inside = vec![
            inside("in blocks", used.min(in_pools)),
            inside("free in pools", in_pools.saturating_sub(used)),
            inside("free pools", in_arenas.saturating_sub(in_pools)),
        ];
        let committed = self.layout.arena.saturating_mul(self.arenas.len() as u64);
        reading.heap = Heap { used: Some(Bytes(used)), committed: Some(Bytes(committed)), max: None };
        reading.resolved = true;
        if self.foreign > 0 {
            let because = format!("{} pools are in none of the main interpreter's arenas", self.foreign);
            reading.gaps.push(gap("objects of sub-interpreters", because));
        }
    }
}

fn gap(what: &str, because: impl Into<String>) -> Gap {
    Gap { what: what.to_owned(), because: because.into(), command: String::new() }
}
