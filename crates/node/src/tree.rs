//! The directories of cgroups, walked and read.
//!
//! Directories are opened relative to the mount, so that a cgroup moved or mounted over in the meantime is not mistaken
//! for another.

use std::ffi::CString;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

use rustix::fs::{Dir, FileType, Mode, OFlags, openat};
use rustix::io::Errno;

use crate::because;
use crate::hierarchy::Hierarchy;

/// More cgroups are not looked at. A node of 250 pods has some thousand.
pub(crate) const CGROUPS_MAX: usize = 10_000;

/// Shows every cgroup from `from` down, by its path and its directory; `from` and the paths are as the kernel log writes
/// them. Says why not all were seen, if so. Cgroups that go away meanwhile are no such reason.
pub(crate) fn walk(
    hierarchy: &Hierarchy,
    from: &str,
    most: usize,
    mut see: impl FnMut(&str, &OwnedFd) -> Result<(), Errno>,
) -> io::Result<Option<String>> {
    let from = hierarchy.below(from).ok_or(io::ErrorKind::NotFound)?;
    let top = open_directory(rustix::fs::CWD, hierarchy.mount.as_path())?;
    let mut to_see = vec![from.to_owned()];
    let mut seen = 0;
    let mut not_seen = None;
    while let Some(below) = to_see.pop() {
        if seen == most {
            not_seen = Some(format!("only {most} cgroups were looked at"));
            break;
        }
        seen += 1;
        let path = hierarchy.path(&below);
        let shown = open_directory(&top, if below.is_empty() { "." } else { &below }).and_then(|directory| {
            see(&path, &directory)?;
            for name in children(directory)? {
                let slash = if below.is_empty() { "" } else { "/" };
                to_see.push(format!("{below}{slash}{name}"));
            }
            Ok(())
        });
        match shown {
            // Cgroups go away at any time, but the first was asked for.
            Err(error @ (Errno::NOENT | Errno::NODEV)) if seen == 1 => return Err(error.into()),
            Ok(()) | Err(Errno::NOENT | Errno::NODEV) => {}
            Err(error) => not_seen = Some(format!("{path}: {}", because(&error.into()))),
        }
    }
    Ok(not_seen)
}

/// The names of the cgroups directly below. A name that is not text (nobody makes such) is not found again, and passes
/// for one that went away.
pub(crate) fn children(directory: OwnedFd) -> Result<Vec<String>, Errno> {
    let mut names = Vec::new();
    for entry in Dir::new(directory)? {
        let entry = entry?;
        let name = entry.file_name();
        if entry.file_type() == FileType::Directory && !matches!(name.to_bytes(), b"." | b"..") {
            names.push(name.to_string_lossy().into_owned());
        }
    }
    Ok(names)
}

pub(crate) fn open_directory(at: impl AsFd, path: impl AsRef<Path>) -> Result<OwnedFd, Errno> {
    openat(at, path.as_ref(), OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())
}

/// Replaces the buffer by the file's content. False when there is no such file: the root of version 2 has none of them,
/// and older kernels have not all.
pub(crate) fn read(directory: &OwnedFd, name: &str, buffer: &mut Vec<u8>) -> Result<bool, Errno> {
    let Ok(name) = CString::new(name) else { return Ok(false) };
    let file = match openat(directory, name.as_c_str(), OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty()) {
        Ok(file) => file,
        // memory.pressure where PSI is switched off cannot be opened, or not be read.
        Err(Errno::NOENT | Errno::OPNOTSUPP) => return Ok(false),
        Err(error) => return Err(error),
    };
    buffer.clear();
    loop {
        buffer.reserve(1024);
        match rustix::io::read(&file, rustix::buffer::spare_capacity(buffer)) {
            Ok(0) => return Ok(true),
            Ok(_) | Err(Errno::INTR) => {}
            Err(Errno::OPNOTSUPP) => return Ok(false),
            Err(error) => return Err(error),
        }
    }
}
