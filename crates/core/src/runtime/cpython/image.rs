//! The file that holds the interpreter, and its variables.

use std::ops::Range;

use crate::process::Mapping;
use crate::runtime::Target;

/// A shared library, or the program.
pub(super) fn find<'t>(target: &'t Target<'_>) -> Option<&'t Mapping> {
    let is_library = |name: &str| name.starts_with("libpython3") || name.starts_with("libpython2");
    target.mapping_of(is_library).or_else(|| target.program())
}

/// Its variables, as far as they are in memory: what is writable of its file, and the memory without a file right behind
/// (`.bss`).
pub(super) fn variables(target: &Target<'_>, image: &Mapping) -> Vec<Vec<u8>> {
    let mut ranges: Vec<Range<u64>> = Vec::new();
    for mapping in target.mappings.iter().filter(|mapping| mapping.writable && mapping.readable) {
        let own = mapping.inode == image.inode && mapping.name == image.name;
        let nameless = mapping.inode == 0 && mapping.name.is_empty();
        if own || (nameless && ranges.last().is_some_and(|last| last.end == mapping.start)) {
            ranges.push(mapping.start..mapping.end);
        }
    }
    let runs = ranges.into_iter().flat_map(|range| target.residency.within(range));
    let bytes = runs.filter_map(|run| {
        let length = usize::try_from(run.at.end - run.at.start).ok()?;
        target.memory.bytes(run.at.start, length)
    });
    bytes.collect()
}
