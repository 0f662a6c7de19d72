//! The records of `/dev/kmsg` (Documentation/ABI/testing/dev-kmsg).

use crate::digits::digits;

/// A record, taken apart.
pub(super) struct Record<'a> {
    /// Facility and level.
    pub(super) priority: u64,
    /// Its number in the ring.
    pub(super) sequence: u64,
    /// Seconds since boot.
    pub(super) uptime: f64,
    /// The message.
    pub(super) text: &'a str,
}

/// `6,22743,6115623303887,-;`.
#[inline]
pub(super) fn read(rest: &str) -> Option<Record<'_>> {
    fn field(text: &str) -> Option<(u64, &str)> {
        let (number, length) = digits(text.as_bytes())?;
        Some((number, text[length..].strip_prefix(',')?))
    }
    let (priority, after) = field(rest)?;
    let (sequence, after) = field(after)?;
    let (microseconds, after) = field(after)?;
    let flags = after.as_bytes();
    // Most have no flags: a dash.
    let end = if flags.starts_with(b"-;") { 1 } else { memchr::memchr(b';', &flags[..flags.len().min(40)])? };
    Some(Record { priority, sequence, uptime: microseconds as f64 / 1e6, text: &after[end + 1..] })
}
