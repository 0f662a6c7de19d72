//! Moments as engines and runtimes write them.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::Offset;
use serde_json::Value;

use crate::units::DAY;

/// A text or a number of seconds, milliseconds or nanoseconds since 1970. Placeholders (year 1, zero) are none.
pub(super) fn of(value: &Value) -> Option<Timestamp> {
    match value {
        Value::String(text) => parse(text),
        Value::Number(number) => from_unix(number.as_i64()?),
        _ => None,
    }
}

/// RFC 3339, with `T` or a space, with or without zone (which counts as UTC); Go's `2026-11-25 22:00:00.1 +0000 UTC`;
/// nanoseconds since 1970.
pub(super) fn parse(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    if let Ok(number) = text.parse::<i64>() {
        return from_unix(number);
    }
    let mut words = text.split_ascii_whitespace();
    let at = match (words.next()?, words.next()) {
        (word, None) => zoned(word).or_else(|| without_zone(word))?,
        (date, Some(clock)) => match words.next() {
            None | Some("UTC" | "Z" | "GMT") => {
                let text = format!("{date}T{clock}");
                zoned(&text).or_else(|| without_zone(&text))?
            }
            // The zone's name behind the offset says nothing more, and neither does Go's monotonic clock.
            Some(offset) => zoned(&format!("{date}T{clock}{offset}"))?,
        },
    };
    real(at)
}

/// The unit is told by the size: seconds reach it in the year 5138, milliseconds count from 1973 on.
pub(super) fn from_unix(number: i64) -> Option<Timestamp> {
    let at = match number {
        ..100_000_000_000 => Timestamp::from_second(number),
        100_000_000_000..100_000_000_000_000 => Timestamp::from_millisecond(number),
        _ => Timestamp::from_nanosecond(i128::from(number)),
    };
    real(at.ok()?)
}

fn zoned(text: &str) -> Option<Timestamp> {
    text.parse().ok()
}

/// A day alone is no moment.
fn without_zone(text: &str) -> Option<Timestamp> {
    let text = Some(text).filter(|text| text.contains(':'))?;
    Offset::UTC.to_timestamp(text.parse::<DateTime>().ok()?).ok()
}

/// Go's zero time is the year 1, and a runtime's zero is 1970: nothing of the kind happened.
pub(super) fn real(at: Timestamp) -> Option<Timestamp> {
    (at.as_second() > DAY).then_some(at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_form_of_a_moment_is_the_same_moment() {
        let at: Timestamp = "2026-11-25T22:00:00.5Z".parse().unwrap();
        for text in [
            "2026-11-25T22:00:00.5Z",
            "2026-11-25T22:00:00.500000000",
            "2026-11-25T23:00:00.5+01:00",
            "2026-11-25 22:00:00.5",
            "2026-11-25 22:00:00.5 UTC",
            "2026-11-25 22:00:00.5 +0000 UTC",
            "2026-11-25 17:00:00.5 -0500 EST",
            "2026-11-25 22:00:00.5 +0000 UTC m=+0.012345678",
            "1795644000500",
            "1795644000500000000",
        ] {
            assert_eq!(parse(text), Some(at), "{text}");
        }
        assert_eq!(from_unix(1_795_644_000), "2026-11-25T22:00:00Z".parse().ok());
    }

    #[test]
    fn placeholders_are_no_moments() {
        for text in [
            "0001-01-01T00:00:00Z",
            "0001-01-01 00:00:00 +0000 UTC",
            "0",
            "",
            "1970-01-01T00:00:00Z",
            "soon",
            "2026-11-25",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
        assert_eq!(parse("2026-11-25 22:00:00 CET"), None, "a zone known by its name alone");
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "[-0-9TZ:. +A-Z]{0,40}|\\PC{0,40}") {
            let _ = parse(&text);
        }
    }
}
