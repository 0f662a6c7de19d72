//! Lines that say that lines were lost, and of which moments those may have been.

use jiff::{SignedDuration, Timestamp};

use super::amount::place;
use super::clean::clean;
use super::clock::Clock;
use super::journal;
use super::prefix::{self, Voice};
use super::report::Seen;
use crate::fact::Hole;

/// What was lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lost {
    /// Reports, by the OOM killer's own rate limit. The line comes with the first report after them, perhaps long after.
    Reports,
    /// What else shares a rate limit of which the interval is not known.
    Sometime,
    /// Lines, in this place.
    Here,
    /// What an ending boot had no time to write, and what happened before the next one logged.
    Boot,
}

/// A line that says so.
#[derive(Debug)]
pub(super) struct Loss {
    pub(super) lost: Lost,
    /// The line, as `line` of [`Seen`], and its time.
    pub(super) seen: Seen,
    /// The host that it names.
    pub(super) node: Option<String>,
    /// Where it begins in the text.
    pub(super) start: usize,
    /// The first line of the last report before it that the rate limit let through.
    pub(super) reported: Option<Seen>,
}

/// After its first message a rate limit counts for five seconds; what it held back is of these
/// (`DEFAULT_RATELIMIT_INTERVAL`, include/linux/ratelimit_types.h; `___ratelimit`, lib/ratelimit.c). The first message is
/// printed, so that the last one printed is no earlier.
const INTERVAL: SignedDuration = SignedDuration::from_secs(5);

/// Lines searched to either side for one of the kernel.
const REACH: usize = 1024;

/// Losses for which they are searched; where more is lost than that, nothing is left to prove.
const MOST: usize = 256;

/// What a message of the kernel says was lost: of the OOM killer, or of the kernel at large. Rate limits of other parts
/// (`net_ratelimit: 9 callbacks suppressed`) hide nothing of memory.
pub(super) fn read(text: &str) -> Option<Lost> {
    if text.ends_with("callbacks suppressed")
        && let Some((name, _)) = text.split_once(':')
    {
        let of_killer = name.contains("oom") || name.contains("out_of_memory") || name == "dump_header";
        return if of_killer { Some(Lost::Reports) } else { (name == "printk").then_some(Lost::Sometime) };
    }
    ["printk messages dropped", "messages suppressed due to rate"]
        .iter()
        .any(|words| place(text, words).is_some())
        .then_some(Lost::Here)
}

/// Is a line of the logging daemon about lines of the kernel that it lost?
pub(super) fn is_of_daemon(program: &str, text: &str) -> bool {
    (program.contains("journal") && text.starts_with("Missed ") && text.contains("kernel messages"))
        || (text.starts_with("imjournal")
            && text.contains("messages")
            && (text.contains("lost") || text.contains("drop")))
}

/// The holes that losses tear into a log that covers the time between these two moments.
pub(super) fn holes(
    losses: &[Loss],
    clock: &Clock<'_>,
    text: &[u8],
    covered: (Option<Timestamp>, Option<Timestamp>),
) -> Vec<Hole> {
    let hole = |(index, loss): (usize, &Loss)| {
        let between = match loss.lost {
            Lost::Reports => loss.since_report(clock, covered.0),
            Lost::Here | Lost::Boot if index < MOST => loss.around(clock, text, covered),
            Lost::Here | Lost::Boot | Lost::Sometime => None,
        };
        // Time that runs backwards tells nothing.
        let between = between.filter(|(from, to)| from <= to);
        let says = if loss.lost == Lost::Boot { "is of another boot" } else { "says that lines were lost" };
        Hole { because: format!("line {} {says}", loss.seen.line), between }
    };
    losses.iter().enumerate().map(hole).collect()
}

impl Loss {
    /// From the last report that was printed until its rate limit ended; where none is in the log, from its beginning
    /// until this line.
    fn since_report(&self, clock: &Clock<'_>, begin: Option<Timestamp>) -> Option<(Timestamp, Timestamp)> {
        let told = clock.certain(&self.seen)?;
        let Some(reported) = &self.reported else { return Some((begin?, told)) };
        let reported = clock.certain(reported)?;
        Some((reported, told.min(reported.checked_add(INTERVAL).ok()?)))
    }

    /// From the kernel's line before to the one after, or to the ends of the log.
    fn around(
        &self,
        clock: &Clock<'_>,
        text: &[u8],
        (begin, end): (Option<Timestamp>, Option<Timestamp>),
    ) -> Option<(Timestamp, Timestamp)> {
        let (before, after) = text.split_at_checked(self.start)?;
        let before = before.rsplit(|byte| *byte == b'\n');
        // The first line of a boot is itself one after.
        let after = after.split(|byte| *byte == b'\n').skip(usize::from(self.lost != Lost::Boot));
        Some((self.nearest(clock, before, begin)?, self.nearest(clock, after, end)?))
    }

    /// The time of the first of these lines that is the kernel's; `end` where they end without one.
    fn nearest<'t>(
        &self,
        clock: &Clock<'_>,
        mut lines: impl Iterator<Item = &'t [u8]>,
        end: Option<Timestamp>,
    ) -> Option<Timestamp> {
        let found = lines.by_ref().take(REACH).find_map(|line| self.kernels_time(clock, line));
        found.or_else(|| lines.next().is_none().then_some(end)?)
    }

    fn kernels_time(&self, clock: &Clock<'_>, line: &[u8]) -> Option<Timestamp> {
        let text = clean(line);
        let line = if text.starts_with('{') { journal::line(&text)? } else { prefix::line(&text) };
        // Where one boot ends and another begins, every program's line is as good as the kernel's.
        let of_kernel = self.lost == Lost::Boot
            && (self.node.is_none() || line.node == self.node.as_deref().map(Into::into))
            || line.voice == Voice::Kernel && line.node.as_deref() == self.node.as_deref();
        // A line of the same kind may have been printed late, too.
        if !of_kernel || read(&line.text).is_some() {
            return None;
        }
        clock.certain(&Seen { date: line.date, uptime: line.uptime, ..Seen::default() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_losses_that_hide_kills_count() {
        for (text, lost) in [
            ("oom_kill_process: 70 callbacks suppressed", Some(Lost::Reports)),
            ("dump_header: 2 callbacks suppressed", Some(Lost::Reports)),
            ("printk: 9 callbacks suppressed", Some(Lost::Sometime)),
            ("** 12 printk messages dropped **", Some(Lost::Here)),
            ("net_ratelimit: 9 callbacks suppressed", None),
        ] {
            assert_eq!(read(text), lost, "{text}");
        }
        assert!(is_of_daemon("systemd-journald", "Missed 12 kernel messages"));
    }
}
