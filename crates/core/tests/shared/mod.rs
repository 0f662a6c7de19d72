//! Where the shared corpora and captures are, for the tests that judge against them.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    dead_code,
    reason = "tests read files; each test uses some of this"
)]

pub(crate) mod traces;

use std::path::{Path, PathBuf};

use oomph_core::artifact::Artifact;

/// The folder of corpora and captures: `OOMPH_SHARED`, or `shared` beside the repository (or beside its parent).
pub(crate) fn folder() -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let given = std::env::var_os("OOMPH_SHARED").map(PathBuf::from);
    given.into_iter().chain([root.join("../shared"), root.join("../../shared")]).find(|path| path.is_dir())
}

/// A part of it; prints why the test is skipped where it is not there.
pub(crate) fn part(name: &str) -> Option<PathBuf> {
    let path = folder().map(|folder| folder.join(name)).filter(|path| path.is_dir());
    if path.is_none() {
        println!("skipped: {name} of the shared corpora is not here");
    }
    path
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
