//! Pages that came into memory after the page table was read. A program that grows puts the newest of its objects in
//! front, where a walk begins.

use std::fs::File;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::sync::{Arc, OnceLock};

use oomph_core::process::{Backing, mappings};

use super::folder::Folder;
use super::pagemap;

/// A process's page table, asked again page by page.
#[derive(Debug)]
pub(super) struct Later {
    folder: Arc<Folder>,
    pagemap: File,
    /// Its anonymous private mappings at the first question, which is asked behind what is read first, a list's head. Of
    /// files and devices nothing is read that was not planned.
    mappings: OnceLock<Vec<Range<u64>>>,
}

impl Later {
    pub(super) const fn new(folder: Arc<Folder>, pagemap: File) -> Self {
        Self { folder, pagemap, mappings: OnceLock::new() }
    }

    /// All of these addresses are anonymous memory that is there now.
    pub(super) fn covers(&self, addresses: &Range<u64>) -> bool {
        let mapped = self.mappings.get_or_init(|| self.anonymous());
        let inside = |mapped: &Range<u64>| mapped.start <= addresses.start && addresses.end <= mapped.end;
        if addresses.is_empty() || !mapped.iter().any(inside) {
            return false;
        }
        let page = super::page();
        let mut pages = addresses.start / page..=(addresses.end - 1) / page;
        pages.all(|number| {
            let mut entry = [0; 8];
            self.pagemap.read_exact_at(&mut entry, number.saturating_mul(8)).is_ok()
                && pagemap::is_present(u64::from_le_bytes(entry))
        })
    }

    fn anonymous(&self) -> Vec<Range<u64>> {
        let maps = self.folder.text("maps").unwrap_or_default();
        let mappings = mappings(&maps).into_iter();
        let anonymous = mappings.filter(|it| !it.shared && it.inode == 0 && it.backing() == Backing::Anonymous);
        anonymous.map(|it| it.start..it.end).collect()
    }
}
