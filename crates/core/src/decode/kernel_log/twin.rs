//! Lines that bear two dates: syslog's, without year and zone, and the program's own, with both. They tell the year and
//! the zone of all the others.

use jiff::Timestamp;
use memchr::memmem;

use super::clean::clean;
use super::{date, prefix};

/// Lines with two dates that are looked at.
const MOST: usize = 32;

/// What such a line tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Twin {
    /// The moment of the line.
    pub(super) at: Timestamp,
    /// Seconds that syslog's clock is east of Greenwich.
    pub(super) offset: i32,
}

/// The first line of containerd, Docker or another program that writes `time="2023-10-12T19:00:20.87Z"` behind
/// syslog's date.
pub(super) fn find(text: &[u8]) -> Option<Twin> {
    const OWN: &[u8] = b"time=\"20";
    memmem::find_iter(text, OWN).take(MOST).find_map(|at| {
        let start = memchr::memrchr(b'\n', &text[..at]).map_or(0, |newline| newline + 1);
        let end = memchr::memchr(b'\n', &text[at..]).map_or(text.len(), |newline| at + newline);
        twin(&clean(&text[start..end]))
    })
}

fn twin(line: &str) -> Option<Twin> {
    let syslog = prefix::line(line).date.filter(|date| !date.has_year())?;
    let own = line.split_once("time=\"")?.1;
    let (own, _) = date::leading(own)?;
    let moment = own.moment(None).filter(|moment| moment.zone_known && moment.year_known)?;
    let local = syslog.near(moment.at, 0)?;
    // Written within seconds of each other: what remains is the zone, a whole number of quarter hours.
    let seconds = local.duration_since(moment.at).as_secs();
    let quarters = (seconds + if seconds < 0 { -450 } else { 450 }) / 900;
    let rest = seconds - quarters * 900;
    (quarters.abs() <= 56 && rest.abs() <= 60)
        .then(|| Some(Twin { at: moment.at, offset: i32::try_from(quarters * 900).ok()? }))?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_with_two_dates_tells_year_and_zone() {
        let twin = |line: &str| find(line.as_bytes()).map(|twin| (twin.at.to_string(), twin.offset));
        assert_eq!(
            twin("a\nOct 12 21:00:20 web containerd[2]: time=\"2023-10-12T19:00:20.5Z\" level=info\nb"),
            Some(("2023-10-12T19:00:20.5Z".to_owned(), 7200))
        );
        assert_eq!(
            twin("May  8 14:05:34 web containerd: time=\"2020-05-08T14:05:34.7+08:00\" level=info"),
            Some(("2020-05-08T06:05:34.7Z".to_owned(), 28800))
        );
        assert_eq!(
            twin("Dec 31 19:00:01 web dockerd[2]: time=\"2024-01-01T00:00:01Z\" level=info"),
            Some(("2024-01-01T00:00:01Z".to_owned(), -18000))
        );
    }

    #[test]
    fn dates_of_other_moments_tell_nothing() {
        for line in [
            "Oct 12 21:07:20 web app[2]: time=\"2023-10-12T19:00:20Z\"",
            "Oct 12 21:00:20 web app[2]: time=\"2023-03-12T19:00:20Z\"",
            "[ 1.5] app: time=\"2023-03-12T19:00:20Z\"",
            "time=\"20",
        ] {
            assert_eq!(find(line.as_bytes()), None, "{line}");
        }
    }
}
