//! The page frames of one look: which were counted, and which hold nothing but the kernel's zeros.

use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::sync::LazyLock;

use super::frame_set::FrameSet;
use super::pagemap;
use super::payers::Payers;
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
        Ok(Self { counted: FrameSet::default(), payers: Some(Payers::of(cgroups)?) })
    }
}

/// Flags of page frames (include/uapi/linux/kernel-page-flags.h).
pub(super) const COMPOUND_TAIL: u64 = 1 << 16;
const HUGE_PAGE: u64 = 1 << 22;
const ZERO_PAGE: u64 = 1 << 24;

static FLAGS: LazyLock<Option<File>> = LazyLock::new(|| File::open("/proc/kpageflags").ok());

pub(super) fn flags_of(frame: u64) -> Option<u64> {
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
