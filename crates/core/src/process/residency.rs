//! Which pages of a process are in memory, what they are charged as, and to whom.

use std::ops::Range;

/// What one page is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Page {
    /// A page of a file or shared memory (bit 61 of pagemap); else anonymous.
    pub file: bool,
    /// Its frame was counted before, in this process or another one of the same cgroup (forked memory, shared files).
    pub counted: bool,
    /// Whether it is charged to the cgroup that is looked at, where `/proc/kpagecgroup` could be asked.
    pub charged_here: Option<bool>,
}

/// Neighbouring pages that are alike.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// Their addresses, whole pages.
    pub at: Range<u64>,
    /// What each of them is.
    pub page: Page,
}

/// The pages of a process that were in memory at one moment, by address. Pages that were swapped out or never touched
/// are not in it; reading those would change the process.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Residency {
    runs: Vec<Run>,
    /// Bytes in swap, counted from the page table.
    pub swapped: u64,
}

impl Residency {
    /// From runs in the order of their addresses. A run that begins before its predecessor's end is left out.
    pub fn new(runs: impl IntoIterator<Item = Run>, swapped: u64) -> Self {
        let mut kept: Vec<Run> = Vec::new();
        for run in runs {
            match kept.last_mut() {
                _ if run.at.is_empty() => {}
                Some(last) if run.at.start < last.at.end => {}
                Some(last) if run.at.start == last.at.end && run.page == last.page => last.at.end = run.at.end,
                _ => kept.push(run),
            }
        }
        Self { runs: kept, swapped }
    }

    /// All runs.
    pub fn runs(&self) -> &[Run] {
        &self.runs
    }

    /// The parts of runs that lie in `range`.
    pub fn within(&self, range: Range<u64>) -> impl Iterator<Item = Run> {
        let first = self.runs.partition_point(|run| run.at.end <= range.start);
        self.runs[first..]
            .iter()
            .take_while(move |run| run.at.start < range.end)
            .map(move |run| Run { at: run.at.start.max(range.start)..run.at.end.min(range.end), page: run.page })
    }

    /// Bytes in memory in `range`.
    pub fn bytes_in(&self, range: Range<u64>) -> u64 {
        self.within(range).map(|run| run.at.end - run.at.start).sum()
    }

    /// Every page of `range` is in memory.
    pub fn covers(&self, range: Range<u64>) -> bool {
        let mut next = range.start;
        for run in self.within(range.clone()) {
            if run.at.start != next {
                return false;
            }
            next = run.at.end;
        }
        next >= range.end
    }

    /// Bytes in memory: what `VmRSS` counts, exactly.
    pub fn total(&self) -> u64 {
        self.runs.iter().map(|run| run.at.end - run.at.start).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANON: Page = Page { file: false, counted: false, charged_here: None };
    const FILE: Page = Page { file: true, counted: false, charged_here: Some(false) };

    fn sample() -> Residency {
        let run = |at: Range<u64>, page| Run { at, page };
        Residency::new(
            [run(0..0x2000, ANON), run(0x2000..0x3000, ANON), run(0x3000..0x4000, FILE), run(0x8000..0x9000, ANON)],
            0,
        )
    }

    #[test]
    fn neighbours_that_are_alike_are_one_run() {
        assert_eq!(sample().runs().len(), 3);
        assert_eq!(sample().total(), 0x5000);
    }

    #[test]
    fn a_range_cuts_runs() {
        assert_eq!(sample().bytes_in(0x1000..0x8800), 0x3800);
        assert!(sample().covers(0x10..0x3fff));
        assert!(!sample().covers(0x3000..0x4001));
        assert!(sample().covers(5..5));
    }
}
