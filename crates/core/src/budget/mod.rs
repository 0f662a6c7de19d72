//! The arithmetic of limits and runtime flags, both ways: from what memory was needed to the limit and the flags that
//! fit it, from a limit to the flags, and from flags to what they may come to need.
//!
//! `inspect`, `run`, `size` and `lint` all call these functions, so that they can never disagree. Amounts that were
//! measured enter as measured; what has to be assumed is named by a constant with its source.

pub mod dotnet;
pub mod golang;
pub mod jvm;
mod proposal;
pub mod told;
pub mod v8;
pub mod workers;

pub use proposal::{FlagProposal, Proposal, flags, limit_for_heaps, propose};

use crate::units::Bytes;

/// What a thread costs in kernel memory: 16 KiB of stack, about 4 KiB of page table and 6.6 KiB of task structures.
/// Measured on Linux 6.18, x86-64, as charge per idle thread: 26.7 KiB.
pub const KERNEL_PER_THREAD: Bytes = Bytes(27_341);

/// Less room than this is no margin: 64 MiB.
pub const MARGIN_LEAST: Bytes = Bytes::mib(64);

/// No container starts under less everywhere: CRI-O refuses a lower limit (`internal/config/cgmgr`, `minMemoryLimit`,
/// 12 MiB).
pub const START_LEAST: Bytes = Bytes::mib(12);

/// No limit is proposed below this: the OCI runtime's own process, which starts the container inside of its cgroup, comes
/// close to a lower one.
pub const LIMIT_LEAST: Bytes = Bytes::mib(16);

/// A limit is rounded up to this; odd bytes are nobody's wish.
const STEP: u64 = 1 << 20;

/// Room to be left for what was not seen: a tenth, at least 64 MiB, and at least twice what the measurements vary by.
/// A container that needs less than 64 MiB altogether is given as much again, not more.
pub fn margin(needed: Bytes, noise: Bytes) -> Bytes {
    let least = MARGIN_LEAST.0.min(needed.0);
    Bytes((needed.0 / 10).max(least).max(noise.0.saturating_mul(2)))
}

/// The limit for a peak of unreclaimable memory: the peak, the page cache that the program maps and keeps using
/// (`cache_floor`), and a margin, in whole MiB, and no less than a container starts in.
pub fn limit_for_peak(peak: Bytes, cache_floor: Bytes, noise: Bytes) -> Bytes {
    let needed = Bytes(peak.0.saturating_add(cache_floor.0));
    round_up(Bytes(needed.0.saturating_add(margin(needed, noise).0))).max(LIMIT_LEAST)
}

/// The limit for what needs the more the higher its limit is, as a heap that is a share of it does: none where no limit
/// up to a hundred times as high is enough.
pub fn limit_for_growing(limit: Bytes, needed: impl Fn(Bytes) -> Bytes) -> Option<Bytes> {
    let most = limit.0.saturating_mul(100);
    let mut limit = limit_for_peak(needed(limit), Bytes(0), Bytes(0)).max(limit);
    while limit.0 <= most {
        let next = limit_for_peak(needed(limit), Bytes(0), Bytes(0));
        if next <= limit {
            return Some(limit);
        }
        limit = next;
    }
    None
}

/// The margin inside a limit: what [`limit_for_peak`] would have added to reach it.
pub fn margin_within(limit: Bytes, noise: Bytes) -> Bytes {
    // limit = needed + margin, where the margin is a tenth of what is needed, or one of the two floors.
    let tenth = Bytes(limit.0 / 11);
    let least = MARGIN_LEAST.0.min(limit.0 / 2);
    Bytes(tenth.0.max(least).max(noise.0.saturating_mul(2)).min(limit.0))
}

/// Up to whole MiB.
pub fn round_up(bytes: Bytes) -> Bytes {
    Bytes(bytes.0.div_ceil(STEP).saturating_mul(STEP))
}

/// Down to whole MiB.
pub fn round_down(bytes: Bytes) -> Bytes {
    Bytes(bytes.0 / STEP * STEP)
}

/// `bytes * by / of`, exactly.
pub(crate) fn scaled(bytes: Bytes, by: u64, of: u64) -> Bytes {
    Bytes(u64::try_from(u128::from(bytes.0) * u128::from(by) / u128::from(of.max(1))).unwrap_or(u64::MAX))
}

/// A share in percent, as runtimes compute it: in floating point, cut to whole bytes.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a share of at most 100 % fits, and is not negative"
)]
pub(crate) fn percent(of: Bytes, percent: f64) -> Bytes {
    if percent.is_finite() && percent > 0.0 {
        Bytes((of.0 as f64 * percent.min(100.0) / 100.0) as u64)
    } else {
        Bytes(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_margin_is_a_tenth_or_64_mib_or_twice_the_noise() {
        assert_eq!(margin(Bytes::mib(1000), Bytes(0)), Bytes::mib(100));
        assert_eq!(margin(Bytes::mib(200), Bytes(0)), Bytes::mib(64));
        assert_eq!(margin(Bytes::mib(200), Bytes::mib(40)), Bytes::mib(80));
        assert_eq!(margin(Bytes::mib(10), Bytes(0)), Bytes::mib(10));
        assert_eq!(limit_for_peak(Bytes::mib(500), Bytes::mib(20), Bytes(0)), Bytes::mib(584));
    }

    #[test]
    fn no_limit_is_so_low_that_no_container_starts() {
        assert_eq!(limit_for_peak(Bytes::kib(300), Bytes(0), Bytes(0)), LIMIT_LEAST);
    }

    proptest! {
        #[test]
        fn what_fits_a_limit_leads_back_to_it(needed in 1_u64 << 27..1 << 40) {
            let limit = limit_for_peak(Bytes(needed), Bytes(0), Bytes(0));
            let inside = limit.0 - margin_within(limit, Bytes(0)).0;
            prop_assert!(inside >= needed, "{inside} {needed}");
            prop_assert!(inside - needed <= (2 << 20) + needed / 100);
        }
    }
}
