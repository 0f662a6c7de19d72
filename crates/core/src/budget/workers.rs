//! Servers of several processes (gunicorn, uWSGI, Puma): how many of them fit.

use super::margin_within;
use crate::units::Bytes;

/// How many workers fit a limit; `private` is what a worker comes to need (its 95th percentile), `shared` is charged
/// once for all of them.
pub fn fitting(limit: Bytes, private: Bytes, shared: Bytes, noise: Bytes) -> u64 {
    let room = limit.0.saturating_sub(margin_within(limit, noise).0).saturating_sub(shared.0);
    room.checked_div(private.0).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::budget::limit_for_peak;

    #[test]
    fn as_many_workers_fit_as_their_limit_was_made_for() {
        let limit = limit_for_peak(Bytes::mib(4 * 120 + 60), Bytes(0), Bytes(0));
        assert_eq!(fitting(limit, Bytes::mib(120), Bytes::mib(60), Bytes(0)), 4);
        assert_eq!(fitting(limit, Bytes(0), Bytes::mib(60), Bytes(0)), 0);
    }
}
