//! From the times in lines to moments.

use std::cell::OnceCell;

use jiff::{SignedDuration, Timestamp};

use super::date::Moment;
use super::report::Seen;
use super::twin::{self, Twin};
use super::{journal, prefix};
use crate::decode::LogClock;
use crate::fact::{AtFrom, KernelKill};

/// What is known of the time of a log besides its lines.
#[derive(Debug)]
pub(in crate::decode) struct Clock<'t> {
    /// What its source or other evidence knows of it.
    pub(in crate::decode) known: LogClock,
    text: &'t [u8],
    /// A line that tells year and zone: gives them to dates without. Sought when the first of those is met.
    twin: OnceCell<Option<Twin>>,
}

impl<'t> Clock<'t> {
    /// What is known of a log whose lines may tell more.
    pub(in crate::decode) fn of_log(text: &'t [u8], known: LogClock) -> Self {
        Self { known, text, twin: OnceCell::new() }
    }

    /// The moment of a line of any program, as [`Self::certain`].
    pub(in crate::decode) fn of_line(&self, line: &str) -> Option<Timestamp> {
        let of_journal = line.trim_ascii_start().starts_with('{').then(|| journal::line(line)).flatten();
        let line = of_journal.unwrap_or_else(|| prefix::owned(line));
        self.certain(&Seen { date: line.date, uptime: line.uptime, ..Seen::default() })
    }

    /// The moment of a line, by its own date or by the boot's.
    pub(super) fn moment(&self, seen: &Seen) -> Option<(Moment, AtFrom)> {
        if let Some(date) = seen.date.filter(|date| !date.has_year())
            && let Some(twin) = self.twin.get_or_init(|| twin::find(self.text))
            && let Some(at) = date.near(twin.at, twin.offset)
        {
            return Some((Moment { at, zone_known: true, year_known: true }, AtFrom::Log));
        }
        if let Some(moment) = seen.date.and_then(|date| date.moment(self.known.read_at)) {
            return Some((self.in_zone(moment), AtFrom::Log));
        }
        let uptime = SignedDuration::try_from_secs_f64(seen.uptime?).ok()?;
        let at = self.known.booted?.checked_add(uptime).ok()?;
        Some((Moment { at, zone_known: true, year_known: true }, AtFrom::BootTime))
    }

    /// A date without a zone, moved by what the log's clock is ahead of UTC.
    fn in_zone(&self, moment: Moment) -> Moment {
        match self.known.ahead.filter(|_| !moment.zone_known).and_then(|ahead| moment.at.checked_sub(ahead).ok()) {
            Some(at) => Moment { at, zone_known: true, ..moment },
            None => moment,
        }
    }

    /// The moment, where its year is no placeholder.
    pub(super) fn certain(&self, seen: &Seen) -> Option<Timestamp> {
        self.moment(seen).filter(|(moment, _)| moment.year_known).map(|(moment, _)| moment.at)
    }

    /// Dates a kill.
    pub(super) fn set(&self, kill: &mut KernelKill, seen: &Seen) {
        if let Some((moment, from)) = self.moment(seen) {
            kill.at = Some(moment.at);
            kill.at_from = Some(from);
            kill.at_zone_known = moment.zone_known;
            kill.at_year_known = moment.year_known;
        }
    }
}
