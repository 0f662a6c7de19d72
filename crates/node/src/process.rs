//! A process from outside: what `/proc/PID` tells, which of its pages are in memory, and those pages' contents.
//!
//! Nothing is attached, stopped or signalled, and no page is made present: [`ProcessMemory`] reads only what was in
//! memory when the page table was looked at.

use std::fs::{self, File};
use std::io;
use std::path::PathBuf;

use oomph_core::fact::Gap;
use oomph_core::process::{Mapping, Residency, Status, Thread, mappings, stack_pointer, status};
use oomph_core::runtime::Target;
use oomph_core::units::Bytes;

mod frames;
mod images;
mod memory;
mod pagemap;

pub use frames::Frames;
pub use images::MappedFiles;
pub use memory::ProcessMemory;

/// A process as it was at one moment.
#[derive(Debug)]
pub struct Process {
    /// The host's pid.
    pub pid: u32,
    /// `/proc/PID/status`.
    pub status: Status,
    /// `/proc/PID/maps`.
    pub mappings: Vec<Mapping>,
    /// Its pages in memory.
    pub residency: Residency,
    /// Anonymous memory in huge pages; none where neither the page frames nor `/proc/PID/smaps_rollup` tell.
    pub anon_huge: Option<Bytes>,
    /// Its threads.
    pub threads: Vec<Thread>,
    /// How many files it has open; none where that may not be seen.
    pub descriptors: Option<u64>,
    /// `/proc/PID/cmdline`. Secret: nothing but memory flags found in it may leave.
    pub arguments: Vec<String>,
    /// `/proc/PID/environ`. Secret as well.
    pub environment: Vec<(String, String)>,
    /// What of it could not be read.
    pub gaps: Vec<Gap>,
    memory: ProcessMemory,
    images: MappedFiles,
}

impl Process {
    /// Looks at a process. `frames` are the page frames counted so far: one set for all processes of a cgroup counts
    /// each page once. An error where it is gone or may not be read (it takes `CAP_SYS_PTRACE`).
    pub fn look(pid: u32, frames: &mut Frames) -> io::Result<Self> {
        let folder = PathBuf::from(format!("/proc/{pid}"));
        let text = |name: &str| fs::read(folder.join(name)).map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        let mappings = mappings(&text("maps")?);
        // Before the first read of its memory, so that what is read cannot change what is counted.
        let residency = pagemap::residency(&File::open(folder.join("pagemap"))?, &mappings, frames)?;
        let words = |text: String| text.split('\0').filter(|word| !word.is_empty()).map(str::to_owned).collect();
        let arguments: Vec<String> = text("cmdline").map(words).unwrap_or_default();
        let environment: Vec<String> = text("environ").map(words).unwrap_or_default();
        let variable = |word: String| word.split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned()));
        Ok(Self {
            pid,
            status: status(&text("status")?),
            anon_huge: None,
            threads: threads(&folder),
            descriptors: fs::read_dir(folder.join("fd")).ok().map(|open| open.count() as u64),
            gaps: Vec::new(),
            arguments,
            environment: environment.into_iter().filter_map(variable).collect(),
            memory: ProcessMemory::new(pid, residency.clone())?,
            images: MappedFiles::new(pid),
            mappings,
            residency,
        })
    }

    /// The process as a runtime's probe sees it.
    pub fn target(&self, limit: Option<Bytes>) -> Target<'_> {
        Target {
            pid: self.pid,
            comm: &self.status.name,
            mappings: &self.mappings,
            residency: &self.residency,
            threads: &self.threads,
            arguments: &self.arguments,
            environment: &self.environment,
            memory: &self.memory,
            images: &self.images,
            limit,
            page: page(),
        }
    }
}

/// The size of a page of this machine.
pub fn page() -> u64 {
    rustix::param::page_size() as u64
}

/// Threads that end while they are read are left out.
fn threads(folder: &std::path::Path) -> Vec<Thread> {
    let Ok(tasks) = fs::read_dir(folder.join("task")) else { return Vec::new() };
    let thread = |entry: fs::DirEntry| {
        let tid = entry.file_name().to_str()?.parse().ok()?;
        let stack_pointer = fs::read_to_string(entry.path().join("syscall")).ok().and_then(|line| stack_pointer(&line));
        Some(Thread { tid, stack_pointer })
    };
    tasks.flatten().filter_map(thread).collect()
}
