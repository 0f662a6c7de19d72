//! The files that a process maps, opened although they may be deleted or lie in another mount namespace.

use std::fs::File;
use std::path::Path;

use oomph_core::process::Mapping;
use oomph_core::runtime::{Image, Images};

/// The mapped files of one process.
#[derive(Debug)]
pub struct MappedFiles {
    pid: u32,
}

impl MappedFiles {
    pub(super) const fn new(pid: u32) -> Self {
        Self { pid }
    }
}

impl Images for MappedFiles {
    /// Through `/proc/PID/map_files`, which needs `CAP_SYS_ADMIN` or `CAP_CHECKPOINT_RESTORE` and works for any file;
    /// else by its path below the process's root.
    fn open(&self, mapping: &Mapping) -> Option<Box<dyn Image + '_>> {
        let pid = self.pid;
        let direct = format!("/proc/{pid}/map_files/{:x}-{:x}", mapping.start, mapping.end);
        let by_path = || {
            let below = Path::new(&mapping.name).strip_prefix("/").ok()?;
            (!mapping.deleted).then(|| File::open(Path::new(&format!("/proc/{pid}/root")).join(below)).ok())?
        };
        let file = File::open(direct).ok().or_else(by_path)?;
        Some(Box::new(std::io::BufReader::new(file)))
    }
}
