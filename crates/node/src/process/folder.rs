//! The folder `/proc/PID`, held open: when the process is gone its files are too, even if another has the number by then.

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::OwnedFd;

use rustix::fs::{CWD, Dir, Mode, OFlags, openat};
use rustix::io::Errno;

#[derive(Debug)]
pub(super) struct Folder {
    /// The process, or the thread of it.
    pub(super) id: u32,
    directory: OwnedFd,
}

impl Folder {
    /// Of a process, or of one of its threads.
    pub(super) fn open(id: u32) -> io::Result<Self> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        Ok(Self { id, directory: openat(CWD, format!("/proc/{id}"), flags, Mode::empty())? })
    }

    pub(super) fn file(&self, name: &str) -> io::Result<File> {
        Ok(openat(&self.directory, name, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?.into())
    }

    pub(super) fn bytes(&self, name: &str) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        self.file(name)?.read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    pub(super) fn text(&self, name: &str) -> io::Result<String> {
        self.bytes(name).map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
    }

    /// The numbers that are names in a folder of it: `fd`, `task`.
    pub(super) fn numbers(&self, name: &str) -> io::Result<Vec<u32>> {
        let folder =
            openat(&self.directory, name, OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
        let mut numbers = Vec::new();
        for entry in Dir::new(folder)? {
            numbers.extend(entry?.file_name().to_str().ok().and_then(|name| name.parse::<u32>().ok()));
        }
        Ok(numbers)
    }
}

/// The file of a process ended early because the process did.
pub(super) fn gone(error: io::Error) -> io::Error {
    if error.kind() == io::ErrorKind::UnexpectedEof { Errno::SRCH.into() } else { error }
}

/// The error says that the process has ended.
pub fn is_gone(error: &io::Error) -> bool {
    matches!(Errno::from_io_error(error), Some(Errno::SRCH | Errno::NOENT))
}
