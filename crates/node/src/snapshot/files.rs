//! The files of a cgroup that are about memory, and whether they say that it has a limit.

use std::collections::BTreeMap;
use std::os::fd::OwnedFd;

use rustix::fs::Dir;
use rustix::io::Errno;

use crate::hierarchy::Version;
use crate::{because, tree};

/// The files of version 1 (Documentation/admin-guide/cgroup-v1/memory.rst), in the order in which they are read: what is
/// added up stands together.
const V1: [&str; 15] = [
    "memory.usage_in_bytes",
    "memory.stat",
    "memory.kmem.usage_in_bytes",
    "memory.kmem.tcp.usage_in_bytes",
    "memory.memsw.usage_in_bytes",
    "memory.max_usage_in_bytes",
    "memory.memsw.max_usage_in_bytes",
    "memory.limit_in_bytes",
    "memory.memsw.limit_in_bytes",
    "memory.soft_limit_in_bytes",
    "memory.failcnt",
    "memory.memsw.failcnt",
    "memory.oom_control",
    "memory.swappiness",
    "memory.use_hierarchy",
];

/// The files of version 2 (Documentation/admin-guide/cgroup-v2.rst).
const V2: [&str; 16] = [
    "memory.current",
    "memory.stat",
    "memory.swap.current",
    "memory.zswap.current",
    "memory.peak",
    "memory.swap.peak",
    "memory.max",
    "memory.high",
    "memory.low",
    "memory.min",
    "memory.swap.max",
    "memory.zswap.max",
    "memory.events",
    "memory.events.local",
    "memory.oom.group",
    "memory.pressure",
];

/// The one that tells what is charged.
pub(super) const fn charged(version: Version) -> &'static str {
    match version {
        Version::V1 => V1[0],
        Version::V2 => V2[0],
    }
}

/// The files of a cgroup's directory, by name, and why some could not be read.
pub(super) fn read(version: Version, directory: &OwnedFd) -> (BTreeMap<String, Vec<u8>>, Option<String>) {
    let names: &[&str] = match version {
        Version::V1 => &V1,
        Version::V2 => &V2,
    };
    let mut files = BTreeMap::new();
    let mut not_read = None;
    let mut buffer = Vec::with_capacity(4096);
    for name in names.iter().copied().map(str::to_owned).chain(huge_pages(directory).unwrap_or_default()) {
        match tree::read(directory, &name, &mut buffer) {
            Ok(true) => {
                files.insert(name, buffer.clone());
            }
            // The cgroup went away meanwhile, or the file is not of this kernel.
            Ok(false) | Err(Errno::NODEV) => {}
            Err(error) => not_read = Some(format!("{name}: {}", because(&error.into()))),
        }
    }
    (files, not_read)
}

/// The names of the files that count hugetlbfs's pages, one for each size: `hugetlb.2MB.current` in version 2,
/// `hugetlb.2MB.usage_in_bytes` in version 1.
pub(super) fn huge_pages(directory: &OwnedFd) -> Result<Vec<String>, Errno> {
    let mut names = Vec::new();
    for entry in Dir::read_from(directory)? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        let counts = [".current", ".usage_in_bytes"].iter().any(|ending| name.ends_with(ending));
        if name.starts_with("hugetlb.") && counts && !name.contains(".rsvd.") {
            names.push(name);
        }
    }
    names.sort_unstable();
    Ok(names)
}

/// The files name a limit of any kind.
pub(super) fn have_limit(files: &BTreeMap<String, Vec<u8>>) -> bool {
    let number = |name: &str| {
        let text = String::from_utf8_lossy(files.get(name)?);
        text.trim().parse::<u64>().ok()
    };
    // Version 2 writes `max` for none; version 1 the most whole pages that fit into 63 bits (`PAGE_COUNTER_MAX`).
    let unlimited = i64::MAX.unsigned_abs() / crate::process::page() * crate::process::page();
    ["memory.limit_in_bytes", "memory.memsw.limit_in_bytes", "memory.max", "memory.high", "memory.swap.max"]
        .iter()
        .any(|name| number(name).is_some_and(|limit| limit < unlimited))
}

/// Before Linux 5.11, what is below a cgroup of version 1 counted for it only where this file said so.
pub(super) fn counts_what_is_below(files: &BTreeMap<String, Vec<u8>>) -> bool {
    files.get("memory.use_hierarchy").is_none_or(|content| content.trim_ascii() != b"0")
}
