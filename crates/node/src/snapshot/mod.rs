//! Everything that tells where the memory of one cgroup went, read at one moment.
//!
//! ```no_run
//! let hierarchy = oomph_node::hierarchy::find().expect("a memory cgroup");
//! let snapshot = oomph_node::snapshot::look(&hierarchy, "/docker/0a1b");
//! println!("{:?}", snapshot.own.files.get("memory.stat"));
//! ```

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use oomph_core::fact::Gap;

use crate::hierarchy::{self, Hierarchy, Version};
use crate::process::{Frames, Process, is_gone};
use crate::tree::{self, CGROUPS_MAX};
use crate::{because, this_node};

mod files;

/// A memory cgroup at one moment.
#[derive(Debug)]
pub struct Snapshot {
    /// Which interface its files have.
    pub version: Version,
    /// When the counters were read, right behind the page tables.
    pub at: Timestamp,
    /// The same file as in `own` that tells what is charged, before the first page table was looked at.
    pub before: CgroupFiles,
    /// How many cgroups it is of: it and all below.
    pub cgroups: usize,
    /// The cgroup.
    pub own: CgroupFiles,
    /// The cgroups above it that have a limit which counts for it too, from its parent up.
    pub above: Vec<CgroupFiles>,
    /// The cgroups directly below it, by path: the live containers of a pod. What is charged to the cgroup and to none
    /// of these was left behind by dead ones, or belongs to processes of its own.
    pub below: Vec<CgroupFiles>,
    /// The processes in it and in all cgroups below, by pid. A page that several of them have in memory is `counted` in
    /// all but the first; `charged_here` says whether this cgroup or one below pays for it.
    pub processes: Vec<Process>,
    /// What could not be read.
    pub gaps: Vec<Gap>,
}

/// The files of a cgroup that are about memory.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CgroupFiles {
    /// Its path below the hierarchy's root, as the kernel log writes it: `/kubepods/burstable/pod.../...`.
    pub cgroup: String,
    /// Their bytes as read, by name: `memory.stat`. A file that this kernel does not have is not in it.
    pub files: BTreeMap<String, Vec<u8>>,
}

/// More processes are not looked at; a container has one, or some hundreds.
const PROCESSES_MAX: usize = 10_000;

/// Looks at a cgroup, named by its path below the hierarchy's root. Changes nothing, and never fails: what could not be
/// read is a gap, also the cgroup itself.
///
/// Page tables come first and the counters right behind them, so that both tell of the same memory as far as can be.
pub fn look(hierarchy: &Hierarchy, cgroup: &str) -> Snapshot {
    let mut gaps = Vec::new();
    let members = members(hierarchy, cgroup, &mut gaps);
    let cgroups = members.inodes.len();
    let before = CgroupFiles { cgroup: cgroup.to_owned(), files: charged(hierarchy, cgroup).into_iter().collect() };
    let mut frames = Frames::charged_to(members.inodes).unwrap_or_else(|error| {
        gaps.push(Gap {
            what: format!("which pages of files are charged to {cgroup}, and which to others"),
            because: format!("/proc/kpagecgroup: {}", because(&error)),
            command: String::new(),
        });
        Frames::default()
    });
    let processes = processes(&members.pids, cgroup, &mut frames, &mut gaps);

    let at = Timestamp::now();
    let mut reader = Reader { hierarchy, gaps };
    let own =
        reader.files(cgroup).unwrap_or_else(|| CgroupFiles { cgroup: cgroup.to_owned(), ..CgroupFiles::default() });
    let above = reader.above(cgroup);
    let below = members.below.iter().filter_map(|path| reader.files(path)).collect();
    Snapshot { version: hierarchy.version, at, before, cgroups, own, above, below, processes, gaps: reader.gaps }
}

/// What is charged to a cgroup at this moment: the file, and what it says.
fn charged(hierarchy: &Hierarchy, cgroup: &str) -> Option<(String, Vec<u8>)> {
    let directory = tree::open_directory(rustix::fs::CWD, hierarchy.folder(cgroup)?.as_path()).ok()?;
    let mut bytes = Vec::new();
    let name = files::charged(hierarchy.version);
    (tree::read(&directory, name, &mut bytes) == Ok(true)).then(|| (name.to_owned(), bytes))
}

/// Who is in a cgroup.
#[derive(Default)]
struct Members {
    /// Of it and all cgroups below.
    pids: BTreeSet<u32>,
    /// The same of their directories.
    inodes: Vec<u64>,
    /// The paths of those directly below.
    below: Vec<String>,
}

fn members(hierarchy: &Hierarchy, cgroup: &str, gaps: &mut Vec<Gap>) -> Members {
    let mut members = Members::default();
    let mut buffer = Vec::new();
    let not_seen = tree::walk(hierarchy, cgroup, CGROUPS_MAX, |path, directory| {
        members.inodes.push(rustix::fs::fstat(directory)?.st_ino);
        if path.rsplit_once('/').is_some_and(|(above, _)| above == cgroup.trim_end_matches('/')) && path != cgroup {
            members.below.push(path.to_owned());
        }
        if tree::read(directory, "cgroup.procs", &mut buffer)? {
            members.pids.extend(String::from_utf8_lossy(&buffer).lines().filter_map(|pid| pid.parse::<u32>().ok()));
        }
        Ok(())
    });
    members.below.sort_unstable();
    if let Some(because) = not_seen.unwrap_or_else(|error| Some(because(&error))) {
        gaps.push(Gap {
            what: format!("all cgroups of {cgroup} on {}", this_node()),
            because,
            command: hierarchy
                .folder(cgroup)
                .map(|folder| format!("find {} -type d", folder.display()))
                .unwrap_or_default(),
        });
    }
    members
}

/// Looks at each process. One that ended meanwhile is left out, since the counters do not have it either.
fn processes(pids: &BTreeSet<u32>, cgroup: &str, frames: &mut Frames, gaps: &mut Vec<Gap>) -> Vec<Process> {
    let mut found = Vec::new();
    let mut gone = 0;
    // By reason.
    let mut unread: BTreeMap<String, Vec<u32>> = BTreeMap::new();
    for pid in pids.iter().copied().take(PROCESSES_MAX) {
        match Process::look(pid, frames) {
            Ok(mut process) => {
                gaps.append(&mut process.gaps);
                found.push(process);
            }
            // The kernel writes 0 for a process that our pid namespace does not show.
            Err(_) if pid == 0 => unread.entry("they are outside of our pid namespace".into()).or_default().push(pid),
            Err(error) if is_gone(&error) => gone += 1,
            Err(error) => unread.entry(because(&error)).or_default().push(pid),
        }
    }
    if pids.len() > PROCESSES_MAX {
        let rest = pids.iter().copied().skip(PROCESSES_MAX).collect();
        unread.insert(format!("only {PROCESSES_MAX} processes were looked at"), rest);
    }
    if found.is_empty() && unread.is_empty() && gone > 0 {
        let because = "each of them ended while it was looked at, or had ended before".to_owned();
        gaps.push(Gap { what: format!("the processes of {cgroup}"), because, command: String::new() });
    }
    gaps.extend(unread.into_iter().map(|(because, pids)| not_looked_at(cgroup, because, &pids)));
    found
}

fn not_looked_at(cgroup: &str, because: String, pids: &[u32]) -> Gap {
    let what = match pids {
        [0] => format!("some processes of {cgroup}"),
        [pid] => format!("process {pid} of {cgroup}"),
        [first, ..] => format!("{} processes of {cgroup}, {first} among them", pids.len()),
        [] => format!("processes of {cgroup}"),
    };
    let command = pids.iter().find(|pid| **pid != 0).map(|pid| format!("cat /proc/{pid}/smaps_rollup"));
    Gap { what, because, command: command.unwrap_or_default() }
}

/// Reads cgroups' files.
struct Reader<'a> {
    hierarchy: &'a Hierarchy,
    gaps: Vec<Gap>,
}

impl Reader<'_> {
    /// `None` for a cgroup that is not there.
    fn files(&mut self, cgroup: &str) -> Option<CgroupFiles> {
        let folder = self.hierarchy.folder(cgroup)?;
        let directory = tree::open_directory(rustix::fs::CWD, folder.as_path()).ok()?;
        let (mut files, not_read) = files::read(self.hierarchy.version, &directory);
        if self.hierarchy.version == Version::V1 {
            files.extend(huge_pages_of_version_1(cgroup).unwrap_or_default());
        }
        if let Some(because) = not_read {
            let command = format!("tail -n +1 {}/memory.*", folder.display());
            self.gaps.push(Gap { what: format!("all counters of {cgroup}"), because, command });
        }
        Some(CgroupFiles { cgroup: cgroup.to_owned(), files })
    }

    /// The cgroups above that have a limit.
    fn above(&mut self, cgroup: &str) -> Vec<CgroupFiles> {
        let mut found = Vec::new();
        let mut path = cgroup.trim_end_matches('/');
        while let Some((above, _)) = path.rsplit_once('/') {
            path = above;
            let above = if above.is_empty() { "/" } else { above };
            let Some(files) = self.files(above) else {
                self.gaps.push(Gap {
                    what: format!("the limits of {above} and above, which count for {cgroup} too"),
                    because: format!("the mount at {} does not show them", self.hierarchy.mount.display()),
                    command: String::new(),
                });
                break;
            };
            if !files::counts_what_is_below(&files.files) {
                break;
            }
            if files::have_limit(&files.files) {
                found.push(files);
            }
        }
        found
    }
}

/// Version 1 counts hugetlbfs's pages in a hierarchy of their own, where container runtimes use the same paths.
fn huge_pages_of_version_1(cgroup: &str) -> Option<BTreeMap<String, Vec<u8>>> {
    let mount = hierarchy::controller("hugetlb")?;
    let below = cgroup.trim_matches('/');
    let top = tree::open_directory(rustix::fs::CWD, mount.as_path()).ok()?;
    let directory = tree::open_directory(&top, if below.is_empty() { "." } else { below }).ok()?;
    let mut files = BTreeMap::new();
    let mut buffer = Vec::new();
    for name in files::huge_pages(&directory).ok()? {
        if tree::read(&directory, &name, &mut buffer) == Ok(true) {
            files.insert(name, buffer.clone());
        }
    }
    Some(files)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn tree(version: Version, files: &[(&str, &str)]) -> (tempfile::TempDir, Hierarchy) {
        let folder = tempfile::tempdir().unwrap();
        for (path, content) in files {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, content).unwrap();
        }
        let hierarchy = Hierarchy { version, mount: folder.path().to_owned(), top: "/".into() };
        (folder, hierarchy)
    }

    fn paths(files: &[CgroupFiles]) -> Vec<&str> {
        files.iter().map(|files| files.cgroup.as_str()).collect()
    }

    /// Without those that depend on who runs the tests.
    fn gaps(snapshot: &Snapshot) -> Vec<String> {
        let ours = snapshot.gaps.iter().filter(|gap| !gap.because.contains("kpagecgroup"));
        ours.map(|gap| format!("{}: {}", gap.what, gap.because)).collect()
    }

    #[test]
    fn a_cgroup_is_read_with_its_processes_what_is_below_and_the_limits_above() {
        let me = std::process::id().to_string();
        let (_folder, hierarchy) = tree(
            Version::V2,
            &[
                ("a/memory.max", "1048576\n"),
                ("a/memory.high", "max\n"),
                ("a/b/memory.max", "max\n"),
                ("a/b/pod/memory.current", "4096\n"),
                ("a/b/pod/memory.max", "8192\n"),
                ("a/b/pod/memory.stat", "anon 4096\nfile 0\n"),
                ("a/b/pod/hugetlb.2MB.current", "0\n"),
                ("a/b/pod/hugetlb.2MB.rsvd.current", "0\n"),
                ("a/b/pod/cgroup.procs", ""),
                ("a/b/pod/y/memory.current", "2048\n"),
                ("a/b/pod/x/z/cgroup.procs", &me),
            ],
        );
        let snapshot = look(&hierarchy, "/a/b/pod");
        let names: Vec<&str> = snapshot.own.files.keys().map(String::as_str).collect();
        assert_eq!(names, ["hugetlb.2MB.current", "memory.current", "memory.max", "memory.stat"]);
        assert_eq!(snapshot.own.files["memory.stat"], b"anon 4096\nfile 0\n");
        assert_eq!(paths(&snapshot.above), ["/a"]);
        assert_eq!(paths(&snapshot.below), ["/a/b/pod/x", "/a/b/pod/y"]);
        assert_eq!(snapshot.processes.len(), 1);
        assert_eq!(snapshot.processes[0].pid, std::process::id());
        assert_eq!(gaps(&snapshot), [""; 0]);
    }

    #[test]
    fn a_cgroup_that_is_not_there_is_a_gap() {
        let (_folder, hierarchy) = tree(Version::V2, &[("a/memory.max", "max\n")]);
        let snapshot = look(&hierarchy, "/a/b");
        assert!(snapshot.own.files.is_empty() && snapshot.processes.is_empty());
        assert!(gaps(&snapshot)[0].starts_with("all cgroups of /a/b on "), "{:?}", gaps(&snapshot));
        let snapshot = look(&hierarchy, "/a/../../etc");
        assert!(snapshot.own.files.is_empty() && !gaps(&snapshot).is_empty());
    }

    #[test]
    fn processes_that_ended_are_left_out_and_named_only_when_there_are_no_others() {
        // Pids are smaller than this (PID_MAX_LIMIT, include/linux/threads.h).
        let (folder, hierarchy) = tree(Version::V2, &[("a/cgroup.procs", "4194305\n4194306\n")]);
        let snapshot = look(&hierarchy, "/a");
        assert_eq!(
            gaps(&snapshot),
            ["the processes of /a: each of them ended while it was looked at, or had ended before"]
        );
        let both = format!("4194305\n{}\n", std::process::id());
        fs::write(folder.path().join("a/cgroup.procs"), both).unwrap();
        let snapshot = look(&hierarchy, "/a");
        assert_eq!((snapshot.processes.len(), gaps(&snapshot).len()), (1, 0));
    }

    #[test]
    fn processes_of_another_pid_namespace_are_a_gap() {
        let (_folder, hierarchy) = tree(Version::V2, &[("a/cgroup.procs", "0\n0\n")]);
        let snapshot = look(&hierarchy, "/a");
        assert_eq!(gaps(&snapshot), ["some processes of /a: they are outside of our pid namespace"]);
    }

    #[test]
    fn a_limit_above_counts_in_version_1_where_the_hierarchy_is_used() {
        let unlimited = "9223372036854771712\n";
        let (folder, hierarchy) = tree(
            Version::V1,
            &[
                ("memory.limit_in_bytes", unlimited),
                ("memory.use_hierarchy", "1\n"),
                ("a/memory.limit_in_bytes", "1048576\n"),
                ("a/b/memory.limit_in_bytes", unlimited),
                ("a/b/memory.memsw.limit_in_bytes", "2097152\n"),
                ("a/b/c/memory.usage_in_bytes", "4096\n"),
            ],
        );
        assert_eq!(paths(&look(&hierarchy, "/a/b/c").above), ["/a/b", "/a"]);
        fs::write(folder.path().join("a/memory.use_hierarchy"), "0\n").unwrap();
        assert_eq!(paths(&look(&hierarchy, "/a/b/c").above), ["/a/b"]);
    }

    #[test]
    fn limits_that_the_mount_does_not_show_are_a_gap() {
        let (_folder, mut hierarchy) = tree(Version::V2, &[("x/memory.current", "1\n")]);
        hierarchy.top = "/docker/0a1b".into();
        let snapshot = look(&hierarchy, "/docker/0a1b/x");
        assert_eq!(snapshot.own.files["memory.current"], b"1\n");
        assert!(gaps(&snapshot)[0].starts_with("the limits of /docker and above"), "{:?}", gaps(&snapshot));
    }
}
