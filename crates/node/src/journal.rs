//! The kernel's messages in the systemd journal: of every boot, not only of this one.
//!
//! The journal is read by `journalctl`, which knows every version, compression and seal of its files.

use std::io;
use std::path::Path;

use jiff::Timestamp;
use oomph_core::artifact::{Captured, Kind, SourceStatus, Status};
use oomph_core::fact::Gap;

use crate::kmsg::KIND;
use crate::{artifact, command, hostname};

/// Where journald keeps its files (systemd-journald.service(8)).
const FOLDERS: [&str; 2] = ["/var/log/journal", "/run/log/journal"];

/// The newest messages that are kept, some 60 MB. A machine that logs its packet filter writes as much in a day.
const LINES_MAX: usize = 500_000;

/// What the artifact is called.
const NAME: &str = "journalctl _TRANSPORT=kernel";

/// The kernel's messages of all boots, if there is a journal with any.
pub fn capture(now: Timestamp) -> Captured {
    let mut captured = Captured::default();
    if !FOLDERS.into_iter().any(has_entries) {
        return captured;
    }
    match messages() {
        Ok((output, own)) => {
            let lines = memchr::memchr_iter(b'\n', &output.bytes).count();
            let because = match output.cut {
                cut if !cut.is_empty() => cut,
                _ if lines >= LINES_MAX => format!("only the newest {LINES_MAX} messages were read"),
                _ => String::new(),
            };
            let status = if because.is_empty() { Status::Read } else { Status::Partial };
            captured.sources.push(SourceStatus::not_read(NAME, KIND, status, because));
            if !is_empty(&output.bytes) {
                let mut log = artifact(NAME, Some(Kind::KernelLog), now, output.bytes);
                if !own {
                    // Its lines name their node.
                    log.about.node = None;
                }
                captured.artifacts.push(log);
            }
        }
        Err(error) => {
            let because = match error.kind() {
                io::ErrorKind::NotFound => "there is a journal but no journalctl to read it with".to_owned(),
                _ => format!("journalctl: {error}"),
            };
            captured.sources.push(SourceStatus::not_read(NAME, KIND, Status::Absent, because.clone()));
            captured.gaps.push(Gap {
                what: format!("the kernel messages in the journal of {}", hostname()),
                because,
                command: "journalctl -o short-iso-precise _TRANSPORT=kernel".into(),
            });
        }
    }
    captured
}

/// The messages, and whether they are this machine's. Journalctl looks for this machine's id only; in a container that
/// sees the host's files they have another, and `--merge` takes them too.
fn messages() -> io::Result<(command::Output, bool)> {
    let lines = format!("--lines={LINES_MAX}");
    let own = ["--no-pager", "--output=short-iso-precise", &lines, "_TRANSPORT=kernel"];
    let output = command::output("journalctl", &own)?;
    if !is_empty(&output.bytes) {
        return Ok((output, true));
    }
    Ok((command::output("journalctl", &[&["--merge"], &own[..]].concat())?, false))
}

/// Nothing but journalctl's own remarks: `-- No entries --`, `-- Journal begins at ... --`.
fn is_empty(bytes: &[u8]) -> bool {
    bytes.split(|byte| *byte == b'\n').all(|line| line.is_empty() || line.starts_with(b"-- "))
}

/// A folder of journald's has a subfolder a machine.
fn has_entries(folder: &str) -> bool {
    Path::new(folder).read_dir().is_ok_and(|mut entries| entries.next().is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn remarks_of_journalctl_are_no_messages() {
        assert!(is_empty(b"-- No entries --\n"));
        assert!(is_empty(b"-- Journal begins at Mon 2026-01-05 10:00:00 UTC. --\n-- No entries --\n"));
        assert!(!is_empty(b"-- Boot 0a1b --\n2026-01-05T10:00:00.000001+0000 node-a kernel: Linux version 6.12\n"));
    }
}
