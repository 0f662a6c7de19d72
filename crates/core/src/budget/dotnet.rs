//! .NET: its heap's limit by default, and which one fits.

use super::{margin_within, percent};
use crate::units::Bytes;

/// `GCHeapHardLimit` in a container where nothing is said: the larger of 20 MB and 75 % of the limit
/// (learn.microsoft.com, garbage collector settings, .NET 5 to 10).
pub fn default_heap(limit: Bytes) -> Bytes {
    percent(limit, 75.0).max(Bytes(20_000_000))
}

/// `GCHeapHardLimitPercent` for a limit, beside what is not the collector's heap. `None` where less than 1 % is left.
pub fn heap_percent(limit: Bytes, native: Bytes, noise: Bytes) -> Option<u64> {
    let room = limit.0.checked_sub(native.0)?.checked_sub(margin_within(limit, noise).0)?;
    let percent = u128::from(room) * 100 / u128::from(limit.0.max(1));
    u64::try_from(percent).ok().filter(|percent| *percent > 0)
}

/// The variable reads its number as hexadecimal: `DOTNET_GCHeapHardLimitPercent=4B` is 75 %.
pub fn variable(percent: u64) -> String {
    format!("{percent:X}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_quarters_are_the_default_and_often_too_much() {
        assert_eq!(default_heap(Bytes::mib(400)), Bytes::mib(300));
        assert_eq!(default_heap(Bytes::mib(16)), Bytes(20_000_000));
        assert_eq!(heap_percent(Bytes::mib(440), Bytes::mib(120), Bytes(0)), Some(58));
        assert_eq!(heap_percent(Bytes::mib(100), Bytes::mib(120), Bytes(0)), None);
        assert_eq!(variable(75), "4B");
    }
}
