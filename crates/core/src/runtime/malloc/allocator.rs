//! Which malloc serves a program: by the libraries it maps, and by what the program itself defines.

use crate::runtime::elf::{self, Elf, Table};
use crate::runtime::{Allocator, Target};

/// Libraries, by the beginning of their file name.
const LIBRARIES: [(&str, Allocator); 6] = [
    ("libjemalloc", Allocator::Jemalloc),
    ("libtcmalloc", Allocator::Tcmalloc),
    ("libmimalloc", Allocator::Mimalloc),
    ("ld-musl-", Allocator::Musl),
    ("libc.musl-", Allocator::Musl),
    ("libc.so.6", Allocator::Glibc),
];

/// Functions that only the allocator itself defines: jemalloc's (plain, and with the prefixes of its own builds and of
/// Rust's), tcmalloc's (gperftools' and Google's), mimalloc's.
const FUNCTIONS: [(&str, Allocator); 8] = [
    ("mallctl", Allocator::Jemalloc),
    ("je_mallctl", Allocator::Jemalloc),
    ("_rjem_mallctl", Allocator::Jemalloc),
    ("_rjem_je_mallctl", Allocator::Jemalloc),
    ("tc_malloc", Allocator::Tcmalloc),
    ("TCMallocInternalMalloc", Allocator::Tcmalloc),
    ("mi_malloc", Allocator::Mimalloc),
    ("mi_version", Allocator::Mimalloc),
];

/// The allocator in front: one that was preloaded or linked in before the C library's.
pub(super) fn recognise(target: &Target<'_>) -> Option<Allocator> {
    let by_library = |(beginning, allocator): &(&str, Allocator)| {
        target.mapping_of(|name| name.starts_with(beginning)).map(|_| *allocator)
    };
    let (libc, others): (Vec<_>, Vec<_>) =
        LIBRARIES.iter().partition(|(_, allocator)| matches!(allocator, Allocator::Glibc | Allocator::Musl));
    let own = || {
        let program = target.program()?;
        let file = elf::open(target, program)?;
        let elf = Elf::parse(&file, program)?;
        let names = FUNCTIONS.map(|(name, _)| name);
        let defined = |table| elf.symbols(table, names).iter().position(Option::is_some).map(|at| FUNCTIONS[at].1);
        let hidden = || {
            if elf.exports_all() {
                return None;
            }
            let mut image = target.images.open(program)?;
            elf.mentions(&mut image, Table::All, &names).then(|| defined(Table::All))?
        };
        defined(Table::Exported).or_else(hidden)
    };
    let old_glibc = || super::glibc::library(target).map(|_| Allocator::Glibc);
    others
        .into_iter()
        .find_map(by_library)
        .or_else(own)
        .or_else(|| libc.into_iter().find_map(by_library))
        .or_else(old_glibc)
}
