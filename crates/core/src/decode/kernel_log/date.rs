//! The dates before log lines: ISO, syslog (RFC 3164), `ctime` in any language, seconds since 1970.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::Offset;

use super::month::{english_month, month_named};
use super::zone::offset_of;

/// A date as a line prints it: perhaps without year, perhaps without zone.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Date {
    /// `None` in syslog's `May  6 21:11:29`.
    year: Option<i16>,
    month: i8,
    day: i8,
    hour: i8,
    minute: i8,
    second: i8,
    nanosecond: i32,
    /// Seconds east of Greenwich, where the line says so.
    offset: Option<i32>,
    /// Digits of the second's fraction that were printed.
    pub(super) digits: u8,
    /// `dmesg --time-format iso` separates the fraction by a comma: no host or program follows it.
    pub(super) comma: bool,
}

/// A moment, and how much of it the text told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Moment {
    pub(super) at: Timestamp,
    pub(super) zone_known: bool,
    pub(super) year_known: bool,
}

/// The year of a syslog date of which nothing else is known: a leap year, so that every date exists in it.
const NO_YEAR: i16 = 1972;

/// A line is written before it is read, but perhaps in a zone up to 14 hours ahead of UTC.
const ZONE_SLACK: i64 = 14 * 3600;

impl Date {
    /// The moment. A date without zone is read as UTC. One without year is put into the last year that is not after
    /// `read_at`; when that is unknown too, into [`NO_YEAR`].
    pub(super) fn moment(&self, read_at: Option<Timestamp>) -> Option<Moment> {
        let zone_known = self.offset.is_some();
        let (at, year_known) = match (self.year, read_at) {
            (Some(year), _) => (self.in_year(year)?, true),
            (None, None) => (self.in_year(NO_YEAR)?, false),
            (None, Some(read_at)) => {
                let last = read_at.as_second().saturating_add(ZONE_SLACK);
                let this_year = Offset::UTC.to_datetime(read_at).year() + 1;
                // Nine years hold a 29th of February wherever they begin.
                let at = (0..9)
                    .filter_map(|back| self.in_year(this_year.saturating_sub(back)))
                    .find(|at| at.as_second() <= last)?;
                (at, true)
            }
        };
        Some(Moment { at, zone_known, year_known })
    }

    pub(super) fn has_year(&self) -> bool {
        self.year.is_some()
    }

    /// The date without year, read in a zone, in the year that brings it closest to a moment.
    pub(super) fn near(&self, moment: Timestamp, offset: i32) -> Option<Timestamp> {
        let year = Offset::UTC.to_datetime(moment).year();
        let zoned = Self { offset: self.offset.or(Some(offset)), ..*self };
        (-1..=1)
            .filter_map(|step| zoned.in_year(year.saturating_add(step)))
            .min_by_key(|at| at.duration_since(moment).abs())
    }

    fn in_year(&self, year: i16) -> Option<Timestamp> {
        let date =
            DateTime::new(year, self.month, self.day, self.hour, self.minute, self.second.min(59), self.nanosecond)
                .ok()?;
        Offset::from_seconds(self.offset.unwrap_or(0)).ok()?.to_timestamp(date).ok()
    }

    /// From seconds since 1970.
    pub(super) fn from_unix(seconds: i64, nanosecond: i32) -> Option<Self> {
        let date = Offset::UTC.to_datetime(Timestamp::new(seconds, nanosecond).ok()?);
        Some(Self {
            year: Some(date.year()),
            month: date.month(),
            day: date.day(),
            hour: date.hour(),
            minute: date.minute(),
            second: date.second(),
            nanosecond: date.subsec_nanosecond(),
            offset: Some(0),
            digits: 9,
            comma: false,
        })
    }
}

/// A date at the beginning of a text, and what follows it.
pub(super) fn leading(text: &str) -> Option<(Date, &str)> {
    let first = *text.as_bytes().first()?;
    if first.is_ascii_digit() && text.as_bytes().get(4).is_some_and(|byte| matches!(byte, b'-' | b'/')) {
        return iso(text);
    }
    if first.is_ascii() && !first.is_ascii_alphanumeric() {
        return None;
    }
    syslog(text).or_else(|| holds_clock(text).then(|| by_words(text))?)
}

/// Could there be a clock in the text, `9:09:08`? Most texts are told from dates by this alone.
fn holds_clock(text: &str) -> bool {
    let bytes = text.as_bytes();
    memchr::memchr_iter(b':', bytes)
        .any(|at| bytes.get(at + 3) == Some(&b':') && at.checked_sub(1).is_some_and(|at| bytes[at].is_ascii_digit()))
}

/// `May  6 21:11:29`, which most lines of most logs begin with, at its fixed places. What may go on after the clock
/// (a year, a zone) is left to [`by_words`].
fn syslog(text: &str) -> Option<(Date, &str)> {
    let bytes = text.as_bytes();
    if *bytes.get(3)? != b' ' || *bytes.get(6)? != b' ' || *bytes.get(15)? != b' ' || bytes.get(12) != Some(&b':') {
        return None;
    }
    if matches!(bytes.get(16)?, b'0'..=b'9' | b'A'..=b'Z' | b'+' | b'-') {
        return None;
    }
    let day = if bytes[4] == b' ' { digits(bytes, 5, 1)? } else { digits(bytes, 4, 2)? };
    let mut date = Date { month: english_month(&bytes[..3])?, day: small(day), ..Date::default() };
    let rest = date.take_clock(&text[7..])?;
    Some((date, rest))
}

/// A number of `count` digits at `at`.
fn digits(bytes: &[u8], at: usize, count: usize) -> Option<i16> {
    let digits = bytes.get(at..at + count)?;
    digits.iter().try_fold(0_i16, |number, byte| {
        byte.is_ascii_digit().then(|| number.checked_mul(10)?.checked_add(i16::from(byte - b'0')))?
    })
}

fn small(number: i16) -> i8 {
    i8::try_from(number).unwrap_or(i8::MAX)
}

/// `2026-09-02T09:08:50.903138+00:00`, `2025-01-21T04:41:44,287197+00:00`, `2019-10-06 12:57:33.928398+0200`.
fn iso(text: &str) -> Option<(Date, &str)> {
    let bytes = text.as_bytes();
    let separator = *bytes.get(4)?;
    if *bytes.get(7)? != separator || !matches!(bytes.get(10)?, b'T' | b't' | b' ' | b'_') {
        return None;
    }
    let mut date = Date {
        year: Some(digits(bytes, 0, 4)?),
        month: small(digits(bytes, 5, 2)?),
        day: small(digits(bytes, 8, 2)?),
        ..Date::default()
    };
    let rest = date.take_clock(&text[11..])?;
    let rest = date.take_offset(rest);
    Some((date, rest))
}

impl Date {
    /// `12:57:33` with an optional fraction.
    fn take_clock<'a>(&mut self, text: &'a str) -> Option<&'a str> {
        let bytes = text.as_bytes();
        let hour_digits = if bytes.get(1)? == &b':' { 1 } else { 2 };
        let minute = hour_digits + 1;
        if *bytes.get(hour_digits)? != b':' || *bytes.get(minute + 2)? != b':' {
            return None;
        }
        self.hour = small(digits(bytes, 0, hour_digits)?);
        self.minute = small(digits(bytes, minute, 2)?);
        self.second = small(digits(bytes, minute + 3, 2)?);
        let mut end = minute + 5;
        if matches!(bytes.get(end), Some(b'.' | b',')) && bytes.get(end + 1).is_some_and(u8::is_ascii_digit) {
            self.comma = bytes[end] == b',';
            end += 1;
            let mut scale = 100_000_000;
            while let Some(digit) = bytes.get(end).filter(|byte| byte.is_ascii_digit()) {
                self.nanosecond += scale * i32::from(digit - b'0');
                self.digits = self.digits.saturating_add(1);
                scale /= 10;
                end += 1;
            }
        }
        Some(&text[end..])
    }

    /// The zone that `journalctl -o short-full` prints behind every clock: a name, or `+03` where it has none. In front
    /// of a tag the word is the host.
    fn take_zone<'a>(&mut self, text: &'a str) -> &'a str {
        let trimmed = text.trim_ascii_start();
        let (word, after) = trimmed.split_at(trimmed.find(' ').unwrap_or(trimmed.len()));
        let next = after.trim_ascii_start();
        let is_zone = self.offset.is_none()
            && (1..=5).contains(&word.len())
            && word.bytes().all(|byte| byte.is_ascii_uppercase())
            && !next[..next.find(' ').unwrap_or(next.len())].ends_with(':');
        if !is_zone {
            return text;
        }
        self.offset = offset_of(word);
        after
    }

    /// `Z`, `+00:00`, `+0200`, ` +03`, ` +0000 UTC`, ` UTC`, or nothing.
    fn take_offset<'a>(&mut self, text: &'a str) -> &'a str {
        let trimmed = text.strip_prefix(' ').unwrap_or(text);
        let bytes = trimmed.as_bytes();
        if let Some(rest) = text.strip_prefix(['Z', 'z']) {
            self.offset = Some(0);
            return rest;
        }
        if let Some(sign @ (b'+' | b'-')) = bytes.first() {
            let colon = usize::from(bytes.get(3) == Some(&b':'));
            if let (Some(hours), Some(minutes)) = (digits(bytes, 1, 2), digits(bytes, 3 + colon, 2)) {
                let seconds = i32::from(hours) * 3600 + i32::from(minutes) * 60;
                self.offset = Some(if *sign == b'-' { -seconds } else { seconds });
                let rest = &trimmed[5 + colon..];
                return rest.strip_prefix(" UTC").unwrap_or(rest);
            }
            if let (Some(hours), None | Some(b' ')) = (digits(bytes, 1, 2), bytes.get(3)) {
                self.offset = Some(i32::from(hours) * if *sign == b'-' { -3600 } else { 3600 });
                return &trimmed[3..];
            }
        }
        for zone in ["UTC", "GMT"] {
            if let Some(rest) = trimmed.strip_prefix(zone)
                && !rest.starts_with(|next: char| next.is_alphanumeric())
            {
                self.offset = Some(0);
                return rest;
            }
        }
        text
    }
}

/// Dates of words: `May  6 21:11:29`, `Thu Dec  7 00:05:14 2017`, `Di Aug 12 03:54:03 2025`, `二 9月  3 05:57:48 2024`,
/// `12 Oct 2023 19:00:20`, `Wed 2024-05-01 12:00:00 UTC`.
fn by_words(text: &str) -> Option<(Date, &str)> {
    let mut date = Date::default();
    let (mut month, mut day, mut clock) = (None, None, false);
    let mut rest = text;
    for word_number in 0..7 {
        let here = rest.trim_start_matches(' ');
        let end = here.find([' ', ']', '\t']).unwrap_or(here.len());
        let (word, after) = here.split_at(end);
        if word_number == 1 && month.is_none() && word.len() == 10 && word.as_bytes()[4] == b'-' {
            let (mut date, rest) = iso(here)?;
            let rest = date.take_zone(rest);
            return Some((date, rest));
        }
        let number = word.trim_end_matches(['.', ',']);
        if clock {
            // After the clock only ctime's year (and a zone before it) may follow.
            match digits(word.as_bytes(), 0, 4).filter(|year| word.len() == 4 && (1970..2200).contains(year)) {
                Some(year) if date.year.is_none() => {
                    date.year = Some(year);
                    rest = after;
                }
                _ if matches!(word, "AM" | "PM") => {
                    date.hour = date.hour % 12 + if word == "PM" { 12 } else { 0 };
                    rest = after;
                    continue;
                }
                _ if date.year.is_none() && is_zone_before_year(word, after) => {
                    date.offset = offset_of(word);
                    rest = after;
                    continue;
                }
                _ => {}
            }
            break;
        } else if let Some(after) = word.contains(':').then(|| date.take_clock(here)).flatten() {
            if month.is_none() || day.is_none() {
                return None;
            }
            clock = true;
            rest = date.take_offset(after);
        } else if !number.is_empty()
            && number.len() <= 2
            && number.bytes().all(|byte| byte.is_ascii_digit())
            && day.is_none()
        {
            day = number.parse().ok();
            rest = after;
        } else if word.len() == 4
            && date.year.is_none()
            && word.bytes().all(|byte| byte.is_ascii_digit())
            && day.is_some()
        {
            date.year = digits(word.as_bytes(), 0, 4);
            rest = after;
        } else if let Some(found) = month_named(number) {
            // A second month: the first was a weekday (`mar. 03 mai`).
            if month.is_some() && word_number > 2 {
                return None;
            }
            month = Some(found);
            rest = after;
        } else if word_number == 0 && !word.is_empty() && word.chars().count() <= 12 && word.chars().all(is_of_weekday)
        {
            rest = after;
        } else {
            return None;
        }
    }
    date.month = month?;
    date.day = day?;
    clock.then_some((date, rest))
}

fn is_of_weekday(letter: char) -> bool {
    letter.is_alphabetic() || matches!(letter, '.' | ',')
}

/// `date` prints `Thu Aug 17 17:29:27 CEST 2023`.
fn is_zone_before_year(word: &str, after: &str) -> bool {
    let year = after.trim_ascii_start().as_bytes();
    (3..=5).contains(&word.len())
        && word.bytes().all(|byte| byte.is_ascii_uppercase())
        && digits(year, 0, 4).is_some_and(|year| (1970..2200).contains(&year))
        && !year.get(4).is_some_and(u8::is_ascii_alphanumeric)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> String {
        let (date, rest) = leading(text).unwrap_or_else(|| panic!("{text}"));
        let moment = date.moment(None).unwrap();
        format!("{} {} {}|{rest}", moment.at, moment.zone_known, moment.year_known)
    }

    #[test]
    fn every_way_to_write_a_date_is_read() {
        for (text, expected) in [
            ("2026-09-02T09:08:50.903138+00:00 web", "2026-09-02T09:08:50.903138Z true true| web"),
            ("2025-01-21T04:41:44,287197+02:00 x", "2025-01-21T02:41:44.287197Z true true| x"),
            ("2019-10-06 12:57:33.928398+0200 x", "2019-10-06T10:57:33.928398Z true true| x"),
            ("2023-10-12 19:00:20 x", "2023-10-12T19:00:20Z false true| x"),
            ("2026-01-12T20:27:31.913975631Z]", "2026-01-12T20:27:31.913975631Z true true|]"),
            ("Oct 12 19:00:20 web kernel:", "1972-10-12T19:00:20Z false false| web kernel:"),
            ("Aug 30 06:58:55.050705 web", "1972-08-30T06:58:55.050705Z false false| web"),
            ("May  6 21:11:29 web", "1972-05-06T21:11:29Z false false| web"),
            ("Thu Dec  7 00:05:14 2017]", "2017-12-07T00:05:14Z false true|]"),
            ("Di Aug 12 03:54:03 2025]", "2025-08-12T03:54:03Z false true|]"),
            ("mar. mai 5 03:54:03 2025]", "2025-05-05T03:54:03Z false true|]"),
            ("mar 05 mai 2025 03:54:03]", "2025-05-05T03:54:03Z false true|]"),
            ("Сб окт 12 03:54:03 2024]", "2024-10-12T03:54:03Z false true|]"),
            ("二 9月  3 05:57:48 2024]", "2024-09-03T05:57:48Z false true|]"),
            ("Wed 2024-05-01 12:00:00 UTC web", "2024-05-01T12:00:00Z true true| web"),
            ("Thu Aug 17 17:29:27 UTC 2023 x", "2023-08-17T17:29:27Z true true| x"),
            ("Thu Aug 17 17:29:27 CEST 2023 x", "2023-08-17T15:29:27Z true true| x"),
            ("Wed 2024-05-01 13:00:00 CEST web kernel: x", "2024-05-01T11:00:00Z true true| web kernel: x"),
            ("Wed 2024-05-01 13:00:00 IST web kernel: x", "2024-05-01T13:00:00Z false true| web kernel: x"),
            ("Wed 2024-05-01 13:00:00 EST web app[1]: x", "2024-05-01T13:00:00Z false true| web app[1]: x"),
            ("Wed 2024-05-01 13:00:00 JST web kernel: x", "2024-05-01T04:00:00Z true true| web kernel: x"),
            ("Wed 2024-05-01 13:00:00 +03 web kernel: x", "2024-05-01T10:00:00Z true true| web kernel: x"),
            ("Wed 2024-05-01 13:00:00 -03 web kernel: x", "2024-05-01T16:00:00Z true true| web kernel: x"),
            ("Wed 2024-05-01 13:00:00 Z web kernel: x", "2024-05-01T13:00:00Z true true| web kernel: x"),
            ("Wed 2024-05-01 13:00:00 WEB kernel: x", "2024-05-01T13:00:00Z false true| WEB kernel: x"),
            ("12 Oct 2023 19:00:20 x", "2023-10-12T19:00:20Z false true| x"),
        ] {
            assert_eq!(at(text), expected, "{text}");
        }
    }

    #[test]
    fn words_that_are_no_date_are_left() {
        for text in
            ["marble invoked", "Mar 5 hello", "2024 pages RAM", "CPU: 3 PID: 4", "may be", "12 13 14:15:16", "é", ""]
        {
            assert_eq!(leading(text), None, "{text}");
        }
    }

    #[test]
    fn a_missing_year_is_the_last_one_before_the_reading() {
        let moment = |text: &str, read: &str| {
            leading(text).unwrap().0.moment(Some(read.parse().unwrap())).unwrap().at.to_string()
        };
        assert_eq!(moment("Dec 31 23:00:00 x", "2026-01-02T00:00:00Z"), "2025-12-31T23:00:00Z");
        assert_eq!(moment("Jan  2 05:00:00 x", "2026-01-02T00:00:00Z"), "2026-01-02T05:00:00Z");
        assert_eq!(moment("Feb 29 05:00:00 x", "2026-01-02T00:00:00Z"), "2024-02-29T05:00:00Z");
    }
}
