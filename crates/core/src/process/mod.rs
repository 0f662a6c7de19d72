//! A process as `/proc` shows it: its mappings, its threads and which of its pages are in memory.
//!
//! Everything here is decoded from texts and numbers that an adapter read; nothing is read here.

mod limits;
mod mapping;
mod residency;
mod smaps;
mod status;

pub use limits::open_files_limit;
pub use mapping::{Backing, Mapping, mappings};
pub use residency::{Page, Residency, Run};
pub use smaps::{Smap, anon_huge, smaps};
pub use status::{Status, status};

/// The size of a page on x86-64 and on most arm64 kernels, in bytes. An adapter passes the machine's own.
pub const PAGE: u64 = 4096;

/// A thread: where its stack pointer stood, when the kernel tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Thread {
    /// Thread id, the host's.
    pub tid: u32,
    /// The stack pointer from `/proc/PID/task/TID/syscall`; none while the thread runs.
    pub stack_pointer: Option<u64>,
}

/// The stack pointer in `/proc/PID/task/TID/syscall` (fs/proc/base.c, `proc_pid_syscall`, Linux 6.18): `running`, or
/// `NR ARGS.. SP PC`, or `-1 SP PC` outside of a system call.
pub fn stack_pointer(syscall: &str) -> Option<u64> {
    let mut last = syscall.split_ascii_whitespace().rev();
    let _program_counter = last.next()?;
    u64::from_str_radix(last.next()?.strip_prefix("0x")?, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stack_pointer_is_the_last_but_one_word() {
        assert_eq!(stack_pointer("running\n"), None);
        assert_eq!(stack_pointer("-1 0x7ffc00 0x55aa\n"), Some(0x7f_fc00));
        let call = "202 0x7f01 0x189 0x0 0x0 0x0 0xffffffff 0x7f02aa00 0x7f03\n";
        assert_eq!(stack_pointer(call), Some(0x7f02_aa00));
        assert_eq!(stack_pointer(""), None);
    }
}
