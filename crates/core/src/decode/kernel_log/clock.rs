//! From the times in lines to moments.

use jiff::{SignedDuration, Timestamp};

use super::date::Moment;
use super::report::Seen;
use crate::fact::{AtFrom, KernelKill};

/// What is known of the time of a log besides its lines.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Clock {
    /// When it was read: gives dates without year their year.
    pub(super) read_at: Option<Timestamp>,
    /// When its machine was booted: gives seconds since boot their date.
    pub(super) booted: Option<Timestamp>,
}

impl Clock {
    /// The moment of a line, by its own date or by the boot's.
    pub(super) fn moment(&self, seen: &Seen) -> Option<(Moment, AtFrom)> {
        if let Some(moment) = seen.date.and_then(|date| date.moment(self.read_at)) {
            return Some((moment, AtFrom::Log));
        }
        let uptime = SignedDuration::try_from_secs_f64(seen.uptime?).ok()?;
        let at = self.booted?.checked_add(uptime).ok()?;
        Some((Moment { at, zone_known: true, year_known: true }, AtFrom::BootTime))
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
