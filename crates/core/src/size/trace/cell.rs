//! Cells: numbers as traces write them.

use super::super::history::MISSING;

/// A cell that is no number.
pub(super) const NO_NUMBER: &str = "a cell is no number of its column's unit";

/// A count of bytes: an integer, or what a spreadsheet makes of one (`1.5e9`); empty and NaN are not measured.
pub(super) fn amount(cell: &[u8]) -> Result<u64, &'static str> {
    let text = str::from_utf8(cell).map_err(|_| NO_NUMBER)?.trim();
    if text.is_empty() || text.eq_ignore_ascii_case("nan") || text.eq_ignore_ascii_case("null") {
        return Ok(MISSING);
    }
    if let Ok(value) = text.parse::<u64>() {
        return if value == MISSING { Err(NO_NUMBER) } else { Ok(value) };
    }
    match text.parse::<f64>() {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the range is checked")]
        Ok(value) if (0.0..1e18).contains(&value) => Ok(value.round() as u64),
        _ => Err(NO_NUMBER),
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
#[inline]
pub(super) fn digits(bytes: &[u8]) -> Option<(u64, usize)> {
    let mut value = 0_u64;
    let mut count = 0;
    // Eight at a time, then by twos and ones: https://lemire.me/blog/2022/01/21/swar-explained-parsing-eight-digits
    while let Some(chunk) = bytes.get(count..count + 8).and_then(|chunk| <[u8; 8]>::try_from(chunk).ok()) {
        let word = u64::from_le_bytes(chunk);
        let length = leading_digits(word);
        if length < 8 {
            if length > 0 {
                value = value.wrapping_mul(POWERS[length]).wrapping_add(eight_digits(word << (64 - 8 * length)));
            }
            count += length;
            return (count > 0 && count <= 18).then_some((value, count));
        }
        value = value.wrapping_mul(POWERS[8]).wrapping_add(eight_digits(word));
        count += 8;
        if count > 18 {
            return None;
        }
    }
    while let Some(digit) = bytes.get(count).filter(|byte| byte.is_ascii_digit()) {
        if count >= 18 {
            return None;
        }
        value = value * 10 + u64::from(digit - b'0');
        count += 1;
    }
    (count > 0).then_some((value, count))
}

const POWERS: [u64; 9] = [1, 10, 100, 1000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000];

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
