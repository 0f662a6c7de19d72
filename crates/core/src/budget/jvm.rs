//! HotSpot: what it takes by default, what its flags may come to need, and which `-Xmx` fits a limit.

use super::{KERNEL_PER_THREAD, margin_within, percent, round_down, round_up, scaled};
use crate::units::Bytes;

/// Collectors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Collector {
    /// `-XX:+UseSerialGC`.
    Serial,
    /// `-XX:+UseParallelGC`.
    Parallel,
    /// `-XX:+UseG1GC`.
    G1,
    /// `-XX:+UseZGC`.
    Z,
    /// `-XX:+UseShenandoahGC`.
    Shenandoah,
}

impl Collector {
    /// Memory of the collector's own, in thousandths of the heap's maximum: NMT's "GC committed" at `-Xmx512m`, measured on
    /// JDK 17 and 25 (Shenandoah: not measured).
    pub const fn overhead(self) -> u64 {
        match self {
            Self::Serial => 4,
            Self::Parallel => 55,
            Self::G1 => 100,
            Self::Z => 130,
            Self::Shenandoah => 50,
        }
    }
}

/// The collector that is chosen where none is asked for: Serial unless the machine is "server class", that is two CPUs
/// and 1792 MiB (`src/hotspot/share/gc/shared/gcConfig.cpp`, `is_server_class_machine`, JDK 9 to 26).
pub fn default_collector(memory: Bytes, cpus: u32) -> Collector {
    if cpus >= 2 && memory >= Bytes::mib(1792) { Collector::G1 } else { Collector::Serial }
}

/// What the heap would be if nothing were said: `MaxRAMPercentage` and `MinRAMPercentage`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Percentages {
    /// `-XX:MaxRAMPercentage`, 25 by default.
    pub max: f64,
    /// `-XX:MinRAMPercentage`, 50 by default: for small memories.
    pub min: f64,
}

impl Default for Percentages {
    fn default() -> Self {
        Self { max: 25.0, min: 50.0 }
    }
}

/// HotSpot's `MaxHeapSize` of 64-bit machines before ergonomics, aligned.
const SMALL: Bytes = Bytes::mib(126);

/// So little memory that `MinRAMPercentage` bounds the heap and `MaxRAMPercentage` has no say: under 252 MiB with its
/// default (measured with JDK 17: 100 MiB of 200 with `MaxRAMPercentage=100`).
pub fn is_small(memory: Bytes, percentages: Percentages) -> bool {
    percent(memory, percentages.min) < SMALL
}

/// The heap's maximum where no `-Xmx` is given, for the memory that the JVM sees (the container's limit, or the
/// machine's). `arguments.cpp`, `set_heap_size` (JDK 17 and 25), measured for limits from 64 MiB to 4 GiB.
pub fn default_heap(memory: Bytes, percentages: Percentages) -> Bytes {
    if is_small(memory, percentages) {
        return round_down_to_2(percent(memory, percentages.min));
    }
    round_down_to_2(percent(memory, percentages.max).max(SMALL))
}

/// HotSpot aligns the heap to 2 MiB (Serial, the default of small containers) or to its regions.
fn round_down_to_2(bytes: Bytes) -> Bytes {
    Bytes(bytes.0 / (2 << 20) * (2 << 20))
}

/// What a JVM needs besides its heap.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct BesideHeap {
    /// Metaspace and compressed class space, resident.
    pub metaspace: Bytes,
    /// Compiled code, resident.
    pub code_cache: Bytes,
    /// Threads, the most at once.
    pub threads: u64,
    /// Resident stack of one thread.
    pub stack: Bytes,
    /// Direct buffers, the most at once.
    pub direct: Bytes,
    /// malloc, used and retained, without direct buffers.
    pub malloc: Bytes,
    /// Everything else: written pages of libraries and archives, tmpfs, kernel memory.
    pub rest: Bytes,
}

/// Measured memory grows with warm-up: classes are loaded and code compiled later than in most measurements.
/// In tenths of what was measured.
const METASPACE_GROWTH: u64 = 12;
const CODE_GROWTH: u64 = 13;
const DIRECT_GROWTH: u64 = 12;

/// `-XX:MaxMetaspaceSize` and class space where nothing is known: 14 MB and 5.8 KB a class (the model of Paketo's
/// libjvm 4, which measured it).
pub fn metaspace_of_classes(classes: u64) -> Bytes {
    Bytes(14_000_000_u64.saturating_add(classes.saturating_mul(5_800)))
}

/// `-XX:ReservedCodeCacheSize` by default: 240 MiB, 48 MiB without tiered compilation (measured on JDK 17 and 25).
pub const CODE_CACHE_RESERVED: Bytes = Bytes::mib(240);

/// Compiled code of a service that has warmed up: assumed.
pub const CODE_CACHE_USUAL: Bytes = Bytes::mib(50);

/// Direct buffers of a service: assumed.
pub const DIRECT_USUAL: Bytes = Bytes::mib(16);

/// Resident stack of a Java thread: 150 KiB of the 1 MiB that `-Xss` reserves (measured over 22 threads).
pub const STACK_RESIDENT: Bytes = Bytes::kib(150);

/// `-Xss` by default on 64-bit Linux.
pub const STACK_RESERVED: Bytes = Bytes::mib(1);

impl BesideHeap {
    /// What a service with nothing known about it needs beside its heap, under the caps that it is given.
    pub fn usual(caps: &Caps) -> Self {
        let capped = |usual: Bytes, cap: Option<Bytes>| cap.map_or(usual, |cap| usual.min(cap));
        Self {
            metaspace: capped(metaspace_of_classes(CLASSES_ASSUMED), caps.metaspace),
            code_cache: capped(CODE_CACHE_USUAL, caps.code_cache),
            threads: THREADS_USUAL,
            stack: STACK_RESIDENT,
            direct: capped(DIRECT_USUAL, caps.direct),
            ..Self::default()
        }
    }

    /// What is to be planned for, growth included.
    pub fn planned(&self) -> Bytes {
        let threads = self.threads.saturating_mul(self.stack.0.saturating_add(KERNEL_PER_THREAD.0));
        let parts = [
            scaled(self.metaspace, METASPACE_GROWTH, 10).0,
            scaled(self.code_cache, CODE_GROWTH, 10).0,
            scaled(self.direct, DIRECT_GROWTH, 10).0,
            threads,
            self.malloc.0,
            self.rest.0,
        ];
        Bytes(parts.into_iter().fold(0, u64::saturating_add))
    }
}

/// The largest `-Xmx` that fits a limit beside what else the JVM needs: the collector's own memory grows with the heap,
/// so `Xmx = (limit - rest - margin) / (1 + overhead)`. `None` where not even 2 MiB are left.
pub fn heap_for_limit(limit: Bytes, beside: &BesideHeap, collector: Collector, noise: Bytes) -> Option<Bytes> {
    let room = limit.0.checked_sub(beside.planned().0)?.checked_sub(margin_within(limit, noise).0)?;
    let heap = round_down(scaled(Bytes(room), 1000, 1000 + collector.overhead()));
    (heap >= Bytes::mib(2)).then_some(heap)
}

/// What a heap of this size, the collector's own memory and all beside it come to: the way back from
/// [`heap_for_limit`], without a margin.
pub fn need_of_heap(heap: Bytes, beside: &BesideHeap, collector: Collector) -> Bytes {
    let heap = scaled(heap, 1000 + collector.overhead(), 1000);
    Bytes(heap.0.saturating_add(beside.planned().0))
}

/// What flags allow: `None` where a flag is not given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Caps {
    /// `-Xmx`, or what it is by default.
    pub heap: Bytes,
    /// `-XX:MaxMetaspaceSize`; none: unlimited.
    pub metaspace: Option<Bytes>,
    /// `-XX:ReservedCodeCacheSize`.
    pub code_cache: Option<Bytes>,
    /// `-XX:MaxDirectMemorySize`; none: as much again as the heap.
    pub direct: Option<Bytes>,
    /// `-Xss`.
    pub stack: Option<Bytes>,
    /// Threads, where they are known.
    pub threads: Option<u64>,
}

/// Threads where nobody says: what Paketo's memory calculator assumes for a server.
pub const THREADS_ASSUMED: u64 = 250;
/// Threads of an ordinary service: assumed.
pub const THREADS_USUAL: u64 = THREADS_ASSUMED / 5;
/// Classes where nobody says: a mid-size Spring Boot service.
pub const CLASSES_ASSUMED: u64 = 12_000;

impl Caps {
    /// What is capped by a flag beside the heap: as much as its author allows.
    pub fn written(&self) -> Bytes {
        let caps = [self.metaspace, self.code_cache, self.direct].into_iter().flatten();
        Bytes(caps.map(|cap| cap.0).fold(0, u64::saturating_add))
    }

    /// What the caps allow together, with the collector's own memory: the worst case that is legal. Metaspace without a
    /// cap counts as what an ordinary service loads.
    pub fn worst_case(&self, collector: Collector) -> Bytes {
        let overhead = scaled(self.heap, collector.overhead(), 1000);
        let metaspace = self.metaspace.unwrap_or_else(|| metaspace_of_classes(CLASSES_ASSUMED));
        let stacks = self.stack.unwrap_or(STACK_RESERVED).0.saturating_mul(self.threads.unwrap_or(THREADS_ASSUMED));
        let parts = [
            self.heap,
            overhead,
            metaspace,
            self.code_cache.unwrap_or(CODE_CACHE_RESERVED),
            self.direct.unwrap_or(self.heap),
            Bytes(stacks),
        ];
        Bytes(parts.into_iter().map(|part| part.0).fold(0, u64::saturating_add))
    }

    /// What a service with these caps can be expected to need when its heap is full.
    pub fn expected(&self, collector: Collector) -> Bytes {
        let overhead = scaled(self.heap, collector.overhead(), 1000);
        let usual = BesideHeap::usual(self);
        let threads = self.threads.unwrap_or(usual.threads);
        let stacks = threads.saturating_mul(usual.stack.0 + KERNEL_PER_THREAD.0);
        let parts = [self.heap.0, overhead.0, usual.metaspace.0, usual.code_cache.0, usual.direct.0, stacks];
        Bytes(parts.into_iter().fold(0, u64::saturating_add))
    }
}

/// The flag for a heap, in whole MiB as people write it.
pub fn heap_flag(heap: Bytes) -> String {
    format!("-Xmx{}m", round_up(heap).0 >> 20)
}

/// The most that direct buffers are to be allowed, by what was in use of them.
pub fn direct_planned(used: Bytes) -> Bytes {
    round_up(scaled(used, DIRECT_GROWTH, 10))
}

/// What direct buffers may take without a flag of their own: `Runtime.maxMemory()`, which is the heap's maximum less a
/// survivor space (a thirtieth with Serial's default sizes; a tenth is on the safe side).
pub fn direct_allowed(heap: Bytes) -> Bytes {
    scaled(heap, 9, 10)
}

/// The flag for direct buffers, in whole MiB.
pub fn direct_flag(most: Bytes) -> String {
    format!("-XX:MaxDirectMemorySize={}m", round_up(most).0 >> 20)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::budget::limit_for_peak;
    use proptest::prelude::*;

    #[test]
    fn the_default_heap_is_what_was_measured() {
        // MiB of limit, MiB of MaxHeapSize: JDK 17 and 25, one container each.
        for (limit, heap) in
            [(64, 32), (128, 64), (200, 100), (256, 126), (300, 126), (512, 128), (1024, 256), (4096, 1024)]
        {
            assert_eq!(default_heap(Bytes::mib(limit), Percentages::default()), Bytes::mib(heap), "{limit} MiB");
        }
    }

    #[test]
    fn small_containers_get_the_serial_collector() {
        assert_eq!(default_collector(Bytes::mib(1791), 4), Collector::Serial);
        assert_eq!(default_collector(Bytes::mib(1792), 2), Collector::G1);
        assert_eq!(default_collector(Bytes::mib(8192), 1), Collector::Serial);
    }

    #[test]
    fn flags_may_legally_come_to_twice_the_heap() {
        let caps = Caps { heap: Bytes::mib(512), ..Caps::default() };
        assert!(caps.worst_case(Collector::G1) > Bytes::mib(1024 + 240));
        assert!(caps.expected(Collector::G1) < Bytes::mib(800));
        assert!(caps.expected(Collector::G1) > Bytes::mib(640));
    }

    #[test]
    fn a_heap_as_large_as_the_limit_does_not_fit() {
        let beside = BesideHeap {
            metaspace: Bytes::mib(40),
            code_cache: Bytes::mib(10),
            threads: 30,
            stack: STACK_RESIDENT,
            malloc: Bytes::mib(30),
            ..BesideHeap::default()
        };
        let heap = heap_for_limit(Bytes::mib(512), &beside, Collector::Serial, Bytes(0)).unwrap();
        assert!((Bytes::mib(330)..Bytes::mib(370)).contains(&heap), "{heap}");
        assert_eq!(heap_for_limit(Bytes::mib(64), &beside, Collector::Serial, Bytes(0)), None);
        assert_eq!(heap_flag(heap), format!("-Xmx{}m", heap.0 >> 20));
    }

    proptest! {
        #[test]
        fn the_heap_for_the_limit_of_a_heap_is_that_heap(heap in 128_u64..20_000, malloc in 0_u64..500) {
            let beside = BesideHeap { malloc: Bytes::mib(malloc), ..BesideHeap::default() };
            let need = need_of_heap(Bytes::mib(heap), &beside, Collector::G1);
            let limit = limit_for_peak(need, Bytes(0), Bytes(0));
            let back = heap_for_limit(limit, &beside, Collector::G1, Bytes(0)).unwrap();
            prop_assert!(back >= Bytes::mib(heap) && back.0 - Bytes::mib(heap).0 <= (3 << 20) + Bytes::mib(heap).0 / 50, "{back} {heap}");
        }
    }
}
