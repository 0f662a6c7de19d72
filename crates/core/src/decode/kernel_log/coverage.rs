//! What stretch of time a log covers, and why silence in it may prove nothing.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::boot;
use super::clean::clean;
use super::clock::Clock;
use super::loss::{self, Loss, Lost};
use super::prefix;
use super::record;
use super::report::Seen;
use crate::decode::Input;
use crate::fact::{Coverage, CoverageOf, Hole};

/// Lines at each end that are searched for a time.
const ENDS: usize = 60;

/// A text of fewer lines, which nothing shows to be whole, is what somebody picked out of a log.
const FEWEST: usize = 8;

/// What reading a log told about its completeness.
#[derive(Debug, Default)]
pub(super) struct Covered {
    /// Lines of reports.
    pub(super) of_reports: usize,
    /// Lines of anything else that were read.
    pub(super) others: usize,
    /// Lines that were passed over: of anything else, too.
    pub(super) skipped: usize,
    /// Lines that say that lines were lost.
    pub(super) losses: Vec<Loss>,
    /// Other lines stand before the first report: the log does not begin within it.
    pub(super) begins_before: bool,
    /// Reports that are not whole, though the log begins before and ends after them.
    pub(super) partial: Vec<Partial>,
    /// Nodes that reports are of.
    pub(super) nodes: BTreeSet<Option<String>>,
}

/// A report of which lines are missing.
#[derive(Debug)]
pub(super) struct Partial {
    /// Its first line.
    pub(super) line: usize,
    /// It has no head: where the kernel's rate limit held back a report, the line of its victim stands alone.
    pub(super) headless: bool,
    /// When it was printed.
    pub(super) at: Option<Timestamp>,
}

impl Covered {
    pub(super) fn coverage(&self, input: Input<'_>, clock: &Clock<'_>, text: &[u8]) -> Coverage {
        let (first, last) = ends(text);
        let (first, named) = first.map_or((None, None), |(seen, node)| (Some(seen), node));
        let from = first.as_ref().and_then(|seen| clock.certain(seen));
        // The ring of a running kernel, which `booted` tells it to be, is complete up to the moment it was read.
        let read = input.artifact.at.filter(|_| input.artifact.booted.is_some());
        let to = last.as_ref().and_then(|seen| clock.certain(seen)).map(|to| read.map_or(to, |read| read.max(to)));
        let boot = |seen: &Option<Seen>| seen.as_ref().and_then(|seen| seen.boot.clone());
        let several = boot(&first) != boot(&last);
        let borders = if several { boot::borders(text, input.first_line) } else { Vec::new() };
        let mut holes = loss::holes(&self.losses, clock, text, (from, to));
        // What the kernel says that it held back was not cut or filtered out by somebody.
        let held_back = |partial: &&Partial| {
            let mut windows = self.losses.iter().zip(&holes).filter(|(loss, _)| loss.lost == Lost::Reports);
            partial.headless
                && partial.at.is_some_and(|at| windows.any(|(_, hole)| hole.between.is_some() && hole.touches(at, at)))
        };
        let cut: Vec<usize> = self.partial.iter().filter(|it| !held_back(it)).map(|it| it.line).collect();
        holes.extend(loss::holes(&borders, clock, text, (from, to)));
        let uptimes = (first.as_ref().and_then(|seen| seen.uptime), last.as_ref().and_then(|seen| seen.uptime));
        let bordered = !borders.is_empty() || self.losses.iter().any(|loss| loss.lost == Lost::Boot);
        if matches!(uptimes, (Some(first), Some(last)) if last < first) && !bordered {
            holes.push(Hole::anywhere("it is of more than one boot, and does not show where one ended"));
        }
        let numbered = is_numbered(text);
        let missing = if numbered { missing_records(text, input.first_line) } else { None };
        // What is numbered without a gap, or was read from the ring itself, was not filtered, whatever it looks like: a
        // ring may hold nothing but kills, and the kernel's own rate limit leaves reports out. Such kills still have
        // their line, and count one by one as kills that nobody is named in.
        let unfiltered = read.is_some() || numbered && missing.is_none();
        holes.extend(missing.map(Hole::anywhere));
        if !unfiltered && self.of_reports > 0 && self.others == 0 && self.skipped == 0 {
            holes.push(Hole::anywhere("only lines about kills were kept: other moments are not in it"));
        }
        let lines = || text.split(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().is_empty());
        if !unfiltered && self.of_reports == 0 && lines().nth(FEWEST - 1).is_none() {
            holes.push(Hole::anywhere("it is an excerpt of a few lines"));
        }
        if let Some(line) = cut.first().filter(|_| !unfiltered) {
            let more = if cut.len() > 1 { format!(" and {} more", cut.len() - 1) } else { String::new() };
            let because = format!("lines were cut or filtered out: the report at line {line}{more} is not whole");
            holes.push(Hole::anywhere(because));
        }
        if from.is_none() || to.is_none() {
            holes.push(Hole::anywhere(untimed(first.as_ref())));
        }
        let zoned = |seen: &Option<Seen>| {
            seen.as_ref().and_then(|seen| clock.moment(seen)).is_none_or(|(moment, _)| moment.zone_known)
        };
        if !zoned(&first) || !zoned(&last) {
            holes.push(Hole::anywhere(Coverage::NO_ZONE));
        }
        let nodes: Vec<String> =
            self.nodes.iter().flatten().cloned().chain(named).collect::<BTreeSet<_>>().into_iter().collect();
        let node = match nodes.as_slice() {
            [] => input.artifact.about.node.clone(),
            [node] => Some(node.clone()),
            _ => None,
        };
        Coverage {
            artifact: input.id,
            of: CoverageOf::KernelLog,
            node,
            boot_id: first.and_then(|seen| seen.boot),
            from,
            to: to.max(from),
            holes,
        }
    }
}

/// Why the stretch of time is not known.
fn untimed(first: Option<&Seen>) -> &'static str {
    match first {
        None => "its lines tell no time",
        Some(seen) if seen.date.is_none() => "its lines count seconds since boot, and when that was is not known",
        Some(_) => "its dates have no year",
    }
}

/// The first and the last line that tell a time.
fn ends(text: &[u8]) -> (Option<(Seen, Option<String>)>, Option<Seen>) {
    let first = text.split(|byte| *byte == b'\n').take(ENDS).find_map(timed);
    let last = text.rsplit(|byte| *byte == b'\n').take(ENDS).find_map(timed).map(|(seen, _)| seen);
    (first, last)
}

fn timed(line: &[u8]) -> Option<(Seen, Option<String>)> {
    let text = clean(line);
    let line = if text.starts_with('{') { super::journal::line(&text)? } else { prefix::line(&text) };
    let node = line.node.as_deref().map(str::to_owned);
    let seen = Seen { boot: line.boot, date: line.date, uptime: line.uptime, ..Seen::default() };
    seen.is_timed().then_some((seen, node))
}

/// The lines are records of `/dev/kmsg`, which are numbered.
fn is_numbered(text: &[u8]) -> bool {
    let is_record = |line: &[u8]| line.first().is_some_and(u8::is_ascii_digit) && sequence(line).is_some();
    text.split(|byte| *byte == b'\n').take(3).any(is_record)
}

/// A gap in the numbers is a gap in the log.
fn missing_records(text: &[u8], first_line: usize) -> Option<String> {
    let (mut last, mut missing, mut at): (Option<u64>, u64, Option<usize>) = (None, 0, None);
    let ends = memchr::memchr_iter(b'\n', text).chain([text.len()]);
    let mut start = 0;
    for (index, end) in ends.enumerate() {
        let line = &text[std::mem::replace(&mut start, end + 1)..end];
        let Some(number) = sequence(line) else { continue };
        if let Some(gap) = last.and_then(|last| number.checked_sub(last)).filter(|gap| *gap > 1) {
            missing = missing.saturating_add(gap - 1);
            at = at.or(Some(first_line + index));
        }
        last = Some(number);
    }
    at.map(|line| format!("{missing} records are missing, the first before line {line}"))
}

/// The sequence number of a record: `level,sequence,time,flags;text`.
fn sequence(line: &[u8]) -> Option<u64> {
    // As the kernel prints it, and then as anybody might.
    if let Some([_, (sequence, _), _]) = record::numbers(line) {
        return Some(sequence);
    }
    let head = line.get(..line.len().min(64))?;
    let mut fields = head.split(|byte| *byte == b',');
    let number = |field: &[u8]| std::str::from_utf8(field).ok()?.parse::<u64>().ok();
    number(fields.next()?)?;
    let sequence = number(fields.next()?)?;
    number(fields.next()?)?;
    Some(sequence)
}

/// Is a line within an open report part of it (call trace, registers, memory of the node), not another program's?
pub(super) fn is_of_report(text: &str) -> bool {
    const STARTS: [&str; 20] = [
        "Call Trace",
        "Hardware name",
        "Code:",
        "RIP",
        "RSP",
        "RAX",
        "RDX",
        "RBP",
        "R10",
        "R13",
        "<TASK>",
        "</TASK>",
        "Mem-Info",
        "Node ",
        "active_anon",
        "Tasks state",
        "lowmem_reserve",
        "Swap cache",
        "Free swap",
        "DMA",
    ];
    STARTS.iter().any(|start| text.starts_with(start))
        || text.contains("+0x")
        || text.contains("cpuset=")
        || text.contains(" pages ")
        || text.contains("_anon:")
        || text.contains("_file:")
        || text.contains("reclaimable:")
}
