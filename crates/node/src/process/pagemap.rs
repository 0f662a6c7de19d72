//! `/proc/PID/pagemap`: which pages are in memory (Documentation/admin-guide/mm/pagemap.rst).

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use super::Frames;
use oomph_core::process::{Backing, Mapping, Page, Residency, Run};

const PRESENT: u64 = 1 << 63;
const SWAPPED: u64 = 1 << 62;
const FILE_OR_SHARED: u64 = 1 << 61;
/// Bits 0-54: the page frame; 0 for whoever lacks `CAP_SYS_ADMIN`.
const FRAME: u64 = (1 << 55) - 1;

/// Entries read at once: 64 KiB of them stand for 32 MiB of addresses.
const ENTRIES: usize = 8192;

/// The pages of `mappings` that are in memory. Frames that are in `frames` were counted before; the others are added.
pub(super) fn residency(pagemap: &File, mappings: &[Mapping], frames: &mut Frames) -> io::Result<Residency> {
    let page = super::page();
    let mut runs = Vec::new();
    let mut swapped = 0;
    let mut buffer = vec![0; ENTRIES * 8];
    for mapping in mappings {
        // Reserved addresses hold nothing, and there may be terabytes of them.
        let reserved = !mapping.readable && !mapping.writable && !mapping.executable;
        if reserved || mapping.backing() == Backing::Kernel {
            continue;
        }
        let mut address = mapping.start;
        while address < mapping.end {
            let count = usize::try_from((mapping.end - address) / page).unwrap_or(ENTRIES).clamp(1, ENTRIES);
            let bytes = &mut buffer[..count * 8];
            pagemap.read_exact_at(bytes, address / page * 8)?;
            for entry in bytes.chunks_exact(8) {
                let entry = u64::from_le_bytes(entry.try_into().expect("a chunk of eight bytes"));
                if entry & SWAPPED != 0 {
                    swapped += page;
                } else if entry & PRESENT != 0 {
                    let frame = entry & FRAME;
                    let counted = frame != 0 && !frames.insert(frame);
                    let page_is = Page { file: entry & FILE_OR_SHARED != 0, counted, charged_here: None };
                    push(&mut runs, address, page, page_is);
                }
                address += page;
            }
        }
    }
    Ok(Residency::new(runs, swapped))
}

fn push(runs: &mut Vec<Run>, address: u64, size: u64, page: Page) {
    match runs.last_mut() {
        Some(last) if last.at.end == address && last.page == page => last.at.end += size,
        _ => runs.push(Run { at: address..address + size, page }),
    }
}
