//! A moment as people write it: an age (`10m`, `2h`, `1d`) or a date (RFC 3339).

use std::str::FromStr;

use jiff::{SignedDuration, Timestamp};
use oomph_core::units::DAY;

/// The moment from which on deaths are of interest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Since {
    /// So long ago.
    Ago(SignedDuration),
    /// This moment.
    At(Timestamp),
}

impl Since {
    /// The moment itself.
    pub(super) fn before(self, now: Timestamp) -> Timestamp {
        match self {
            Self::Ago(age) => now.checked_sub(age).unwrap_or(Timestamp::MIN),
            Self::At(moment) => moment,
        }
    }
}

impl FromStr for Since {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Some(age) = age(text) {
            return Ok(Self::Ago(age));
        }
        text.parse().map(Self::At).map_err(|_| "write an age (10m, 2h, 1d) or a date (2026-11-21T21:00:00Z)".to_owned())
    }
}

/// `90s`, `10m`, `2h`, `1d`, `1w`, or several of them in a row (`1h30m`), as kubectl and Prometheus take them.
pub(super) fn age(text: &str) -> Option<SignedDuration> {
    let mut seconds: i64 = 0;
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let number: i64 = rest.get(..digits)?.parse().ok()?;
        let unit = match rest.as_bytes().get(digits)? {
            b's' => 1,
            b'm' => 60,
            b'h' => 3600,
            b'd' => DAY,
            b'w' => 7 * DAY,
            _ => return None,
        };
        seconds = seconds.checked_add(number.checked_mul(unit)?)?;
        rest = &rest[digits + 1..];
    }
    (!text.is_empty()).then(|| SignedDuration::from_secs(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_and_dates_are_understood() {
        let now: Timestamp = "2026-11-21T21:18:02Z".parse().unwrap();
        for (text, moment) in [
            ("10m", "2026-11-21T21:08:02Z"),
            ("2h", "2026-11-21T19:18:02Z"),
            ("1d", "2026-11-20T21:18:02Z"),
            ("1h30m", "2026-11-21T19:48:02Z"),
            ("2026-11-21T20:00:00+01:00", "2026-11-21T19:00:00Z"),
        ] {
            assert_eq!(text.parse::<Since>().unwrap().before(now), moment.parse().unwrap(), "{text}");
        }
    }

    #[test]
    fn what_is_no_moment_is_refused() {
        for text in ["", "10", "m", "10x", "-5m", "yesterday", "99999999999999999999d", "9223372036854775807w", "1é"] {
            assert!(text.parse::<Since>().is_err(), "{text}");
        }
    }

    #[test]
    fn an_age_before_all_time_is_the_beginning_of_time() {
        assert_eq!("9999999999999s".parse::<Since>().unwrap().before(Timestamp::UNIX_EPOCH), Timestamp::MIN);
    }
}
