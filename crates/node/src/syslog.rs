//! The text logs in which syslog daemons keep the kernel's messages.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use jiff::Timestamp;
use oomph_core::artifact::{Captured, Kind, SourceStatus, Status};
use oomph_core::fact::Gap;

use crate::kmsg::KIND;
use crate::{artifact, because};

/// The folder of all of them.
const FOLDER: &str = "/var/log";

/// Debian's and Red Hat's names, the previous one before the current one. `syslog` and `messages` hold the messages of
/// others too (a userspace killer's, the kubelet's), so what they are is seen from their content.
const FILES: [(&str, Option<Kind>); 6] = [
    ("kern.log.1", Some(Kind::KernelLog)),
    ("kern.log", Some(Kind::KernelLog)),
    ("syslog.1", None),
    ("syslog", None),
    ("messages.1", None),
    ("messages", None),
];

/// Only the end of a file is read.
const TAIL: u64 = 8 << 20;

/// The logs that there are.
pub fn capture(now: Timestamp) -> Captured {
    capture_in(Path::new(FOLDER), now, TAIL)
}

fn capture_in(folder: &Path, now: Timestamp, most: u64) -> Captured {
    let mut captured = Captured::default();
    for (file, kind) in FILES {
        let path = folder.join(file);
        let name = path.to_string_lossy();
        match tail(&path, most) {
            Ok((bytes, whole)) => {
                captured.sources.push(if whole {
                    SourceStatus::read(name.as_ref(), KIND)
                } else {
                    let cut = format!("only its last {} MiB were read", most >> 20);
                    SourceStatus::not_read(name.as_ref(), KIND, Status::Partial, cut)
                });
                if !bytes.is_empty() {
                    captured.artifacts.push(artifact(name.as_ref(), kind, now, bytes));
                }
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => {
                let status = match error.kind() {
                    io::ErrorKind::PermissionDenied => Status::Forbidden,
                    _ => Status::Absent,
                };
                captured.sources.push(SourceStatus::not_read(name.as_ref(), KIND, status, because(&error)));
                captured.gaps.push(Gap {
                    what: format!("the kernel messages in {name}"),
                    because: format!("cannot read it: {}", because(&error)),
                    command: format!("sudo grep kernel: {name}"),
                });
            }
        }
    }
    captured
}

/// The last `most` bytes, from the beginning of a line on, and whether that is the whole file.
fn tail(path: &Path, most: u64) -> io::Result<(Vec<u8>, bool)> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    let whole = length <= most;
    if !whole {
        file.seek(SeekFrom::Start(length - most))?;
    }
    let mut bytes = Vec::new();
    // The file may grow while it is read.
    file.take(most).read_to_end(&mut bytes)?;
    if !whole {
        let line = memchr::memchr(b'\n', &bytes).map_or(bytes.len(), |end| end + 1);
        bytes.drain(..line);
    }
    Ok((bytes, whole))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn a_long_log_is_read_from_a_line_near_its_end_on() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("kern.log"), "first line\nsecond line\nthird line\n").unwrap();
        fs::write(folder.path().join("messages"), "short\n").unwrap();
        let captured = capture_in(folder.path(), Timestamp::UNIX_EPOCH, 16);
        let read: Vec<_> = captured.artifacts.iter().map(|log| (log.kind, log.bytes.as_slice())).collect();
        assert_eq!(read, [(Some(Kind::KernelLog), &b"third line\n"[..]), (None, &b"short\n"[..])]);
        assert_eq!(captured.sources[0].status, Status::Partial);
        assert_eq!(captured.sources[1].status, Status::Read);
    }

    #[test]
    fn a_log_that_cannot_be_read_is_a_gap_and_a_missing_one_is_not() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("syslog")).unwrap();
        let captured = capture_in(folder.path(), Timestamp::UNIX_EPOCH, TAIL);
        assert!(captured.artifacts.is_empty());
        assert_eq!((captured.gaps.len(), captured.sources.len()), (1, 1));
    }
}
