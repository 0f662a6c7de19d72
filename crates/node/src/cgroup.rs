//! The counters of every memory cgroup in which the OOM killer was at work.
//!
//! One artifact a cgroup, named by the cgroup's path as the kernel log writes it (`/kubepods/burstable/pod.../...`).
//! Its bytes are the files of [`V1`] or [`V2`] as `tail -n +1 memory.*` prints them: each behind a line
//! `==> memory.events <==`.

use std::ffi::CString;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

use jiff::Timestamp;
use memchr::memmem;
use oomph_core::artifact::{Captured, Kind, SourceStatus, Status};
use oomph_core::fact::Gap;
use rustix::fs::{Dir, FileType, Mode, OFlags, openat};
use rustix::io::Errno;

use crate::hierarchy::{self, Hierarchy, Version};
use crate::{artifact, because, this_node};

/// How the kind of this source is called in the list of sources.
const KIND: &str = "cgroup counters";

/// More cgroups are not looked at. A node of 250 pods has some thousand.
const CGROUPS_MAX: usize = 10_000;

/// The files of version 1; the first tells whether the OOM killer was at work. `oom_kill` stands in it since Linux 4.13
/// (mm/memcontrol-v1.c, v6.18) and counts the victims in this very cgroup, whichever limit had them killed.
pub const V1: [&str; 4] = ["memory.oom_control", "memory.failcnt", "memory.usage_in_bytes", "memory.limit_in_bytes"];

/// The files of version 2 (Documentation/admin-guide/cgroup-v2.rst). `memory.events` counts the cgroup's whole tree,
/// `memory.events.local` (since Linux 5.3) the cgroup alone.
pub const V2: [&str; 5] = ["memory.events", "memory.events.local", "memory.current", "memory.max", "memory.pressure"];

/// The counters in the first file that show the OOM killer at work when they are not 0.
const ACTIVITY: [&[u8]; 4] = [b"oom", b"oom_kill", b"oom_group_kill", b"under_oom"];

/// Reads the counters of this machine's cgroups.
pub fn capture(now: Timestamp) -> Captured {
    let Some(hierarchy) = hierarchy::find() else {
        let because = "no mounted cgroup hierarchy has the memory controller";
        let status = SourceStatus::not_read("/sys/fs/cgroup", KIND, Status::Absent, because);
        return Captured { sources: vec![status], ..Captured::default() };
    };
    capture_in(&hierarchy, now, CGROUPS_MAX)
}

fn capture_in(hierarchy: &Hierarchy, now: Timestamp, most: usize) -> Captured {
    let mut captured = Captured::default();
    let name = hierarchy.mount.to_string_lossy().into_owned();
    let missed = match Walk::over(hierarchy, most) {
        Ok(walk) => {
            captured.artifacts.extend(
                walk.found.into_iter().map(|(path, bytes)| artifact(path, Some(Kind::MemoryEvents), now, bytes)),
            );
            walk.not_seen
        }
        Err(error) => Some(because(&error)),
    };
    captured.sources.push(match missed {
        None => SourceStatus::read(name, KIND),
        Some(because) => {
            captured.gaps.push(Gap {
                what: format!("the OOM counters of all cgroups of {}", this_node()),
                because: because.clone(),
                command: format!("grep -r 'oom_kill ' {name}"),
            });
            SourceStatus::not_read(name, KIND, Status::Partial, because)
        }
    });
    captured
}

/// One way through the tree. Files are opened relative to the tree's top, so that a cgroup moved or mounted over in the
/// meantime is not mistaken for another, and read into one buffer.
struct Walk {
    top: OwnedFd,
    buffer: Vec<u8>,
    found: Vec<(String, Vec<u8>)>,
    not_seen: Option<String>,
}

impl Walk {
    fn over(hierarchy: &Hierarchy, most: usize) -> io::Result<Self> {
        let top = open_directory(rustix::fs::CWD, hierarchy.mount.as_path())?;
        let mut walk = Self { top, buffer: Vec::with_capacity(4096), found: Vec::new(), not_seen: None };
        let files: &[&str] = match hierarchy.version {
            Version::V1 => &V1,
            Version::V2 => &V2,
        };
        // Below the top, without a leading slash; the top itself is empty.
        let mut to_see = vec![String::new()];
        let mut seen = 0;
        while let Some(below) = to_see.pop() {
            if seen == most {
                walk.not_seen = Some(format!("only {most} cgroups were looked at"));
                break;
            }
            seen += 1;
            match walk.see(&hierarchy.top, &below, files, &mut to_see) {
                // Cgroups go away at any time.
                Ok(()) | Err(Errno::NOENT | Errno::NODEV) => {}
                Err(error) => {
                    walk.not_seen = Some(format!("{}: {}", path(&hierarchy.top, &below), because(&error.into())));
                }
            }
        }
        Ok(walk)
    }

    /// Keeps the cgroup's files if the OOM killer was at work in it, and notes its children.
    fn see(&mut self, top: &str, below: &str, files: &[&str], to_see: &mut Vec<String>) -> Result<(), Errno> {
        let directory = open_directory(&self.top, if below.is_empty() { "." } else { below })?;
        if read(&directory, files[0], &mut self.buffer)? && was_at_work(&self.buffer) {
            let mut bytes = Vec::with_capacity(512);
            for file in files {
                if read(&directory, file, &mut self.buffer)? {
                    append(&mut bytes, file, &self.buffer);
                }
            }
            self.found.push((path(top, below), bytes));
        }
        for entry in Dir::new(directory)? {
            let entry = entry?;
            let name = entry.file_name();
            if entry.file_type() == FileType::Directory && !matches!(name.to_bytes(), b"." | b"..") {
                // A name that is not text (nobody makes such) is not found again, and passes for one that went away.
                let slash = if below.is_empty() { "" } else { "/" };
                to_see.push(format!("{below}{slash}{}", name.to_string_lossy()));
            }
        }
        Ok(())
    }
}

/// The cgroup's path as the kernel log writes it.
fn path(top: &str, below: &str) -> String {
    if below.is_empty() { top.to_owned() } else { format!("{}/{below}", top.trim_end_matches('/')) }
}

fn open_directory(at: impl AsFd, path: impl AsRef<Path>) -> Result<OwnedFd, Errno> {
    openat(at, path.as_ref(), OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())
}

/// Replaces the buffer by the file's content. False when there is no such file: the root of version 2 has none of them,
/// and older kernels have not all.
fn read(directory: &OwnedFd, name: &str, buffer: &mut Vec<u8>) -> Result<bool, Errno> {
    let Ok(name) = CString::new(name) else { return Ok(false) };
    let file = match openat(directory, name.as_c_str(), OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty()) {
        Ok(file) => file,
        // memory.pressure where PSI is switched off cannot be opened, or not be read.
        Err(Errno::NOENT | Errno::OPNOTSUPP) => return Ok(false),
        Err(error) => return Err(error),
    };
    buffer.clear();
    loop {
        buffer.reserve(1024);
        match rustix::io::read(&file, rustix::buffer::spare_capacity(buffer)) {
            Ok(0) => return Ok(true),
            Ok(_) | Err(Errno::INTR) => {}
            Err(Errno::OPNOTSUPP) => return Ok(false),
            Err(error) => return Err(error),
        }
    }
}

/// Lines of a name, a blank and a number.
fn was_at_work(counters: &[u8]) -> bool {
    counters.split(|byte| *byte == b'\n').any(|line| {
        memmem::find(line, b" ").is_some_and(|blank| {
            ACTIVITY.contains(&&line[..blank]) && line[blank..].iter().any(|byte| (b'1'..=b'9').contains(byte))
        })
    })
}

/// Of a cgroup's artifact the file that tells whether the OOM killer was at work. The others change all the time.
pub fn activity(bytes: &[u8]) -> &[u8] {
    let end = memmem::find(bytes, b"\n\n==> ");
    &bytes[..end.unwrap_or(bytes.len())]
}

fn append(bytes: &mut Vec<u8>, file: &str, content: &[u8]) {
    if !bytes.is_empty() {
        bytes.push(b'\n');
    }
    bytes.extend_from_slice(format!("==> {file} <==\n").as_bytes());
    bytes.extend_from_slice(content);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::fs;

    fn tree(files: &[(&str, &str)]) -> (tempfile::TempDir, Hierarchy) {
        let folder = tempfile::tempdir().unwrap();
        for (path, content) in files {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, content).unwrap();
        }
        let hierarchy = Hierarchy { version: Version::V2, mount: folder.path().to_owned(), top: "/".into() };
        (folder, hierarchy)
    }

    fn names(captured: &Captured) -> Vec<&str> {
        let mut names: Vec<_> = captured.artifacts.iter().map(|artifact| artifact.name.as_str()).collect();
        names.sort_unstable();
        names
    }

    #[test]
    fn cgroups_with_a_kill_are_kept_and_quiet_ones_are_not() {
        let (_folder, hierarchy) = tree(&[
            ("cgroup.controllers", "memory\n"),
            ("a/memory.events", "low 0\nhigh 0\nmax 0\noom 0\noom_kill 0\n"),
            ("a/b/memory.events", "low 0\nhigh 0\nmax 7\noom 1\noom_kill 0\n"),
            ("a/b/memory.current", "4096\n"),
            ("c/d e/memory.events", "oom 0\noom_kill 10\n"),
        ]);
        let captured = capture_in(&hierarchy, Timestamp::UNIX_EPOCH, CGROUPS_MAX);
        assert_eq!(names(&captured), ["/a/b", "/c/d e"]);
        assert_eq!(captured.sources[0].status, Status::Read);
        let bytes = &captured.artifacts.iter().find(|artifact| artifact.name == "/a/b").unwrap().bytes;
        assert_eq!(
            String::from_utf8_lossy(bytes),
            "==> memory.events <==\nlow 0\nhigh 0\nmax 7\noom 1\noom_kill 0\n\n==> memory.current <==\n4096\n"
        );
    }

    #[test]
    fn paths_begin_with_the_cgroup_that_the_mount_shows_at_its_top() {
        let (_folder, mut hierarchy) = tree(&[
            ("memory.oom_control", "oom_kill 2\n"),
            ("x/memory.oom_control", "oom_kill_disable 1\nunder_oom 1\n"),
        ]);
        hierarchy.version = Version::V1;
        hierarchy.top = "/docker/0a1b".into();
        let captured = capture_in(&hierarchy, Timestamp::UNIX_EPOCH, CGROUPS_MAX);
        assert_eq!(names(&captured), ["/docker/0a1b", "/docker/0a1b/x"]);
    }

    #[test]
    fn too_many_cgroups_are_a_gap() {
        let (_folder, hierarchy) = tree(&[("a/x", ""), ("b/x", ""), ("c/memory.events", "oom_kill 1\n"), ("d/x", "")]);
        let captured = capture_in(&hierarchy, Timestamp::UNIX_EPOCH, 3);
        assert_eq!(captured.gaps[0].because, "only 3 cgroups were looked at");
        assert_eq!(captured.sources[0].status, Status::Partial);
        assert!(capture_in(&hierarchy, Timestamp::UNIX_EPOCH, 5).gaps.is_empty());
    }

    #[test]
    fn only_the_killers_own_counters_count_as_activity() {
        assert!(!was_at_work(b"max 9\nhigh 3\noom_kill_disable 1\nunder_oom 0\noom_kill 0\n"));
        assert!(was_at_work(b"oom_kill 120"));
        assert!(was_at_work(b"oom_group_kill 1\n"));
        assert!(!was_at_work(b"\x00\xff oom_kill\n\n"));
    }

    proptest! {
        #[test]
        fn no_counters_panic(counters in "(oom|oom_kill|under_oom| |[0-9]|-|\n|\\x00){0,30}") {
            let _ = was_at_work(counters.as_bytes());
        }
    }
}
