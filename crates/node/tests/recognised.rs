//! Runtimes that are recognised and not read, and malloc implementations that are named.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test that cannot go on fails; figures are printed")]

use std::path::Path;
use std::process::Command;

use oomph_core::runtime::{Allocator, Name, Reading, read};
use oomph_node::process::{Frames, Process};

mod support;
use support::{Started, missing, sources};

fn look(target: &Started) -> Reading {
    let process = Process::look(target.pid(), &mut Frames::default()).unwrap();
    let reading = read(&process.target(None));
    println!("{}: {:?} {:?} {:?}", target.line, reading.name, reading.version, reading.gaps);
    assert!(!reading.resolved && reading.heap.used.is_none() && !reading.gaps.is_empty());
    reading
}

#[test]
fn ruby_and_php_are_recognised_with_their_settings() {
    let roots = Command::new(sources("get-recognised")).output().map(|output| output.stdout).unwrap_or_default();
    for line in String::from_utf8_lossy(&roots).lines() {
        if let Some(what) = line.strip_prefix("missing ") {
            missing(what);
            continue;
        }
        let mut command = Command::new("chroot");
        if line.ends_with("/ruby") {
            let script = "puts \"version=#{RUBY_VERSION}\"; $stdout.flush; sleep";
            command.args([line, "ruby", "--disable=gems", "-e", script]).env("RUBY_GC_HEAP_GROWTH_FACTOR", "1.1");
            let target = Started::new(&mut command);
            let reading = look(&target);
            assert_eq!(reading.name, Name::Ruby);
            assert_eq!(reading.version.as_deref(), target.line.strip_prefix("version="));
            assert!(reading.flags.iter().any(|flag| flag.name == "RUBY_GC_HEAP_GROWTH_FACTOR" && flag.value == "1.1"));
        } else {
            // Without its package's scripts there is no plain `php`.
            let php =
                ["php8.4", "php8.5", "php"].iter().find(|name| Path::new(line).join("usr/bin").join(name).exists());
            command.args([
                line,
                php.expect("a php"),
                "-n",
                "-d",
                "memory_limit=64M",
                "-r",
                "echo \"ready\n\"; sleep(60);",
            ]);
            let reading = look(&Started::new(&mut command));
            assert_eq!(reading.name, Name::Php);
            assert!(reading.flags.iter().any(|flag| flag.name == "memory_limit" && flag.value == "67108864"));
        }
    }
}

/// `marks.c` as a program, built with `marks`.
fn marked(folder: &Path, marks: &[&str]) -> Option<Started> {
    let program = folder.join("marks");
    let source = sources("malloc").join("marks.c");
    let built = Command::new("gcc").arg("-o").arg(&program).args(marks).arg(source).status();
    if !built.is_ok_and(|status| status.success()) {
        missing("gcc");
        return None;
    }
    Some(Started::new(&mut Command::new(program)))
}

#[test]
fn programs_with_a_runtime_linked_in_are_recognised_by_what_they_export() {
    let folder = tempfile::tempdir().unwrap();
    let Some(dotnet) = marked(folder.path(), &["-rdynamic", "-DEXPORT=DotNetRuntimeInfo"]) else { return };
    assert_eq!(look(&dotnet).name, Name::Dotnet);
    drop(dotnet);
    let Some(image) = marked(folder.path(), &["-DSECTION=\".svm_heap\""]) else { return };
    let reading = look(&image);
    assert_eq!((reading.name, reading.gaps[0].what.as_str()), (Name::Native, "the heap of a GraalVM native image"));
}

#[test]
fn an_allocator_linked_in_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let exports =
        [("mallctl", Allocator::Jemalloc), ("tc_malloc", Allocator::Tcmalloc), ("mi_malloc", Allocator::Mimalloc)];
    for (export, allocator) in exports {
        // Exported, and known to nobody else: `.symtab` alone has it then.
        for linked in ["-rdynamic", "-no-pie"] {
            let Some(target) = marked(folder.path(), &[linked, &format!("-DEXPORT={export}")]) else { return };
            assert_eq!(look(&target).allocator, Some(allocator), "{linked}");
        }
    }
}
