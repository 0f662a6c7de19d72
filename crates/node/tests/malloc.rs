//! glibc's malloc in real processes, read from outside, against what mallinfo2(3) says inside.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test that cannot go on fails; figures are printed")]

use std::path::Path;
use std::process::Command;

use oomph_core::runtime::malloc::{Malloc, malloc};
use oomph_core::runtime::{Allocator, Area};
use oomph_node::clock::processor_time;
use oomph_node::process::{Frames, Process};

mod support;
use support::{Started, measured, missing, sources};

/// Builds a C program for this machine, or for the C library below `root`; `None` where there is no compiler.
fn build(to: &Path, name: &str, root: Option<&Path>) -> Option<()> {
    let mut gcc = Command::new("gcc");
    if let Some(root) = root {
        let libraries = root.join("usr/lib").join(format!("{}-linux-gnu", std::env::consts::ARCH));
        gcc.arg(format!("--sysroot={}", root.display()));
        gcc.arg(format!("-B{}", libraries.display())).arg(format!("-L{}", libraries.display()));
    }
    let source = sources("malloc").join(format!("{name}.c"));
    let built = gcc.args(["-O1", "-pthread", "-o"]).arg(to).arg(source).status();
    if !built.is_ok_and(|status| status.success()) {
        missing("gcc");
        return None;
    }
    Some(())
}

fn look(target: &Started, taken: &[Area]) -> Malloc {
    let process = Process::look(target.pid(), &mut Frames::default()).unwrap();
    let start = processor_time();
    let malloc = malloc(&process.target(None), taken);
    println!(
        "{}: {:?} in {:?}; {:?}",
        target.line,
        malloc.counted,
        processor_time().saturating_sub(start),
        malloc.gaps
    );
    let resident: u64 = malloc.areas.iter().map(|area| process.residency.bytes_in(area.at.clone())).sum();
    let inside: u64 = malloc.inside.iter().map(|inside| inside.bytes.0).sum();
    assert_eq!(inside, resident, "used, free and mmapped are all of it: {:?}", malloc.inside);
    malloc
}

fn agrees(target: &Started, malloc: &Malloc) {
    let counted = malloc.counted.expect("it is resolved");
    assert_eq!(malloc.allocator, Some(Allocator::Glibc));
    let version = target.line.split_whitespace().find_map(|word| word.strip_prefix("glibc=")).unwrap();
    for (number, said, read) in [
        ("free chunks", target.number("free"), counted.free),
        ("chunks in use", target.number("used"), counted.used),
        ("mapped chunks", target.number("mapped"), counted.mapped),
    ] {
        measured("malloc of glibc", version, "", number, said, read.0);
        assert_eq!(read.0, said, "{number}");
    }
}

#[test]
fn the_heap_of_one_thread_is_counted_to_the_byte() {
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("heap");
    let Some(()) = build(&program, "heap", None) else { return };
    let target = Started::new(&mut Command::new(program));
    agrees(&target, &look(&target, &[]));
}

#[test]
fn the_heaps_of_many_threads_are_counted_to_the_byte_and_looking_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("heap");
    let Some(()) = build(&program, "heap", None) else { return };
    let target = Started::new(Command::new(program).arg("6"));
    let before = target.footprint_at_rest();
    let malloc = look(&target, &[]);
    agrees(&target, &malloc);
    assert_eq!(target.footprint(), before);
    let apart = malloc.areas.iter().enumerate().all(|(number, area)| {
        malloc.areas[..number].iter().all(|other| other.at.end <= area.at.start || area.at.end <= other.at.start)
    });
    assert!(apart, "no address is two areas'");
}

#[test]
fn heaps_of_other_releases_of_the_c_library_are_counted_to_the_byte() {
    let roots = Command::new(sources("get-glibc")).output().map(|output| output.stdout).unwrap_or_default();
    for line in String::from_utf8_lossy(&roots).lines() {
        if let Some(what) = line.strip_prefix("missing ") {
            missing(what);
            continue;
        }
        let root = Path::new(line);
        let program = tempfile::Builder::new().prefix("heap").tempfile_in(root.join("tmp")).unwrap().into_temp_path();
        let Some(()) = build(&program, "heap", Some(root)) else { return };
        let inside = Path::new("/tmp").join(program.file_name().unwrap());
        let target = Started::new(Command::new("chroot").arg(root).arg(inside).arg("3"));
        println!("{}", root.display());
        agrees(&target, &look(&target, &[]));
    }
}
