//! Real CPython processes, read from outside, against what `sys._debugmallocstats()` says inside.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test that cannot go on fails; figures are printed")]

use std::fs::{self, File};
use std::path::Path;
use std::process::Command;

use oomph_core::runtime::{Name, Reading, read};
use oomph_node::clock::processor_time;
use oomph_node::process::{Frames, Process};

mod support;
use support::{Started, cache, measured, missing, sources};

/// A Python that runs in a root of its own sees the script there.
struct Python {
    root: Option<String>,
    program: String,
}

/// All that the installer found.
fn pythons() -> Vec<Python> {
    let installer = sources("get-python");
    let lines = Command::new(&installer).output().map(|output| output.stdout).unwrap_or_default();
    let folder = cache().join("python");
    let mut found = Vec::new();
    for line in String::from_utf8_lossy(&lines).lines() {
        if let Some(what) = line.strip_prefix("missing ") {
            missing(what);
            continue;
        }
        let below = Path::new(line).strip_prefix(&folder).ok().and_then(|rest| rest.to_str()?.split_once('/'));
        found.push(match below {
            Some((root, program)) => {
                let root = folder.join(root).to_string_lossy().into_owned();
                Python { root: Some(root), program: format!("/{program}") }
            }
            None => Python { root: None, program: line.to_owned() },
        });
    }
    found
}

impl Python {
    fn command(&self) -> Command {
        match &self.root {
            None => Command::new(&self.program),
            Some(root) => {
                let mut command = Command::new("chroot");
                command.args([root, &self.program]);
                command
            }
        }
    }

    /// Starts the script; its count of pymalloc goes to `stats`.
    fn start(&self, stats: &Path, environment: &[(&str, &str)]) -> Started {
        let script = fs::read_to_string(sources("python").join("objects.py")).unwrap();
        let mut command = self.command();
        command.args(["-c", &script]).envs(environment.iter().copied()).stderr(File::create(stats).unwrap());
        Started::new(&mut command)
    }
}

fn look(target: &Started) -> Reading {
    let process = Process::look(target.pid(), &mut Frames::default()).unwrap();
    let start = processor_time();
    let reading = read(&process.target(None));
    println!(
        "{} {:?}: {:?} in {:?} {:?}",
        target.line,
        reading.version,
        reading.heap,
        processor_time().saturating_sub(start),
        reading.gaps
    );
    reading
}

/// `# bytes in allocated blocks = 1,234`.
fn counted(stats: &Path, key: &str) -> u64 {
    let text = fs::read_to_string(stats).unwrap();
    let line = text.lines().find(|line| line.starts_with(key)).unwrap_or_else(|| panic!("{key:?} in {text}"));
    line.rsplit('=').next().unwrap().trim().replace(',', "").parse().unwrap()
}

#[test]
fn objects_of_every_release_are_counted_as_it_counts_them_and_looking_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let stats = folder.path().join("stats");
    for python in pythons() {
        let target = python.start(&stats, &[]);
        let before = target.footprint_at_rest();
        let reading = look(&target);
        assert_eq!(target.footprint(), before);
        let version = target.line.strip_prefix("version=").unwrap();
        assert_eq!(reading.name, Name::Cpython, "{version}");
        assert!(reading.resolved || !reading.gaps.is_empty(), "what is not read is said: {version}");
        if version.starts_with("3.6.") || version.starts_with("3.7.") || python.program.contains("nogil") {
            assert!(!reading.resolved && reading.heap.used.is_none(), "{reading:?}");
            continue;
        }
        assert!(reading.resolved, "{:?}", reading.gaps);
        assert!(reading.version.unwrap().starts_with(version));
        let arena = if version.starts_with("3.8.") || version.starts_with("3.9.") { 256 << 10 } else { 1 << 20 };
        let arenas = counted(&stats, "# arenas allocated current");
        assert_eq!(reading.heap.committed.unwrap().0, arenas * arena);
        let off = reading.heap.used.unwrap().0.abs_diff(counted(&stats, "# bytes in allocated blocks"));
        let minor = version.rsplit_once('.').map_or(version, |(minor, _)| minor);
        let blocks = counted(&stats, "# bytes in allocated blocks");
        measured("CPython", minor, "", "pymalloc's arenas", arenas * arena, reading.heap.committed.unwrap().0);
        measured("CPython", minor, "", "pymalloc's blocks in use", blocks, reading.heap.used.unwrap().0);
        assert!(off <= 256, "{off} B");
    }
}

#[test]
fn another_allocator_is_told_and_no_number_given() {
    let folder = tempfile::tempdir().unwrap();
    let python = Python { root: None, program: "python3".into() };
    let target = python.start(&folder.path().join("stats"), &[("PYTHONMALLOC", "malloc")]);
    let reading = look(&target);
    assert_eq!((reading.name, reading.heap.used, reading.resolved), (Name::Cpython, None, false));
    assert!(reading.gaps[0].because.contains("PYTHONMALLOC=malloc"), "{:?}", reading.gaps);
    assert!(reading.flags.iter().any(|flag| flag.name == "PYTHONMALLOC" && flag.from == "environment PYTHONMALLOC"));
}
