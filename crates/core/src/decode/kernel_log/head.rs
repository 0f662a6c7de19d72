//! What lines begin with: most have it from the line before.

use super::date::Date;
use super::prefix::{Line, Voice, clock, element, elements};
use crate::digits::{after_blanks, after_head};

/// What the last lines began with. Lines of the same second bear the same date, host and tag, which are then not read
/// anew.
#[derive(Debug, Default)]
pub(super) struct Head<'a> {
    text: &'a str,
    line: Line<'a>,
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
        }
        elements(line, rest)
    }

    /// The row of a line that is a row of a task table behind the same head, and the clock before it, if there is one;
    /// others are left to [`Self::line`], which finds the same in more time.
    #[inline]
    pub(super) fn row(&self, text: &'a str) -> Option<(Option<f64>, &'a str)> {
        let rest = after_blanks(after_head(after_blanks(text), self.text)?);
        let (uptime, row) = match clock(after_blanks(rest.strip_prefix('[')?)) {
            Some((uptime, after)) => (Some(uptime), after.strip_prefix("] ")?),
            None if self.line.voice == Voice::Program => return None,
            None => (None, rest),
        };
        let pid = after_blanks(row.strip_prefix('[')?);
        pid.starts_with(|letter: char| letter.is_ascii_digit()).then_some((uptime, row))
    }

    /// The clock of a line behind the same head, and what follows it.
    #[inline]
    pub(super) fn clock(&self, text: &'a str) -> Option<(f64, &'a str)> {
        let rest = after_blanks(after_head(after_blanks(text), self.text)?);
        let (uptime, after) = clock(after_blanks(rest.strip_prefix('[')?))?;
        Some((uptime, after.strip_prefix("] ")?))
    }

    /// The node and date that the head tells.
    pub(super) fn origin(&self) -> (Option<&str>, Option<Date>) {
        (self.line.node.as_deref(), self.line.date)
    }
}
