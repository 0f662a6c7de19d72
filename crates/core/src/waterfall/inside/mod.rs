//! The waterfall of a container that was read from inside, by a command run in it: what its cgroup counts, and what its
//! processes' command lines tell. Page tables and the memory of others are out of reach there.

use jiff::Timestamp;

use super::charge::{Charge, Version};
use super::measure::{Level, Measured, Seen, measure};
use super::{Source, Subject, View, Waterfall};
use crate::fact::{Gap, Resources};
use crate::process::{self, Residency, Status};
use crate::runtime::{EffectiveFlag, Name, Reading, file_name, flags};
use crate::units::Bytes;

mod place;
mod reading;
#[cfg(test)]
mod tests;

use reading::Output;
pub use reading::{By, command};

/// A container that was read from inside.
#[derive(Debug, Clone, Default)]
pub struct Place {
    /// Whose memory it is.
    pub subject: Subject,
    /// When it was read.
    pub at: Option<Timestamp>,
    /// What the node has applied, or else the spec's.
    pub resources: Resources,
    /// Its first process is not its own: the pod or the host shares its process namespace.
    pub shares_processes: bool,
    /// The command that reads it from outside, in full.
    pub outside: String,
}

/// The command that reads a pod's containers from outside, in full, on the pod's node.
pub fn from_outside(node: &str, namespace: &str, pod: &str) -> String {
    let image = crate::IMAGE;
    format!("kubectl debug node/{node} -it --profile=sysadmin --image={image} -- oomph inspect {pod} -n {namespace}")
}

/// The waterfall of what [`command`] printed. A gap where it does not tell what is charged.
pub fn explain(place: &Place, by: By, printed: &[u8]) -> Result<Waterfall, Gap> {
    let unknown = |because: &str| Gap {
        what: "the memory that is charged to the container".to_owned(),
        because: because.to_owned(),
        command: place.outside.clone(),
    };
    let output = Output::of(by, printed).ok_or_else(|| unknown("what was printed inside is not what was asked for"))?;
    let version = if output.file("/sys/fs/cgroup/memory.current").is_some() { Version::V2 } else { Version::V1 };
    let folder = if version == Version::V2 { "" } else { "memory/" };
    let charge = Charge::from_files(version, output.cgroup(folder));
    if charge.usage.is_none() {
        return Err(unknown(
            "neither memory.current nor memory/memory.usage_in_bytes can be read in its /sys/fs/cgroup",
        ));
    }
    let text = |path| String::from_utf8_lossy(output.file(path).unwrap_or_default());
    let seen = place::own(version, &text("/proc/self/cgroup"), &text("/proc/self/mountinfo"));
    let place::Own::Is(cgroup) = seen else {
        return Err(unknown("its /sys/fs/cgroup shows another cgroup than its own, as that of a privileged one may"));
    };
    let processes = if place.shares_processes { Vec::new() } else { processes(by, &output) };
    let residency = Residency::default();
    let seen = processes.iter().map(|(pid, status, reading)| Seen {
        pid: *pid,
        status,
        mappings: &[],
        residency: &residency,
        reading,
        file_descriptors: None,
        file_descriptor_limit: None,
        anon_huge: None,
    });
    let named = cgroup.as_ref().filter(|path| *path != "/").cloned();
    let mut waterfall = measure(&Measured {
        subject: Subject { cgroup: named.clone(), ..place.subject.clone() },
        at: place.at,
        version,
        source: Source::Exec,
        levels: vec![Level { cgroup: named.unwrap_or_else(|| "/".to_owned()), charge }],
        below: None,
        processes: seen.collect(),
        some_unread: true,
        swap_free: swap_free(&text("/proc/meminfo")),
        gaps: gaps(place, by, &processes),
    });
    let anon_huge = process::anon_huge(&text("/proc/1/smaps_rollup"));
    for process in waterfall.processes.iter_mut().filter(|process| process.pid == 1) {
        process.anon_huge_bytes = anon_huge;
    }
    waterfall.views.extend(of_spec(&place.resources));
    Ok(waterfall)
}

/// The first process and, where a shell found them, the others: pid, counters, what the command line tells.
fn processes(by: By, output: &Output<'_>) -> Vec<(u32, Status, Reading)> {
    let environment = String::from_utf8_lossy(output.environment);
    let first = output.file("/proc/1/status").zip(Some(output.file("/proc/1/cmdline").unwrap_or_default()));
    let others = output.processes.iter().filter(|_| by == By::Shell).copied();
    let mut found = Vec::new();
    for (status, command_line) in first.into_iter().chain(others) {
        let status = process::status(&String::from_utf8_lossy(status));
        // Without a pid it ended meanwhile; without memory it is a zombie.
        let Some(pid) = status.namespace_pids.first().copied().filter(|_| status.resident.is_some()) else { continue };
        let environment: Vec<(&str, &str)> = match pid {
            1 => environment.lines().filter_map(|line| line.split_once('=')).collect(),
            _ => Vec::new(),
        };
        let reading = of_command_line(command_line, &environment);
        found.push((pid, status, reading));
    }
    found
}

fn of_command_line(bytes: &[u8], environment: &[(&str, &str)]) -> Reading {
    let text = String::from_utf8_lossy(bytes);
    let words: Vec<&str> = text.split('\0').filter(|word| !word.is_empty()).collect();
    let mut reading = Reading::unresolved(words.first().map_or(Name::Native, |word| runtime(word)));
    let given: Vec<EffectiveFlag> = flags::given_in(words.iter().copied(), environment.iter().copied());
    reading.flags = given;
    reading
}

/// What a program's name tells: launchers are named after their runtime, servers are written in one.
fn runtime(word: &str) -> Name {
    // A process may rename itself: `gunicorn: master [app]`, `puma 6.4 (tcp://..)`.
    let title = word.split([' ', ':']).next().unwrap_or(word);
    let name = file_name(title);
    let version = |rest: &str| rest.chars().all(|c| c.is_ascii_digit() || c == '.');
    match name {
        "java" => Name::Hotspot,
        "node" | "nodejs" => Name::V8,
        "gunicorn" | "uwsgi" | "celery" | "uvicorn" => Name::Cpython,
        "dotnet" => Name::Dotnet,
        "puma" | "unicorn" | "sidekiq" => Name::Ruby,
        "php-fpm" => Name::Php,
        _ if name.strip_prefix("python").is_some_and(version) => Name::Cpython,
        _ if name.strip_prefix("ruby").is_some_and(version) => Name::Ruby,
        _ if name.strip_prefix("php").is_some_and(version) => Name::Php,
        _ => Name::Native,
    }
}

fn gaps(place: &Place, by: By, processes: &[(u32, Status, Reading)]) -> Vec<Gap> {
    let gap = |what: &str, because: &str| Gap {
        what: what.to_owned(),
        because: because.to_owned(),
        command: place.outside.clone(),
    };
    let mut gaps = vec![gap(
        "what the anonymous memory is: heaps of runtimes, malloc, stacks of threads",
        "from inside only the cgroup's counters and command lines are read; the pages of processes are read on the node",
    )];
    let above = "a container sees its own cgroup alone; the limits of the pod and of the node's pods bound it too";
    gaps.push(gap("the limits above the container's", above));
    if place.shares_processes {
        gaps.push(gap("its processes", "it shares a process namespace, so that they cannot be told from others'"));
    } else if processes.is_empty() {
        gaps.push(gap("its processes", "/proc/1/status could not be read inside"));
    } else if by == By::Cat {
        let because = "the image has no shell: only the first process was read, without its environment";
        gaps.push(gap("its other processes, and flags in its environment", because));
    }
    gaps
}

/// What the manifest says, beside what the kernel does.
fn of_spec(resources: &Resources) -> Vec<View> {
    let view = |name: &str, bytes: Option<Bytes>, includes: &str| {
        Some(View { name: name.to_owned(), bytes: bytes?, includes: includes.to_owned() })
    };
    let request = "what the scheduler reserves, and what an eviction compares use with; the kernel does not know it";
    let limit = "what the pod's object says; the kernel's own limit is the one that kills";
    [view("memory request", resources.request_bytes(), request), view("memory limit", resources.limit_bytes(), limit)]
        .into_iter()
        .flatten()
        .collect()
}

/// `SwapFree` of /proc/meminfo; nothing where it is not told.
fn swap_free(meminfo: &str) -> Bytes {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("SwapFree:"));
    let kib = line.and_then(|line| line.trim().strip_suffix("kB")?.trim().parse().ok());
    Bytes::kib(kib.unwrap_or(0))
}
