//! How much of its heap a collector uses and has committed, exactly as `MemoryMXBean` would say at that moment.

use std::ops::Range;

use super::vm::{Read, Vm};
use crate::runtime::Tear;
use crate::units::Bytes;

mod cms;
mod generations;
mod regions;
mod zgc;

/// Collectors of HotSpot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Collector {
    Serial,
    Parallel,
    /// Concurrent mark sweep, up to JDK 13.
    Cms,
    G1,
    Shenandoah,
    /// The one without generations: up to JDK 22.
    Zgc,
    /// The one with generations: from JDK 21 on.
    GenerationalZgc,
    /// None: from JDK 11 on.
    Epsilon,
}

impl Collector {
    /// Which one runs: exactly one of the switches is on once the virtual machine has started.
    pub(super) fn of(vm: &Vm<'_>) -> Read<Self> {
        let zgc = if vm.has("XCollectedHeap::_heap") && vm.flags.is_on("ZGenerational") {
            Self::GenerationalZgc
        } else if vm.has("ZGlobalsForVMStructs::_ZPointerLoadShift") && !vm.has("XCollectedHeap::_heap") {
            // From 23 on there is no other, whatever the switch says.
            Self::GenerationalZgc
        } else {
            Self::Zgc
        };
        let switches = [
            ("UseSerialGC", Self::Serial),
            ("UseParallelGC", Self::Parallel),
            ("UseConcMarkSweepGC", Self::Cms),
            ("UseG1GC", Self::G1),
            ("UseShenandoahGC", Self::Shenandoah),
            ("UseZGC", zgc),
            ("UseEpsilonGC", Self::Epsilon),
        ];
        let on: Vec<Self> = switches.iter().filter(|(flag, _)| vm.flags.is_on(flag)).map(|(_, it)| *it).collect();
        match on[..] {
            [collector] => Ok(collector),
            _ => Err("it is not told which collector runs".to_owned()),
        }
    }

    /// One of both kinds of ZGC.
    pub(super) const fn is_zgc(self) -> bool {
        matches!(self, Self::Zgc | Self::GenerationalZgc)
    }
}

/// What was read of a heap.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Usage {
    pub(super) used: u64,
    pub(super) committed: Option<u64>,
    /// Its spaces, where they are ranges.
    pub(super) spaces: Vec<(Range<u64>, &'static str)>,
}

/// Reads the heap until two reads agree, and checks what was read.
pub(super) fn usage(vm: &Vm<'_>, collector: Collector) -> Read<Usage> {
    // The others sum up several words that do not change together.
    let may_move = !matches!(collector, Collector::Cms | Collector::G1);
    let usage = vm.settled(may_move, || match collector {
        Collector::Serial => generations::serial(vm),
        Collector::Parallel => generations::parallel(vm),
        Collector::Cms => cms::usage(vm),
        Collector::G1 => regions::g1(vm),
        Collector::Shenandoah => regions::shenandoah(vm),
        Collector::Zgc | Collector::GenerationalZgc => zgc::usage(vm),
        Collector::Epsilon => generations::epsilon(vm),
    })?;
    let max = vm.flags.bytes("MaxHeapSize").ok_or("MaxHeapSize is not known")?;
    let committed = usage.committed.unwrap_or(max);
    if usage.used > committed || committed > max {
        let because = format!(
            "used {}, committed {} and at most {} do not fit together",
            Bytes(usage.used),
            Bytes(committed),
            Bytes(max)
        );
        vm.tore(Tear::Contradiction(because.clone()));
        return Err(because);
    }
    Ok(usage)
}

/// The addresses that are set aside for the heap; empty for ZGC.
pub(super) fn reserved(vm: &Vm<'_>) -> Read<Range<u64>> {
    let region = vm.place(vm.heap()?, "CollectedHeap::_reserved")?;
    let start = vm.word(region, "MemRegion::_start")?;
    let length = vm.word(region, "MemRegion::_word_size")?.checked_mul(8);
    let end = length.and_then(|length| start.checked_add(length)).ok_or("the heap's range is none")?;
    Ok(start..end)
}
