//! A user who may make no cgroup asks systemd for one: the same command line, in a scope that is delegated to it.

use std::env;
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::Command;

use crate::ui::Ui;

/// Set in the scope, so that a second refusal is final.
const MARK: &str = "OOMPH_IN_SCOPE";

/// Runs this very command line in a scope. The exit code of that run; `None` where there is no systemd to ask.
pub(super) fn enter(ui: Ui) -> Option<u8> {
    // systemd-run fails with 1 where nobody answers, which could be the command's own code: whether its socket or the
    // session bus is there is asked first.
    let runtime = PathBuf::from(env::var_os("XDG_RUNTIME_DIR")?);
    let answers = runtime.join("systemd/private").exists() || runtime.join("bus").exists();
    if env::var_os(MARK).is_some() || !answers {
        return None;
    }
    let executable = env::current_exe().ok()?;
    ui.detail("a cgroup of systemd's: systemd-run --user --scope");
    let status = Command::new("systemd-run")
        .args(["--user", "--scope", "--quiet", "-p", "Delegate=yes", "--"])
        .arg(executable)
        .args(env::args_os().skip(1))
        .env(MARK, "1")
        .status()
        .ok()?;
    let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal))?;
    u8::try_from(code).ok()
}
