//! `/dev/kmsg`: the kernel's ring of log records (Documentation/ABI/testing/dev-kmsg).
//!
//! One `read` gives one record; a new descriptor begins at the oldest record that the ring still holds. The bytes are
//! kept as they come: `priority,sequence,microseconds,flags;text`, a newline, and lines of a blank and `KEY=value`.

use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use oomph_core::artifact::{Artifact, Captured, Kind, SourceStatus, Status};
use oomph_core::fact::Gap;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;

use crate::{artifact, because, clock, command, this_node};

/// Where the ring is.
pub const PATH: &str = "/dev/kmsg";

/// How the kind of this source is called in the list of sources.
pub(crate) const KIND: &str = "kernel log";

/// The largest record: `CONSOLE_EXT_LOG_MAX`, in newer kernels `PRINTK_MESSAGE_MAX` of 2048 bytes (printk.c). With less
/// room `read` fails.
const RECORD_MAX: usize = 8192;

/// A burst has ended when nothing came for this long: the kernel prints a report without a pause.
const QUIET: Duration = Duration::from_millis(200);

/// A burst is handed over after this long even when the kernel goes on printing: a firewall may log without a pause.
const BURST_MAX: Duration = Duration::from_secs(1);

/// Suspends shorter than this do not make a record's time wrong enough to speak of.
const SUSPENDED_MIN: Duration = Duration::from_secs(1);

/// The ring, read from its oldest record on.
#[derive(Debug)]
pub struct Ring {
    file: OwnedFd,
    record: Box<[u8; RECORD_MAX]>,
    sequence: Sequence,
}

impl Ring {
    /// Opens the ring at its oldest record.
    pub fn open() -> io::Result<Self> {
        Self::open_at(Path::new(PATH))
    }

    fn open_at(path: &Path) -> io::Result<Self> {
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = rustix::fs::open(path, flags, Mode::empty())?;
        Ok(Self { file, record: Box::new([0; RECORD_MAX]), sequence: Sequence::default() })
    }

    /// Appends every record that is there and not yet read.
    pub fn read(&mut self, into: &mut Vec<u8>) -> io::Result<()> {
        loop {
            match rustix::io::read(&self.file, &mut self.record[..]) {
                Ok(0) | Err(Errno::AGAIN) => return Ok(()),
                Ok(length) => {
                    let record = &self.record[..length];
                    self.sequence.see(record);
                    into.extend_from_slice(record);
                }
                // EPIPE: the next record was overwritten; the kernel goes on at the oldest it has. How many are
                // missing is seen from the sequence numbers.
                Err(Errno::PIPE | Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Waits for a record to come; false when none did in time.
    pub fn wait(&self, timeout: Duration) -> io::Result<bool> {
        let timeout = Timespec::try_from(timeout).unwrap_or(Timespec { tv_sec: i64::MAX, tv_nsec: 0 });
        match poll(&mut [PollFd::new(&self.file, PollFlags::IN)], Some(&timeout)) {
            Ok(ready) => Ok(ready > 0),
            Err(Errno::INTR) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Waits until something new is logged and reads on until the kernel falls silent, so that a report of many lines
    /// comes whole. Empty when nothing came within `timeout`.
    pub fn next_burst(&mut self, timeout: Duration) -> io::Result<Vec<u8>> {
        let mut burst = Vec::new();
        if self.wait(timeout)? {
            let began = Instant::now();
            self.read(&mut burst)?;
            while began.elapsed() < BURST_MAX && self.wait(QUIET)? {
                self.read(&mut burst)?;
            }
        }
        Ok(burst)
    }

    /// How many records were overwritten before they could be read, since the ring was opened.
    pub fn lost(&self) -> u64 {
        self.sequence.lost
    }

    /// How many records the ring no longer held when it was opened; not known before the first was read.
    pub fn overwritten(&self) -> Option<u64> {
        self.sequence.first
    }
}

/// The numbers of the records seen: they count from 0 at boot, without a gap.
#[derive(Debug, Default)]
struct Sequence {
    first: Option<u64>,
    next: u64,
    lost: u64,
}

impl Sequence {
    fn see(&mut self, record: &[u8]) {
        let Some(number) = number(record) else { return };
        match self.first {
            None => self.first = Some(number),
            Some(_) => self.lost += number.saturating_sub(self.next),
        }
        self.next = number.saturating_add(1);
    }
}

/// The second field of a record's head.
fn number(record: &[u8]) -> Option<u64> {
    let field = record.split(|byte| *byte == b',').nth(1)?;
    std::str::from_utf8(field).ok()?.parse().ok()
}

/// A ring has records from the first moment of the boot on. Where there is none, something else was mounted in its
/// place, as sandboxes do with `/dev/null`.
fn not_empty(ring: Ring) -> io::Result<Ring> {
    match ring.overwritten() {
        Some(_) => Ok(ring),
        None => Err(io::Error::other("it has no records; something else is mounted there")),
    }
}

/// The ring from its oldest record to its end. Where it cannot be opened (a container without the device, a user
/// without the right), `dmesg` is asked, which knows the `syslog` system call too.
pub fn capture(now: Timestamp) -> Captured {
    match read_whole() {
        Ok((ring, records)) => told(&ring, records, now),
        Err(error) => by_dmesg(&error, now),
    }
}

/// The ring, and the records from its oldest to its end.
pub(crate) fn read_whole() -> io::Result<(Ring, Vec<u8>)> {
    let mut ring = Ring::open()?;
    let mut records = Vec::new();
    ring.read(&mut records)?;
    Ok((not_empty(ring)?, records))
}

/// The records read from the ring so far.
pub(crate) fn told(ring: &Ring, records: Vec<u8>, now: Timestamp) -> Captured {
    let mut captured = Captured { sources: vec![status(ring)], ..Captured::default() };
    if ring.lost() > 0 {
        captured.gap(
            format!("{} records of the kernel log of {}", ring.lost(), this_node()),
            "they were overwritten while the log was read",
            "journalctl -k",
        );
    }
    push(&mut captured, PATH, now, records);
    captured
}

/// What `dmesg` has where the ring cannot be read because of `error`.
pub(crate) fn by_dmesg(error: &io::Error, now: Timestamp) -> Captured {
    let mut captured = Captured::default();
    match command::output("dmesg", &["-r"]) {
        Ok(output) if !output.bytes.is_empty() => {
            captured.sources.push(SourceStatus::read("dmesg", KIND));
            push(&mut captured, "dmesg", now, output.bytes);
        }
        _ => refused(&mut captured, error),
    }
    captured
}

fn push(captured: &mut Captured, name: &str, now: Timestamp, bytes: Vec<u8>) {
    let log = artifact(name, Some(Kind::KernelLog), now, bytes);
    captured.artifacts.push(Artifact { booted: clock::log_zero(now), ..log });
    let suspended = clock::suspended();
    if suspended >= SUSPENDED_MIN {
        captured.gaps.push(Gap {
            what: format!("the exact times in the kernel log of {} before its last suspend", this_node()),
            because: format!(
                "the log's clock stood still for {} s of suspend; such times may be that much too late",
                suspended.as_secs()
            ),
            command: "journalctl -k -o short-iso-precise".into(),
        });
    }
}

fn status(ring: &Ring) -> SourceStatus {
    match (ring.lost(), ring.overwritten()) {
        (0, None | Some(0)) => SourceStatus::read(PATH, KIND),
        (0, Some(older)) => SourceStatus::not_read(
            PATH,
            KIND,
            Status::Partial,
            format!("the ring has been written over: the first {older} records since boot are gone"),
        ),
        (lost, _) => SourceStatus::not_read(
            PATH,
            KIND,
            Status::Partial,
            format!("{lost} records were overwritten while it was read"),
        ),
    }
}

fn refused(captured: &mut Captured, error: &io::Error) {
    let (status, because, command) = match error.kind() {
        io::ErrorKind::PermissionDenied => {
            (Status::Forbidden, "permission denied; run as root or add CAP_SYSLOG".to_owned(), "sudo dmesg")
        }
        io::ErrorKind::NotFound => {
            (Status::Absent, "not there; in a container, mount the host's /dev/kmsg and add CAP_SYSLOG".into(), "dmesg")
        }
        _ => (Status::Absent, because(error), "dmesg"),
    };
    captured.sources.push(SourceStatus::not_read(PATH, KIND, status, because.clone()));
    captured.gaps.push(Gap {
        what: format!("the kernel log of {}", this_node()),
        because: format!("cannot read {PATH}: {because}"),
        command: command.into(),
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn overwritten_records_are_counted_by_their_numbers() {
        let mut sequence = Sequence::default();
        for record in ["6,40,1,-;a\n", "6,41,2,-;b\n", "6,50,3,-;c\n SUBSYSTEM=x,99\n", "4,51,4,c;d\n"] {
            sequence.see(record.as_bytes());
        }
        assert_eq!((sequence.first, sequence.lost), (Some(40), 8));
    }

    #[test]
    fn what_is_no_record_counts_nothing() {
        let mut sequence = Sequence::default();
        for record in ["", "6", "6,", "6,x,1,-;a", "6,-1,1,-;a", "6,99999999999999999999,1,-;a"] {
            sequence.see(record.as_bytes());
        }
        assert_eq!((sequence.first, sequence.lost), (None, 0));
    }

    #[test]
    fn a_refusal_names_the_device_and_the_remedy() {
        let mut captured = Captured::default();
        refused(&mut captured, &io::Error::from(io::ErrorKind::PermissionDenied));
        assert_eq!(captured.sources[0].status, Status::Forbidden);
        assert_eq!(captured.gaps[0].because, "cannot read /dev/kmsg: permission denied; run as root or add CAP_SYSLOG");
    }

    proptest! {
        #[test]
        fn no_record_panics(records in prop::collection::vec("[0-9,;x\n]{0,30}", 0..5)) {
            let mut sequence = Sequence::default();
            for record in &records {
                sequence.see(record.as_bytes());
            }
        }
    }
}
