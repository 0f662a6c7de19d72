//! The short way through what a report prints besides its telling lines: most lines hold no telling word and begin as
//! the line before. They are read where they stand, to the same end as [`Log::read`] would.

use super::report::Seen;
use super::scan::Scan;
use super::shape::{self, Shape};
use super::{Log, REPORT_LINES, amount};

impl<'t> Log<'_, '_, 't> {
    /// Passes over the lines that come next, as far as they are of a known shape.
    pub(super) fn pass(&mut self, scan: &mut Scan<'t>) {
        // Where a prefix stands alone, its message is on the next line.
        if self.pending.is_some() {
            return;
        }
        if self.reports.is_in_table() {
            self.rows(scan);
        }
        if scan.attention > 0 {
            self.lines(scan);
        }
    }

    /// Lines of a call trace, registers, stats, and what others print between them.
    fn lines(&mut self, scan: &mut Scan<'t>) {
        let (number, text) = scan.quiet();
        let Some(mut seen) = self.behind_head(number, None) else { return };
        let whole = self.head.is_whole();
        let (mut at, mut start, mut lines) = (0, 0, 0);
        while scan.attention > 0
            && let Some((uptime, behind)) = self.head.timed(&text[at..])
            && let Some((message, length, shape)) = shape::of_line(behind, whole)
        {
            scan.attention -= 1;
            seen.uptime = Some(uptime);
            let report = if shape == Shape::Nothing { None } else { self.reports.in_stats(&seen) };
            match report {
                Some(report) => {
                    match shape {
                        Shape::Pair(key, value) => amount::size_of_pair(key, value, &mut report.stats),
                        _ => amount::stats(message, &mut report.stats),
                    }
                    self.covered.of_reports += 1;
                    scan.attend(REPORT_LINES);
                }
                None => self.other(message, scan),
            }
            (start, at) = (at, text.len() - behind.len() + length);
            lines += 1;
        }
        if lines > 0 {
            self.covered.begins_before |= self.reports.all.is_empty() && scan.skipped > 0;
            self.start = scan.pass(at, lines) + start;
        }
    }

    /// Rows of a task table.
    fn rows(&mut self, scan: &mut Scan<'t>) {
        let (number, text) = scan.quiet();
        let Some((uptime, _)) = self.head.row(text) else { return };
        let Some(mut seen) = self.behind_head(number, uptime) else { return };
        let Some(report) = self.reports.in_table(&seen) else { return };
        let (mut at, mut start, mut rows) = (0, 0, 0);
        while let Some((uptime, row)) = self.head.row(&text[at..])
            && let Some(length) = report.add_line(&mut seen, uptime, row)
        {
            start = at;
            at = text.len() - row.len() + length;
            rows += 1;
        }
        if rows > 0 {
            seen.line = self.places.of(number + rows - 1);
            report.last = seen;
            self.start = scan.pass(at, rows) + start;
            self.covered.of_reports += rows;
            scan.attend(REPORT_LINES);
        }
    }

    /// Where and when a line was printed that begins as the line before; `None` where its node is a new one.
    pub(super) fn behind_head(&self, number: usize, uptime: Option<f64>) -> Option<Seen> {
        let (node, date) = self.head.origin();
        let node = match node.map(|name| self.nodes.iter().rposition(|known| known == name)) {
            Some(None) => return None,
            known => known.flatten(),
        };
        Some(Seen { line: self.places.of(number), node, boot: None, date, uptime })
    }
}
