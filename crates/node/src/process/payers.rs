//! `/proc/kpagecgroup`: who pays for a page (Documentation/admin-guide/mm/pagemap.rst).

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use super::frame_set::FrameSet;
use super::frames::{COMPOUND_TAIL, flags_of};
use super::pagemap;

/// Who pays for page frames: the table has for each the inode of the cgroup that it is charged to. What is charged to a cgroup that was removed shows as its next living
/// ancestor's (mm/memcontrol.c, `page_cgroup_ino`, Linux 6.18).
#[derive(Debug)]
pub(super) struct Payers {
    table: File,
    cgroups: Vec<u64>,
    here: FrameSet,
    elsewhere: FrameSet,
}

/// Frames between two that are asked for which are read along rather than skipped: a system call costs more.
const READ_ALONG: u64 = 32;

/// Frames read at once.
const READ_MAX: u64 = 8192;

impl Payers {
    pub(super) fn of(cgroups: impl IntoIterator<Item = u64>) -> io::Result<Self> {
        let mut cgroups: Vec<u64> = cgroups.into_iter().collect();
        cgroups.sort_unstable();
        let table = File::open("/proc/kpagecgroup")?;
        Ok(Self { table, cgroups, here: FrameSet::default(), elsewhere: FrameSet::default() })
    }

    /// Asks for those of `frames` that are not known yet. The more at once, the more of them are neighbours.
    pub(super) fn ask(&mut self, mut frames: Vec<u64>) {
        frames.retain(|frame| *frame != 0 && self.charged_here(*frame).is_none());
        frames.sort_unstable();
        frames.dedup();
        let mut rest = frames.as_slice();
        let mut buffer = Vec::new();
        while let Some(first) = rest.first() {
            let near = rest.windows(2).take_while(|two| two[1] - two[0] <= READ_ALONG && two[1] - first < READ_MAX);
            let (batch, behind) = rest.split_at(near.count() + 1);
            rest = behind;
            let count = batch.last().map_or(1, |last| last - first + 1);
            buffer.resize(usize::try_from(count * 8).expect("a batch spans at most 8192 frames"), 0);
            // A frame that the table does not hold stays unknown.
            if self.table.read_exact_at(&mut buffer, first.saturating_mul(8)).is_err() {
                continue;
            }
            let inodes: Vec<u64> = pagemap::entries(&buffer).collect();
            for frame in batch {
                let inode = usize::try_from(frame - first).ok().and_then(|at| inodes.get(at));
                self.learn(*frame, inode.copied().unwrap_or(0));
            }
        }
    }

    fn learn(&mut self, frame: u64, inode: u64) {
        if self.cgroups.binary_search(&inode).is_ok() {
            self.here.insert(frame);
        // Before Linux 6.4 all but the first page of a large one had no cgroup; who pays is unknown.
        } else if inode != 0 || flags_of(frame).is_some_and(|flags| flags & COMPOUND_TAIL == 0) {
            self.elsewhere.insert(frame);
        }
    }

    /// Whether a frame that was asked for is charged to the cgroups.
    pub(super) fn charged_here(&self, frame: u64) -> Option<bool> {
        let here = self.here.contains(frame);
        (here || self.elsewhere.contains(frame)).then_some(here)
    }
}
