//! Columns of kubectl's texts, and what stands in them: rows, ages, dates.

use jiff::Timestamp;
use jiff::fmt::rfc2822;

use super::moment;
use crate::units::DAY;

/// The columns of a row: what two spaces or a tab set apart.
pub(super) fn columns(line: &str) -> Vec<&str> {
    let mut columns = Vec::new();
    let mut rest = line.trim();
    while !rest.is_empty() {
        let end = rest.find("  ").into_iter().chain(rest.find('\t')).min().unwrap_or(rest.len());
        columns.push(&rest[..end]);
        rest = rest[end..].trim_start();
    }
    columns
}

/// Seconds of an age as kubectl prints it: `35s`, `4m11s`, `2d3h`, `102d`.
pub(super) fn age_seconds(text: &str) -> Option<i64> {
    let mut total = 0_i64;
    let mut number = 0_i64;
    let mut digits = 0;
    let mut units = 0;
    for c in text.trim().chars() {
        if let Some(digit) = c.to_digit(10) {
            number = number.checked_mul(10)?.checked_add(i64::from(digit))?;
            digits += 1;
            continue;
        }
        let seconds = match c {
            's' => 1,
            'm' => 60,
            'h' => 3600,
            'd' => DAY,
            'y' => 365 * DAY,
            _ => return None,
        };
        if digits == 0 {
            return None;
        }
        total = total.checked_add(number.checked_mul(seconds)?)?;
        (number, digits, units) = (0, 0, units + 1);
    }
    (units > 0 && digits == 0).then_some(total)
}

/// `56m (x5 over 58m)` as (age of the last, count, age of the first).
pub(super) fn repeated(text: &str) -> Option<(i64, u32, Option<i64>)> {
    match text.split_once(" (x") {
        Some((age, rest)) => {
            let (count, over) =
                rest.trim_end_matches(')').split_once(" over ").unwrap_or((rest.trim_end_matches(')'), ""));
            Some((age_seconds(age)?, count.trim().parse().ok()?, age_seconds(over)))
        }
        None => Some((age_seconds(text)?, 1, None)),
    }
}

/// `Thu, 19 Aug 2021 16:22:29 +0300`; the placeholders of year 1 and 1970 are none.
pub(super) fn date(text: &str) -> Option<Timestamp> {
    // The day of the week may be wrong or foreign in a text that somebody typed: the rest decides.
    let bare = text.split_once(", ").map_or(text, |(_, rest)| rest).trim();
    moment::real(rfc2822::parse(bare).ok()?.timestamp())
}

/// A Kubernetes name: lower case letters, digits, dashes, dots.
pub(super) fn is_name(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 253
        && text.bytes().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, b'-' | b'.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_add_up() {
        assert_eq!(age_seconds("4m11s"), Some(251));
        assert_eq!(age_seconds("2d3h"), Some(183_600));
        assert_eq!(age_seconds("<unknown>"), None);
        assert_eq!(age_seconds("12"), None);
        assert_eq!(repeated("56m (x5 over 58m)"), Some((3360, 5, Some(3480))));
    }

    #[test]
    fn dates_of_describe_are_read_and_placeholders_are_none() {
        assert_eq!(date("Thu, 19 Aug 2021 16:22:29 +0300").unwrap().to_string(), "2021-08-19T13:22:29Z");
        assert_eq!(date("Mon, 01 Jan 0001 00:00:00 +0000"), None);
        assert_eq!(date("Tue, 30 Aug 2022 10:50"), None);
    }
}
