//! The contents of another process's pages.

use std::fs::File;
use std::os::unix::fs::FileExt;

use oomph_core::process::Residency;
use oomph_core::runtime::Memory;

use super::later::Later;
use crate::sys;

/// Places read by one system call (`UIO_MAXIOV`, include/uapi/linux/uio.h).
const PLACES_MAX: usize = 1024;

/// The memory of a process, as far as it was present when its page table was read, or is by now.
#[derive(Debug)]
pub struct ProcessMemory {
    pid: u32,
    file: File,
    present: Residency,
    later: Later,
}

impl ProcessMemory {
    pub(super) const fn new(pid: u32, file: File, present: Residency, later: Later) -> Self {
        Self { pid, file, present, later }
    }

    /// The process has ended, or started another program: what was read by its pid may be of another one.
    pub(super) fn has_ended(&self, address: u64) -> bool {
        // The file stays with the memory that it was opened for, and reads as empty once that is gone.
        matches!(self.file.read_at(&mut [0], address), Ok(0))
    }

    fn is_present(&self, address: u64, length: usize) -> bool {
        let Some(end) = address.checked_add(length as u64) else { return false };
        self.present.covers(address..end) || self.later.covers(&(address..end))
    }
}

impl Memory for ProcessMemory {
    fn read(&self, address: u64, into: &mut [u8]) -> bool {
        self.is_present(address, into.len()) && self.file.read_exact_at(into, address).is_ok()
    }

    fn gather(&self, addresses: &[u64], size: usize, into: &mut Vec<u8>) -> Vec<bool> {
        into.clear();
        into.resize(addresses.len().saturating_mul(size), 0);
        let mut done = vec![false; addresses.len()];
        if size == 0 {
            return done;
        }
        let mut next = 0;
        while next < addresses.len() {
            // A stretch of places that are all present goes into one system call.
            let stretch =
                addresses[next..].iter().take(PLACES_MAX).take_while(|at| self.is_present(**at, size)).count();
            if stretch == 0 {
                next += 1;
                continue;
            }
            let places = &addresses[next..next + stretch];
            let slots = &mut into[next * size..(next + stretch) * size];
            let mut read = sys::read_places(self.pid, places, size, slots).unwrap_or(0) / size;
            if self.has_ended(places[0]) {
                slots.fill(0);
                read = 0;
            }
            done[next..next + read].fill(true);
            // The one that stopped it went away since; the rest is tried anew.
            next += (read + 1).min(stretch.max(1));
        }
        done
    }
}
