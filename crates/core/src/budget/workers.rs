//! Servers of several processes (gunicorn, uWSGI, Puma, PHP-FPM): what all of them need, and how many fit.

use super::{limit_for_peak, margin_within};
use crate::units::Bytes;

/// The limit for so many workers: what they share is charged once, what each has written for itself every time.
pub fn limit(workers: u64, private: Bytes, shared: Bytes, noise: Bytes) -> Bytes {
    limit_for_peak(Bytes(private.0.saturating_mul(workers).saturating_add(shared.0)), Bytes(0), noise)
}

/// How many workers fit a limit; `private` is what a worker comes to need (its 95th percentile).
pub fn fitting(limit: Bytes, private: Bytes, shared: Bytes, noise: Bytes) -> u64 {
    let room = limit.0.saturating_sub(margin_within(limit, noise).0).saturating_sub(shared.0);
    room.checked_div(private.0).unwrap_or(0)
}

/// malloc keeps more than a quarter of what it has as free memory: fewer arenas or another allocator would give it back.
pub fn retains(used: Bytes, free: Bytes) -> bool {
    free.0 > 0 && u128::from(free.0) * 100 > (u128::from(used.0) + u128::from(free.0)) * 25
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_workers_fit_as_their_limit_was_made_for() {
        let limit = limit(4, Bytes::mib(120), Bytes::mib(60), Bytes(0));
        assert_eq!(limit, Bytes::mib(604));
        assert_eq!(fitting(limit, Bytes::mib(120), Bytes::mib(60), Bytes(0)), 4);
        assert_eq!(fitting(limit, Bytes(0), Bytes::mib(60), Bytes(0)), 0);
    }

    #[test]
    fn a_quarter_of_free_memory_is_too_much() {
        assert!(retains(Bytes::mib(59), Bytes::mib(41)));
        assert!(!retains(Bytes::mib(80), Bytes::mib(20)));
        assert!(!retains(Bytes(0), Bytes(0)));
    }
}
