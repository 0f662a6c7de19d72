//! The code cache: compiled methods, stubs and the interpreter.

use std::ops::Range;

use super::vm::{Read, Vm};

/// One heap, or three with `-XX:+SegmentedCodeCache` (JDK 9 on); more are not known.
const HEAPS_MAX: u32 = 16;

/// The names of segments, told by the flag that holds their size.
const SEGMENTS: [(&str, &str); 3] = [
    ("NonNMethodCodeHeapSize", "non-nmethods"),
    ("ProfiledCodeHeapSize", "profiled nmethods"),
    ("NonProfiledCodeHeapSize", "non-profiled nmethods"),
];

/// The ranges that are set aside: each heap's code, and its map of segments.
pub(super) fn ranges(vm: &Vm<'_>) -> Read<Vec<(Range<u64>, &'static str)>> {
    let mut ranges = Vec::new();
    for heap in heaps(vm)? {
        let code = space(vm, vm.place(heap, "CodeHeap::_memory")?)?;
        let name = name(vm, code.end - code.start);
        ranges.push((code, name));
        ranges.push((space(vm, vm.place(heap, "CodeHeap::_segmap")?)?, "segment map"));
    }
    Ok(ranges)
}

/// A growable array of them; up to JDK 8 one.
fn heaps(vm: &Vm<'_>) -> Read<Vec<u64>> {
    if vm.has("CodeCache::_heap") {
        return vm.global("CodeCache::_heap").map(|heap| vec![heap]);
    }
    let array = vm.global("CodeCache::_heaps")?;
    let count = vm.half(array, "GrowableArrayBase::_len|GenericGrowableArray::_len")?;
    let first = vm.word(array, "GrowableArray<int>::_data")?;
    let heaps = (0..u64::from(count.min(HEAPS_MAX))).map(|index| vm.target.memory.u64(first.saturating_add(8 * index)));
    heaps.collect::<Option<_>>().ok_or_else(|| "the code heaps are not in memory".to_owned())
}

fn space(vm: &Vm<'_>, space: u64) -> Read<Range<u64>> {
    let range = vm.word(space, "VirtualSpace::_low_boundary")?..vm.word(space, "VirtualSpace::_high_boundary")?;
    if range.is_empty() { Err("the bounds of the code cache do not make sense".to_owned()) } else { Ok(range) }
}

/// Named where its length is that of one segment and of no other.
fn name(vm: &Vm<'_>, length: u64) -> &'static str {
    if !vm.flags.is_on("SegmentedCodeCache") {
        return "";
    }
    let mut alike = SEGMENTS.iter().filter(|(flag, _)| vm.flags.bytes(flag) == Some(length)).map(|(_, name)| *name);
    match (alike.next(), alike.next()) {
        (Some(name), None) => name,
        _ => "",
    }
}
