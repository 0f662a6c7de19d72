//! A kernel log, in every shape that people paste.
//!
//! ```text
//! bytes ─ scan ─▶ line ─ clean, journal, prefix ─▶ message ─ wrap ─▶ whole message ─ reports ─▶ report ─▶ fact
//! ```

use std::borrow::Cow;
use std::cell::OnceCell;

use super::{Decoded, Input};
use crate::cgroup_path::cgroup_names;
use crate::fact::{KernelNote, KernelNoteKind, Locus, UserspaceKill, What};

mod aligned;
mod amount;
mod boot;
mod clean;
mod clock;
mod coverage;
mod date;
mod echo;
mod head;
mod journal;
mod loss;
mod margin;
mod message;
mod month;
mod note;
mod order;
mod origin;
mod prefix;
mod quiet;
mod record;
mod repeated;
mod report;
mod reports;
mod scan;
mod shape;
mod summary;
mod table;
mod twin;
mod userspace;
mod victim;
mod wrap;
mod zone;

pub(super) use clock::Clock;
use coverage::{Covered, Partial};
use head::Head;
use loss::{Loss, Lost};
use message::Message;
use order::Places;
use prefix::{Line, Voice};
use report::Seen;
use reports::Reports;
use scan::{RawLine, Scan};

/// Lines read one by one after one that belongs to an open report: more than a call trace and the memory of eight
/// NUMA nodes take.
const REPORT_LINES: usize = 600;

/// Lines read one by one at the beginning, where an excerpt may begin within a report.
const FIRST_LINES: usize = 200;

/// Lines read one by one after one that names no victim: a panic names the process that ran.
const PANIC_LINES: usize = 8;

/// A line begins with a date of its own.
pub(super) fn is_dated(line: &str) -> bool {
    prefix::line(line).date.is_some()
}

/// Decodes a segment.
pub(super) fn decode(input: Input<'_>, out: &mut Decoded) {
    let text = order::oldest_first(input.bytes);
    let mut log = Log {
        input,
        out,
        clock: Clock::of_log(&text, input.clock),
        reports: Reports::default(),
        covered: Covered::default(),
        pending: None,
        nodes: Vec::new(),
        head: Head::default(),
        start: 0,
        places: Places::of_log(input.first_line, &text),
        margin: OnceCell::new(),
    };
    let mut scan = Scan::new(&text, 1);
    scan.attend(FIRST_LINES);
    while let Some(raw) = scan.next() {
        log.read(raw, &mut scan);
        log.pass(&mut scan);
    }
    log.covered.skipped = scan.skipped;
    let lines = scan.lines();
    log.finish(&text, lines);
}

/// A log while it is being read.
struct Log<'a, 'out, 't> {
    input: Input<'a>,
    out: &'out mut Decoded,
    clock: Clock<'t>,
    reports: Reports,
    covered: Covered,
    /// The prefix of a line without text: the message stands on the next line.
    pending: Option<Seen>,
    /// What lines begin with.
    head: Head<'t>,
    /// Where the line begins that is being read.
    start: usize,
    /// The nodes that lines name.
    nodes: Vec<String>,
    places: Places,
    /// The width at which lines were cut, once it is known whether they were.
    margin: OnceCell<Option<usize>>,
}

impl<'t> Log<'_, '_, 't> {
    /// A line taken apart, with what only its source knows.
    fn parse(&mut self, raw: RawLine<'t>) -> Line<'t> {
        match raw.plain.map_or_else(|| clean::clean(raw.bytes), |text| Cow::Borrowed(text.trim_ascii_end())) {
            text if text.trim_ascii_start().starts_with('{') => {
                journal::line(&text).unwrap_or_else(|| prefix::owned(&text))
            }
            Cow::Borrowed(text) => self.head.line(text),
            Cow::Owned(text) => prefix::owned(&text),
        }
    }

    fn read(&mut self, raw: RawLine<'t>, scan: &mut Scan<'t>) {
        self.covered.begins_before |= self.reports.all.is_empty() && scan.skipped > 0;
        self.start = raw.start;
        if self.pending.is_none()
            && let Some(spoken) = raw.plain.and_then(|text| self.head.message(text))
            && let Some(seen) = self.behind_head(raw.number, Some(spoken.uptime))
        {
            self.kernels(&seen, spoken.program, spoken.text, raw, scan);
            return;
        }
        let line = self.parse(raw);
        if line.text.is_empty() {
            self.pending = line.marked.then(|| self.seen(&line, raw.number));
            return;
        }
        let mut seen = self.seen(&line, raw.number);
        if let Some(before) = self.pending.take().filter(|_| !line.marked) {
            seen = Seen { line: seen.line, ..before };
        }
        if raw.telling && boot::is_border(&line.text) {
            self.lose(&seen, Lost::Boot);
            return;
        }
        // A record of `/dev/kmsg` that no tag names may be a kernel's.
        let programs_own = line.voice == Voice::Program && (line.uptime.is_none() || line.program.is_some());
        let program = line.program.as_deref().unwrap_or_default();
        if raw.telling && (self.userspace(program, &line.text, &seen) || (programs_own && self.loss(&line, &seen))) {
            return;
        }
        if !raw.telling {
            match prefix::behind_clock(&line, &line.text) {
                Some((uptime, text)) => {
                    seen.uptime = Some(uptime);
                    self.inside(&seen, text, raw, scan);
                }
                None if programs_own => self.program(),
                None => self.inside(&seen, &line.text, raw, scan),
            }
            return;
        }
        let Some((uptime, text)) = echo::kernels_own(&line) else {
            if !echo::speaks_of_kills(&line.text) {
                self.program();
            }
            return;
        };
        let unknown = line.voice == Voice::Unknown && uptime.is_none();
        seen.uptime = seen.uptime.or(uptime);
        let text = self.whole(text, raw, scan);
        if unknown && !self.reports.is_open() && !message::is_kernels(&text) {
            self.program();
            return;
        }
        self.message(&seen, &text, scan);
    }

    /// A line of the kernel's own, behind its clock.
    fn kernels(&mut self, seen: &Seen, program: &str, text: &str, raw: RawLine<'t>, scan: &mut Scan<'t>) {
        if !raw.telling {
            self.inside(seen, text, raw, scan);
        } else if boot::is_border(text) {
            self.lose(seen, Lost::Boot);
        } else if !self.userspace(program, text, seen) {
            let text = self.whole(text, raw, scan);
            self.message(seen, &text, scan);
        }
    }

    /// A line that holds no telling word: of an open report, or of nothing here.
    fn inside(&mut self, seen: &Seen, text: &str, raw: RawLine<'t>, scan: &mut Scan<'t>) {
        let text = self.whole(text, raw, scan);
        if message::leading(&text).is_some_and(|message| self.reports.take(seen, &text, message)) {
            self.covered.of_reports += 1;
            scan.attend(REPORT_LINES);
        } else {
            self.other(&text, scan);
        }
    }

    /// A line of another program, about something else.
    fn program(&mut self) {
        self.covered.others += 1;
        self.covered.begins_before |= self.reports.all.is_empty();
    }

    /// A line that belongs to no report, or to what reports print besides.
    fn other(&mut self, text: &str, scan: &Scan<'t>) {
        self.covered.begins_before |= self.reports.all.is_empty() && !coverage::is_of_report(text);
        // One line of anything else is enough to know, read or passed over.
        if self.covered.others + scan.skipped > 0 || !(self.reports.is_open() && coverage::is_of_report(text)) {
            self.covered.others += 1;
        } else {
            self.covered.of_reports += 1;
        }
    }

    /// The message, with the lines it was broken into.
    fn whole<'m>(&mut self, text: &'m str, raw: RawLine<'t>, scan: &mut Scan<'t>) -> Cow<'m, str> {
        let mut text = Cow::Borrowed(text);
        let mut last = raw;
        if wrap::needs_more(&text, raw.telling) {
            for _ in 0..wrap::MOST_LINES {
                let Some(next) = scan.following() else { break };
                // Most lines that come next are the kernel's next message.
                if !wrap::goes_on_behind_clock(&text)
                    && next.plain.is_some_and(|text| self.head.message(text).is_some())
                {
                    break;
                }
                let Some(longer) = wrap::joined(&text, &self.parse(next)) else { break };
                text = Cow::Owned(longer);
                last = next;
                scan.take();
                self.covered.of_reports += 1;
            }
        }
        if raw.telling && wrap::ends_in_a_value(&text) && self.is_cut(last, scan) {
            text.to_mut().push('>');
        }
        text
    }

    /// Does a line end where all lines were cut? The width is found out once.
    fn is_cut(&self, line: RawLine<'t>, scan: &Scan<'t>) -> bool {
        let width = *self.margin.get_or_init(|| scan.margin());
        width == Some(line.bytes.strip_suffix(b"\r").unwrap_or(line.bytes).len())
    }

    fn message(&mut self, seen: &Seen, text: &str, scan: &mut Scan<'t>) {
        if let Some(message) = message::read(text) {
            let without_victim = matches!(message, Message::NoVictim { .. });
            if without_victim {
                self.note(note::Note { kind: KernelNoteKind::NoVictim, process: None, cgroup: None }, seen, text);
            }
            if self.reports.take(seen, text, message) {
                self.covered.of_reports += 1;
                if self.reports.is_open() {
                    scan.attend(REPORT_LINES);
                } else if without_victim {
                    scan.attend(PANIC_LINES);
                } else {
                    scan.relax();
                }
                return;
            }
        }
        if let Some(note) = note::read(text) {
            self.note(note, seen, text);
        }
        self.other(text, scan);
    }

    fn seen(&mut self, line: &Line<'_>, number: usize) -> Seen {
        let node = line.node.as_deref().map(|name| {
            self.nodes.iter().rposition(|known| known == name).unwrap_or_else(|| {
                self.nodes.push(name.to_owned());
                self.nodes.len() - 1
            })
        });
        Seen { line: self.places.of(number), node, boot: line.boot.clone(), date: line.date, uptime: line.uptime }
    }

    fn node(&self, seen: &Seen) -> Option<String> {
        seen.node.and_then(|node| self.nodes.get(node)).or(self.input.artifact.about.node.as_ref()).cloned()
    }

    fn note(&mut self, note: note::Note, seen: &Seen, text: &str) {
        match note.kind {
            KernelNoteKind::Suppressed => self.lose(seen, loss::read(text).unwrap_or(Lost::Here)),
            KernelNoteKind::Boot => self.lose(seen, Lost::Boot),
            _ => {}
        }
        let note = KernelNote {
            kind: note.kind,
            at: self.clock.certain(seen),
            node: self.node(seen),
            process: note.process,
            cgroup: note.cgroup,
            line: report::shown(text),
        };
        self.out.fact(What::KernelNote(Box::new(note)), Locus::line(self.input.id, seen.line));
    }

    /// A line that says that lines were lost, or that shows it.
    fn lose(&mut self, seen: &Seen, lost: Lost) {
        // A log that begins with a boot goes on from none.
        if lost == Lost::Boot && self.covered.others == 0 && self.reports.all.is_empty() && self.start == 0 {
            return;
        }
        self.covered.losses.push(Loss {
            lost,
            seen: seen.clone(),
            node: seen.node.and_then(|node| self.nodes.get(node)).cloned(),
            start: self.start,
            reported: self.reports.last_limited(seen.node).cloned(),
        });
    }

    /// A line of the logging daemon that says it lost lines of the kernel.
    fn loss(&mut self, line: &Line<'_>, seen: &Seen) -> bool {
        let lost = loss::is_of_daemon(line.program.as_deref().unwrap_or_default(), &line.text);
        if lost {
            self.note(note::Note { kind: KernelNoteKind::Suppressed, process: None, cgroup: None }, seen, &line.text);
        }
        lost
    }

    /// A line of a killer in userspace. It tells of one kill in several lines: each process or cgroup counts once.
    fn userspace(&mut self, program: &str, text: &str, seen: &Seen) -> bool {
        let Some(kill) = userspace::read(program, text) else { return false };
        let known = self.out.facts.iter().rev().take(64).any(|fact| match &fact.what {
            What::UserspaceKill(other) => {
                let unit = |cgroup: &Option<String>| {
                    cgroup.as_ref().and_then(|path| path.rsplit('/').next().map(str::to_owned))
                };
                other.killer == kill.killer
                    && fact.from.artifact == self.input.id
                    && (kill.process.is_some() && other.process == kill.process
                        || kill.cgroup.is_some() && unit(&other.cgroup) == unit(&kill.cgroup))
            }
            _ => false,
        });
        if known {
            return true;
        }
        let names = kill.cgroup.as_deref().map(cgroup_names);
        let kill = UserspaceKill {
            killer: kill.killer.to_owned(),
            at: self.clock.certain(seen),
            node: self.node(seen),
            pod_uid: names.as_ref().and_then(|names| names.pod_uid.clone()),
            container_id: names.as_ref().and_then(|names| names.container_id.clone()),
            cgroup: kill.cgroup,
            process: kill.process,
            line: report::shown(text),
        };
        self.out.fact(What::UserspaceKill(Box::new(kill)), Locus::line(self.input.id, seen.line));
        true
    }

    /// Makes facts of the reports, and says what the log covers.
    fn finish(mut self, text: &[u8], lines: usize) {
        let end = self.places.of(lines);
        let reports = std::mem::take(&mut self.reports);
        let reports = reports.distinct();
        let last = reports.len().saturating_sub(1);
        for (index, mut report) in reports.into_iter().enumerate() {
            // A ring that wrapped begins within a report, and an excerpt may end within one: nothing is missing between.
            let begun_before = index == 0 && !report.header && !self.covered.begins_before;
            let goes_on = index == last && report.header && report.is_open() && report.last.line.abs_diff(end) <= 2;
            let headless = !report.header;
            let lines = std::mem::take(&mut report.lines);
            let finished = report.finish();
            let mut kill = finished.kill;
            self.clock.set(&mut kill, &finished.when);
            kill.node = self.node(&finished.first);
            kill.lines = lines.into_iter().map(|(line, text)| (Locus::line(self.input.id, line), text)).collect();
            self.covered.nodes.insert(kill.node.clone());
            if !(finished.whole || begun_before || goes_on) {
                let at = self.clock.certain(&finished.first);
                self.covered.partial.push(Partial { line: finished.first.line, headless, at });
            }
            self.out.fact(What::Kill(Box::new(kill)), Locus::line(self.input.id, finished.first.line));
        }
        let coverage = self.covered.coverage(self.input, &self.clock, text);
        self.out.coverage.push(coverage);
    }
}
