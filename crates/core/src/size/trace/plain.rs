//! Rows of three plain cells, `series,time_s,bytes`, as most traces have them.
//!
//! What such a row begins with is foretold from the rows before, and only compared: traces repeat the order of their
//! series, and of a time only the last digits change.

use super::LATEST;
use super::row::name_length;
use crate::digits::{all_digits, digits, eight_to_fifteen, word};

/// A time, an amount, and the length of what was read, with the end of the line.
type Sample = (i64, u64, usize);

/// What the rows of a series begin with: its name and a comma. The first sixteen bytes are compared as words, which is
/// all that most names have.
#[derive(Debug)]
pub(super) struct Head {
    words: [u64; 2],
    masks: [u64; 2],
    length: usize,
    more: Box<[u8]>,
}

impl Head {
    /// Of a name that has to be quoted one that no row begins with.
    pub(super) fn new(name: &[u8]) -> Self {
        if name.iter().any(|byte| matches!(byte, b',' | b'"' | b'\n' | b'\r')) {
            return Self { words: [1; 2], masks: [0; 2], length: 0, more: Box::default() };
        }
        let mut text = [name, b","].concat();
        let length = text.len();
        let more = text.split_off(length.min(16)).into();
        text.resize(16, 0);
        let masks = [0, 8].map(|at| match length.saturating_sub(at) {
            count @ 0..8 => (1 << (8 * count)) - 1,
            _ => u64::MAX,
        });
        Self { words: [0, 8].map(|at| word(&text, at).unwrap_or_default()), masks, length, more }
    }

    /// What follows the head at the beginning of `bytes`.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "called for every row")]
    fn strip<'t>(&self, bytes: &'t [u8]) -> Option<&'t [u8; LONGEST]> {
        // Nothing after this has to ask whether there are so many bytes.
        if self.length > bytes.len().checked_sub(LONGEST)? {
            return None;
        }
        let differs = |place: usize| Some((word(bytes, 8 * place)? ^ self.words[place]) & self.masks[place]);
        let same = differs(0)? | differs(1)? == 0 && (self.more.is_empty() || bytes[16..].starts_with(&self.more));
        if same { bytes[self.length..].first_chunk() } else { None }
    }
}

/// The digits of the last time before its last eight, which change every three years.
#[derive(Debug, Clone, Copy)]
pub(super) struct Clock {
    word: u64,
    mask: u64,
    /// What they count for.
    value: u64,
    /// How many they are: up to three.
    length: usize,
    /// The last eight digits of the last time, and that time.
    eight: u64,
    last: u64,
}

impl Default for Clock {
    /// Foretells nothing.
    fn default() -> Self {
        Self { word: 1, mask: 0, value: 0, length: 0, eight: 0, last: 0 }
    }
}

impl Clock {
    /// The time, if it is like the last one, and the amount in what follows a head, and how long both are.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "called for every row")]
    fn foretold(&mut self, rest: &[u8; LONGEST]) -> Option<Sample> {
        let at = self.length & 3;
        if word(rest, 0)? & self.mask != self.word || rest[at + 8] != b',' {
            return None;
        }
        // The rows of one moment have its time all alike.
        let eight = word(rest, at)?;
        if eight != self.eight {
            self.last = self.value + all_digits(rest, at)?;
            self.eight = eight;
        }
        let (used, length) = match eight_to_fifteen(rest, at + 9) {
            Some(found) => found,
            None => digits(&rest[at + 9..])?,
        };
        let end = at + 9 + length;
        (rest.get(end) == Some(&b'\n')).then_some((self.last.cast_signed(), used, end + 1))
    }

    /// The seconds at the beginning of `bytes`, and how many digits they are.
    fn learn(&mut self, bytes: &[u8]) -> Option<(i64, usize)> {
        let (time, count) = digits(bytes).filter(|(time, _)| *time <= LATEST)?;
        // Whatever the last eight of eleven digits are, they are no time that is too late.
        if let (8..=11, Some(first), Some(eight)) = (count, word(bytes, 0), word(bytes, count.saturating_sub(8))) {
            let length = count - 8;
            let mask = (1 << (8 * length)) - 1;
            *self = Self { word: first & mask, mask, value: time - time % 100_000_000, length, eight, last: time };
        }
        Some((time.cast_signed(), count))
    }
}

/// Eleven digits of a time, a comma, fifteen of an amount, the end of the line, and what is read of more words.
const LONGEST: usize = 32;

/// The sample of the row at the beginning of `bytes`, if it is one of the series with that head.
#[inline(always)]
#[expect(clippy::inline_always, reason = "called for every row")]
pub(super) fn foretold(bytes: &[u8], head: &Head, clock: &mut Clock) -> Option<Sample> {
    let (time, used, length) = clock.foretold(head.strip(bytes)?)?;
    Some((time, used, head.length + length))
}

/// The row at the beginning of `bytes`: the name of its series and its sample. `None` leaves the line to
/// [`super::Row::parse`].
#[inline(never)]
pub(super) fn row<'t>(bytes: &'t [u8], clock: &mut Clock) -> Option<(&'t [u8], Sample)> {
    let name = name_length(bytes)?;
    let rest = bytes[name..].strip_prefix(b",").filter(|_| bytes[0] != b'"')?;
    let (time, at) = clock.learn(rest)?;
    let (used, length) = digits(rest[at..].strip_prefix(b",")?)?;
    let end = at + 1 + length;
    (rest.get(end) == Some(&b'\n')).then_some((&bytes[..name], (time, used, name + 1 + end + 1)))
}
