//! malloc, which every process has beside its runtime: whose it is, which addresses are its own, and how much of them
//! is used.

use super::{Allocator, Area, EffectiveFlag, Inside, Target, Tear};
use crate::fact::Gap;
use crate::units::Bytes;

mod allocator;
mod arena;
mod chunks;
mod data;
mod fastbins;
mod glibc;
mod layout;
mod mapped;

/// What was learned of a process's malloc.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Malloc {
    /// Which implementation serves the program.
    pub allocator: Option<Allocator>,
    /// What malloc itself counts; `None` where it could not be read for certain. Only glibc's is.
    pub counted: Option<Counted>,
    /// Settings of its own, from the environment.
    pub flags: Vec<EffectiveFlag>,
    /// Its heaps and mappings.
    pub areas: Vec<Area>,
    /// The pages of `areas` that are in memory, as `used`, `free but retained` and `mmapped`: together all of them.
    pub inside: Vec<Inside>,
    /// What could not be read.
    pub gaps: Vec<Gap>,
    /// Some of that may be because the process ran meanwhile.
    pub tear: Option<Tear>,
}

/// glibc's own sums over all its arenas, as mallinfo2(3) gives them. They count addresses, in memory or not.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counted {
    /// Chunks in use, with their headers and those of the heaps (`uordblks`). Chunks in thread caches count as used.
    pub used: Bytes,
    /// Free chunks, the one at the end of each heap included (`fordblks`).
    pub free: Bytes,
    /// Chunks with a mapping of their own (`hblkhd`).
    pub mapped: Bytes,
}

impl Malloc {
    /// Notes that what was read of it does not agree, if it does not.
    fn doubt(&mut self, what: &str, because: Option<String>) {
        let Some(because) = because else { return };
        self.tear = self.tear.take().or_else(|| Some(Tear::Contradiction(because.clone())));
        self.gaps.push(gap(what, because));
    }
}

/// Variables that shape malloc: glibc's (mallopt(3), the GNU C Library's manual, "Memory Allocation Tunables"),
/// jemalloc's, tcmalloc's and mimalloc's.
const VARIABLES: [&str; 12] = [
    "MALLOC_ARENA_MAX",
    "MALLOC_ARENA_TEST",
    "MALLOC_TRIM_THRESHOLD_",
    "MALLOC_MMAP_THRESHOLD_",
    "MALLOC_MMAP_MAX_",
    "MALLOC_TOP_PAD_",
    "MALLOC_CONF",
    "_RJEM_MALLOC_CONF",
    "TCMALLOC_RELEASE_RATE",
    "TCMALLOC_MAX_TOTAL_THREAD_CACHE_BYTES",
    "MIMALLOC_PURGE_DELAY",
    "MIMALLOC_ARENA_EAGER_COMMIT",
];

/// Reads the malloc of `target`. `taken` belongs to its runtime: no chunk is looked for there.
pub fn malloc(target: &Target<'_>, taken: &[Area]) -> Malloc {
    let mut malloc = Malloc { allocator: allocator::recognise(target), flags: flags(target), ..Malloc::default() };
    if let Some(other @ (Allocator::Jemalloc | Allocator::Tcmalloc | Allocator::Mimalloc | Allocator::Musl)) =
        malloc.allocator
    {
        let name = format!("{other:?}").to_lowercase();
        malloc.gaps.push(gap("the heaps of malloc", format!("{name} serves the process, and its heaps are not read")));
    }
    if let Some(libc) = glibc::library(target) {
        glibc::read(target, libc, taken, &mut malloc);
    }
    malloc
}

fn flags(target: &Target<'_>) -> Vec<EffectiveFlag> {
    let flag = |(name, value): (&str, &str)| EffectiveFlag {
        name: name.to_owned(),
        value: value.to_owned(),
        from: "environment".to_owned(),
    };
    let own = VARIABLES.iter().filter_map(|name| Some((*name, target.variable(name)?)));
    let tunables = target.variable("GLIBC_TUNABLES").unwrap_or_default().split(':');
    let tunables = tunables.filter(|tunable| tunable.starts_with("glibc.malloc.")).filter_map(|it| it.split_once('='));
    // A value is a number or a short list; anything else is not what it claims to be.
    own.chain(tunables).filter(|(_, value)| value.len() <= 128).map(flag).collect()
}

fn gap(what: impl Into<String>, because: impl Into<String>) -> Gap {
    Gap { what: what.into(), because: because.into(), command: String::new() }
}
