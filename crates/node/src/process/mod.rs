//! A process from outside: what `/proc/PID` tells, which of its pages are in memory, and those pages' contents.
//!
//! Nothing is attached, stopped or signalled, and no page is made present: [`ProcessMemory`] reads only what was in
//! memory when the page table was looked at, or is when it is asked again.

use std::io;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use oomph_core::fact::Gap;
use oomph_core::process::{
    Mapping, Residency, Status, Thread, anon_huge, mappings, open_files_limit, stack_pointer, status,
};
use oomph_core::runtime::Target;
use oomph_core::units::Bytes;
use rustix::io::Errno;

mod child;
mod folder;
mod frame_set;
mod frames;
mod images;
mod later;
mod memory;
mod pagemap;
mod payers;
mod plan;
mod scan;

use folder::Folder;
use later::Later;

pub use child::{ended_before_exec, offer_first, spare_ourselves};
pub use folder::is_gone;
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
    /// How many it may have open; none where that may not be seen.
    pub descriptor_limit: Option<u64>,
    /// `/proc/PID/cmdline`. Secret: nothing but memory flags found in it may leave.
    pub arguments: Vec<String>,
    /// `/proc/PID/environ`. Secret as well.
    pub environment: Vec<(String, String)>,
    /// What of it could not be read.
    pub gaps: Vec<Gap>,
    memory: ProcessMemory,
    images: MappedFiles,
}

/// A process may start another program while it is looked at; more often in a row means that it does nothing else.
const LOOKS_MAX: usize = 5;

impl Process {
    /// Looks at a process. `frames` are the page frames counted so far: one for all processes of a cgroup counts each
    /// page once. An error where it is gone ([`is_gone`]) or may not be read (it takes `CAP_SYS_PTRACE`); then nothing
    /// of it is counted.
    pub fn look(pid: u32, frames: &mut Frames) -> io::Result<Self> {
        for _ in 0..LOOKS_MAX {
            let folder = Arc::new(open(pid)?);
            match Self::look_once(pid, &folder, frames) {
                Ok(Some(looked)) => return Ok(looked),
                // Its old memory is gone, but it runs another program in a new one.
                Err(error) if is_gone(&error) && is_alive(&folder) => {}
                Err(error) => return Err(error),
                Ok(None) => {}
            }
        }
        Err(io::Error::new(io::ErrorKind::ResourceBusy, "it starts one program after the other"))
    }

    /// `None` where it started another program meanwhile, so that what was read is of two.
    fn look_once(pid: u32, folder: &Arc<Folder>, frames: &mut Frames) -> io::Result<Option<Self>> {
        let program = folder.text("stat")?;
        let mut status = status(&folder.text("status")?);
        if folder.id != pid {
            Folder::open(pid)?.text("comm")?.trim_end().clone_into(&mut status.name);
        }
        // Each of these stays with the memory that the process has now.
        let (maps, pagemap, memory) = (folder.file("maps")?, folder.file("pagemap")?, folder.file("mem")?);
        let mappings = mappings(&io::read_to_string(maps)?);
        let Some(first) = mappings.first().map(|mapping| mapping.start) else { return Err(Errno::SRCH.into()) };
        let plan = plan::plan(pid, &mappings, &status, *scan::AVAILABLE, || folder.text("smaps"))?;
        // Before the first read of its memory, so that what is read cannot change what is counted.
        let pages = pagemap::pages(&pagemap, &plan, frames)?;
        let gaps = plan.gaps;
        let words = |bytes: Vec<u8>| -> Vec<String> {
            let words = bytes.split(|byte| *byte == 0).filter(|word| !word.is_empty());
            words.map(|word| String::from_utf8_lossy(word).into_owned()).collect()
        };
        let arguments = folder.bytes("cmdline").map(words).unwrap_or_default();
        let environment = folder.bytes("environ").map(words).unwrap_or_default();
        let variable = |word: String| word.split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned()));
        let anon_huge = pages.anon_huge.map(Bytes).or_else(|| anon_huge(&folder.text("smaps_rollup").ok()?));
        let threads = threads(folder);
        let descriptors = folder.numbers("fd").ok().map(|open| open.len() as u64);
        let descriptor_limit = folder.text("limits").ok().and_then(|text| open_files_limit(&text));

        if start_of_stack(&folder.text("stat")?) != start_of_stack(&program) {
            return Ok(None);
        }
        // The page table of a process that has ended reads as empty.
        pagemap.read_exact_at(&mut [0; 8], first / page() * 8).map_err(folder::gone)?;
        frames.counted.absorb(pages.frames);
        Ok(Some(Self {
            pid,
            status,
            anon_huge,
            threads,
            descriptors,
            descriptor_limit,
            arguments,
            environment: environment.into_iter().filter_map(variable).collect(),
            gaps,
            memory: ProcessMemory::new(
                folder.id,
                memory,
                pages.residency.clone(),
                Later::new(Arc::clone(folder), pagemap),
            ),
            images: MappedFiles::new(Arc::clone(folder)),
            mappings,
            residency: pages.residency,
        }))
    }

    /// It has ended or runs another program, so that its memory is not the one that was looked at any more.
    pub fn has_left(&self) -> bool {
        // Of a page that was in memory: any other would be brought there by the question.
        self.residency.runs().first().is_some_and(|run| self.memory.has_ended(run.at.start))
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

/// The process's folder; where its first thread has ended and others live on, that of one of these, since the first has
/// no memory any more.
fn open(pid: u32) -> io::Result<Folder> {
    let folder = Folder::open(pid)?;
    if status(&folder.text("status")?).state != Some('Z') {
        return Ok(folder);
    }
    let threads = folder.numbers("task")?;
    threads.into_iter().filter_map(|tid| Folder::open(tid).ok()).find(is_alive).ok_or_else(|| Errno::SRCH.into())
}

/// It has memory, which what has ended has not.
fn is_alive(folder: &Folder) -> bool {
    folder.text("status").is_ok_and(|text| status(&text).resident.is_some())
}

/// Field 28 of `/proc/PID/stat` (proc_pid_stat(5)), which another program has elsewhere.
fn start_of_stack(stat: &str) -> Option<u64> {
    // Names may hold anything, also parentheses and blanks.
    let (_, behind_name) = stat.rsplit_once(')')?;
    behind_name.split_ascii_whitespace().nth(28 - 3)?.parse().ok()
}

/// Threads that end while they are read are left out.
fn threads(folder: &Folder) -> Vec<Thread> {
    let thread = |tid: u32| {
        let syscall = folder.text(&format!("task/{tid}/syscall"));
        Thread { tid, stack_pointer: syscall.ok().and_then(|line| stack_pointer(&line)) }
    };
    folder.numbers("task").into_iter().flatten().map(thread).collect()
}
