//! The kernel log over time: read whole once, then followed in the ring.

use std::io;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use memchr::memmem;
use oomph_core::artifact::Captured;

use crate::kmsg::{self, Ring};
use crate::{journal, syslog};

/// In the last line of the report of every kill (`__oom_kill_process` of mm/oom_kill.c, v6.18; since 2.6.11).
const KILL: &[u8] = b"Killed process";

/// Of the ring's records the newest are kept, after weeks too: more than any ring holds at once.
const RECORDS_MAX: usize = 16 << 20;

/// The kernel log of this node, as far as it was read.
///
/// The places besides the ring are read once: what comes after stands in the ring. Where the ring cannot be read, all of
/// them are read anew each time.
#[derive(Debug, Default)]
pub struct KernelLog {
    ring: Option<Ring>,
    records: Vec<u8>,
    elsewhere: Option<Captured>,
}

impl KernelLog {
    /// All of the log, from the first reading on: the same as [`crate::kernel_log`], without reading again what was read.
    pub fn capture(&mut self, now: Timestamp) -> Captured {
        let mut captured = match self.catch_up() {
            Ok((ring, records)) => kmsg::told(ring, records, now),
            Err(error) => kmsg::by_dmesg(&error, now),
        };
        let elsewhere = self.elsewhere.take().filter(|_| self.follows()).unwrap_or_else(|| elsewhere(now));
        captured.append(elsewhere.clone());
        self.elsewhere = Some(elsewhere);
        captured
    }

    /// Whether the ring is read: then [`Self::wait_for_kill`] sees a kill at once.
    pub fn follows(&self) -> bool {
        self.ring.is_some()
    }

    /// Waits until the kernel prints that it killed a process. False when it did not within `timeout`, give or take a
    /// second where it prints without a pause, and always, after `timeout`, where no ring is followed.
    pub fn wait_for_kill(&mut self, timeout: Duration) -> bool {
        let began = Instant::now();
        while let Some(left) = timeout.checked_sub(began.elapsed()) {
            let Some(ring) = &mut self.ring else {
                std::thread::sleep(left);
                return false;
            };
            match ring.next_burst(left) {
                Ok(burst) => {
                    self.records.extend_from_slice(&burst);
                    forget_oldest(&mut self.records, RECORDS_MAX);
                    if memmem::find(&burst, KILL).is_some() {
                        return true;
                    }
                }
                // It is opened anew, from its oldest record on, when the log is wanted.
                Err(_) => self.ring = None,
            }
        }
        false
    }

    /// Reads what the ring has got since, and gives all that it had.
    fn catch_up(&mut self) -> io::Result<(&Ring, Vec<u8>)> {
        let ring = match self.ring.take() {
            Some(mut ring) => ring.read(&mut self.records).map(|()| ring),
            None => kmsg::read_whole().map(|(ring, records)| {
                self.records = records;
                ring
            }),
        }?;
        forget_oldest(&mut self.records, RECORDS_MAX);
        Ok((self.ring.insert(ring), self.records.clone()))
    }
}

/// The places besides the ring.
fn elsewhere(now: Timestamp) -> Captured {
    let mut captured = journal::capture(now);
    captured.append(syslog::capture(now));
    captured
}

/// Drops whole records from the beginning of more than `most` bytes, so many that it is not soon to be done again.
fn forget_oldest(records: &mut Vec<u8>, most: usize) {
    if records.len() <= most {
        return;
    }
    let enough = records.len() - most / 2;
    // A record's further lines begin with a blank.
    let ends = memchr::memchr_iter(b'\n', &records[enough..]).map(|at| enough + at + 1);
    let begin = ends.into_iter().find(|end| records.get(*end) != Some(&b' ')).unwrap_or(records.len());
    records.drain(..begin);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_records_are_forgotten_whole() {
        let record = |number: u32| format!("6,{number},{number},-;text\n SUBSYSTEM=cpu\n").into_bytes();
        let mut records: Vec<u8> = (10..20).flat_map(record).collect();
        let length = record(10).len();
        forget_oldest(&mut records, 10 * length);
        assert_eq!(records.len(), 10 * length, "no more than is allowed");
        for most in 0..10 * length {
            let mut records = records.clone();
            forget_oldest(&mut records, most);
            assert!(records.len() <= most / 2, "{most}");
            let kept = u32::try_from(records.len() / length).unwrap();
            assert_eq!(records, (20 - kept..20).flat_map(record).collect::<Vec<u8>>(), "{most}");
        }
    }
}
