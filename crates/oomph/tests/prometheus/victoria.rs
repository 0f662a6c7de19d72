//! A real VictoriaMetrics, which answers the same queries by rules of its own.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// The script that starts it; `None`, and a word why, where there is none.
pub(crate) fn script() -> Option<PathBuf> {
    crate::component::component("OOMPH_TEST_VICTORIA_METRICS")
}

/// A server that runs until it is dropped.
pub(crate) struct Victoria {
    pub(crate) url: String,
    script: PathBuf,
    folder: PathBuf,
}

impl Victoria {
    /// Starts a server with its files in `folder` and these flags, and gives it a file of OpenMetrics.
    pub(crate) fn start(script: &Path, folder: &Path, flags: &str, file: &Path) -> Self {
        let folder = folder.join("victoria-metrics");
        let mut server = Self { url: String::new(), script: script.to_owned(), folder };
        let up = server.command(flags).arg("up").output().unwrap();
        server.url = said(&up);
        said(&server.command(flags).arg("fill").arg(file).output().unwrap());
        server
    }

    fn command(&self, flags: &str) -> Command {
        let mut command = Command::new(&self.script);
        command.env("VICTORIA_DIR", &self.folder).env("VICTORIA_FLAGS", flags);
        command
    }
}

fn said(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

impl Drop for Victoria {
    fn drop(&mut self) {
        let _ = self.command("").arg("down").status();
    }
}
