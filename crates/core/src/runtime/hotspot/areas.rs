//! Which addresses are which part of a virtual machine's memory.

use std::ops::Range;

use super::classes::Class;
use super::heap::{self, Collector, Usage};
use super::vm::Vm;
use super::{code, metaspace, stacks};
use crate::runtime::Area;
use crate::waterfall::PartKind;

/// What could be told, and for what could not, why.
#[derive(Debug, Default)]
pub(super) struct Areas {
    pub(super) areas: Vec<Area>,
    pub(super) unknown: Vec<(&'static str, String)>,
}

impl Areas {
    fn add(&mut self, at: Range<u64>, part: PartKind, name: &'static str) {
        if !at.is_empty() {
            self.areas.push(Area { at, part, name });
        }
    }

    fn add_all(&mut self, ranges: impl IntoIterator<Item = Range<u64>>, part: PartKind, name: &'static str) {
        for at in ranges {
            self.add(at, part, name);
        }
    }

    /// The heap: its spaces first, then all that is set aside for it.
    pub(super) fn add_heap(&mut self, vm: &Vm<'_>, collector: Collector, usage: Option<&Usage>) {
        if collector.is_zgc() {
            // Shared memory, which is also how it is told apart (os/linux/gc/z/zPhysicalMemoryBacking_linux.cpp).
            let views = vm.target.mappings.iter().filter(|mapping| mapping.name.starts_with("/memfd:java_heap"));
            self.add_all(views.map(|view| view.start..view.end), PartKind::JvmHeap, "");
            return;
        }
        match heap::reserved(vm) {
            Ok(reserved) => {
                for (space, name) in usage.into_iter().flat_map(|usage| &usage.spaces) {
                    if reserved.start <= space.start && space.end <= reserved.end && !name.is_empty() {
                        self.add(space.clone(), PartKind::JvmHeap, name);
                    }
                }
                self.add(reserved, PartKind::JvmHeap, "");
            }
            Err(because) => self.unknown.push(("where the Java heap is", because)),
        }
    }

    /// Code, stacks, and the card table.
    pub(super) fn add_machine(&mut self, vm: &Vm<'_>) {
        match code::ranges(vm) {
            Ok(ranges) => ranges.into_iter().for_each(|(at, name)| self.add(at, PartKind::JvmCodeCache, name)),
            Err(because) => self.unknown.push(("where the code cache is", because)),
        }
        match stacks::java(vm) {
            Ok(java) => {
                let native = stacks::native(vm, &java);
                for (stacks, name) in [(java, "Java threads"), (native, "virtual machine's threads")] {
                    self.add_all(stacks, PartKind::ThreadStacks, name);
                }
            }
            Err(because) => self.unknown.push(("the stacks of Java threads", because)),
        }
        if let Some(cards) = card_table(vm) {
            self.add(cards, PartKind::JvmGc, "card table");
        }
    }

    /// Metaspace and class space.
    pub(super) fn add_metaspace(&mut self, vm: &Vm<'_>, classes: &[Class], release: u32) {
        let found = metaspace::ranges(vm, classes, release);
        match found.class_space {
            Some(Ok(at)) => self.add(at, PartKind::JvmClassSpace, ""),
            Some(Err(because)) => self.unknown.push(("where the compressed class space is", because)),
            None => {}
        }
        self.add_all(found.metadata, PartKind::JvmMetaspace, "");
    }
}

/// The table of Serial, Parallel, CMS and G1 that says which parts of the heap were written to.
fn card_table(vm: &Vm<'_>) -> Option<Range<u64>> {
    let is_there = ["UseSerialGC", "UseParallelGC", "UseConcMarkSweepGC", "UseG1GC"].map(|flag| vm.flags.is_on(flag));
    if !is_there.contains(&true) {
        return None;
    }
    // Up to JDK 8 the barrier set itself.
    let table = match vm.global("BarrierSet::_barrier_set") {
        Ok(barriers) => vm.word(barriers, "CardTableBarrierSet::_card_table").ok()?,
        Err(_) => vm.word(vm.heap().ok()?, "CollectedHeap::_barrier_set").ok()?,
    };
    let start = vm.word(table, "CardTable::_byte_map|CardTableModRefBS::_byte_map").ok()?;
    let length = vm.word(table, "CardTable::_byte_map_size|CardTableModRefBS::_byte_map_size").ok()?;
    let heap = heap::reserved(vm).ok()?;
    let page = vm.target.page.max(1);
    // One byte for 512 of the heap (128 to 1 024, `GCCardSizeInBytes`), and a guard.
    let expected = (heap.end - heap.start) / 1024..=(heap.end - heap.start) / 128 + 2 * page;
    let end = start.checked_add(length)?.checked_next_multiple_of(page)?;
    (expected.contains(&length) && start % page == 0).then_some(start..end)
}
