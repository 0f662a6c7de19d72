//! Nothing of a run stays behind, also when oomph itself is killed: a process of its own waits for oomph's end and then
//! kills what is left in the cgroup and removes it.

use std::io::{self, Read};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, ExitCode, Stdio};

/// The process that waits.
pub(super) struct Leftovers {
    child: Child,
    /// Its stdin: it ends when we do.
    line: Option<ChildStdin>,
    folder: PathBuf,
}

impl Leftovers {
    /// Starts it for a cgroup's folder.
    pub(super) fn watch(folder: &Path) -> io::Result<Self> {
        let mut child = Command::new("/proc/self/exe")
            .arg0("oomph")
            .args(["run", "--leftovers"])
            .arg(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            // Ctrl-C is for the command.
            .process_group(0)
            .spawn()?;
        let line = child.stdin.take();
        Ok(Self { child, line, folder: folder.to_owned() })
    }

    /// The command has ended: cleans up now, and waits until it is done.
    pub(super) fn clear(&mut self) {
        drop(self.line.take());
        let cleaned = self.child.wait().is_ok_and(|status| status.success());
        if !cleaned && self.folder.exists() {
            // A limit above may have had it killed.
            oomph_node::scope::remove(&self.folder);
        }
    }
}

impl Drop for Leftovers {
    fn drop(&mut self) {
        self.clear();
    }
}

/// The other side: waits until nobody holds the line any more.
pub(super) fn remove(folder: &Path) -> ExitCode {
    oomph_node::process::spare_ourselves();
    let _ = io::stdin().lock().read_to_end(&mut Vec::new());
    if oomph_node::scope::remove(folder) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
