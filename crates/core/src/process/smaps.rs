//! `/proc/PID/smaps`: what the kernel counts of each mapping.

use crate::units::Bytes;

/// The counters of one mapping that its line in `/proc/PID/maps` does not have (Documentation/filesystems/proc.rst).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Smap {
    /// First address.
    pub start: u64,
    /// `Rss`.
    pub resident: Bytes,
    /// `Swap`.
    pub swapped: Bytes,
    /// Made of huge pages of hugetlbfs (`ht` in `VmFlags`), which are no part of a resident set.
    pub hugetlb: bool,
}

/// All mappings, in the order of their addresses as the kernel prints them.
pub fn smaps(text: &str) -> Vec<Smap> {
    let mut found: Vec<Smap> = Vec::new();
    for line in text.lines() {
        let Some((key, value)) = line.split_once(':').filter(|(key, _)| !key.contains(' ')) else {
            let start = line.split('-').next().and_then(|start| u64::from_str_radix(start, 16).ok());
            found.extend(start.map(|start| Smap { start, ..Smap::default() }));
            continue;
        };
        let Some(last) = found.last_mut() else { continue };
        match key {
            "Rss" => last.resident = kib(value),
            "Swap" => last.swapped = kib(value),
            "VmFlags" => last.hugetlb = value.split_ascii_whitespace().any(|flag| flag == "ht"),
            _ => {}
        }
    }
    found
}

/// `AnonHugePages` of `/proc/PID/smaps_rollup`: anonymous memory in huge pages.
pub fn anon_huge(rollup: &str) -> Option<Bytes> {
    rollup.lines().find_map(|line| line.strip_prefix("AnonHugePages:")).map(kib)
}

fn kib(value: &str) -> Bytes {
    Bytes::kib(value.trim().trim_end_matches(" kB").parse().unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn counters_belong_to_the_mapping_above_them() {
        let text = "\
00400000-00600000 rw-p 00000000 00:10 42    /dev/huge pages/a: b\nSize: 2048 kB\nRss:       0 kB\nVmFlags: rd wr mr mw me ht \n\
7f0000000000-7f0000021000 rw-p 00000000 00:00 0 \nRss:        132 kB\nSwap:   8 kB\nSwapPss: 1 kB\nVmFlags: rd wr\n";
        let found = smaps(text);
        assert_eq!(found.len(), 2);
        assert_eq!((found[0].start, found[0].hugetlb), (0x40_0000, true));
        let (resident, swapped) = (Bytes::kib(132), Bytes::kib(8));
        assert_eq!(found[1], Smap { start: 0x7f00_0000_0000, resident, swapped, hugetlb: false });
        assert_eq!(anon_huge("55-56 ---p [rollup]\nRss: 9 kB\nAnonHugePages:      2048 kB\n"), Some(Bytes::mib(2)));
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "([0-9a-f-]| |Rss:|VmFlags:| ht|kB|é|\n){0,40}") {
            smaps(&text);
        }
    }
}
