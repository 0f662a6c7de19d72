//! Finds the lines worth reading in a log of which most lines are about other things.
//!
//! Every line of interest holds one of a few words, except those inside a report. So the log is searched block by block
//! for all of the words at once, and lines are read one after another only while a report is open.

use std::cell::OnceCell;
use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, Input, MatchKind};

use super::clean;

/// Words of which every line that opens a report, names a victim or is noted holds at least one.
const WORDS: [&str; 15] = [
    // `oom-killer`, `oom-kill:`, `oom_reaper`, `oom_score_adj`, `memory.oom.group`, `systemd-oomd`, `earlyoom`
    "oom",
    // `Manual OOM execution`, Talos' `OOMController`
    "OOM",
    // `Out of memory`, `Memory cgroup ...`, `memory: usage`, `sharing same memory`
    "emory",
    // `Killed process`
    "led process",
    // `killed as a result of limit of`
    "of limit",
    // `Tasks in /a are going to be killed due to memory.oom.group set`, cut
    "Tasks in /",
    "segfault at",
    "general protection",
    "fork rejected",
    // `12 printk messages dropped`, `Missed 12 kernel messages`
    " messages",
    "Linux version",
    "-- Boot",
    "-- Reboot",
    "nohang",
    // earlyoom without its name
    "badness",
];

/// The words, sought in one pass; by vectors, which this kind of match alone allows.
static SEARCH: LazyLock<AhoCorasick> = LazyLock::new(|| {
    AhoCorasick::builder().match_kind(MatchKind::LeftmostFirst).build(WORDS).expect("a few short words")
});

/// Bytes searched at once: they stay in the second-level cache.
const BLOCK: usize = 128 * 1024;

/// A line and its number, from 1.
#[derive(Debug, Clone, Copy)]
pub(super) struct RawLine<'a> {
    pub(super) number: usize,
    /// Where it begins in the log.
    pub(super) start: usize,
    pub(super) bytes: &'a [u8],
    /// It holds one of the words. One without can only be the inside of a report.
    pub(super) telling: bool,
    /// The line as text, where its block holds nothing that [`super::clean`] would change.
    pub(super) plain: Option<&'a str>,
}

/// A walk over the lines of a log.
pub(super) struct Scan<'a> {
    bytes: &'a [u8],
    /// Where the next line begins.
    at: usize,
    /// Its number.
    number: usize,
    /// Where words were found in the block that ends at `searched`, in descending order.
    found: Vec<usize>,
    /// Where that block begins, and its text if it is plain; found out when the first of its lines is read.
    block: usize,
    plain: OnceCell<Option<&'a str>>,
    searched: usize,
    /// The line that was looked at last.
    ahead: Option<RawLine<'a>>,
    /// How many lines to read whatever they hold.
    pub(super) attention: usize,
    /// Lines passed over.
    pub(super) skipped: usize,
}

impl<'a> Scan<'a> {
    pub(super) fn new(bytes: &'a [u8], first_line: usize) -> Self {
        Self {
            bytes,
            at: 0,
            number: first_line,
            found: Vec::new(),
            block: 0,
            plain: OnceCell::new(),
            searched: 0,
            ahead: None,
            attention: 0,
            skipped: 0,
        }
    }

    /// Reads at least the next `lines` lines.
    pub(super) fn attend(&mut self, lines: usize) {
        self.attention = lines;
    }

    /// Back to lines that hold a word.
    pub(super) fn relax(&mut self) {
        self.attention = 0;
    }

    /// The line after the last one, whatever it holds.
    #[inline]
    pub(super) fn following(&mut self) -> Option<RawLine<'a>> {
        if self.ahead.is_none_or(|line| line.start != self.at) {
            self.ahead = self.look();
        }
        self.ahead
    }

    fn look(&mut self) -> Option<RawLine<'a>> {
        let rest = self.bytes.get(self.at..).filter(|rest| !rest.is_empty())?;
        let end = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
        while self.searched < self.at + end {
            self.search()?;
        }
        while self.found.last().is_some_and(|hit| *hit < self.at) {
            self.found.pop();
        }
        let telling = self.found.last().is_some_and(|hit| *hit < self.at + end);
        let (bytes, block, searched) = (self.bytes, self.block, self.searched);
        let plain = *self.plain.get_or_init(|| clean::plain(&bytes[block..searched]));
        let plain = plain.and_then(|text| {
            let start = self.at.checked_sub(block)?;
            text.get(start..start + end)
        });
        Some(RawLine { number: self.number, start: self.at, bytes: &rest[..end], telling, plain })
    }

    /// Takes the line that [`Self::following`] showed.
    pub(super) fn take(&mut self) -> Option<RawLine<'a>> {
        let line = self.following()?;
        self.at += line.bytes.len() + 1;
        self.number += 1;
        Some(line)
    }

    /// The number of the next line, and the text from there to the next line that holds a word, as far as it is plain
    /// and already searched.
    pub(super) fn quiet(&mut self) -> (usize, &'a str) {
        let text = self.following().and_then(|line| {
            line.plain.filter(|_| !line.telling)?;
            let end = match self.found.last() {
                Some(hit) => memchr::memrchr(b'\n', &self.bytes[self.at..*hit]).map(|newline| self.at + newline + 1)?,
                None => self.searched,
            };
            self.plain.get().copied().flatten()?.get(self.at - self.block..end - self.block)
        });
        (self.number, text.unwrap_or_default())
    }

    /// Passes over so many lines of that many bytes: where they begin.
    pub(super) fn pass(&mut self, bytes: usize, lines: usize) -> usize {
        let begun = self.at;
        self.number += lines;
        self.at += bytes;
        begun
    }

    /// The number of the last line, once all have been walked over.
    pub(super) fn lines(&self) -> usize {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let unfinished = usize::from(!rest.is_empty() && !rest.ends_with(b"\n"));
        (self.number + memchr::memchr_iter(b'\n', rest).count() + unfinished).saturating_sub(1)
    }

    /// The width at which the lines around the last one end, if they were cut there.
    pub(super) fn margin(&self) -> Option<usize> {
        super::margin::of(self.bytes, self.at)
    }

    /// Goes to the next line that holds a word.
    fn seek(&mut self) -> Option<()> {
        let hit = loop {
            match self.found.last() {
                Some(hit) if *hit >= self.at => break *hit,
                Some(_) => {
                    self.found.pop();
                }
                None => self.search()?,
            }
        };
        let passed = &self.bytes[self.at..hit];
        let line_start = memchr::memrchr(b'\n', passed).map_or(self.at, |newline| self.at + newline + 1);
        let lines = memchr::memchr_iter(b'\n', &self.bytes[self.at..line_start]).count();
        self.number += lines;
        self.skipped += lines;
        self.at = line_start;
        Some(())
    }

    /// Searches the next block for the words.
    fn search(&mut self) -> Option<()> {
        let from = self.searched.max(self.at);
        if from >= self.bytes.len() {
            return None;
        }
        let least = from.saturating_add(BLOCK).min(self.bytes.len());
        // To the end of the line, so that no word is cut.
        let end = memchr::memchr(b'\n', &self.bytes[least..]).map_or(self.bytes.len(), |newline| least + newline);
        let block = &self.bytes[from..end];
        // One hit a line is enough: the search goes on behind the line.
        let mut at = 0;
        while let Some(hit) = SEARCH.find(Input::new(block).range(at..)) {
            self.found.push(from + hit.start());
            match memchr::memchr(b'\n', &block[hit.end()..]) {
                Some(newline) => at = hit.end() + newline + 1,
                None => break,
            }
        }
        self.found.reverse();
        (self.block, self.searched, self.plain) = (from, end, OnceCell::new());
        Some(())
    }
}

impl<'a> Iterator for Scan<'a> {
    type Item = RawLine<'a>;

    fn next(&mut self) -> Option<RawLine<'a>> {
        if self.attention > 0 {
            self.attention -= 1;
        } else {
            self.seek()?;
        }
        self.take()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_lines_with_a_word_are_visited_and_numbered() {
        let log = "a\nb oom c oom\n\nd\nSegfault\nMemory\ne segfault at";
        let found: Vec<_> = Scan::new(log.as_bytes(), 5).map(|line| (line.number, line.bytes)).collect();
        assert_eq!(found, [(6, &b"b oom c oom"[..]), (10, b"Memory"), (11, b"e segfault at")]);
    }

    #[test]
    fn under_attention_every_line_is_visited() {
        let mut scan = Scan::new(b"oom\na\nb\nc\noom", 1);
        scan.next();
        scan.attend(2);
        let lines: Vec<_> = scan.map(|line| (line.number, line.telling)).collect();
        assert_eq!(lines, [(2, false), (3, false), (5, true)]);
    }

    #[test]
    fn words_at_the_borders_of_blocks_are_found() {
        let mut log = vec![b'x'; BLOCK - 2];
        log.extend_from_slice(b"oom\n");
        log.extend_from_slice(&vec![b'y'; BLOCK]);
        log.extend_from_slice(b"\nOOM");
        let numbers: Vec<_> = Scan::new(&log, 1).map(|line| line.number).collect();
        assert_eq!(numbers, [1, 3]);
    }
}
