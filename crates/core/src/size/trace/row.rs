//! One row of a trace.

use std::borrow::Cow;

use memchr::memchr2;

use super::super::history::MISSING;
use super::cell::{amount, flag, limit, moment};
use super::{COLUMNS, LIMIT, OOM, SERIES, TIME, WIDTH};
use crate::digits::{digits, word};

/// A row, its cells at the places of the known columns.
#[derive(Debug)]
pub(super) struct Row<'a> {
    pub(super) series: Cow<'a, [u8]>,
    pub(super) time: i64,
    pub(super) number: [u64; WIDTH],
}

impl Default for Row<'_> {
    fn default() -> Self {
        Self { series: Cow::Borrowed(&[]), time: 0, number: [MISSING; WIDTH] }
    }
}

impl<'a> Row<'a> {
    /// Reads the line at the beginning of `bytes` if it is of the usual kind (nothing quoted, unsigned integers, every
    /// cell there, an end of line): its length with the end. `None` leaves the line to [`Row::parse`].
    #[inline]
    pub(super) fn read(&mut self, bytes: &'a [u8], columns: &[Option<usize>]) -> Option<usize> {
        let mut at = 0;
        for (place, column) in columns.iter().enumerate() {
            let rest = &bytes[at..];
            let length = match *column {
                Some(SERIES) => {
                    let length = name_length(rest)?;
                    self.series = Cow::Borrowed(&rest[..length]);
                    if rest[0] == b'"' || rest[..length].ends_with(b"\r") {
                        return None;
                    }
                    length
                }
                Some(TIME) => {
                    let (value, length) = digits(rest)?;
                    self.time = value.cast_signed();
                    length
                }
                Some(column) => match digits(rest) {
                    Some((value, length)) => {
                        self.number[column] = value;
                        length
                    }
                    None if matches!(rest.first(), Some(b',' | b'\n')) => 0,
                    None => return None,
                },
                None if rest.first() == Some(&b'"') => return None,
                None => memchr2(b',', b'\n', rest)?,
            };
            at += length;
            let end = if place + 1 == columns.len() { b'\n' } else { b',' };
            let mut found = *bytes.get(at)?;
            if found == b'\r' && end == b'\n' {
                at += 1;
                found = *bytes.get(at)?;
            }
            if found != end {
                return None;
            }
            at += 1;
        }
        Some(at)
    }

    /// A row of cells; the cell that cannot be read is named by its column, with what it says.
    pub(super) fn parse(cells: &[Cow<'a, [u8]>], columns: &[Option<usize>]) -> Result<Self, String> {
        if cells.len() > columns.len() {
            return Err("it has more cells than the header".into());
        }
        let mut row = Row::default();
        let mut timed = false;
        for (cell, column) in cells.iter().zip(columns).filter_map(|(cell, column)| Some((cell, (*column)?))) {
            let value = match column {
                SERIES => {
                    row.series = Cow::Owned(cell.to_vec());
                    continue;
                }
                TIME => moment(cell).map(i64::cast_unsigned),
                OOM => flag(cell),
                LIMIT => limit(cell),
                _ => amount(cell),
            };
            let value = value.map_err(|because| {
                let text: String = String::from_utf8_lossy(cell).chars().take(SHOWN).collect();
                format!("{} {text:?}: {because}", COLUMNS[column])
            })?;
            if column == TIME {
                (row.time, timed) = (value.cast_signed(), true);
            } else {
                row.number[column] = value;
            }
        }
        if timed { Ok(row) } else { Err("it has no time".into()) }
    }
}

/// So much of a cell is shown.
const SHOWN: usize = 24;

/// Bytes until the comma or the end of the line.
#[inline]
pub(super) fn name_length(bytes: &[u8]) -> Option<usize> {
    // Names are short: two words are looked at faster than a vector search is set up.
    let length = place_in_word(bytes, 0).or_else(|| place_in_word(bytes, 8)).or_else(|| memchr2(b',', b'\n', bytes))?;
    (bytes[length] == b',' || length > 0).then_some(length)
}

/// Where in the eight bytes at `at` a comma or the end of the line is.
#[inline]
fn place_in_word(bytes: &[u8], at: usize) -> Option<usize> {
    const ONES: u64 = u64::MAX / 255;
    let word = word(bytes, at)?;
    // The lowest byte that is zero has its high bit set; bytes above it may have it wrongly.
    let zero = |word: u64| word.wrapping_sub(ONES) & !word & (ONES << 7);
    let found = zero(word ^ (ONES * u64::from(b','))) | zero(word ^ (ONES * u64::from(b'\n')));
    (found != 0).then(|| at + (found.trailing_zeros() / 8) as usize)
}

/// Splits a line at its commas; a cell in quotes may hold commas, and a doubled quote stands for one (RFC 4180).
pub(super) fn split_quoted(line: &[u8]) -> Vec<Cow<'_, [u8]>> {
    let mut cells = Vec::new();
    let mut rest = line;
    loop {
        let (cell, length) = if let Some(quoted) = rest.strip_prefix(b"\"") {
            let (cell, length) = unquote(quoted);
            (Cow::Owned(cell), length + 1)
        } else {
            let length = memchr::memchr(b',', rest).unwrap_or(rest.len());
            (Cow::Borrowed(&rest[..length]), length)
        };
        cells.push(cell);
        match rest.get(length) {
            Some(_) => rest = &rest[length + 1..],
            None => return cells,
        }
    }
}

/// The text in quotes whose opening quote has been read, and the bytes until the comma behind it.
fn unquote(bytes: &[u8]) -> (Vec<u8>, usize) {
    let mut cell = Vec::new();
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        match (byte, bytes.get(at + 1)) {
            (b'"', Some(b'"')) => {
                cell.push(b'"');
                at += 2;
            }
            (b'"', _) => {
                at += 1;
                let more = memchr::memchr(b',', &bytes[at..]).unwrap_or(bytes.len() - at);
                cell.extend_from_slice(&bytes[at..at + more]);
                return (cell, at + more);
            }
            _ => {
                cell.push(*byte);
                at += 1;
            }
        }
    }
    (cell, at)
}
