//! Node.js: its default heap limit, what the flags add to it, and which flag fits a limit.

use super::{margin_within, percent, round_down};
use crate::units::Bytes;

/// The heap limit that a major version takes for itself under a memory that it sees, from `Heap::MaxOldGenerationSize`
/// and the young generation on top (V8), measured with Node 12 to 26 under cgroup limits of 256 MiB to 16 GiB. Node 18
/// and older see no limit of cgroup version 2: `memory` is then the machine's.
pub fn default_heap(major: u32, memory: Bytes) -> Bytes {
    const GIB: u64 = 1 << 30;
    let roof = if memory.0 < 15 * GIB || major <= 12 { 2 * GIB } else { 4 * GIB };
    let old = (memory.0 / 2).clamp(256 << 20, roof);
    Bytes(old + young(major, Bytes(old)).0)
}

/// The young generation beside an old one of this size, both semispaces and the reserve: fitted, to within 25 MiB, to
/// the measured differences between `heap_size_limit` and the old generation.
fn young(major: u32, old: Bytes) -> Bytes {
    let (least, most, share): (u64, u64, u64) = match major {
        // 3 MiB at 256 MiB, 48 MiB from 2 GiB on.
        ..=23 => (3 << 20, 48 << 20, 43),
        24 | 25 => (3 << 20, 192 << 20, 11),
        _ => (6 << 20, 96 << 20, 22),
    };
    Bytes((old.0 / share).clamp(least, most))
}

/// Native memory of Node itself without any of the program's (libuv, OpenSSL, ICU, code): assumed where it was not
/// measured.
pub const NATIVE_BASE: Bytes = Bytes::mib(45);

/// The young generation beside an old one that a flag gives, under a limit: V8 sizes it by the memory that it sees, not
/// by the flag (`heap_size_limit` less the flag, in MiB, measured under 256, 512 and 1024 MiB: 3, 3 and 12 with Node 20
/// and 22, 3, 3 and 48 with 24, 6, 12 and 24 with 26). Node 18 and older see the machine.
pub fn young_beside(major: u32, limit: Bytes) -> Bytes {
    let seen = if major < 20 { Bytes(8 << 30) } else { limit };
    young(major, Bytes(seen.0 / 2))
}

/// What a process with `--max-old-space-size=old` may come to need: the old generation, the young one, external buffers
/// and Node's own.
pub fn need(old: Bytes, young: Bytes, external: Bytes) -> Bytes {
    Bytes(old.0.saturating_add(young.0).saturating_add(external.0).saturating_add(NATIVE_BASE.0))
}

/// `--max-old-space-size` in MiB for a limit, beside the peaks of buffers and of everything else that is not V8's.
/// `None` where nothing is left.
pub fn old_space_for_limit(major: u32, limit: Bytes, external: Bytes, rest: Bytes, noise: Bytes) -> Option<u64> {
    let beside = external.0.saturating_add(rest.0.max(NATIVE_BASE.0));
    let room = limit.0.checked_sub(beside)?.checked_sub(margin_within(limit, noise).0)?;
    let old = room.checked_sub(young(major, Bytes(room)).0)?;
    let mib = round_down(Bytes(old)).0 >> 20;
    (mib > 0).then_some(mib)
}

/// `--max-old-space-size-percentage` (Node 22.20, 24 and later) means this much.
pub fn old_space_of_percentage(memory: Bytes, share: f64) -> Bytes {
    percent(memory, share)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_heap_is_near_what_was_measured() {
        // MiB seen, and heap_size_limit in MiB of Node 20, 24, 26.
        let measured =
            [(512, [259, 259, 268]), (1024, [524, 560, 536]), (2048, [1048, 1120, 1072]), (4096, [2096, 2240, 2144])];
        for (memory, heaps) in measured {
            for (major, heap) in [20, 24, 26].into_iter().zip(heaps) {
                let ours = default_heap(major, Bytes::mib(memory)).0 >> 20;
                assert!(ours.abs_diff(heap) <= 25, "Node {major}, {memory} MiB: {ours}, measured {heap}");
            }
        }
        assert!(default_heap(20, Bytes::mib(256)) >= Bytes::mib(256), "at 256 MiB the heap may fill the container");
    }

    #[test]
    fn what_fits_a_limit_is_less_than_it() {
        let old = old_space_for_limit(22, Bytes::mib(512), Bytes::mib(64), Bytes(0), Bytes(0)).unwrap();
        assert!((300..=345).contains(&old), "{old}");
        assert_eq!(old_space_for_limit(22, Bytes::mib(64), Bytes::mib(64), Bytes(0), Bytes(0)), None);
    }

    #[test]
    fn the_young_generation_is_sized_by_the_limit() {
        // MiB of limit, and what was measured beside the flag with Node 20, 24 and 26.
        for (limit, measured) in [(256, [3, 3, 6]), (512, [3, 3, 12]), (1024, [12, 48, 24])] {
            for (major, young) in [20, 24, 26].into_iter().zip(measured) {
                let ours = young_beside(major, Bytes::mib(limit)).0 >> 20;
                assert!(ours.abs_diff(young) <= 25, "Node {major}, {limit} MiB: {ours}, measured {young}");
            }
        }
        assert_eq!(young_beside(18, Bytes::mib(512)), Bytes::mib(48), "it sees the machine");
        assert_eq!(need(Bytes::mib(100), Bytes::mib(3), Bytes::mib(20)), Bytes::mib(123 + 45));
    }
}
