//! Memory of direct buffers: what `java.nio.Bits` has counted, which is what the "direct" buffer pool shows, and what
//! Netty counts by itself beside it.

use super::classes::{Class, find};
use super::fields;
use super::heap::Collector;
use super::objects::Objects;
use super::vm::{Read, Vm};

/// The counters of `java.nio.Bits`, upper-case since JDK 12.
const RESERVED: &str = "RESERVED_MEMORY|reservedMemory";
const CAPACITY: &str = "TOTAL_CAPACITY|totalCapacity";
const COUNT: &str = "COUNT|count";
const MAX: &str = "MAX_MEMORY|maxMemory";

/// What is reserved of direct memory.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Direct {
    /// By `java.nio`, in bytes.
    pub(super) reserved: u64,
    /// The most that `java.nio` reserves; `None` as long as no buffer was asked for.
    pub(super) max: Option<u64>,
}

/// Reads what `java.nio` counts. Nothing is counted yet where the class is not loaded.
pub(super) fn direct(vm: &Vm<'_>, collector: Collector, classes: &[Class]) -> Read<Direct> {
    let Some(bits) = find(vm, classes, "java/nio/Bits") else { return Ok(Direct::default()) };
    let long = find(vm, classes, "java/util/concurrent/atomic/AtomicLong").ok_or("AtomicLong is not loaded")?;
    let objects = Objects::new(vm, collector);
    vm.settled(true, || {
        let mirror = objects.mirror(bits)?;
        let place = |name| fields::offset(vm, bits, name).map(|offset| mirror.saturating_add(offset));
        let [reserved, capacity, count] =
            [RESERVED, CAPACITY, COUNT].map(|name| place(name).and_then(|at| counter(vm, &objects, long, at)));
        let reserved = reserved?;
        match (capacity, count) {
            // `Bits.reserveMemory` raises the capacity first, so that this may fail for a moment and is tried again.
            (Ok(capacity), Ok(count)) if (count == 0) != (reserved == 0) || capacity > reserved => {
                return Err(format!("{count} buffers of {capacity} B in {reserved} B do not fit together"));
            }
            (Ok(_), Ok(_)) => {}
            // What was reserved can be certain by itself.
            _ if objects.is_current(bits, place(RESERVED)?)? => {}
            (Err(because), _) | (_, Err(because)) => return Err(because),
        }
        let max = objects.word(place(MAX)?)?;
        Ok(Direct { reserved, max: (max != 0 && max != u64::MAX).then_some(max) })
    })
}

/// What Netty has allocated past `java.nio`, where it does so: it has a counter of its own then.
pub(super) fn netty(vm: &Vm<'_>, collector: Collector, classes: &[Class]) -> Option<Read<u64>> {
    let platform = find(vm, classes, "io/netty/util/internal/PlatformDependent")?;
    let long = find(vm, classes, "java/util/concurrent/atomic/AtomicLong")?;
    let offset = fields::offset(vm, platform, "DIRECT_MEMORY_COUNTER").ok()?;
    let objects = Objects::new(vm, collector);
    let read = || {
        let at = objects.mirror(platform)?.saturating_add(offset);
        // Null where Netty leaves the counting to java.nio.
        if objects.is_null(at)? { Ok(None) } else { counter(vm, &objects, long, at).map(Some) }
    };
    vm.settled(true, read).transpose()
}

/// The value of the `AtomicLong` that the field at `at` refers to, which is never negative.
fn counter(vm: &Vm<'_>, objects: &Objects<'_, '_>, long: Class, at: u64) -> Read<u64> {
    let object = objects.object(at, long)?;
    let value = objects.word(object.saturating_add(fields::offset(vm, long, "value")?))?;
    i64::try_from(value).is_ok().then_some(value).ok_or_else(|| "a counter is negative".to_owned())
}
