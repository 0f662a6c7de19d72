//! Metaspace and compressed class space: where classes and all that belongs to them lie.

use std::ops::Range;

use super::classes::Class;
use super::vm::{Read, Vm};
use crate::process::Mapping;

/// Ranges of metaspace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Metaspace {
    /// Of everything but the classes' own structures.
    pub(super) metadata: Vec<Range<u64>>,
    /// Of those, or why it is not told; none with `-XX:-UseCompressedClassPointers`.
    pub(super) class_space: Option<Read<Range<u64>>>,
}

/// How metaspace takes memory from the system.
enum Layout {
    /// In root chunks of one size, each at a multiple of it, and nothing else lies in them (`MAX_CHUNK_BYTE_SIZE`,
    /// memory/metaspace/chunklevel.hpp: 4 MiB from JDK 16 on, 16 MiB from JDK 21 on).
    RootChunks(u64),
    /// In nodes of at least so many bytes (`VirtualSpaceSize`, memory/metaspace.cpp, up to JDK 15), anywhere.
    Nodes(u64),
}

impl Layout {
    /// By the feature release.
    fn of(release: u32) -> Self {
        match release {
            ..=15 => Self::Nodes(2 << 20),
            16..=20 => Self::RootChunks(4 << 20),
            _ => Self::RootChunks(16 << 20),
        }
    }
}

/// Finds the ranges by what is known to lie in them. Classes of the shared archive lie in neither.
pub(super) fn ranges(vm: &Vm<'_>, classes: &[Class], release: u32) -> Metaspace {
    let archive = archive(vm);
    let own = |at: u64| !archive.contains(&at) && vm.target.mapping_at(at).is_some_and(is_anonymous);
    let mut pools: Vec<u64> = classes.iter().map(|class| class.constants).filter(|at| own(*at)).collect();
    pools.sort_unstable();
    let layout = Layout::of(release);
    let metadata = match layout {
        Layout::RootChunks(size) => {
            let mut chunks: Vec<u64> = pools.iter().map(|at| at - at % size).collect();
            chunks.dedup();
            chunks.into_iter().map(|at| at..at.saturating_add(size)).collect()
        }
        Layout::Nodes(size) => clusters(vm, &pools, size),
    };
    let is_metadata = |at: u64| metadata.iter().any(|range: &Range<u64>| range.contains(&at));
    let klasses = || classes.iter().map(|class| class.at).filter(|at| own(*at) && !is_metadata(*at));
    let class_space = match (klasses().min(), klasses().max()) {
        (Some(first), Some(last)) if vm.flags.is_on("UseCompressedClassPointers") => {
            Some(class_space(vm, first, last, &layout))
        }
        _ => None,
    };
    Metaspace { metadata, class_space }
}

/// The shared archive's metadata, which is mapped from a file and may have been copied.
fn archive(vm: &Vm<'_>) -> Range<u64> {
    let bound = |name: &str| vm.global(name).unwrap_or(0);
    bound("MetaspaceObj::_shared_metaspace_base")..bound("MetaspaceObj::_shared_metaspace_top")
}

fn is_anonymous(mapping: &Mapping) -> bool {
    mapping.inode == 0 && !mapping.name.starts_with("[heap")
}

/// From the first to the last of those that lie in one mapping and closer together than the smallest node: between them
/// there is room for nothing else.
fn clusters(vm: &Vm<'_>, pools: &[u64], node: u64) -> Vec<Range<u64>> {
    let page = vm.target.page.max(1);
    let mut clusters: Vec<Range<u64>> = Vec::new();
    for at in pools {
        let range = at - at % page..(at - at % page).saturating_add(page);
        let joins = |last: &Range<u64>| {
            let same = vm.target.mapping_at(last.start).is_some_and(|mapping| mapping.holds(*at));
            same && range.start <= last.end.saturating_add(node)
        };
        match clusters.last_mut() {
            Some(last) if joins(last) => last.end = last.end.max(range.end),
            _ => clusters.push(range),
        }
    }
    clusters
}

/// The class space was set aside at once, `CompressedClassSpaceSize` long, and its first class is in its first page. All
/// of it must be anonymous and hold every class; where it begins at no multiple, a mapping must end with it.
fn class_space(vm: &Vm<'_>, first: u64, last: u64, layout: &Layout) -> Read<Range<u64>> {
    let size = vm.flags.bytes("CompressedClassSpaceSize").filter(|size| *size != 0);
    let size = size.ok_or("CompressedClassSpaceSize is not known")?;
    let (unit, starts) = match layout {
        Layout::RootChunks(unit) => (*unit, [Some(first - first % unit), None]),
        Layout::Nodes(_) => {
            let page = vm.target.page.max(1);
            (page, [Some(first - first % page), vm.target.mapping_at(first).map(|mapping| mapping.start)])
        }
    };
    let size = size.checked_next_multiple_of(unit).unwrap_or(size);
    let fits = |at: &Range<u64>| {
        let ends = anonymous_up_to(vm, at).is_some_and(|end| matches!(layout, Layout::RootChunks(_)) || end == at.end);
        ends && at.contains(&last)
    };
    let mut spaces = starts.into_iter().flatten().map(|start| start..start.saturating_add(size));
    spaces.find(fits).ok_or_else(|| "the bounds of the class space are not certain".to_owned())
}

/// Where the mapping that holds the end of `range` ends, if all of `range` is mapped and anonymous.
fn anonymous_up_to(vm: &Vm<'_>, range: &Range<u64>) -> Option<u64> {
    let mut next = range.start;
    while next < range.end {
        next = vm.target.mapping_at(next).filter(|mapping| is_anonymous(mapping))?.end;
    }
    Some(next)
}
