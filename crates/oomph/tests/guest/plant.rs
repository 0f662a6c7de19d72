//! The files that a guest gets: programs, and the libraries that they are linked to.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// What a command prints; none where it cannot be run, or fails.
pub(super) fn printed(command: &mut Command) -> Option<String> {
    let output = command.stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// A file and the folders above it.
pub(super) fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to.parent().unwrap()).unwrap();
    fs::copy(from, to).unwrap_or_else(|error| panic!("{}: {error}", from.display()));
}

/// The files for the node.
pub(super) struct Tree {
    pub(super) folder: PathBuf,
}

impl Tree {
    /// The program alone.
    pub(super) fn with_oomph(folder: PathBuf) -> Self {
        fs::create_dir_all(folder.join("lib")).unwrap();
        let oomph =
            std::env::var_os("OOMPH_TEST_STATIC").map_or_else(|| env!("CARGO_BIN_EXE_oomph").into(), PathBuf::from);
        copy(&oomph, &folder.join("oomph"));
        // Smaller, where it can be: the node unpacks it into its memory.
        let _ = printed(Command::new("strip").arg(folder.join("oomph")));
        Self { folder }
    }

    /// What the programs are linked to, and the loader.
    pub(super) fn libraries(&self) {
        let mut programs = vec![self.folder.clone()];
        let mut found = BTreeSet::new();
        while let Some(path) = programs.pop() {
            if path.is_dir() {
                programs.extend(fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()));
                continue;
            }
            let linked = printed(Command::new("ldd").arg(&path)).unwrap_or_default();
            // `libc.so.6 => /lib/libc.so.6 (0x...)`, and of the loader `/lib64/ld-linux.so.2 (0x...)`.
            let words = linked.split_whitespace().filter(|word| word.starts_with('/') && !word.ends_with(':'));
            found.extend(words.map(PathBuf::from).filter(|path| !path.starts_with(&self.folder)));
        }
        for library in found {
            copy(&library, &self.folder.join("lib").join(library.file_name().unwrap()));
        }
    }
}
