//! What is read inside a container: one command, and how its output is taken apart again.
//!
//! `cat` of many files says not where one ends. So the kernel's boot id stands before each of them: 36 characters that
//! no file of the container repeats at will.

use crate::memory_flags;

/// Read before each file; the first line of the output tells what to look for.
const MARK: &str = "/proc/sys/kernel/random/boot_id";

/// The cgroup's files of both versions, as a container sees its own, the charge first and the parts right behind it.
const CGROUP_FILES: [&str; 18] = [
    "memory.current",
    "memory.stat",
    "memory.peak",
    "memory.max",
    "memory.high",
    "memory.events",
    "memory.pressure",
    "memory.swap.current",
    "memory.swap.max",
    "memory/memory.usage_in_bytes",
    "memory/memory.stat",
    "memory/memory.kmem.usage_in_bytes",
    "memory/memory.max_usage_in_bytes",
    "memory/memory.limit_in_bytes",
    "memory/memory.failcnt",
    "memory/memory.oom_control",
    "memory/memory.memsw.usage_in_bytes",
    "memory/memory.memsw.limit_in_bytes",
];

/// Where they are, also on version 1, whose controllers have a folder each below it.
const MOUNT: &str = "/sys/fs/cgroup";

/// What tells whose files these are, and of the first process.
const PROC_FILES: [&str; 6] = ["self/cgroup", "self/mountinfo", "meminfo", "1/smaps_rollup", "1/status", "1/cmdline"];

/// Words on the command line beyond which no further process is read: some 200 of them.
const WORDS_MAX: usize = 900;

/// The program that reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// `sh`, which finds the other processes too and, of the first one's environment, prints memory flags alone.
    Shell,
    /// `cat` alone, for images without a shell: the first process's command line, and no environment.
    Cat,
}

/// The command to run inside the container.
pub fn command(by: By) -> Vec<String> {
    match by {
        By::Cat => {
            let files = files().flat_map(|file| [MARK.to_owned(), file]);
            std::iter::once("cat".to_owned()).chain(files).collect()
        }
        By::Shell => vec!["sh".to_owned(), "-c".to_owned(), script()],
    }
}

fn files() -> impl Iterator<Item = String> {
    let cgroup = CGROUP_FILES.iter().map(|file| format!("{MOUNT}/{file}"));
    cgroup.chain(PROC_FILES.iter().map(|file| format!("/proc/{file}")))
}

/// The environment comes first and is done before the shell becomes the `cat` that reads the counters: so the charge
/// has one small program in it, not three.
fn script() -> String {
    format!(
        "S={MARK};cat $S;tr '\\0' '\\n' 2>/dev/null </proc/1/environ|grep -E '^({})=' 2>/dev/null;set --;\
         for f in {};do set -- \"$@\" $S {MOUNT}/$f;done;\
         for f in {};do set -- \"$@\" $S /proc/$f;done;\
         for p in /proc/[0-9]*;do [ $# -gt {WORDS_MAX} ]&&break;\
         case $p in /proc/1|/proc/$$);;*)set -- \"$@\" $S $p/status $S $p/cmdline;;esac;done;\
         exec cat \"$@\" 2>/dev/null",
        memory_flags::variables().collect::<Vec<_>>().join("|"),
        CGROUP_FILES.join(" "),
        PROC_FILES.join(" "),
    )
}

/// The output, taken apart.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Output<'a> {
    /// Memory flags of the first process's environment, a line each.
    pub(super) environment: &'a [u8],
    /// Files by their path, those that are not there left out.
    pub(super) files: Vec<(String, &'a [u8])>,
    /// `status` and `cmdline` of the other processes.
    pub(super) processes: Vec<(&'a [u8], &'a [u8])>,
}

impl<'a> Output<'a> {
    /// `None` for what does not begin with a mark.
    pub(super) fn of(by: By, bytes: &'a [u8]) -> Option<Self> {
        let end = memchr::memchr(b'\n', bytes).filter(|end| *end >= 32)?;
        let mark = &bytes[..=end];
        let mut sections = split(&bytes[mark.len()..], mark);
        let environment = if by == By::Shell { sections.next().unwrap_or_default() } else { &[] };
        let files = files().filter_map(|file| Some((file, sections.next()?))).filter(|(_, bytes)| !bytes.is_empty());
        let files = files.collect();
        let mut processes = Vec::new();
        while let Some((status, command_line)) = sections.next().zip(sections.next()) {
            processes.push((status, command_line));
        }
        Some(Self { environment, files, processes })
    }

    /// A file; nothing where it is not there.
    pub(super) fn file(&self, path: &str) -> Option<&'a [u8]> {
        self.files.iter().find(|(known, _)| known == path).map(|(_, bytes)| *bytes)
    }

    /// The files of the cgroup below `folder`, by their names.
    pub(super) fn cgroup(&self, folder: &str) -> impl Iterator<Item = (&str, &'a [u8])> {
        let prefix = format!("{MOUNT}/{folder}");
        self.files.iter().filter_map(move |(path, bytes)| {
            let name = path.strip_prefix(prefix.as_str()).filter(|name| !name.contains('/'))?;
            Some((name, *bytes))
        })
    }
}

fn split<'a>(bytes: &'a [u8], mark: &'a [u8]) -> impl Iterator<Item = &'a [u8]> {
    let mut from = 0;
    let mut ends = memchr::memmem::find_iter(bytes, mark).map(|at| (at, at + mark.len())).collect::<Vec<_>>();
    ends.push((bytes.len(), bytes.len()));
    ends.into_iter().map(move |(end, next)| {
        let section = &bytes[from..end];
        from = next;
        section
    })
}
