//! The counters of every memory cgroup in which the OOM killer was at work.
//!
//! One artifact a cgroup, named by the cgroup's path as the kernel log writes it (`/kubepods/burstable/pod.../...`).
//! Its bytes are the files of [`V1`] or [`V2`] as `tail -n +1 memory.*` prints them: each behind a line
//! `==> memory.events <==`.

use std::io;

use jiff::Timestamp;
use memchr::memmem;
use oomph_core::artifact::{Captured, Kind, SourceStatus, Status};
use oomph_core::fact::Gap;

use crate::hierarchy::{self, Hierarchy, Version};
use crate::tree::{self, CGROUPS_MAX};
use crate::{artifact, because, this_node};

/// How the kind of this source is called in the list of sources.
const KIND: &str = "cgroup counters";

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
    let missed = match find(hierarchy, most) {
        Ok((found, not_seen)) => {
            captured
                .artifacts
                .extend(found.into_iter().map(|(path, bytes)| artifact(path, Some(Kind::MemoryEvents), now, bytes)));
            not_seen
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

/// The cgroups in which the killer was at work, by path, and why not all were seen, if so.
type Found = (Vec<(String, Vec<u8>)>, Option<String>);

fn find(hierarchy: &Hierarchy, most: usize) -> io::Result<Found> {
    let files: &[&str] = match hierarchy.version {
        Version::V1 => &V1,
        Version::V2 => &V2,
    };
    let mut buffer = Vec::with_capacity(4096);
    let mut found = Vec::new();
    let not_seen = tree::walk(hierarchy, &hierarchy.top, most, |path, directory| {
        if tree::read(directory, files[0], &mut buffer)? && was_at_work(&buffer) {
            let mut bytes = Vec::with_capacity(512);
            for file in files {
                if tree::read(directory, file, &mut buffer)? {
                    append(&mut bytes, file, &buffer);
                }
            }
            found.push((path.to_owned(), bytes));
        }
        Ok(())
    })?;
    Ok((found, not_seen))
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
