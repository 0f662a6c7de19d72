//! Decimal digits, eight at a time: large texts are mostly numbers.

/// Up to eighteen digits at the beginning of `bytes`, and how many there are; `None` where there is none or more.
#[inline(always)]
#[expect(clippy::inline_always, reason = "called for every cell of every row")]
pub(crate) fn digits(bytes: &[u8]) -> Option<(u64, usize)> {
    // The usual number has fewer than sixteen: one or two words, read whatever their length.
    let Some(first) = figures(bytes, 0) else { return digit_by_digit(bytes) };
    if let Some(length) = leading_digits(first) {
        return (length > 0).then(|| (eight_digits(first << (64 - 8 * length)), length));
    }
    match figures(bytes, 8).and_then(|second| Some((second, leading_digits(second)?))) {
        Some((_, 0)) => Some((eight_digits(first), 8)),
        Some((second, more)) => {
            Some((eight_digits(first) * POWERS[more] + eight_digits(second << (64 - 8 * more)), 8 + more))
        }
        None => digit_by_digit(bytes),
    }
}

/// The eight to fifteen digits at `at`, and how many there are; `None` for anything else.
#[inline(always)]
#[expect(clippy::inline_always, reason = "called for every row of a trace")]
pub(crate) fn eight_to_fifteen(bytes: &[u8], at: usize) -> Option<(u64, usize)> {
    let (first, second) = (figures(bytes, at)?, figures(bytes, at + 8)?);
    if leading_digits(first).is_some() {
        return None;
    }
    let more = leading_digits(second)?;
    // Shifted twice: by as much as a word has bits no word can be.
    let rest = second << 8 << (56 - 8 * more);
    Some((eight_digits(first) * POWERS[more] + eight_digits(rest), 8 + more))
}

/// [`digits`] at the end of the text, and of numbers that are longer than most.
#[cold]
fn digit_by_digit(bytes: &[u8]) -> Option<(u64, usize)> {
    let count = bytes.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let value = || bytes[..count].iter().fold(0, |value, digit| value * 10 + u64::from(digit - b'0'));
    (1..=18).contains(&count).then(|| (value(), count))
}

/// The value of the eight bytes at `at`, if all of them are digits.
#[inline]
pub(crate) fn all_digits(bytes: &[u8], at: usize) -> Option<u64> {
    figures(bytes, at).filter(|figures| leading_digits(*figures).is_none()).map(eight_digits)
}

/// The value of the six digits that `bytes` begins with, where these two bytes follow.
#[inline]
pub(crate) fn six_digits_before(bytes: &[u8], after: [u8; 2]) -> Option<u64> {
    let word = word(bytes, 0)?;
    let figures = (word ^ ZEROS) << 16;
    (word >> 48 == u64::from(u16::from_le_bytes(after)) && leading_digits(figures).is_none())
        .then(|| eight_digits(figures))
}

/// How many blanks `bytes` begins with.
#[inline(always)]
#[expect(clippy::inline_always, reason = "called for every column of every row")]
pub(crate) fn blanks(bytes: &[u8]) -> usize {
    for at in [0, 8] {
        let Some(word) = word(bytes, at) else { break };
        let other = word ^ BLANKS;
        if other != 0 {
            return at + (other.trailing_zeros() / 8) as usize;
        }
    }
    bytes.iter().take_while(|byte| **byte == b' ').count()
}

/// Where in a line a number stands to the right, between blanks.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Cell {
    start: usize,
    pub(crate) end: usize,
    /// The bytes that are the cell's, of the eight before its end.
    last: u64,
    /// Those that it has before these, of the eight at its start.
    first: u64,
}

impl Cell {
    /// The cell between two places; one of another width than 1 to 16, or too close to the start of the line, holds
    /// nothing.
    pub(crate) fn between(start: usize, end: usize) -> Self {
        let width = end.saturating_sub(start);
        if !(1..=16).contains(&width) || end < 8 {
            return Self { start, end, last: 0, first: 0 };
        }
        let wider = width.saturating_sub(8);
        Self {
            start,
            end,
            last: u64::MAX << (8 * (8 - width.min(8))),
            first: if wider == 0 { 0 } else { u64::MAX >> (64 - 8 * wider) },
        }
    }

    /// Its number of up to seven digits; `None` for anything else, and where a digit stands before.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "called for every column of every row")]
    pub(crate) fn number(&self, bytes: &[u8]) -> Option<u64> {
        let (first, last) = (word(bytes, self.start)?, word(bytes, self.end.checked_sub(8)?)?);
        let figures = last ^ ZEROS;
        // Without carries: what stands before the digits does not change how they are read.
        let other = (((figures & !HIGH) + 0x7676_7676_7676_7676) | figures) & HIGH;
        let count = other.leading_zeros() / 8;
        if !(1..8).contains(&count) {
            return None;
        }
        let digits = u64::MAX << (64 - 8 * count);
        let blank = (last ^ BLANKS) & self.last & !digits | (first ^ BLANKS) & self.first == 0;
        (blank && digits & !self.last == 0).then(|| eight_digits(figures & digits))
    }
}

/// Where the line ends that `bytes` begins with: before its newline.
#[inline]
pub(crate) fn line_end(bytes: &[u8]) -> Option<usize> {
    for at in [0, 8] {
        let newlines = places_of(word(bytes, at)?, b'\n');
        if newlines != 0 {
            return Some(at + (newlines.trailing_zeros() / 8) as usize);
        }
    }
    memchr::memchr(b'\n', bytes)
}

/// Where the line ends that `bytes` begins with, before its newline, and whether one of these signs stands in it.
#[inline]
pub(crate) fn line_end_and_signs(bytes: &[u8], signs: [u8; 3]) -> Option<(usize, bool)> {
    let mut at = 0;
    while let Some(word) = word(bytes, at) {
        let newline = places_of(word, b'\n').trailing_zeros();
        let sign = signs.iter().fold(0, |places, sign| places | places_of(word, *sign)).trailing_zeros();
        if sign < newline {
            return memchr::memchr(b'\n', &bytes[at..]).map(|newline| (at + newline, true));
        }
        if newline < u64::BITS {
            return Some((at + (newline / 8) as usize, false));
        }
        at += 8;
    }
    let end = at + bytes[at..].iter().position(|byte| *byte == b'\n')?;
    Some((end, bytes[at..end].iter().any(|byte| signs.contains(byte))))
}

/// What follows `head` in `text`, a word at a time: calling for a few bytes takes longer than comparing them.
#[inline]
pub(crate) fn after_head<'t>(text: &'t str, head: &str) -> Option<&'t str> {
    let (bytes, first) = (text.as_bytes(), head.as_bytes());
    // Comparing nothing by a call may take long, too: where nothing points to, the processor has to be careful.
    if first.is_empty() {
        return Some(text);
    }
    let Some(last) = first.last_chunk::<8>() else { return text.strip_prefix(head) };
    let same = bytes.get(..first.len())?;
    let mut words = same.as_chunks::<8>().0.iter().zip(first.as_chunks::<8>().0);
    if words.all(|(one, other)| one == other) && same.last_chunk() == Some(last) {
        text.get(first.len()..)
    } else {
        None
    }
}

/// The text without the blanks it begins with.
#[inline]
pub(crate) fn after_blanks(text: &str) -> &str {
    &text[blanks(text.as_bytes())..]
}

/// The eight bytes at `at`, the first in the lowest.
#[inline]
pub(crate) fn word(bytes: &[u8], at: usize) -> Option<u64> {
    bytes.get(at..at + 8).and_then(|eight| eight.try_into().ok()).map(u64::from_le_bytes)
}

// Eight digits at once: https://lemire.me/blog/2022/01/21/swar-explained-parsing-eight-digits

const ZEROS: u64 = 0x3030_3030_3030_3030;
const BLANKS: u64 = 0x2020_2020_2020_2020;
/// The lowest bit of every byte.
const LOW: u64 = 0x0101_0101_0101_0101;
/// The highest bit of every byte.
const HIGH: u64 = 0x8080_8080_8080_8080;

const POWERS: [u64; 8] = [1, 10, 100, 1000, 10_000, 100_000, 1_000_000, 10_000_000];

/// The highest bit of the first of eight bytes that is this one, and perhaps of some behind it; 0 where none is.
#[inline]
fn places_of(word: u64, byte: u8) -> u64 {
    let other = word ^ (LOW * u64::from(byte));
    other.wrapping_sub(LOW) & !other & HIGH
}

/// The eight bytes at `at`, so that a digit is its value and everything else is more than 9.
#[inline]
fn figures(bytes: &[u8], at: usize) -> Option<u64> {
    word(bytes, at).map(|word| word ^ ZEROS)
}

/// How many digits stand before the first of eight [`figures`] that is none; `None` where all are digits.
#[inline]
fn leading_digits(figures: u64) -> Option<usize> {
    // 0x76 more lifts what is above 9 into the high bit, where it is not there already; carries only reach bytes behind
    // a byte that is no digit.
    let other = (figures.wrapping_add(0x7676_7676_7676_7676) | figures) & HIGH;
    (other != 0).then(|| (other.trailing_zeros() / 8) as usize)
}

/// The value of eight [`figures`] that are digits, the first in the lowest byte.
#[inline]
fn eight_digits(figures: u64) -> u64 {
    let pairs = figures.wrapping_mul(10 * 256 + 1) >> 8 & 0x00ff_00ff_00ff_00ff;
    let fours = pairs.wrapping_mul(100 * 65536 + 1) >> 16 & 0x0000_ffff_0000_ffff;
    fours.wrapping_mul(10_000 * (1 << 32) + 1) >> 32
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn digits_are_read_as_the_library_reads_them(text in "[0-9]{0,20}[,\n:/a.\u{80}\u{7ff}-]?.{0,10}") {
            let length = text.bytes().take_while(u8::is_ascii_digit).count();
            let expected = (1..=18).contains(&length).then(|| (text[..length].parse().unwrap(), length));
            prop_assert_eq!(digits(text.as_bytes()), expected);
            let six = text.strip_suffix("], ").filter(|text| text.len() == 6 && length == 6).map(|text| text.parse().unwrap());
            prop_assert_eq!(six_digits_before(text.as_bytes(), *b"],"), six);
            let eight = text.as_bytes().get(..8).filter(|eight| eight.iter().all(u8::is_ascii_digit));
            let expected = eight.map(|_| text[..8].parse().unwrap());
            prop_assert_eq!(all_digits(text.as_bytes(), 0), expected);
            let many = digits(text.as_bytes()).filter(|(_, count)| (8..16).contains(count) && text.len() >= 16);
            prop_assert_eq!(eight_to_fifteen(text.as_bytes(), 0), many);
        }

        #[test]
        fn a_number_between_blanks_is_read_as_the_library_reads_it(
            before in ".{0,9}", cell in " {0,16}-?[0-9]{0,9}|[ 0-9]{0,12}", after in ".{0,3}", cut in 0_usize..3,
        ) {
            let text = format!("{before}{cell}{after}");
            let (start, end) = (before.len(), before.len() + cell.len());
            let number = cell.trim_start_matches(' ');
            let plain = (1..8).contains(&number.len()) && number.bytes().all(|byte| byte.is_ascii_digit());
            let read = Cell::between(start, end).number(text.as_bytes());
            let expected = number.parse().ok().filter(|_| plain);
            // At the ends of the text there may be no word to read, and a digit before the cell may be the number's.
            let unread = end < 8 || start + 8 > text.len() || cell.len() > 16;
            let unsure = unread || before.ends_with(|letter: char| letter.is_ascii_digit());
            prop_assert!(read == expected || read.is_none() && unsure);
            let _ = Cell::between(end + cut, start).number(text.as_bytes());
        }

        #[test]
        fn the_end_of_a_line_and_what_follows_a_head_are_found_as_the_library_finds_them(
            head in "[a-c]{0,20}", other in "[a-c]{0,20}", rest in "[a-c\u{8a}\u{10a}\n]{0,20}",
        ) {
            let text = format!("{head}{rest}");
            let end = text.find('\n');
            let found = line_end(text.as_bytes());
            prop_assert!(found == end || found.is_none() && text.len() < 16);
            let signs = end.map(|end| (end, text[..end].contains(['a', 'c', '\u{10a}'])));
            prop_assert_eq!(line_end_and_signs(text.as_bytes(), [b'a', b'c', 0xc4]), signs);
            prop_assert_eq!(after_head(&text, &head), Some(&rest[..]));
            prop_assert_eq!(after_head(&text, &other), text.strip_prefix(&other[..]));
        }

        #[test]
        fn blanks_are_counted_until_something_else(text in " {0,30}[0-9!\t\"]{0,20}") {
            prop_assert_eq!(blanks(text.as_bytes()), text.len() - text.trim_start_matches(' ').len());
        }
    }
}
