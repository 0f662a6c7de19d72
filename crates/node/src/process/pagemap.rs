//! `/proc/PID/pagemap`: which pages are in memory (Documentation/admin-guide/mm/pagemap.rst).

use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt;

use oomph_core::process::{Mapping, Page, Residency, Run};

use super::frame_set::FrameSet;
use super::frames::{self, Frames, Huge};
use super::payers::Payers;
use super::plan::Plan;
use super::{folder, scan};

const PRESENT: u64 = 1 << 63;
const SWAPPED: u64 = 1 << 62;
const FILE_OR_SHARED: u64 = 1 << 61;
/// A guard region (`MADV_GUARD_INSTALL`), which has the bit of swapped pages too (Linux 6.15).
const GUARD: u64 = 1 << 58;
/// Bits 0-54: the page frame; 0 for whoever lacks `CAP_SYS_ADMIN`.
const FRAME: u64 = (1 << 55) - 1;
/// Bits 0-4 of a swapped page: its swap area.
const SWAP_AREA: u64 = 31;
/// The kernel uses up to nine of the 32 numbers of swap areas for other things: pages in migration, poisoned ones, guards
/// (`MAX_SWAPFILES`, include/linux/swap.h, Linux 6.18).
const SWAP_AREAS: u64 = 23;

/// Entries read at once: 64 KiB of them stand for 32 MiB of addresses.
const ENTRIES: usize = 8192;

/// Stretches of pages with smaller holes between them are read in one go: the holes' entries cost less than a system call.
const JOIN: u64 = 1 << 20;

/// A process's pages.
pub(super) struct Pages {
    /// Those in memory.
    pub(super) residency: Residency,
    /// Bytes of anonymous memory in huge pages; none where frames are not shown.
    pub(super) anon_huge: Option<u64>,
    /// Their frames.
    pub(super) frames: FrameSet,
}

/// Reads the pages of the planned mappings. Nothing is added to the counted `frames` yet: the process may be gone before
/// all is read.
pub(super) fn pages(pagemap: &File, plan: &Plan<'_>, frames: &mut Frames) -> io::Result<Pages> {
    let mut walk = Walk {
        pagemap,
        counted: &frames.counted,
        zeros: *frames::ZEROS,
        huge_zeros: 0..0,
        own: FrameSet::default(),
        runs: Vec::new(),
        of_files: Vec::new(),
        swapped: 0,
        anon_huge: frames::ZEROS.is_some().then_some(0),
        bytes: Vec::new(),
        entries: Vec::new(),
    };
    for mapping in &plan.mappings {
        for stretch in stretches(pagemap, mapping, plan.sparse) {
            walk.over(stretch, mapping.shared)?;
        }
    }
    let Walk { runs, of_files, swapped, anon_huge, own, .. } = walk;
    let runs = match &mut frames.payers {
        Some(payers) => {
            payers.ask(of_files.clone());
            charge(runs, &of_files, payers)
        }
        None => runs,
    };
    Ok(Pages { residency: Residency::new(runs, swapped), anon_huge, frames: own })
}

/// Says of each page of a file who pays for it; `frames` are theirs, in the same order.
fn charge(runs: Vec<Run>, frames: &[u64], payers: &Payers) -> Vec<Run> {
    let page = super::page();
    let mut frames = frames.iter();
    let mut charged = Vec::with_capacity(runs.len());
    for run in runs {
        if !run.page.file {
            charged.push(run);
            continue;
        }
        let mut address = run.at.start;
        while address < run.at.end {
            let charged_here = frames.next().and_then(|frame| payers.charged_here(*frame));
            push(&mut charged, address, page, Page { charged_here, ..run.page });
            address += page;
        }
    }
    charged
}

/// Where in the mapping pages may be.
fn stretches(pagemap: &File, mapping: &Mapping, sparse: bool) -> Vec<Range<u64>> {
    let whole = mapping.start..mapping.end;
    let populated = || scan::stretches(pagemap, whole.clone(), scan::PRESENT | scan::SWAPPED, JOIN);
    sparse.then(populated).flatten().unwrap_or_else(|| vec![whole])
}

/// The entry's page is in memory.
pub(super) const fn is_present(entry: u64) -> bool {
    entry & PRESENT != 0
}

/// The page frame of an entry whose page is present; 0 where it is not shown.
pub(super) const fn frame(entry: u64) -> u64 {
    entry & FRAME
}

/// The numbers of a table such as pagemap.
pub(super) fn entries(table: &[u8]) -> impl Iterator<Item = u64> {
    table.chunks_exact(8).map(|entry| u64::from_le_bytes(entry.try_into().expect("a chunk of eight bytes")))
}

struct Walk<'a> {
    pagemap: &'a File,
    counted: &'a FrameSet,
    zeros: Option<u64>,
    huge_zeros: Range<u64>,
    own: FrameSet,
    runs: Vec<Run>,
    /// The frames of those runs' pages that are files', in their order.
    of_files: Vec<u64>,
    swapped: u64,
    anon_huge: Option<u64>,
    bytes: Vec<u8>,
    entries: Vec<u64>,
}

impl Walk<'_> {
    fn over(&mut self, stretch: Range<u64>, shared: bool) -> io::Result<()> {
        let chunk = ENTRIES as u64 * super::page();
        let mut start = stretch.start;
        while start < stretch.end {
            // Chunks end at multiples of their size, so that no huge page lies in two of them.
            let end = (start / chunk + 1).saturating_mul(chunk).min(stretch.end);
            self.read(start..end)?;
            if self.zeros.is_none() {
                self.forget_zeros(start..end);
            }
            self.find_huge_pages(start);
            self.account(start, shared);
            start = end;
        }
        Ok(())
    }

    fn read(&mut self, addresses: Range<u64>) -> io::Result<()> {
        let first = addresses.start / super::page();
        let count = (addresses.end / super::page()).saturating_sub(first);
        self.bytes.resize(usize::try_from(count).unwrap_or(ENTRIES).min(ENTRIES) * 8, 0);
        self.pagemap.read_exact_at(&mut self.bytes, first.saturating_mul(8)).map_err(folder::gone)?;
        self.entries.clear();
        self.entries.extend(entries(&self.bytes));
        Ok(())
    }

    /// Pages of zeros, where their frames are not shown.
    fn forget_zeros(&mut self, addresses: Range<u64>) {
        let start = addresses.start;
        for zeros in scan::stretches(self.pagemap, addresses, scan::ZEROS, 0).into_iter().flatten() {
            let index = |address: u64| usize::try_from((address - start) / super::page()).unwrap_or(usize::MAX);
            if let Some(entries) = self.entries.get_mut(index(zeros.start)..index(zeros.end)) {
                entries.fill(0);
            }
        }
    }

    /// A huge page shows as aligned neighbouring frames at aligned neighbouring addresses.
    fn find_huge_pages(&mut self, start: u64) {
        let page = super::page();
        // A page of entries of the lowest table maps it.
        let length = page / 8;
        let Ok(first) = usize::try_from(start.wrapping_neg() / page % length) else { return };
        let Ok(step) = usize::try_from(length) else { return };
        for block in self.entries.get(first..).unwrap_or_default().chunks_exact(step) {
            let (head, tail) = (block[0], block[step - 1]);
            let first = frame(head);
            if head & tail & PRESENT == 0
                || first == 0
                || !first.is_multiple_of(length)
                || frame(tail) != first + length - 1
            {
                continue;
            }
            match frames::huge_page_at(first) {
                // The huge page of zeros has the bit of files, the small one has not.
                Some(Huge::Page) if head & FILE_OR_SHARED == 0 => {
                    self.anon_huge = self.anon_huge.map(|bytes| bytes + length * page);
                }
                Some(Huge::Zeros) => self.huge_zeros = first..first + length,
                Some(_) => {}
                None => self.anon_huge = None,
            }
        }
    }

    fn account(&mut self, start: u64, shared: bool) {
        let page = super::page();
        let Self { counted, zeros, huge_zeros, own, runs, of_files, swapped, entries, .. } = self;
        for (entry, address) in entries.iter().copied().zip((start..).step_by(usize::try_from(page).unwrap_or(4096))) {
            if entry & PRESENT == 0 {
                if is_swapped(entry) {
                    *swapped += page;
                }
                continue;
            }
            let file = entry & FILE_OR_SHARED != 0;
            let frame = frame(entry);
            // What is neither a file's nor anonymous belongs to a device or is the kernel's page of zeros.
            if huge_zeros.contains(&frame) || !file && (shared || Some(frame) == *zeros) {
                continue;
            }
            let counted = frame != 0 && (counted.contains(frame) || !own.insert(frame));
            if file {
                of_files.push(frame);
            }
            push(runs, address, page, Page { file, counted, charged_here: None });
        }
    }
}

/// In swap, not one of the kernel's other uses of such entries.
const fn is_swapped(entry: u64) -> bool {
    entry & SWAPPED != 0 && entry & GUARD == 0 && entry & SWAP_AREA < SWAP_AREAS
}

fn push(runs: &mut Vec<Run>, address: u64, size: u64, page: Page) {
    match runs.last_mut() {
        Some(last) if last.at.end == address && last.page == page => last.at.end += size,
        _ => runs.push(Run { at: address..address + size, page }),
    }
}
