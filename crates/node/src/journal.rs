//! The kernel's messages in the systemd journal: of every boot, not only of this one.
//!
//! The journal is read by `journalctl`, which knows every version, compression and seal of its files.

use std::io;
use std::path::Path;

use jiff::Timestamp;
use oomph_core::artifact::{Captured, Kind, SourceStatus, Status};
use oomph_core::fact::Gap;

use crate::kmsg::KIND;
use crate::{artifact, command, this_node};

/// Where journald keeps its files (systemd-journald.service(8)).
const FOLDERS: [&str; 2] = ["/var/log/journal", "/run/log/journal"];

/// The newest messages that are kept, some 60 MB. A machine that logs its packet filter writes as much in a day.
const LINES_MAX: usize = 500_000;

/// In what journalctl says to those who may see nothing but their own entries.
const NOT_PERMITTED: &str = "not seeing messages from other users";

/// What the artifact is called.
const NAME: &str = "journalctl _TRANSPORT=kernel";

/// The kernel's messages of all boots, if there is a journal with any.
pub fn capture(now: Timestamp) -> Captured {
    if FOLDERS.into_iter().any(has_entries) { capture_by(&[&[], &["--merge"]], now) } else { Captured::default() }
}

/// Asks journalctl with the first of the options, and where it finds nothing with the next. Without options it looks
/// for this machine's id only; in a container that sees the host's files they have another, and `--merge` takes them too.
fn capture_by(options: &[&[&str]], now: Timestamp) -> Captured {
    let mut captured = Captured::default();
    let mut answer = Ok(None);
    for (at, options) in options.iter().enumerate() {
        answer = messages(options).map(|output| Some((output, at == 0)));
        if !matches!(&answer, Ok(Some((output, _))) if is_empty(&output.bytes)) {
            break;
        }
    }
    match answer {
        Ok(None) => {}
        Ok(Some((output, _))) if is_empty(&output.bytes) && output.complaint.contains(NOT_PERMITTED) => {
            missed(
                &mut captured,
                Status::Forbidden,
                "permission denied; run as root or join the group systemd-journal",
            );
        }
        Ok(Some((output, own))) => {
            captured.sources.push(status(&output));
            if !is_empty(&output.bytes) {
                let mut log = artifact(NAME, Some(Kind::KernelLog), now, output.bytes);
                if !own {
                    // Its lines name their node.
                    log.about.node = None;
                }
                captured.artifacts.push(log);
            }
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            missed(&mut captured, Status::Absent, "there is a journal but no journalctl to read it with");
        }
        Err(error) => missed(&mut captured, Status::Absent, &format!("journalctl: {error}")),
    }
    captured
}

fn messages(options: &[&str]) -> io::Result<command::Output> {
    let lines = format!("--lines={LINES_MAX}");
    let what = ["--no-pager", "--output=short-iso-precise", &lines, "_TRANSPORT=kernel"];
    command::output("journalctl", &[options, &what].concat())
}

fn status(output: &command::Output) -> SourceStatus {
    let lines = memchr::memchr_iter(b'\n', &output.bytes).count();
    if !output.cut.is_empty() {
        SourceStatus::not_read(NAME, KIND, Status::Partial, output.cut.as_str())
    } else if lines >= LINES_MAX {
        SourceStatus::not_read(NAME, KIND, Status::Partial, format!("only the newest {LINES_MAX} messages were read"))
    } else {
        SourceStatus::read(NAME, KIND)
    }
}

fn missed(captured: &mut Captured, status: Status, because: &str) {
    captured.sources.push(SourceStatus::not_read(NAME, KIND, status, because));
    captured.gaps.push(Gap {
        what: format!("the kernel messages in the journal of {}", this_node()),
        because: because.to_owned(),
        command: "sudo journalctl -o short-iso-precise _TRANSPORT=kernel".into(),
    });
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
    use std::fmt::Write as _;
    use std::process::Command;

    #[test]
    fn remarks_of_journalctl_are_no_messages() {
        assert!(is_empty(b"-- No entries --\n"));
        assert!(is_empty(b"-- Journal begins at Mon 2026-01-05 10:00:00 UTC. --\n-- No entries --\n"));
        assert!(!is_empty(b"-- Boot 0a1b --\n2026-01-05T10:00:00.000001+0000 node-a kernel: Linux version 6.12\n"));
    }

    /// An entry in journald's export format.
    fn entry(boot: u32, second: u64, transport: &str, message: &str) -> String {
        let micros = (1_700_000_000 + second) * 1_000_000;
        format!(
            "__REALTIME_TIMESTAMP={micros}\n__MONOTONIC_TIMESTAMP={second}000000\n_BOOT_ID={boot:032x}\n\
             _MACHINE_ID={:032x}\n_HOSTNAME=node-a\n_TRANSPORT={transport}\nSYSLOG_IDENTIFIER={transport}\n\
             PRIORITY=4\nMESSAGE={message}\n\n",
            7
        )
    }

    #[test]
    fn the_kernel_messages_of_every_boot_are_read_from_a_real_journal() {
        let writer = Path::new("/lib/systemd/systemd-journal-remote");
        if !writer.exists() || Command::new("journalctl").arg("--version").output().is_err() {
            assert_ne!(std::env::var("OOMPH_REQUIRE").as_deref(), Ok("all"), "needs systemd-journal-remote");
            #[allow(clippy::print_stdout)] // a skipped test says why
            {
                println!("skipped: needs journalctl and systemd-journal-remote");
            }
            return;
        }
        let folder = tempfile::tempdir().unwrap();
        let mut export = String::new();
        for (boot, began) in [(1, 0), (2, 3600)] {
            let _ = write!(
                export,
                "{}{}{}",
                entry(boot, began, "kernel", "booting"),
                entry(boot, began + 5, "kernel", "Memory cgroup out of memory: Killed process 7 (app)"),
                entry(boot, began + 6, "stdout", "not the kernel's")
            );
        }
        let input = folder.path().join("export");
        std::fs::write(&input, export).unwrap();
        let journal = folder.path().join("system.journal");
        assert!(Command::new(writer).arg("-o").arg(&journal).arg(&input).output().unwrap().status.success());

        let none = "--directory=/nonexistent".to_owned();
        let ours = format!("--directory={}", folder.path().display());
        let captured = capture_by(&[&[&ours]], Timestamp::UNIX_EPOCH);
        let log = String::from_utf8(captured.artifacts[0].bytes.clone()).unwrap();
        assert_eq!(log.matches("kernel: Memory cgroup out of memory: Killed process 7 (app)\n").count(), 2, "{log}");
        assert!(log.contains("-- Boot ") && !log.contains("not the kernel's"), "{log}");
        assert_eq!(captured.sources, [SourceStatus::read(NAME, KIND)]);

        let captured = capture_by(&[&[&none]], Timestamp::UNIX_EPOCH);
        assert_eq!((captured.artifacts.len(), captured.gaps.len()), (0, 1), "{captured:?}");
    }
}
