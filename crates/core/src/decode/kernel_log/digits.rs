//! Numbers in columns, eight bytes at a time: tables are most of what a report prints.
//!
//! The loop over single bytes goes astray once or twice a column, for columns are of every width.

const LANES: u64 = 0x0101_0101_0101_0101;

/// The number that a text begins with, and how many digits it has; `None` from 17 digits on, which no column has.
pub(super) fn leading(bytes: &[u8]) -> Option<(u64, usize)> {
    let (value, count) = leading_eight(bytes);
    if count < 8 {
        return Some((value, count));
    }
    let (low, more) = leading_eight(&bytes[8..]);
    let scale = 10_u64.pow(u32::try_from(more).ok()?);
    let goes_on = more == 8 && bytes.get(16).is_some_and(u8::is_ascii_digit);
    (!goes_on).then_some((value * scale + low, count + more))
}

/// What follows the blanks at the beginning.
pub(super) fn behind_blanks(text: &str) -> &str {
    let others = chunk(text.as_bytes()) ^ (LANES * u64::from(b' '));
    let blanks = others.trailing_zeros() / 8;
    text[(blanks as usize).min(text.len())..].trim_ascii_start()
}

/// The same of eight bytes at most.
fn leading_eight(bytes: &[u8]) -> (u64, usize) {
    let digits = chunk(bytes) ^ (LANES * u64::from(b'0'));
    // The high bit of every byte that is above 9. A carry only touches bytes behind the first of these.
    let others = (digits.wrapping_add(LANES * (0x80 - 10)) | digits) & (LANES * 0x80);
    let count = others.trailing_zeros() / 8;
    // The last digit in the highest byte, zeros before the first; then pairs, fours and all eight are put together.
    let digits = digits.unbounded_shl(64 - 8 * count);
    let pairs = (digits.wrapping_mul(10).wrapping_add(digits >> 8)) & 0x00ff_00ff_00ff_00ff;
    let fours = (pairs.wrapping_mul(100).wrapping_add(pairs >> 16)) & 0x0000_ffff_0000_ffff;
    let eight = (fours.wrapping_mul(10_000).wrapping_add(fours >> 32)) & 0xffff_ffff;
    (eight, count as usize)
}

/// The first eight bytes, the first of them lowest; zeros where the text is shorter.
fn chunk(bytes: &[u8]) -> u64 {
    if let Some(chunk) = bytes.first_chunk::<8>() {
        return u64::from_le_bytes(*chunk);
    }
    let mut chunk = [0; 8];
    chunk[..bytes.len()].copy_from_slice(bytes);
    u64::from_le_bytes(chunk)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn numbers_of_every_length_are_read() {
        for text in ["", "x1", "7", "7 ", "12345678", "12345678 9", "123456789 app", "1234567890123456", "0012:", "99]"]
        {
            let count = text.bytes().take_while(u8::is_ascii_digit).count();
            assert_eq!(leading(text.as_bytes()), Some((text[..count].parse().unwrap_or(0), count)), "{text}");
        }
        assert_eq!(leading(b"12345678901234567"), None);
    }

    #[test]
    fn blanks_are_passed_however_many() {
        for text in ["", " ", "a", "  a b", "        ", "        a", "                 1", " \t é"] {
            assert_eq!(behind_blanks(text), text.trim_ascii_start(), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn what_follows_the_digits_does_not_matter(number in 0_u64..10_000_000_000, rest in "[^0-9].{0,9}") {
            let text = format!("{number}{rest}");
            let count = number.to_string().len();
            prop_assert_eq!(leading(text.as_bytes()), Some((number, count)));
        }
    }
}
