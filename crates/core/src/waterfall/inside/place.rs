//! Whether the cgroup files that a container sees are its own.

use super::Version;

/// Whose files these are.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Own {
    /// Its own: the path as the container sees it, where that is told.
    Is(Option<String>),
    /// Another's: the mount begins above.
    Not,
}

/// Compares where the mount begins with where the process is. In a cgroup namespace both are `/`; without one, container
/// runtimes mount the container's own folder (version 1), or the whole hierarchy (version 2, privileged).
pub(super) fn own(version: Version, cgroup: &str, mountinfo: &str) -> Own {
    let path = cgroup.lines().find_map(|line| {
        let mut fields = line.splitn(3, ':').skip(1);
        let (controllers, path) = (fields.next()?, fields.next()?);
        let is_it = match version {
            Version::V1 => controllers.split(',').any(|name| name == "memory"),
            Version::V2 => controllers.is_empty(),
        };
        is_it.then_some(path)
    });
    let (kind, at) = match version {
        Version::V1 => ("cgroup", "/sys/fs/cgroup/memory"),
        Version::V2 => ("cgroup2", "/sys/fs/cgroup"),
    };
    // proc_pid_mountinfo(5): `31 23 0:28 ROOT MOUNT OPTIONS [TAGS...] - TYPE SOURCE SUPEROPTIONS`. Of several mounts on
    // one place the last is seen.
    let root = mountinfo.lines().rev().find_map(|line| {
        let (mount, file_system) = line.split_once(" - ")?;
        let mut fields = mount.split(' ').skip(3);
        let (root, mounted) = (fields.next()?, fields.next()?);
        (mounted == at && file_system.split(' ').next() == Some(kind)).then_some(root)
    });
    match (path, root) {
        (Some(path), Some(root)) if path != root => Own::Not,
        (path, _) => Own::Is(path.map(str::to_owned)),
    }
}
