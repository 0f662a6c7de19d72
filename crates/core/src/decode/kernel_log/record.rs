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
    if let Some(record) = without_flags(rest) {
        return Some(record);
    }
    let [(priority, _), (sequence, _), (microseconds, end)] = numbers(rest.as_bytes())?;
    let flags = &rest.as_bytes()[end..];
    let semicolon = memchr::memchr(b';', &flags[..flags.len().min(40)])?;
    Some(Record { priority, sequence, uptime: microseconds as f64 / 1e6, text: &rest[end + semicolon + 1..] })
}

/// The same of the line that a text begins with, as most are: a dash for no flags.
#[inline]
pub(super) fn without_flags(text: &str) -> Option<Record<'_>> {
    let [(priority, _), (sequence, _), (microseconds, end)] = numbers(text.as_bytes())?;
    let text = text[end..].strip_prefix("-;")?;
    Some(Record { priority, sequence, uptime: microseconds as f64 / 1e6, text })
}

/// The three numbers that a record begins with, and where each ends with its comma.
#[inline(always)]
#[expect(clippy::inline_always, reason = "so that numbers nobody wants are not worked out")]
pub(super) fn numbers(bytes: &[u8]) -> Option<[(u64, usize); 3]> {
    let priority = number(bytes, 0)?;
    let sequence = number(bytes, priority.1)?;
    Some([priority, sequence, number(bytes, sequence.1)?])
}

#[inline(always)]
#[expect(clippy::inline_always, reason = "called for three numbers of every record")]
fn number(bytes: &[u8], from: usize) -> Option<(u64, usize)> {
    let (number, length) = digits(bytes.get(from..)?)?;
    (bytes.get(from + length) == Some(&b',')).then_some((number, from + length + 1))
}
