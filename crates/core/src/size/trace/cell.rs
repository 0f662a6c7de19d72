//! Cells: numbers as traces write them.

use super::super::history::MISSING;

/// No machine has so much: what a cgroup of version 1 says where there is no limit is more (9223372036854771712).
const MOST: u64 = 1_000_000_000_000_000_000;

/// What [`flag`] reads `true` as: no count is so large.
pub(super) const TRUE: u64 = MISSING - 1;

/// An amount that is larger.
pub(super) const TOO_LARGE: &str = "more memory than any machine has";

/// A cell that is no number.
pub(super) const NO_NUMBER: &str = "no number; amounts are whole bytes, times seconds";

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
        Ok(value) if value < 0.0 => Err("negative"),
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

/// Whether a kill happened: a count, or [`TRUE`].
pub(super) fn flag(cell: &[u8]) -> Result<u64, &'static str> {
    match cell.trim_ascii() {
        word if word.eq_ignore_ascii_case(b"true") => Ok(TRUE),
        word if word.eq_ignore_ascii_case(b"false") => Ok(0),
        other => amount(other),
    }
}
