//! Cells: numbers as traces write them.

use super::super::history::MISSING;

/// No machine has so much: what a cgroup of version 1 says where there is no limit is more (9223372036854771712).
const MOST: u64 = 1_000_000_000_000_000_000;

/// An amount that is larger.
pub(super) const TOO_LARGE: &str = "a cell is more memory than any machine has";

/// A cell that is no number.
pub(super) const NO_NUMBER: &str = "a cell is no number of its column's unit";

/// A count of bytes: an integer, or what a spreadsheet makes of one (`1.5e9`); empty and NaN are not measured.
pub(super) fn amount(cell: &[u8]) -> Result<u64, &'static str> {
    let text = str::from_utf8(cell).map_err(|_| NO_NUMBER)?.trim();
    if text.is_empty() || text.eq_ignore_ascii_case("nan") || text.eq_ignore_ascii_case("null") {
        return Ok(MISSING);
    }
    if let Ok(value) = text.parse::<u64>() {
        return if value >= MOST { Err(TOO_LARGE) } else { Ok(value) };
    }
    match text.parse::<f64>() {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the range is checked")]
        Ok(value) if (0.0..1e18).contains(&value) => Ok(value.round() as u64),
        Ok(value) if value < 0.0 => Err("a cell is negative"),
        Ok(value) if value >= 1e18 => Err(TOO_LARGE),
        _ => Err(NO_NUMBER),
    }
}

/// A limit: none, where it says 0, `max`, or more than any machine has.
pub(super) fn limit(cell: &[u8]) -> Result<u64, &'static str> {
    if cell.trim_ascii().eq_ignore_ascii_case(b"max") {
        return Ok(MISSING);
    }
    match amount(cell) {
        Ok(0) | Err(TOO_LARGE) => Ok(MISSING),
        other => other,
    }
}

/// A moment: seconds, their fraction cut off.
pub(super) fn moment(cell: &[u8]) -> Result<i64, &'static str> {
    let text = str::from_utf8(cell).map_err(|_| NO_NUMBER)?.trim();
    if let Ok(value) = text.parse::<i64>() {
        return Ok(value);
    }
    match text.parse::<f64>() {
        #[expect(clippy::cast_possible_truncation, reason = "the range is checked")]
        Ok(value) if value.abs() < 1e18 => Ok(value.floor() as i64),
        _ => Err(NO_NUMBER),
    }
}

/// Whether a kill happened: a count, or `true`.
pub(super) fn flag(cell: &[u8]) -> Result<u64, &'static str> {
    match cell.trim_ascii() {
        word if word.eq_ignore_ascii_case(b"true") => Ok(1),
        word if word.eq_ignore_ascii_case(b"false") => Ok(0),
        other => amount(other),
    }
}

/// Whether a cell of `oom` says that a kill happened.
pub(super) fn is_true(value: u64) -> bool {
    value != 0 && value != MISSING
}

/// Up to eighteen digits at the beginning of `bytes`, and how many there are; `None` where there is none or more.
#[inline(always)]
#[expect(clippy::inline_always, reason = "called for every cell of every row")]
pub(super) fn digits(bytes: &[u8]) -> Option<(u64, usize)> {
    // The usual number has fewer than sixteen: two words, read whatever their length.
    if let (Some(first), Some(second)) = (word(bytes, 0), word(bytes, 8)) {
        let length = leading_digits(first);
        if length < 8 {
            return (length > 0).then(|| (eight_digits(first << (64 - 8 * length)), length));
        }
        let more = leading_digits(second);
        if more == 0 {
            return Some((eight_digits(first), 8));
        }
        if more < 8 {
            let value = eight_digits(first) * POWERS[more] + eight_digits(second << (64 - 8 * more));
            return Some((value, 8 + more));
        }
    }
    digit_by_digit(bytes)
}

/// [`digits`] at the end of the text, and of numbers that are longer than most.
#[cold]
fn digit_by_digit(bytes: &[u8]) -> Option<(u64, usize)> {
    let count = bytes.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let value = || bytes[..count].iter().fold(0, |value, digit| value * 10 + u64::from(digit - b'0'));
    (1..=18).contains(&count).then(|| (value(), count))
}

/// The eight bytes at `at`, the first in the lowest.
#[inline]
pub(super) fn word(bytes: &[u8], at: usize) -> Option<u64> {
    bytes.get(at..at + 8).and_then(|eight| eight.try_into().ok()).map(u64::from_le_bytes)
}

// Eight digits at once: https://lemire.me/blog/2022/01/21/swar-explained-parsing-eight-digits

const POWERS: [u64; 8] = [1, 10, 100, 1000, 10_000, 100_000, 1_000_000, 10_000_000];

/// How many of eight bytes, from the lowest on, are digits.
#[inline]
fn leading_digits(word: u64) -> usize {
    // A byte is a digit when its high half is 3 and stays so with 6 added; carries only reach bytes behind a byte that
    // is none already.
    let other = ((word & 0xf0f0_f0f0_f0f0_f0f0) ^ 0x3030_3030_3030_3030)
        | ((word.wrapping_add(0x0606_0606_0606_0606) & 0xf0f0_f0f0_f0f0_f0f0) ^ 0x3030_3030_3030_3030);
    (other.trailing_zeros() / 8) as usize
}

/// The value of eight digits, the first in the lowest byte; a byte of zero counts as the digit 0.
#[inline]
fn eight_digits(word: u64) -> u64 {
    let word = word & 0x0f0f_0f0f_0f0f_0f0f;
    let word = word.wrapping_mul(10 * 256 + 1) >> 8 & 0x00ff_00ff_00ff_00ff;
    let word = word.wrapping_mul(100 * 65536 + 1) >> 16 & 0x0000_ffff_0000_ffff;
    word.wrapping_mul(10_000 * (1 << 32) + 1) >> 32
}
