//! Asks runtimes what they say of their own memory. Nothing else here changes a target; this does, and is done only when
//! it is asked for: a signal starts a listener in the process, which stays (HotSpot) or is closed again (Node.js).
//!
//! What cannot be asked without harm is left alone, and is a gap that says why.

use std::fs;
use std::io;
use std::os::fd::OwnedFd;

use oomph_core::diagnosis::GapReport;
use oomph_core::process::{Status, status};
use oomph_core::runtime::Name;
use oomph_core::waterfall::{Process, Told, ToldAmount, Waterfall};
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

mod hotspot;
mod http;
mod node;

/// Asks every runtime of a waterfall that can be asked, one after the other.
pub fn ask(waterfall: &mut Waterfall) {
    for process in &mut waterfall.processes {
        let asked = match process.runtime.name {
            Name::Hotspot => ask_one(process, "VM.native_memory", hotspot::ask),
            Name::V8 => ask_one(process, "Node.js's inspector", node::ask),
            _ => continue,
        };
        match asked {
            Ok(told) => process.told = Some(told),
            Err(LeftAlone { because, remedy }) => waterfall.gaps.push(GapReport {
                what: format!("what process {} ({}) says of its memory", process.pid, process.comm),
                because,
                command: remedy,
            }),
        }
    }
}

/// Why there is no answer, and what would help.
#[derive(Debug)]
struct LeftAlone {
    because: String,
    remedy: String,
}

impl LeftAlone {
    fn new(because: impl Into<String>) -> Self {
        Self { because: because.into(), remedy: String::new() }
    }
}

impl From<io::Error> for LeftAlone {
    fn from(error: io::Error) -> Self {
        Self::new(crate::because(&error))
    }
}

fn ask_one(
    process: &Process,
    by: &str,
    ask: impl FnOnce(&Asked<'_>) -> Result<Vec<ToldAmount>, LeftAlone>,
) -> Result<Told, LeftAlone> {
    let asked = Asked::new(process)?;
    let amounts = ask(&asked)?;
    let after = asked.status()?;
    let resident = |status: &Status| i64::try_from(status.resident.unwrap_or_default().0).unwrap_or(i64::MAX);
    let threads = |status: &Status| i64::from(status.threads.unwrap_or_default());
    Ok(Told {
        by: by.to_owned(),
        amounts,
        rss_change_bytes: resident(&after) - resident(&asked.before),
        thread_change: threads(&after) - threads(&asked.before),
    })
}

/// A process that is asked, held so that a signal cannot meet another one with its number.
struct Asked<'a> {
    process: &'a Process,
    handle: OwnedFd,
    before: Status,
    caught: u64,
}

impl<'a> Asked<'a> {
    fn new(process: &'a Process) -> Result<Self, LeftAlone> {
        let pid = i32::try_from(process.pid).ok().and_then(Pid::from_raw);
        let pid = pid.ok_or_else(|| LeftAlone::new("it has no pid that can be signalled"))?;
        let handle = pidfd_open(pid, PidfdFlags::empty()).map_err(io::Error::from)?;
        // Behind the handle: so both are of one process, which is the one that was looked at if its name is.
        let text = fs::read_to_string(format!("/proc/{}/status", process.pid))?;
        let before = status(&text);
        if before.name != process.comm {
            return Err(LeftAlone::new("it is another process by now"));
        }
        // `SigCgt` has a bit for each signal that is caught, the lowest for signal 1 (proc_pid_status(5)).
        let caught = text.lines().find_map(|line| line.strip_prefix("SigCgt:"));
        let caught = caught.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0);
        Ok(Self { process, handle, before, caught })
    }

    fn status(&self) -> io::Result<Status> {
        fs::read_to_string(format!("/proc/{}/status", self.process.pid)).map(|text| status(&text))
    }

    /// A signal that is not caught would end the process.
    fn catches(&self, signal: Signal) -> bool {
        u32::try_from(signal.as_raw() - 1).is_ok_and(|bit| self.caught >> bit & 1 == 1)
    }

    fn signal(&self, signal: Signal) -> io::Result<()> {
        pidfd_send_signal(&self.handle, signal).map_err(io::Error::from)
    }

    /// The pid that it has for itself.
    fn own_pid(&self) -> u32 {
        self.before.namespace_pids.last().copied().unwrap_or(self.process.pid)
    }

    /// A setting of its runtime.
    fn flag(&self, name: &str) -> Option<&str> {
        let flags = &self.process.runtime.flags;
        flags.iter().find(|flag| flag.name == name).map(|flag| flag.value.as_str())
    }
}
