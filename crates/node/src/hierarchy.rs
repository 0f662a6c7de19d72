//! Which mounted hierarchy of cgroups counts memory: version 1, version 2, or version 1 beside an idle version 2.

use std::fs;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

pub use oomph_core::waterfall::Version;

/// A mounted hierarchy that has the memory controller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hierarchy {
    /// Which interface its files have.
    pub version: Version,
    /// Where it is mounted: `/sys/fs/cgroup`, `/sys/fs/cgroup/memory`.
    pub mount: PathBuf,
    /// Which cgroup the mount shows at its top, as the kernel log writes it: `/`, but in a container without a cgroup
    /// namespace of its own `/docker/<id>`.
    pub top: String,
}

/// Finds the hierarchy; `None` where no mounted one counts memory.
pub fn find() -> Option<Hierarchy> {
    let mountinfo = fs::read("/proc/self/mountinfo").ok()?;
    find_in(&String::from_utf8_lossy(&mountinfo), |mount| {
        fs::read_to_string(mount.join("cgroup.controllers"))
            .is_ok_and(|controllers| controllers.split_whitespace().any(|name| name == "memory"))
    })
}

/// A controller belongs to one hierarchy at a time, so version 1 with `memory` settles it. Of several mounts of that
/// hierarchy the one that shows it from the root is the best.
fn find_in(mountinfo: &str, has_memory: impl Fn(&Path) -> bool) -> Option<Hierarchy> {
    let mounts: Vec<Hierarchy> = mountinfo.lines().filter_map(|line| parse(line, &has_memory)).collect();
    let best =
        |version| mounts.iter().filter(|mount| mount.version == version).min_by_key(|mount| mount.top.len()).cloned();
    best(Version::V1).or_else(|| best(Version::V2))
}

/// A line of mountinfo (proc_pid_mountinfo(5)): `31 23 0:28 ROOT MOUNT OPTIONS [TAGS...] - TYPE SOURCE SUPEROPTIONS`.
fn parse(line: &str, has_memory: impl Fn(&Path) -> bool) -> Option<Hierarchy> {
    let (mount, file_system) = line.split_once(" - ")?;
    let mut mount = mount.split(' ').skip(3);
    let (top, mount) = (unescape(mount.next()?), PathBuf::from(unescape(mount.next()?)));
    let mut file_system = file_system.split(' ');
    let version = match (file_system.next()?, file_system.nth(1)?) {
        ("cgroup", options) if options.split(',').any(|option| option == "memory") => Version::V1,
        ("cgroup2", _) if has_memory(&mount) => Version::V2,
        _ => return None,
    };
    Some(Hierarchy { version, mount, top: top.to_string_lossy().into_owned() })
}

/// Blanks, tabs, newlines and backslashes stand as three octal digits behind a backslash.
fn unescape(field: &str) -> std::ffi::OsString {
    let mut rest = field.as_bytes();
    let mut bytes = Vec::with_capacity(rest.len());
    while let Some((first, tail)) = rest.split_first() {
        let octal = tail.get(..3).and_then(|digits| std::str::from_utf8(digits).ok());
        let code = octal.and_then(|digits| u8::from_str_radix(digits, 8).ok()).filter(|_| *first == b'\\');
        bytes.push(code.unwrap_or(*first));
        rest = if code.is_some() { &tail[3..] } else { tail };
    }
    std::ffi::OsString::from_vec(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn found(mountinfo: &str, v2_has_memory: bool) -> Option<(Version, String, String)> {
        let hierarchy = find_in(mountinfo, |_| v2_has_memory)?;
        Some((hierarchy.version, hierarchy.mount.to_string_lossy().into_owned(), hierarchy.top))
    }

    #[test]
    fn version_1_is_found_beside_an_idle_version_2() {
        let hybrid = "31 23 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw,mode=755\n\
                      35 31 0:32 / /sys/fs/cgroup/cpu,memory rw,relatime shared:9 - cgroup cgroup rw,cpu,memory\n\
                      41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw\n";
        assert_eq!(found(hybrid, false), Some((Version::V1, "/sys/fs/cgroup/cpu,memory".into(), "/".into())));
    }

    #[test]
    fn version_2_counts_only_where_it_has_the_memory_controller() {
        let unified = "26 23 0:26 / /sys/fs/cgroup rw shared:4 - cgroup2 cgroup2 rw,nsdelegate,memory_recursiveprot\n";
        assert_eq!(found(unified, true), Some((Version::V2, "/sys/fs/cgroup".into(), "/".into())));
        assert_eq!(found(unified, false), None);
    }

    #[test]
    fn the_mount_that_shows_the_most_is_taken() {
        let container = "900 899 0:26 /docker/0a1b /sys/fs/cgroup ro - cgroup2 cgroup rw\n\
                         901 899 0:26 / /host\\040root/sys/fs/cgroup ro - cgroup2 cgroup rw\n";
        assert_eq!(found(container, true), Some((Version::V2, "/host root/sys/fs/cgroup".into(), "/".into())));
    }

    #[test]
    fn a_name_that_contains_memory_is_not_the_controller() {
        assert_eq!(found("35 31 0:32 / /x rw - cgroup cgroup rw,xattr,name=memory\n", true), None);
        assert_eq!(found("", true), None);
        assert_eq!(found("1 2 3 - cgroup\n - \nx\\9 - cgroup a memory\n", true), None);
    }

    proptest! {
        #[test]
        fn no_mountinfo_panics(text in "([0-9:/ \\\\-]|cgroup2?|memory|é|\n){0,60}") {
            let _ = find_in(&text, |_| true);
        }
    }
}
