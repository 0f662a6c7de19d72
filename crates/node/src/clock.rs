//! When the machine booted, and what moment the kernel log's zero is.
//!
//! `/proc/stat`'s `btime` has whole seconds only. The clocks have nanoseconds:
//!
//! * `CLOCK_BOOTTIME` runs through a suspend: [`booted`] counts back with it.
//! * The stamps of the kernel log are `local_clock()` (`vprintk_store` of kernel/printk/printk.c, v6.18), which
//!   starts at boot and stands still during a suspend, as `CLOCK_MONOTONIC` does; it is not corrected by NTP, so the two
//!   drift apart. Measured on a virtual machine with a TSC after two hours: the stamp 3.2 ms behind `CLOCK_MONOTONIC`
//!   and 248 ms ahead of `CLOCK_MONOTONIC_RAW`. [`log_zero`] counts back with `CLOCK_MONOTONIC`.
//!
//! The two differ by the time [`suspended`]. Servers do not suspend; on a laptop, records from before the last suspend
//! are dated too late by at most that time.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use rustix::time::{ClockId, clock_gettime};

/// When the machine booted, given the time now.
pub fn booted(now: Timestamp) -> Option<Timestamp> {
    before(now, since(ClockId::Boottime))
}

/// The moment that stands at second 0 of the kernel log, right for records since the last suspend.
pub fn log_zero(now: Timestamp) -> Option<Timestamp> {
    before(now, since(ClockId::Monotonic))
}

/// How long the machine was suspended since it booted.
pub fn suspended() -> Duration {
    // The order of the reads makes the difference too small rather than too large.
    let boottime = since(ClockId::Boottime);
    boottime.saturating_sub(since(ClockId::Monotonic))
}

/// The processor time that this thread has used: unlike the clock it does not count whoever else is busy.
pub fn processor_time() -> Duration {
    since(ClockId::ThreadCPUTime)
}

fn since(clock: ClockId) -> Duration {
    let time = clock_gettime(clock);
    let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
    let nanos = u32::try_from(time.tv_nsec).unwrap_or(0);
    Duration::new(seconds, nanos)
}

fn before(now: Timestamp, span: Duration) -> Option<Timestamp> {
    now.checked_sub(SignedDuration::try_from(span).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_boot_time_agrees_with_the_kernels_whole_seconds() {
        let stat = std::fs::read_to_string("/proc/stat").unwrap();
        let btime: i64 = stat.lines().find_map(|line| line.strip_prefix("btime ")).unwrap().parse().unwrap();
        let booted = booted(Timestamp::now()).unwrap();
        assert!((booted.as_second() - btime).abs() <= 1, "{booted} and btime {btime}");
    }

    #[test]
    fn the_logs_zero_is_the_boot_plus_the_time_suspended() {
        let now = Timestamp::now();
        let apart = log_zero(now).unwrap().duration_since(booted(now).unwrap());
        let apart = Duration::try_from(apart).unwrap_or_default();
        assert!(apart.abs_diff(suspended()) < Duration::from_millis(100), "{apart:?} and {:?}", suspended());
    }
}
