//! The files that a process maps, opened although they may be deleted or lie in another mount namespace.

use std::sync::Arc;

use oomph_core::process::Mapping;
use oomph_core::runtime::{Image, Images};

use super::folder::Folder;

/// The mapped files of one process.
#[derive(Debug)]
pub struct MappedFiles {
    folder: Arc<Folder>,
}

impl MappedFiles {
    pub(super) const fn new(folder: Arc<Folder>) -> Self {
        Self { folder }
    }
}

impl Images for MappedFiles {
    /// Through `/proc/PID/map_files`, which needs `CAP_SYS_ADMIN` or `CAP_CHECKPOINT_RESTORE` and works for any file;
    /// else by its path below the process's root.
    fn open(&self, mapping: &Mapping) -> Option<Box<dyn Image + '_>> {
        let direct = || self.folder.file(&format!("map_files/{:x}-{:x}", mapping.start, mapping.end)).ok();
        let by_path = || self.folder.file(&format!("root/{}", mapping.name.strip_prefix('/')?)).ok();
        let file = direct().or_else(|| if mapping.deleted { None } else { by_path() })?;
        Some(Box::new(std::io::BufReader::new(file)))
    }
}
