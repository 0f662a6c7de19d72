//! A memory cgroup of our own with a limit, for one command.

use std::fs;
use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use oomph_core::units::Bytes;
use rustix::process::{Pid, Signal, kill_process};

use crate::hierarchy::{Hierarchy, Version};
use crate::sys;

pub mod last;

/// Where oomph itself goes when a cgroup without other processes has to hand its controller down.
const ASIDE: &str = "oomph-itself";

/// What the directory's name begins with; the core knows it as a container's.
pub const PREFIX: &str = "oomph-run-";

/// A cgroup with a limit. It lasts until [`remove`] is called for its folder.
#[derive(Debug)]
pub struct Scope {
    /// Its path as the kernel log writes it.
    pub path: String,
    /// Its directory.
    pub folder: PathBuf,
    version: Version,
}

/// Why there is no cgroup for the command.
#[derive(Debug, thiserror::Error)]
pub enum NoScope {
    /// No place for it could be found.
    #[error("no memory cgroup can be made here: {}", .tried.join("; "))]
    Nowhere {
        /// Where it was tried, and why not.
        tried: Vec<String>,
    },
    /// The kernel refused the limit.
    #[error("cannot set {} to {value}: {error}", .file.display())]
    Refused {
        /// The file.
        file: PathBuf,
        /// What was written.
        value: String,
        /// Why not.
        error: io::Error,
    },
}

/// What a command may use.
#[derive(Debug, Clone, Copy, Default)]
pub struct Limits {
    /// Memory.
    pub memory: Option<Bytes>,
    /// Swap beside it.
    pub swap: Option<Bytes>,
}

impl Scope {
    /// Makes the cgroup. `id` is hexadecimal. It stands in the first cgroup from our own upwards in which one can be made,
    /// so that the limits above us count for the command, too: version 1 allows it in our own, version 2 only where no
    /// other process is.
    pub fn create(hierarchy: &Hierarchy, id: &str, limits: Limits) -> Result<Self, NoScope> {
        let mut tried = Vec::new();
        for parent in parents(hierarchy) {
            let folder = hierarchy.mount.join(parent.trim_start_matches('/')).join(format!("{PREFIX}{id}"));
            match make(hierarchy.version, &folder) {
                Ok(()) => {
                    let path = format!("{}/{PREFIX}{id}", join(&hierarchy.top, &parent).trim_end_matches('/'));
                    let scope = Self { path, folder, version: hierarchy.version };
                    return match scope.limit(limits) {
                        Ok(()) => Ok(scope),
                        Err(error) => {
                            let _ = fs::remove_dir(&scope.folder);
                            Err(error)
                        }
                    };
                }
                Err(error) => tried.push(format!("{} ({error})", folder.parent().unwrap_or(&folder).display())),
            }
        }
        Err(NoScope::Nowhere { tried })
    }

    fn limit(&self, limits: Limits) -> Result<(), NoScope> {
        let Some(memory) = limits.memory else { return Ok(()) };
        let swap = limits.swap.unwrap_or_default();
        let files = match self.version {
            Version::V1 => [
                ("memory.limit_in_bytes", memory),
                ("memory.memsw.limit_in_bytes", Bytes(memory.0.saturating_add(swap.0))),
            ],
            Version::V2 => [("memory.max", memory), ("memory.swap.max", swap)],
        };
        for (name, value) in files {
            let file = self.folder.join(name);
            match fs::write(&file, value.0.to_string()) {
                Ok(()) => {}
                // A kernel that does not account for swap has no limit on it.
                Err(error) if error.kind() == io::ErrorKind::NotFound && name.contains("sw") => {}
                Err(error) => return Err(NoScope::Refused { file, value: value.0.to_string(), error }),
            }
        }
        Ok(())
    }

    /// Lets `command` begin its life in the cgroup: all that it charges from its first instruction on is charged there.
    pub fn admit(&self, command: &mut Command) -> io::Result<()> {
        let procs = fs::File::options().write(true).open(self.folder.join("cgroup.procs"))?;
        sys::enter_before_exec(command, OwnedFd::from(procs));
        Ok(())
    }

    /// `memory.high`, above which the kernel slows the cgroup down (version 2): it gives time to look before the limit.
    /// None takes it away.
    pub fn slow_above(&self, high: Option<Bytes>) {
        if self.version == Version::V2 {
            let value = high.map_or_else(|| "max".to_owned(), |high| high.0.to_string());
            let _ = fs::write(self.folder.join("memory.high"), value);
        }
    }
}

fn join(top: &str, below: &str) -> String {
    format!("{}/{}", top.trim_end_matches('/'), below.trim_start_matches('/'))
}

/// Where a cgroup may be made, by paths below the mount.
fn parents(hierarchy: &Hierarchy) -> Vec<String> {
    let own = own_cgroup(hierarchy).unwrap_or_default();
    upwards(&own)
}

/// A cgroup and those above it, up to the top of the mount.
fn upwards(own: &str) -> Vec<String> {
    let mut parents = Vec::new();
    let mut at = own.trim_end_matches('/');
    while !at.is_empty() {
        parents.push(at.to_owned());
        at = at.rsplit_once('/').map_or("", |(above, _)| above);
    }
    parents.push(String::new());
    parents
}

/// How many processes are in a cgroup and in those below it.
pub fn processes(folder: &Path) -> u32 {
    let pids = fs::read_to_string(folder.join("cgroup.procs")).unwrap_or_default();
    let here = u32::try_from(pids.lines().count()).unwrap_or(u32::MAX);
    let below = fs::read_dir(folder).into_iter().flatten().flatten();
    let folders = below.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
    folders.map(|entry| processes(&entry.path())).fold(here, u32::saturating_add)
}

/// The cgroup that this process is in, by its path below the mount.
fn own_cgroup(hierarchy: &Hierarchy) -> Option<String> {
    let text = fs::read_to_string("/proc/self/cgroup").ok()?;
    let path = text.lines().find_map(|line| {
        let mut fields = line.splitn(3, ':');
        let (number, controllers, path) = (fields.next()?, fields.next()?, fields.next()?);
        let ours = match hierarchy.version {
            Version::V1 => controllers.split(',').any(|name| name == "memory"),
            Version::V2 => number == "0" && controllers.is_empty(),
        };
        ours.then(|| path.to_owned())
    })?;
    Some(path.strip_prefix(hierarchy.top.trim_end_matches('/')).unwrap_or(&path).to_owned())
}

/// Makes the directory, and sees that it counts memory. In version 2 a cgroup must hand the controller down, which it
/// can only when it has no processes of its own; where we are the only one, we step aside.
fn make(version: Version, folder: &Path) -> io::Result<()> {
    fs::create_dir(folder)?;
    if version == Version::V1 || folder.join("memory.max").exists() {
        return Ok(());
    }
    let parent = folder.parent().unwrap_or(folder);
    let control = parent.join("cgroup.subtree_control");
    let handed = fs::write(&control, "+memory").or_else(|error| {
        if !is_alone_in(parent) {
            return Err(error);
        }
        let aside = parent.join(ASIDE);
        match fs::create_dir(&aside) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            _ => {}
        }
        fs::write(aside.join("cgroup.procs"), std::process::id().to_string())?;
        fs::write(&control, "+memory")
    });
    let counts = handed.and_then(|()| {
        let counts = folder.join("memory.max").exists();
        if counts { Ok(()) } else { Err(io::Error::other("the memory controller is not handed down to it")) }
    });
    if counts.is_err() {
        let _ = fs::remove_dir(folder);
        step_back(parent);
    }
    counts
}

fn is_alone_in(cgroup: &Path) -> bool {
    let own = std::process::id().to_string();
    fs::read_to_string(cgroup.join("cgroup.procs")).is_ok_and(|pids| pids.trim() == own)
}

/// How long processes may take to go once they were killed.
const PATIENCE: Duration = Duration::from_secs(10);

/// Kills what is left in a command's cgroup and removes it with all that the command made below. Any other folder is
/// left alone. True when it is gone.
pub fn remove(folder: &Path) -> bool {
    let is_ours = folder.file_name().is_some_and(|name| name.to_string_lossy().starts_with(PREFIX));
    if !is_ours {
        return false;
    }
    let began = Instant::now();
    while folder.exists() && began.elapsed() < PATIENCE {
        clear(folder);
        if folder.exists() {
            thread::sleep(Duration::from_millis(20));
        }
    }
    let gone = !folder.exists();
    if let Some(parent) = folder.parent().filter(|_| gone) {
        step_back(parent);
    }
    gone
}

/// Undoes what [`make`] did where it stepped aside: the controller is held again where it was, and who stepped aside
/// stands there again. Not while others run below it.
fn step_back(cgroup: &Path) {
    let aside = cgroup.join(ASIDE);
    let below = fs::read_dir(cgroup).into_iter().flatten().flatten();
    let mut folders = below.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
    if !aside.exists() || folders.any(|entry| entry.path() != aside) {
        return;
    }
    if fs::write(cgroup.join("cgroup.subtree_control"), "-memory").is_ok() {
        let pids = fs::read_to_string(aside.join("cgroup.procs")).unwrap_or_default();
        for pid in pids.lines() {
            let _ = fs::write(cgroup.join("cgroup.procs"), pid);
        }
        let _ = fs::remove_dir(aside);
    }
}

fn clear(folder: &Path) {
    for below in fs::read_dir(folder).into_iter().flatten().flatten() {
        if below.file_type().is_ok_and(|kind| kind.is_dir()) {
            clear(&below.path());
        }
    }
    // Since Linux 5.14; before, and in version 1, one by one.
    if fs::write(folder.join("cgroup.kill"), "1").is_err() {
        let pids = fs::read_to_string(folder.join("cgroup.procs")).unwrap_or_default();
        let pids = pids.lines().filter_map(|pid| Pid::from_raw(pid.trim().parse().ok()?));
        for pid in pids {
            let _ = kill_process(pid, Signal::KILL);
        }
    }
    let _ = fs::remove_dir(folder);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_stands_below_its_callers_own_cgroup_where_it_can() {
        assert_eq!(upwards("/a/b"), ["/a/b", "/a", ""]);
        assert_eq!(upwards("/"), [""]);
        assert_eq!(upwards(""), [""]);
    }

    #[test]
    fn processes_are_counted_with_those_in_cgroups_below() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("below")).unwrap();
        fs::write(folder.path().join("cgroup.procs"), "12\n13\n").unwrap();
        fs::write(folder.path().join("below/cgroup.procs"), "14\n").unwrap();
        assert_eq!((processes(folder.path()), processes(Path::new("/nonexistent"))), (3, 0));
    }
}
