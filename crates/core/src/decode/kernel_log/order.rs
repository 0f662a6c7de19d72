//! Logs that were printed newest first (`journalctl -r`) are read from their end.

use std::borrow::Cow;

use super::clean::clean;
use super::report::Seen;
use super::{journal, prefix};
use crate::decode::words::Words;

/// Lines looked at to tell the order.
const SAMPLE: usize = 400;

/// The log with its oldest line first.
pub(super) fn oldest_first(bytes: &[u8]) -> Cow<'_, [u8]> {
    if !is_newest_first(bytes) {
        return Cow::Borrowed(bytes);
    }
    let mut lines: Vec<&[u8]> = bytes.split(|byte| *byte == b'\n').collect();
    if lines.last().is_some_and(|line| line.is_empty()) {
        lines.pop();
    }
    lines.reverse();
    Cow::Owned(lines.join(&b'\n'))
}

/// Which line of the artifact a line is, by the order in which they are read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Places {
    /// The first line of the log in the artifact.
    first: usize,
    /// How many lines there are, when they were turned round.
    reversed: Option<usize>,
}

impl Places {
    /// Of a log as [`oldest_first`] gave it.
    #[expect(clippy::ptr_arg, reason = "what it owns was turned round")]
    pub(super) fn of_log(first: usize, text: &Cow<'_, [u8]>) -> Self {
        Self { first, reversed: matches!(text, Cow::Owned(_)).then(|| count_lines(text)) }
    }

    /// The line of the artifact, counted from 1, that was read as the `number`-th.
    pub(super) fn of(self, number: usize) -> usize {
        let within = self.reversed.map_or(number, |count| (count + 1).saturating_sub(number));
        self.first.saturating_add(within.saturating_sub(1))
    }
}

/// The number of lines.
fn count_lines(bytes: &[u8]) -> usize {
    memchr::memchr_iter(b'\n', bytes).count() + usize::from(!bytes.is_empty() && !bytes.ends_with(b"\n"))
}

/// True when time only ever goes backwards, and does so several times: a log of two boots, or one that was sorted by
/// something else, jumps back once and runs on. Where dates are of whole seconds a report may have no more than one: then
/// its own lines tell.
fn is_newest_first(bytes: &[u8]) -> bool {
    let (mut back, mut last): (usize, Option<Seen>) = (0, None);
    for line in bytes.split(|byte| *byte == b'\n').take(SAMPLE) {
        let text = clean(line);
        let entry = text.trim_ascii_start().starts_with('{').then(|| journal::line(&text)).flatten();
        let line = entry.unwrap_or_else(|| prefix::line(&text));
        if line.date.is_none() && line.uptime.is_none() {
            continue;
        }
        let seen = Seen { date: line.date, uptime: line.uptime, ..Seen::default() };
        if let Some(before) = &last {
            match order(before, &seen) {
                Some(std::cmp::Ordering::Greater) => back += 1,
                Some(std::cmp::Ordering::Less) => return false,
                _ => {}
            }
        }
        last = Some(seen);
    }
    back >= 2 || last.is_some() && is_told_backwards(bytes)
}

/// The kernel names the process that it chose before it says that it killed it (mm/oom_kill.c `oom_kill_process`, 2.6.36
/// to 6.18). True where that is the other way round for some process, and for none as it should be.
fn is_told_backwards(bytes: &[u8]) -> bool {
    static KILLED: Words = Words::of(&["Killed process "]);
    static CHOSEN: Words = Words::of(&["oom-kill:constraint=", "Kill process "]);
    let pids = |words: &Words, pid: fn(&str) -> Option<u32>| -> Vec<(u32, usize)> {
        let lines = words.lines(bytes).take(SAMPLE);
        lines.filter_map(|line| Some((pid(&String::from_utf8_lossy(&bytes[line.clone()]))?, line.start))).collect()
    };
    let killed = pids(&KILLED, |line| leading_number(line.split_once("Killed process ")?.1));
    let chosen = pids(&CHOSEN, |line| {
        let of_summary = || Some(line.rsplit_once(",pid=")?.1.split_once(',')?.0);
        leading_number(line.split_once("Kill process ").map(|(_, rest)| rest).or_else(of_summary)?)
    });
    let pairs = || {
        let of_pid = |(pid, at): &(u32, usize)| chosen.iter().find(|(other, _)| other == pid).map(|(_, own)| own < at);
        killed.iter().filter_map(of_pid)
    };
    pairs().next().is_some() && !pairs().any(|in_order| in_order)
}

fn leading_number(text: &str) -> Option<u32> {
    text.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

fn order(one: &Seen, other: &Seen) -> Option<std::cmp::Ordering> {
    if let (Some(one), Some(other)) = (one.uptime, other.uptime) {
        return one.partial_cmp(&other);
    }
    let moment = |seen: &Seen| seen.date.and_then(|date| date.moment(None)).map(|moment| moment.at);
    Some(moment(one)?.cmp(&moment(other)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_printed_newest_first_is_turned_round() {
        let turned = oldest_first(b"[ 3.5] c\n[ 2.5] b\n[ 1.5] a\n");
        assert_eq!(&turned[..], b"[ 1.5] a\n[ 2.5] b\n[ 3.5] c");
    }

    #[test]
    fn a_log_of_one_second_is_turned_round_by_the_order_of_its_report() {
        let (chosen, killed) = (
            "[Sun Mar  1 10:05:00 2026] oom-kill:constraint=CONSTRAINT_NONE,task=a,pid=7,uid=0\n",
            "[Sun Mar  1 10:05:00 2026] Out of memory: Killed process 7 (a)\n",
        );
        assert_eq!(
            &oldest_first((killed.to_owned() + chosen).as_bytes())[..],
            (chosen.to_owned() + killed.trim_end()).as_bytes()
        );
        let other = chosen.replace("pid=7", "pid=8");
        for log in [chosen.to_owned() + killed, killed.to_owned() + &other, chosen.to_owned() + killed + chosen] {
            assert!(matches!(oldest_first(log.as_bytes()), Cow::Borrowed(_)), "{log}");
        }
    }

    #[test]
    fn a_log_that_jumps_back_is_left() {
        for log in ["[ 3.5] c\n[ 1.5] a\n[ 2.5] b", "[ 1.5] a\n[ 1.5] a", "a\nb", ""] {
            assert!(matches!(oldest_first(log.as_bytes()), Cow::Borrowed(_)), "{log}");
        }
    }
}
