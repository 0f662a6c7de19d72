//! The page frames of one look: which were counted, which hold nothing but the kernel's zeros, and who pays for them.

use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::sync::LazyLock;

use super::frame_set::FrameSet;
use super::pagemap;
use crate::sys;

/// The page frames that the processes of one look have in memory, so that a page which several of them share is counted
/// once, and the cgroups whose charge is told from others'.
///
/// Numbers of frames, and who pays for them, are shown to `CAP_SYS_ADMIN` only.
#[derive(Debug, Default)]
pub struct Frames {
    pub(super) counted: FrameSet,
    pub(super) payers: Option<Payers>,
}

impl Frames {
    /// Frames of which [`charged_here`](oomph_core::process::Page::charged_here) is told, by the inodes of the
    /// directories of the cgroup that is looked at and of all below it. An error where frames or `/proc/kpagecgroup`
    /// are not shown: that takes root, and a kernel with `CONFIG_PROC_PAGE_MONITOR` and `CONFIG_MEMCG`.
    pub fn charged_to(cgroups: impl IntoIterator<Item = u64>) -> io::Result<Self> {
        if ZEROS.is_none() {
            return Err(io::ErrorKind::PermissionDenied.into());
        }
        let mut cgroups: Vec<u64> = cgroups.into_iter().collect();
        cgroups.sort_unstable();
        let table = File::open("/proc/kpagecgroup")?;
        let payers = Payers { table, cgroups, here: FrameSet::default(), elsewhere: FrameSet::default() };
        Ok(Self { counted: FrameSet::default(), payers: Some(payers) })
    }
}

/// Who pays for page frames: `/proc/kpagecgroup` has for each the inode of the cgroup that it is charged to
/// (Documentation/admin-guide/mm/pagemap.rst). What is charged to a cgroup that was removed shows as its next living
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
    /// Asks for those of `frames` that are not known yet; sorts them and leaves them in no particular order.
    pub(super) fn ask(&mut self, frames: &mut Vec<u64>) {
        frames.retain(|frame| self.charged_here(*frame).is_none());
        frames.sort_unstable();
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

/// Flags of page frames (include/uapi/linux/kernel-page-flags.h).
const COMPOUND_TAIL: u64 = 1 << 16;
const HUGE_PAGE: u64 = 1 << 22;
const ZERO_PAGE: u64 = 1 << 24;

static FLAGS: LazyLock<Option<File>> = LazyLock::new(|| File::open("/proc/kpageflags").ok());

fn flags_of(frame: u64) -> Option<u64> {
    let mut flags = [0; 8];
    FLAGS.as_ref()?.read_exact_at(&mut flags, frame.checked_mul(8)?).ok()?;
    Some(u64::from_le_bytes(flags))
}

/// What stands behind a stretch of frames that is as long as a huge page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Huge {
    /// A transparent huge page.
    Page,
    /// The huge page of zeros.
    Zeros,
    /// Pages that happen to be neighbours.
    No,
}

/// What `frame` is the first of; none where `/proc/kpageflags` may not be read.
pub(super) fn huge_page_at(frame: u64) -> Option<Huge> {
    let flags = flags_of(frame)?;
    Some(if flags & HUGE_PAGE == 0 || flags & COMPOUND_TAIL != 0 {
        Huge::No
    } else if flags & ZERO_PAGE != 0 {
        Huge::Zeros
    } else {
        Huge::Page
    })
}

/// The frame that the kernel maps wherever memory is read which was never written to. It is charged to nobody and no
/// part of a resident set. None where frames are not shown.
pub(super) static ZEROS: LazyLock<Option<u64>> = LazyLock::new(|| {
    let frame = sys::with_untouched_page(|address: Range<u64>| {
        let mut entry = [0; 8];
        File::open("/proc/self/pagemap")?.read_exact_at(&mut entry, address.start / super::page() * 8)?;
        Ok(pagemap::frame(u64::from_le_bytes(entry)))
    });
    frame.ok().filter(|frame| *frame != 0)
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_zeros_are_known_by_reading_memory_that_was_never_written() {
        // Frames are shown to root alone.
        if let Some(frame) = *ZEROS {
            assert_eq!(flags_of(frame).map(|flags| flags & ZERO_PAGE), Some(ZERO_PAGE));
        }
    }
}
