//! Decimal digits, eight at a time: large texts are mostly numbers.

/// Up to eighteen digits at the beginning of `bytes`, and how many there are; `None` where there is none or more.
#[inline(always)]
#[expect(clippy::inline_always, reason = "called for every cell of every row")]
pub(crate) fn digits(bytes: &[u8]) -> Option<(u64, usize)> {
    // The usual number has fewer than sixteen: one or two words, read whatever their length.
    let Some(first) = word(bytes, 0) else { return digit_by_digit(bytes) };
    let length = leading_digits(first);
    if length < 8 {
        return (length > 0).then(|| (eight_digits(first << (64 - 8 * length)), length));
    }
    match word(bytes, 8).map(|second| (second, leading_digits(second))) {
        Some((_, 0)) => Some((eight_digits(first), 8)),
        Some((second, more)) if more < 8 => {
            Some((eight_digits(first) * POWERS[more] + eight_digits(second << (64 - 8 * more)), 8 + more))
        }
        _ => digit_by_digit(bytes),
    }
}

/// [`digits`] at the end of the text, and of numbers that are longer than most.
#[cold]
fn digit_by_digit(bytes: &[u8]) -> Option<(u64, usize)> {
    let count = bytes.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let value = || bytes[..count].iter().fold(0, |value, digit| value * 10 + u64::from(digit - b'0'));
    (1..=18).contains(&count).then(|| (value(), count))
}

/// The value of the first `length` bytes if they are digits, up to fifteen: unlike [`digits`] it does not have to find
/// out first how many there are.
#[inline]
pub(crate) fn digits_of_length(bytes: &[u8], length: usize) -> Option<u64> {
    let (first, second) = (word(bytes, 0)?, word(bytes, 8)?);
    match length {
        1..=8 if leading_digits(first) >= length => Some(eight_digits(first << (64 - 8 * length))),
        9..=15 if leading_digits(first) == 8 && leading_digits(second) >= length - 8 => {
            let more = length - 8;
            Some(eight_digits(first) * POWERS[more] + eight_digits(second << (64 - 8 * more)))
        }
        _ => None,
    }
}

/// How many blanks `bytes` begins with.
#[inline(always)]
#[expect(clippy::inline_always, reason = "called for every column of every row")]
pub(crate) fn blanks(bytes: &[u8]) -> usize {
    if let Some(word) = word(bytes, 0) {
        let other = word ^ 0x2020_2020_2020_2020;
        if other != 0 {
            return (other.trailing_zeros() / 8) as usize;
        }
    }
    bytes.iter().take_while(|byte| **byte == b' ').count()
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn digits_are_read_as_the_library_reads_them(text in "[0-9]{0,20}[,\n:/a.-]?.{0,10}") {
            let length = text.bytes().take_while(u8::is_ascii_digit).count();
            let expected = (1..=18).contains(&length).then(|| (text[..length].parse().unwrap(), length));
            prop_assert_eq!(digits(text.as_bytes()), expected);
            let whole = format!("{text:0<16}");
            for known in 1..=15 {
                let expected = whole.get(..known).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()));
                let got = digits_of_length(whole.as_bytes(), known);
                prop_assert_eq!(got, expected.map(|digits| digits.parse().unwrap()), "{} of {}", known, whole);
            }
        }

        #[test]
        fn blanks_are_counted_until_something_else(text in " {0,30}[0-9!\t\"]{0,20}") {
            prop_assert_eq!(blanks(text.as_bytes()), text.len() - text.trim_start_matches(' ').len());
        }
    }
}
