//! A file that a run writes at its end, opened before it begins: that it cannot be written is not to be found out when the
//! command has run for hours.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// An open file; what it held stays until something is written.
pub(super) struct Destination {
    path: PathBuf,
    file: File,
}

impl Destination {
    /// Opens it, and makes it where it is not there.
    pub(super) fn open(path: &Path) -> Result<Self> {
        let opened = OpenOptions::new().write(true).create(true).truncate(false).open(path);
        let file = opened.with_context(|| format!("cannot write {}", path.display()))?;
        Ok(Self { path: path.to_owned(), file })
    }

    /// Writes it anew.
    pub(super) fn write(mut self, text: &str) -> Result<()> {
        let is_file = self.file.metadata().is_ok_and(|it| it.is_file());
        let emptied = if is_file { self.file.set_len(0) } else { Ok(()) };
        let written = emptied.and_then(|()| self.file.write_all(text.as_bytes()));
        written.with_context(|| format!("cannot write {}", self.path.display()))
    }
}
