//! Which mappings' page table entries are read, so that terabytes of reserved addresses cost nothing.

use std::collections::HashMap;
use std::io;

use oomph_core::fact::Gap;
use oomph_core::process::{Backing, Mapping, Smap, Status, smaps};
use oomph_core::units::Bytes;

/// Entries of holes cost a third of those of pages, and are worth skipping when there are more than this many times as
/// many of them.
const SPARSE: u64 = 5;

/// So much may be holes anyway: 0.2 ms.
const SMALL: u64 = 256 << 20;

/// Without `PAGEMAP_SCAN`, a larger mapping is not read: a TiB takes most of a second.
const UNSKIPPED_MAX: u64 = 1 << 40;

/// What is to be read of a process's page tables.
#[derive(Debug)]
pub(super) struct Plan<'a> {
    /// The mappings that may hold pages which are charged.
    pub(super) mappings: Vec<&'a Mapping>,
    /// They are mostly holes.
    pub(super) sparse: bool,
    /// What is left out that should not be.
    pub(super) gaps: Vec<Gap>,
}

/// Plans for a process. `can_scan`: the kernel has `PAGEMAP_SCAN`. `smaps` is read only where it cannot be avoided, since
/// it takes longer than all the rest.
pub(super) fn plan<'a>(
    pid: u32,
    mappings: &'a [Mapping],
    status: &Status,
    can_scan: bool,
    smaps_text: impl FnOnce() -> io::Result<String>,
) -> io::Result<Plan<'a>> {
    let mut mappings: Vec<&Mapping> = mappings.iter().filter(|mapping| mapping.backing() != Backing::Kernel).collect();
    let length = mappings.iter().fold(0_u64, |sum, mapping| sum.saturating_add(mapping.length()));
    let bytes = |amount: Option<Bytes>| amount.map_or(0, |amount| amount.0);
    let held = bytes(status.resident).saturating_add(bytes(status.swapped));
    let sparse = length > held.saturating_mul(SPARSE).saturating_add(SMALL);
    let mut gaps = Vec::new();
    if bytes(status.hugetlb) > 0 || (sparse && !can_scan) {
        let counters: HashMap<u64, Smap> = smaps(&smaps_text()?).into_iter().map(|smap| (smap.start, smap)).collect();
        mappings.retain(|mapping| {
            let Some(smap) = counters.get(&mapping.start) else { return true };
            // Pages of hugetlbfs are charged elsewhere, if at all.
            if smap.hugetlb || smap.resident.0 == 0 && smap.swapped.0 == 0 {
                return false;
            }
            let readable = can_scan || mapping.length() <= UNSKIPPED_MAX;
            if !readable {
                gaps.push(too_large(pid, mapping, smap));
            }
            readable
        });
    }
    Ok(Plan { mappings, sparse: sparse && can_scan, gaps })
}

fn too_large(pid: u32, mapping: &Mapping, smap: &Smap) -> Gap {
    Gap {
        what: format!("what {} of process {pid} at {:x} hold", smap.resident, mapping.start),
        because: format!(
            "they lie scattered in {}, and this kernel has no PAGEMAP_SCAN (Linux 6.7) to find them",
            Bytes(mapping.length())
        ),
        command: format!("grep -A 20 '^{:x}-' /proc/{pid}/smaps", mapping.start),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use oomph_core::process::mappings;

    const MAPS: &str = "\
100000000000-200000000000 rw-p 00000000 00:00 0 \n\
200000000000-200000100000 ---p 00000000 00:00 0 \n\
300000000000-300000100000 rw-p 00000000 00:00 0 \n\
400000000000-400000200000 rw-p 00000000 00:10 7 /anon_hugepage (deleted)\n";

    const SMAPS: &str = "\
100000000000-200000000000 rw-p 00000000 00:00 0 \nRss: 8 kB\nSwap: 0 kB\nVmFlags: rd wr\n\
200000000000-200000100000 ---p 00000000 00:00 0 \nRss: 0 kB\nSwap: 0 kB\nVmFlags: mr\n\
300000000000-300000100000 rw-p 00000000 00:00 0 \nRss: 0 kB\nSwap: 4 kB\nVmFlags: rd wr\n\
400000000000-400000200000 rw-p 00000000 00:10 7 /anon_hugepage (deleted)\nRss: 0 kB\nVmFlags: rd wr ht\n";

    fn starts(plan: &Plan<'_>) -> Vec<u64> {
        plan.mappings.iter().map(|mapping| mapping.start >> 44).collect()
    }

    #[test]
    fn where_holes_can_be_skipped_everything_is_looked_at() {
        let mappings = mappings(MAPS);
        let plan = plan(1, &mappings, &Status::default(), true, || unreachable!("smaps is not needed")).unwrap();
        assert_eq!((starts(&plan), plan.sparse), (vec![1, 2, 3, 4], true));
    }

    #[test]
    fn where_they_cannot_what_is_empty_is_left_out_and_what_is_too_large_is_a_gap() {
        let mappings = mappings(MAPS);
        let plan = plan(1, &mappings, &Status::default(), false, || Ok(SMAPS.into())).unwrap();
        assert_eq!((starts(&plan), plan.sparse), (vec![3], false));
        assert_eq!(plan.gaps.len(), 1);
        assert_eq!(plan.gaps[0].what, "what 8 KiB of process 1 at 100000000000 hold");
        assert!(plan.gaps[0].because.starts_with("they lie scattered in 16 TiB"), "{}", plan.gaps[0].because);
    }

    #[test]
    fn huge_pages_of_hugetlbfs_are_left_out() {
        let status = Status { hugetlb: Some(Bytes::mib(2)), ..Status::default() };
        let mappings = mappings(MAPS);
        let plan = plan(1, &mappings, &status, true, || Ok(SMAPS.into())).unwrap();
        assert_eq!(starts(&plan), [1, 3]);
    }
}
