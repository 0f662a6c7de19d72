//! Where the shared corpora and captures are, for the tests that judge against them.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::print_stdout,
    dead_code,
    reason = "tests read files; each test uses some of this"
)]

pub(crate) mod traces;

use std::path::{Path, PathBuf};

use oomph_core::artifact::Artifact;

/// A file or folder of the corpora and captures: in the folder that `OOMPH_SHARED` names, where it has to be, else in
/// `shared` beside the repository. They are optional: `None`, with a word, where they are not there.
pub(crate) fn part(name: &str) -> Option<PathBuf> {
    let given = std::env::var_os("OOMPH_SHARED").map(PathBuf::from);
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared");
    let path = given.clone().unwrap_or_else(beside).join(name);
    if path.exists() {
        return Some(path);
    }
    assert!(given.is_none(), "OOMPH_SHARED is set, and {} is not there", path.display());
    println!("skipped: {name} of the shared corpora is not here");
    None
}

/// A file as an artifact of unknown kind.
pub(crate) fn artifact(path: &Path) -> Artifact {
    Artifact::new(path.to_string_lossy(), std::fs::read(path).unwrap())
}

/// Files of a folder with this ending, in name order.
pub(crate) fn files(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<PathBuf> = entries.filter(|path| path.to_string_lossy().ends_with(ending)).collect();
    files.sort();
    files
}
