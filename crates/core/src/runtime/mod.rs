//! Language runtimes, read from outside: recognise one, locate its own figures in its memory, read and check them.
//!
//! A runtime is one file (or folder) with an `impl Runtime` and one line in [`RUNTIMES`]. A probe that cannot check
//! what it read gives a reading that is not resolved; it never gives a number that may be wrong. No attach, no signal,
//! no symbols: only reads of pages that are present.

use crate::process::{Mapping, Residency, Thread};
use crate::units::Bytes;

mod cpython;
mod elf;
mod exports;
pub(crate) mod flags;
pub mod golang;
mod hotspot;
pub mod malloc;
mod memory;
mod reading;
mod recognised;
pub mod told;
mod v8;

pub use memory::{Image, Images, Memory};
pub use reading::{Allocator, Area, EffectiveFlag, Heap, Inside, Name, Reading, Tear};

/// A process that is looked at. Its arguments and environment are secret: only memory flags found in them may leave.
pub struct Target<'a> {
    /// The host's pid.
    pub pid: u32,
    /// The thread leader's name.
    pub comm: &'a str,
    /// Its mappings, by address.
    pub mappings: &'a [Mapping],
    /// Its pages that were in memory when looked at.
    pub residency: &'a Residency,
    /// Its threads.
    pub threads: &'a [Thread],
    /// `/proc/PID/cmdline`, word by word.
    pub arguments: &'a [String],
    /// `/proc/PID/environ`, as it was at the start: names and values.
    pub environment: &'a [(String, String)],
    /// Its memory.
    pub memory: &'a dyn Memory,
    /// The files that it maps.
    pub images: &'a dyn Images,
    /// The smallest limit over its cgroup and those above, where there is one.
    pub limit: Option<Bytes>,
    /// The size of a page.
    pub page: u64,
}

impl Target<'_> {
    /// The mapping that holds `address`.
    pub fn mapping_at(&self, address: u64) -> Option<&Mapping> {
        let behind = self.mappings.partition_point(|mapping| mapping.start <= address);
        self.mappings[..behind].last().filter(|mapping| mapping.holds(address))
    }

    /// The first mapping of a file whose name satisfies `is`: where an image is loaded begins at offset 0.
    pub fn mapping_of(&self, is: impl Fn(&str) -> bool) -> Option<&Mapping> {
        self.mappings.iter().find(|mapping| mapping.inode != 0 && is(file_name(&mapping.name)))
    }

    /// The program itself: it is mapped first, but for the loader where that was called by name.
    pub fn program(&self) -> Option<&Mapping> {
        let is_loader = |mapping: &Mapping| file_name(&mapping.name).starts_with("ld-");
        self.mappings.iter().find(|mapping| mapping.inode != 0 && mapping.offset == 0 && !is_loader(mapping))
    }

    /// A variable of the environment at its start.
    pub fn variable(&self, name: &str) -> Option<&str> {
        self.environment.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// The last part of a path.
pub fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// A kind of runtime.
pub trait Runtime: Sync {
    /// Reads `target` if it is of this kind; `None` if it is not. Recognised but not readable is `Some` of
    /// [`Reading::unresolved`] with a gap that says why.
    fn read(&self, target: &Target<'_>) -> Option<Reading>;
}

/// All runtimes, in the order in which they are tried: what embeds another comes first.
#[rustfmt::skip]
pub static RUNTIMES: &[&dyn Runtime] = &[
    &recognised::Openj9,
    &hotspot::Hotspot,
    &cpython::Cpython,
    &v8::V8,
    &golang::Golang,
    &recognised::Recognised,
];

/// Reads a process by the first runtime that knows it, and its malloc beside.
pub fn read(target: &Target<'_>) -> Reading {
    let runtime = RUNTIMES.iter().find_map(|runtime| runtime.read(target));
    let mut reading = runtime.unwrap_or_else(|| Reading::unresolved(Name::Native));
    let malloc = malloc::malloc(target, &reading.areas);
    reading.allocator = reading.allocator.or(malloc.allocator);
    reading.flags.extend(malloc.flags);
    reading.areas.extend(malloc.areas);
    reading.inside.extend(malloc.inside);
    reading.gaps.extend(malloc.gaps);
    reading.tear = reading.tear.or(malloc.tear);
    reading
}
