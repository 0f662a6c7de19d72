//! Which mounted hierarchy of cgroups counts memory: version 1, version 2, or version 1 beside an idle version 2.

use std::ffi::OsString;
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

impl Hierarchy {
    /// Where below the mount the directory of a cgroup is, without a leading slash: empty for the top. `None` for a path
    /// that the mount does not show.
    pub fn below<'a>(&self, cgroup: &'a str) -> Option<&'a str> {
        let below = cgroup.strip_prefix(self.top.trim_end_matches('/'))?;
        if !below.is_empty() && !below.starts_with('/') {
            return None;
        }
        let below = below.trim_matches('/');
        // A cgroup above the root of a namespace is written with `..` (cgroup_namespaces(7)).
        below.split('/').all(|part| part != "..").then_some(below)
    }

    /// The path of a cgroup as the kernel log writes it, from where it is below the mount.
    pub(crate) fn path(&self, below: &str) -> String {
        if below.is_empty() { self.top.clone() } else { format!("{}/{below}", self.top.trim_end_matches('/')) }
    }

    /// The directory of a cgroup; `None` for a path that the mount does not show.
    pub fn folder(&self, cgroup: &str) -> Option<PathBuf> {
        self.below(cgroup).map(|below| self.mount.join(below))
    }
}

/// Finds the hierarchy; `None` where no mounted one counts memory.
pub fn find() -> Option<Hierarchy> {
    let mountinfo = fs::read("/proc/self/mountinfo").ok()?;
    find_in(&String::from_utf8_lossy(&mountinfo), |mount| {
        fs::read_to_string(mount.join("cgroup.controllers"))
            .is_ok_and(|controllers| controllers.split_whitespace().any(|name| name == "memory"))
    })
}

/// Where a controller of version 1 is mounted: `hugetlb`.
pub(crate) fn controller(name: &str) -> Option<PathBuf> {
    let mountinfo = fs::read("/proc/self/mountinfo").ok()?;
    controller_in(&String::from_utf8_lossy(&mountinfo), name)
}

fn controller_in(mountinfo: &str, name: &str) -> Option<PathBuf> {
    let mounts = mountinfo.lines().filter_map(mounted);
    let has = |mount: &Mounted<'_>| mount.kind == "cgroup" && mount.options.split(',').any(|option| option == name);
    mounts.filter(has).min_by_key(|mount| depth(&mount.root.to_string_lossy())).map(|mount| mount.at)
}

/// A controller belongs to one hierarchy at a time, so version 1 with `memory` settles it. Of several mounts of that
/// hierarchy the one that shows it from the root is the best.
fn find_in(mountinfo: &str, has_memory: impl Fn(&Path) -> bool) -> Option<Hierarchy> {
    let mounts: Vec<Hierarchy> = mountinfo.lines().filter_map(|line| parse(line, &has_memory)).collect();
    let best =
        |version| mounts.iter().filter(|mount| mount.version == version).min_by_key(|it| depth(&it.top)).cloned();
    best(Version::V1).or_else(|| best(Version::V2))
}

fn parse(line: &str, has_memory: impl Fn(&Path) -> bool) -> Option<Hierarchy> {
    let mount = mounted(line)?;
    let version = match mount.kind {
        "cgroup" if mount.options.split(',').any(|option| option == "memory") => Version::V1,
        "cgroup2" if has_memory(&mount.at) => Version::V2,
        _ => return None,
    };
    Some(Hierarchy { version, mount: mount.at, top: mount.root.to_string_lossy().into_owned() })
}

/// A mount.
struct Mounted<'a> {
    root: OsString,
    at: PathBuf,
    kind: &'a str,
    options: &'a str,
}

/// How far down a mount begins. In a cgroup namespace, what lies above its root is written with `..`
/// (cgroup_namespaces(7)).
fn depth(top: &str) -> isize {
    top.split('/').filter(|part| !part.is_empty()).map(|part| if part == ".." { -1 } else { 1 }).sum()
}

/// A line of mountinfo (proc_pid_mountinfo(5)): `31 23 0:28 ROOT MOUNT OPTIONS [TAGS...] - TYPE SOURCE SUPEROPTIONS`.
fn mounted(line: &str) -> Option<Mounted<'_>> {
    let (mount, file_system) = line.split_once(" - ")?;
    let mut mount = mount.split(' ').skip(3);
    let (root, at) = (unescape(mount.next()?), PathBuf::from(unescape(mount.next()?)));
    let mut file_system = file_system.split(' ');
    Some(Mounted { root, at, kind: file_system.next()?, options: file_system.nth(1)? })
}

/// Blanks, tabs, newlines and backslashes stand as three octal digits behind a backslash.
fn unescape(field: &str) -> OsString {
    let mut rest = field.as_bytes();
    let mut bytes = Vec::with_capacity(rest.len());
    while let Some((first, tail)) = rest.split_first() {
        let octal = tail.get(..3).and_then(|digits| std::str::from_utf8(digits).ok());
        let code = octal.and_then(|digits| u8::from_str_radix(digits, 8).ok()).filter(|_| *first == b'\\');
        bytes.push(code.unwrap_or(*first));
        rest = if code.is_some() { &tail[3..] } else { tail };
    }
    OsString::from_vec(bytes)
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
    fn the_hosts_mount_is_taken_in_a_container_with_a_namespace_of_its_own() {
        let container = "900 899 0:26 / /sys/fs/cgroup ro - cgroup2 cgroup rw\n\
                         901 899 0:26 /../../.. /host/cgroup ro - cgroup2 cgroup rw\n";
        assert_eq!(found(container, true), Some((Version::V2, "/host/cgroup".into(), "/../../..".into())));
        let hierarchy = find_in(container, |_| true).unwrap();
        assert_eq!(hierarchy.below("/../../../kubepods/podx"), Some("kubepods/podx"));
    }

    #[test]
    fn a_name_that_contains_memory_is_not_the_controller() {
        assert_eq!(found("35 31 0:32 / /x rw - cgroup cgroup rw,xattr,name=memory\n", true), None);
        assert_eq!(found("", true), None);
        assert_eq!(found("1 2 3 - cgroup\n - \nx\\9 - cgroup a memory\n", true), None);
    }

    #[test]
    fn a_controller_of_version_1_is_found_by_name() {
        let mounts = "31 23 0:28 /docker/0a1b /x rw - cgroup cgroup rw,hugetlb\n\
                      35 31 0:32 / /sys/fs/cgroup/hugetlb rw - cgroup cgroup rw,hugetlb\n";
        assert_eq!(controller_in(mounts, "hugetlb"), Some("/sys/fs/cgroup/hugetlb".into()));
        assert_eq!(controller_in(mounts, "memory"), None);
    }

    #[test]
    fn a_cgroup_is_found_below_what_the_mount_shows() {
        let hierarchy = |top: &str| Hierarchy { version: Version::V1, mount: "/m".into(), top: top.into() };
        assert_eq!(hierarchy("/").below("/a/b"), Some("a/b"));
        assert_eq!(hierarchy("/").below("/"), Some(""));
        assert_eq!(hierarchy("/docker/0a").below("/docker/0a/b"), Some("b"));
        assert_eq!(hierarchy("/docker/0a").below("/docker/0a"), Some(""));
        for elsewhere in ["/docker/0a1b", "/", "/docker/0a/../b"] {
            assert_eq!(hierarchy("/docker/0a").below(elsewhere), None, "{elsewhere}");
        }
        assert_eq!(hierarchy("/docker/0a").path("b"), "/docker/0a/b");
        assert_eq!(hierarchy("/").path(""), "/");
    }

    proptest! {
        #[test]
        fn no_mountinfo_panics(text in "([0-9:/ \\\\-]|cgroup2?|memory|é|\n){0,60}") {
            let _ = find_in(&text, |_| true);
        }
    }
}
