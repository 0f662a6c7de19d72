//! Which cgroup and which of its files a line is of: as `tail`, `grep` and a shell print it.

use crate::artifact::Artifact;
use crate::cgroup_path::cgroup_names;
use crate::fact::Level;

/// A file of a cgroup.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Place {
    /// The cgroup's path as the kernel prints it; none where it is not told.
    pub(super) cgroup: Option<String>,
    /// The file's name.
    pub(super) file: Option<String>,
}

impl Place {
    /// The same, in the cgroup of `base` where it names none.
    pub(super) fn beside(self, base: &Self) -> Self {
        Self { cgroup: self.cgroup.or_else(|| base.cgroup.clone()), file: self.file }
    }
}

/// What the artifact's name tells: a cgroup's path, a file in it, or nothing (a file of notes).
pub(super) fn of_artifact(artifact: &Artifact) -> Place {
    let name = artifact.name.as_str();
    if name.contains(MOUNT) || name.rsplit('/').next().is_some_and(is_file) {
        let mut place = of_path(name);
        // Somebody's folder is no cgroup.
        place.cgroup = place.cgroup.filter(|path| name.contains(MOUNT) || is_known(path));
        return place;
    }
    // A source that says what it read names the cgroup as the kernel does.
    let told = name.starts_with('/') && (artifact.kind.is_some() || is_known(name));
    Place { cgroup: told.then(|| name.to_owned()), file: None }
}

const MOUNT: &str = "/sys/fs/cgroup";

/// A path that is a cgroup's by its names alone.
fn is_known(path: &str) -> bool {
    path.starts_with('/') && matches!(cgroup_names(path).level, Level::Container | Level::Pod | Level::NodeAllocatable)
}

fn is_file(name: &str) -> bool {
    name.strip_prefix("memory.").is_some_and(|rest| {
        !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_lowercase() || matches!(byte, b'.' | b'_'))
    })
}

/// A path to a cgroup or to a file in it. The top of a mount is the machine's or a container's own, nobody can tell.
fn of_path(path: &str) -> Place {
    let (folder, file) = match path.rsplit_once('/') {
        Some((folder, file)) if is_file(file) => (folder, Some(file)),
        None if is_file(path) => ("", Some(path)),
        _ => (path, None),
    };
    let below = folder.find(MOUNT).map_or(folder, |at| {
        let below = &folder[at + MOUNT.len()..];
        // The controller's own hierarchy (version 1), or that of version 2 beside it.
        ["/memory", "/unified"]
            .iter()
            .find_map(|mount| below.strip_prefix(mount).filter(|rest| rest.is_empty() || rest.starts_with('/')))
            .unwrap_or(below)
    });
    let below = below.trim_end_matches('/');
    // `.` and what is relative to it name a cgroup only from the mount on.
    let relative = below.strip_prefix('.').filter(|rest| rest.starts_with('/')).unwrap_or(below);
    let cgroup = Some(relative).filter(|path| path.starts_with('/')).map(str::to_owned);
    Place { cgroup, file: file.map(str::to_owned) }
}

/// `==> /sys/fs/cgroup/.../memory.events <==`, as `tail` and `head` print it.
pub(super) fn header(line: &str) -> Option<Place> {
    let path = line.strip_prefix("==>")?.strip_suffix("<==")?.trim();
    Some(of_path(path))
}

/// `$ cat PATH`, `root@node:/sys/fs/cgroup/...# cat memory.events`.
pub(super) fn prompt(line: &str) -> Option<Place> {
    let at = if line.starts_with("cat ") { 0 } else { line.find(" cat ").map(|at| at + 1)? };
    let (before, command) = line.split_at(at);
    let shell = before.trim_end();
    if !shell.is_empty() && !shell.ends_with(['$', '#', '>', '%', ']']) && !shell.ends_with("sudo") {
        return None;
    }
    let path = command.split_ascii_whitespace().skip(1).find(|word| !word.starts_with('-'))?;
    if !path.rsplit('/').next().is_some_and(is_file) {
        return None;
    }
    let place = of_path(path);
    let working = || {
        let from = shell.find(MOUNT)?;
        let end = shell[from..].find(['$', '#', '>', '%', ']', ' ']).map_or(shell.len(), |end| from + end);
        of_path(&shell[from..end]).cgroup
    };
    let cgroup = if path.starts_with('/') { place.cgroup } else { place.cgroup.or_else(working) };
    Some(Place { cgroup, file: place.file })
}

/// `PATH/memory.events:oom_kill 1`, as `grep -r` prints it: the place and the line. A path may hold colons of its own.
pub(super) fn of_line(line: &str) -> Option<(Place, &str)> {
    let name = if line.starts_with("memory.") { 0 } else { line.find("/memory.")? + 1 };
    let end = name + line[name..].find(':')?;
    let path = &line[..end];
    if !is_file(&path[name..]) || path.contains(char::is_whitespace) {
        return None;
    }
    Some((of_path(path), &line[end + 1..]))
}
