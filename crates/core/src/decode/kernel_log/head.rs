//! What lines begin with: most have it from the line before.

use std::borrow::Cow;

use super::date::Date;
use super::prefix::{self, Line, Voice, clock, element, elements};
use super::record;
use crate::digits::{after_blanks, after_head, six_digits_before};

/// What the last lines began with. Lines of the same second bear the same date, host and tag, which are then not read
/// anew.
#[derive(Debug, Default)]
pub(super) struct Head<'a> {
    text: &'a str,
    line: Line<'a>,
    /// What the last line with the head and a clock began with, up to the point of the clock.
    second: &'a str,
    /// The seconds of that clock.
    seconds: u64,
}

/// A message of the kernel behind the head and a clock.
#[derive(Debug)]
pub(super) struct Spoken<'a> {
    /// Seconds since boot.
    pub(super) uptime: f64,
    /// The tag of the head; empty without one.
    pub(super) program: &'a str,
    /// The message.
    pub(super) text: &'a str,
}

impl<'a> Head<'a> {
    /// Takes a line apart: the same as [`super::prefix::line`].
    pub(super) fn line(&mut self, text: &'a str) -> Line<'a> {
        let text = text.trim_ascii_start();
        if let Some(rest) = text.strip_prefix(self.text).filter(|_| !self.text.is_empty()) {
            return elements(self.line.clone(), rest);
        }
        let mut line = Line::default();
        let Some(rest) = element(&mut line, text) else { return elements(line, text) };
        // Up to the blank behind its tag, or its bracket, nothing that follows changes how a head is read.
        let dated = line.date.is_some() && text.starts_with('[');
        if (line.program.is_some() || dated) && rest.starts_with(' ') {
            self.text = &text[..=text.len() - rest.len()];
            self.line = line.clone();
            self.second = "";
        }
        elements(line, rest)
    }

    /// The message of a line that bears the same head and a clock of the kernel's, as [`Self::line`] finds it in more
    /// time. `None`: it may be another line, or something else may stand before its message.
    #[inline]
    pub(super) fn message(&mut self, text: &'a str) -> Option<Spoken<'a>> {
        let (uptime, rest) = self.timed(text)?;
        let text = rest.trim_ascii();
        let first = *text.as_bytes().first()?;
        let whole = self.is_whole() && first.is_ascii_alphabetic();
        if !whole && !prefix::is_message(text) {
            let mut line = Line { uptime: Some(uptime), voice: Voice::Kernel, marked: true, ..self.line.clone() };
            if element(&mut line, text).is_some() {
                return None;
            }
        }
        let program = match &self.line.program {
            None => "",
            Some(Cow::Borrowed(name)) => name,
            Some(Cow::Owned(_)) => return None,
        };
        Some(Spoken { uptime, program, text })
    }

    /// Behind the head and a clock, is a word the message?
    #[inline]
    pub(super) fn is_whole(&self) -> bool {
        self.line.date.is_some() && self.line.program.is_some()
    }

    /// The clock of the line that a text begins with, if it bears the same head, and the text behind it.
    #[inline]
    pub(super) fn timed(&mut self, text: &'a str) -> Option<(f64, &'a str)> {
        if let Some(known) = self.within_second(text) {
            return Some(known);
        }
        if self.text.is_empty()
            && let [b'0'..=b'7', b',', ..] = text.as_bytes()
            && let Some(record) = record::without_flags(text)
        {
            return Some((record.uptime, record.text));
        }
        let line = &text[..memchr::memchr(b'\n', text.as_bytes()).unwrap_or(text.len())];
        let (uptime, rest) = self.clocked(line)?;
        Some((uptime, &text[line.len() - rest.len()..]))
    }

    /// The clock of a line that was printed in the same second as the one before, and what follows it.
    #[inline]
    fn within_second(&self, text: &'a str) -> Option<(f64, &'a str)> {
        let rest = after_head(text, self.second).filter(|_| !self.second.is_empty())?;
        let micros = six_digits_before(rest.as_bytes(), *b"] ")?;
        Some(((self.seconds * 1_000_000 + micros) as f64 / 1e6, &rest["123456] ".len()..]))
    }

    /// The clock of a line, and what follows it.
    fn clocked(&mut self, text: &'a str) -> Option<(f64, &'a str)> {
        let behind = after_blanks(after_head(after_blanks(text), self.text)?);
        let (uptime, rest) = clock_at(behind)?;
        if behind.starts_with('[') {
            self.learn(text, text.len() - rest.len());
        }
        Some((uptime, rest))
    }

    /// Learns the second of a clock behind which the text goes on at `point`.
    fn learn(&mut self, text: &'a str, point: usize) {
        let second = point.checked_sub("123456] ".len()).and_then(|point| text.get(..point));
        let number = second.and_then(|second| second.strip_suffix('.')).map(|second| {
            let from = second.rfind(|letter: char| !letter.is_ascii_digit()).map_or(0, |at| at + 1);
            second[from..].parse::<u64>()
        });
        // Below this, microseconds are exact in the number that they become.
        if let (Some(second), Some(Ok(seconds @ 0..9_000_000_000))) = (second, number) {
            (self.second, self.seconds) = (second, seconds);
        }
    }

    /// The row of a line that is a row of a task table behind the same head, and the clock before it, if there is one;
    /// others are left to [`Self::line`], which finds the same in more time.
    #[inline]
    pub(super) fn row(&self, text: &'a str) -> Option<(Option<f64>, &'a str)> {
        let (uptime, row) = match self.within_second(text) {
            Some((uptime, row)) => (Some(uptime), row),
            None => self.before_row(text)?,
        };
        let pid = after_blanks(row.strip_prefix('[')?);
        pid.starts_with(|letter: char| letter.is_ascii_digit()).then_some((uptime, row))
    }

    /// What stands before a row, whatever its second.
    fn before_row(&self, text: &'a str) -> Option<(Option<f64>, &'a str)> {
        let rest = after_blanks(after_head(after_blanks(text), self.text)?);
        match clock_at(rest) {
            Some((uptime, row)) => Some((Some(uptime), row)),
            None if self.line.voice == Voice::Program => None,
            None => Some((None, rest)),
        }
    }

    /// The node and date that the head tells.
    pub(super) fn origin(&self) -> (Option<&str>, Option<Date>) {
        (self.line.node.as_deref(), self.line.date)
    }
}

/// The kernel's clock, in a bracket or in a record of `/dev/kmsg`, and what follows it.
#[inline]
fn clock_at(rest: &str) -> Option<(f64, &str)> {
    if let Some(inside) = rest.strip_prefix('[') {
        let (uptime, after) = clock(after_blanks(inside))?;
        return Some((uptime, after.strip_prefix("] ")?));
    }
    // Facility 0 is the kernel's, of whatever level.
    let record = matches!(rest.as_bytes(), [b'0'..=b'7', b',', ..]).then(|| record::read(rest))??;
    Some((record.uptime, record.text))
}
