//! Serial, Parallel and Epsilon: spaces that are filled from the bottom.

use super::super::vm::{Read, Vm};
use super::Usage;

/// `_bottom`, `_top` and `_end` of a kind of space.
pub(super) struct SpaceFields(&'static str, &'static str, &'static str);

/// Serial's spaces; the bounds moved into `ContiguousSpace` in JDK 23.
pub(super) const CONTIGUOUS: SpaceFields = SpaceFields(
    "ContiguousSpace::_bottom|Space::_bottom",
    "ContiguousSpace::_top",
    "ContiguousSpace::_end|Space::_end",
);

/// Parallel's spaces; JDK 8 and 11 keep the bounds in `ImmutableSpace`.
const MUTABLE: SpaceFields = SpaceFields(
    "MutableSpace::_bottom|ImmutableSpace::_bottom",
    "MutableSpace::_top",
    "MutableSpace::_end|ImmutableSpace::_end",
);

impl Usage {
    /// Adds a space: what lies below its top is used, all of it is committed.
    pub(super) fn add(&mut self, vm: &Vm<'_>, space: u64, fields: &SpaceFields, name: &'static str) -> Read<()> {
        let (bottom, top, end) = (vm.word(space, fields.0)?, vm.word(space, fields.1)?, vm.word(space, fields.2)?);
        if !(bottom <= top && top <= end) {
            return Err(format!("the bounds of {name} do not make sense"));
        }
        self.used = self.used.saturating_add(top - bottom);
        self.committed = Some(self.committed.unwrap_or(0).saturating_add(end - bottom));
        self.spaces.push((bottom..end, name));
        Ok(())
    }

    /// Adds the survivor space that is not in use: it counts neither as used nor as committed.
    pub(super) fn add_empty(&mut self, vm: &Vm<'_>, space: u64, fields: &SpaceFields) -> Read<()> {
        let (bottom, end) = (vm.word(space, fields.0)?, vm.word(space, fields.2)?);
        self.spaces.push((bottom..end.max(bottom), "survivor"));
        Ok(())
    }

    /// Eden and the survivor spaces of `DefNewGeneration`.
    pub(super) fn add_young(&mut self, vm: &Vm<'_>, young: u64) -> Read<()> {
        self.add(vm, vm.word(young, "DefNewGeneration::_eden_space")?, &CONTIGUOUS, "eden")?;
        self.add(vm, vm.word(young, "DefNewGeneration::_from_space")?, &CONTIGUOUS, "survivor")?;
        self.add_empty(vm, vm.word(young, "DefNewGeneration::_to_space")?, &CONTIGUOUS)
    }
}

/// The young and the old generation of `GenCollectedHeap` (JDK 8: an array of them) or `SerialHeap` (JDK 23 on).
pub(super) fn pair(vm: &Vm<'_>) -> Read<(u64, u64)> {
    let heap = vm.heap()?;
    if let Ok(array) = vm.place(heap, "GenCollectedHeap::_gens") {
        let at = |index: u64| vm.target.memory.u64(array.saturating_add(8 * index)).ok_or("no generation");
        return Ok((at(0)?, at(1)?));
    }
    let young = vm.word(heap, "SerialHeap::_young_gen|GenCollectedHeap::_young_gen")?;
    Ok((young, vm.word(heap, "SerialHeap::_old_gen|GenCollectedHeap::_old_gen")?))
}

pub(super) fn serial(vm: &Vm<'_>) -> Read<Usage> {
    let (young, old) = pair(vm)?;
    let mut usage = Usage::default();
    usage.add_young(vm, young)?;
    let old = vm.word(old, "TenuredGeneration::_the_space|OneContigSpaceCardGeneration::_the_space")?;
    usage.add(vm, old, &CONTIGUOUS, "old")?;
    Ok(usage)
}

pub(super) fn parallel(vm: &Vm<'_>) -> Read<Usage> {
    let young = vm.global("ParallelScavengeHeap::_young_gen")?;
    let mut usage = Usage::default();
    usage.add(vm, vm.word(young, "PSYoungGen::_eden_space")?, &MUTABLE, "eden")?;
    usage.add(vm, vm.word(young, "PSYoungGen::_from_space")?, &MUTABLE, "survivor")?;
    usage.add_empty(vm, vm.word(young, "PSYoungGen::_to_space")?, &MUTABLE)?;
    let old = vm.global("ParallelScavengeHeap::_old_gen")?;
    usage.add(vm, vm.word(old, "PSOldGen::_object_space")?, &MUTABLE, "old")?;
    Ok(usage)
}

/// `EpsilonHeap::capacity` is what its virtual space has committed.
pub(super) fn epsilon(vm: &Vm<'_>) -> Read<Usage> {
    let heap = vm.heap()?;
    let mut usage = Usage::default();
    usage.add(vm, vm.word(heap, "EpsilonHeap::_space")?, &CONTIGUOUS, "")?;
    let space = vm.place(heap, "EpsilonHeap::_virtual_space")?;
    usage.committed = vm.word(space, "VirtualSpace::_high")?.checked_sub(vm.word(space, "VirtualSpace::_low")?);
    Ok(usage)
}
