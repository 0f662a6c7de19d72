//! The only module with `unsafe`: system calls that no library wraps.

use std::io;
use std::ops::Range;
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::process::Command;

/// One read of many places: fills `into` with `size` bytes from each address, one behind the other, and returns how many
/// bytes were read before the first that is not there (process_vm_readv(2)).
pub(crate) fn read_places(pid: u32, addresses: &[u64], size: usize, into: &mut [u8]) -> io::Result<usize> {
    assert!(into.len() >= addresses.len().saturating_mul(size), "the buffer holds every place");
    let place = |address: &u64| libc::iovec { iov_base: *address as *mut libc::c_void, iov_len: size };
    let remote: Vec<libc::iovec> = addresses.iter().map(place).collect();
    let local = libc::iovec { iov_base: into.as_mut_ptr().cast(), iov_len: addresses.len() * size };
    let pid = libc::pid_t::try_from(pid).map_err(|_| io::ErrorKind::InvalidInput)?;
    // SAFETY: the kernel writes at most `iov_len` bytes into `into`, whose length was checked; the remote addresses are
    // only looked up in the other process, and the call fails for those that are not mapped there.
    let read =
        unsafe { libc::process_vm_readv(pid, &raw const local, 1, remote.as_ptr(), remote.len() as libc::c_ulong, 0) };
    usize::try_from(read).map_err(|_| io::Error::last_os_error())
}

/// A stretch of pages that are alike (`struct page_region`, include/uapi/linux/fs.h, Linux 6.7).
#[repr(C)]
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct PageRegion {
    pub(crate) start: u64,
    pub(crate) end: u64,
    categories: u64,
}

/// `struct pm_scan_arg` (include/uapi/linux/fs.h, Linux 6.7).
#[repr(C)]
struct ScanArguments {
    size: u64,
    flags: u64,
    start: u64,
    end: u64,
    walk_end: u64,
    regions: u64,
    regions_length: u64,
    max_pages: u64,
    category_inverted: u64,
    category_mask: u64,
    category_anyof_mask: u64,
    return_mask: u64,
}

const PAGEMAP_SCAN: libc::Ioctl = libc::_IOWR::<ScanArguments>(b'f' as u32, 16);

/// Finds the pages of `within` that are of any of `categories`. Returns how many of `regions` were filled, and the
/// address up to which was looked.
pub(crate) fn scan_pages(
    pagemap: BorrowedFd<'_>,
    within: Range<u64>,
    categories: u64,
    regions: &mut [PageRegion],
) -> io::Result<(usize, u64)> {
    let mut arguments = ScanArguments {
        size: size_of::<ScanArguments>() as u64,
        flags: 0,
        start: within.start,
        end: within.end,
        walk_end: 0,
        regions: regions.as_mut_ptr() as u64,
        regions_length: regions.len() as u64,
        max_pages: 0,
        category_inverted: 0,
        category_mask: 0,
        category_anyof_mask: categories,
        return_mask: categories,
    };
    // SAFETY: the kernel reads and writes `arguments`, whose layout is the kernel's and whose size is in it, and writes at
    // most `regions_length` elements of `regions`.
    let filled = unsafe { libc::ioctl(pagemap.as_raw_fd(), PAGEMAP_SCAN, &raw mut arguments) };
    let filled = usize::try_from(filled).map_err(|_| io::Error::last_os_error())?;
    Ok((filled, arguments.walk_end))
}

/// Gives the addresses of a page of our own that was read and never written to.
pub(crate) fn with_untouched_page<T>(look: impl FnOnce(Range<u64>) -> io::Result<T>) -> io::Result<T> {
    let size = rustix::param::page_size();
    // SAFETY: a new mapping at a place of the kernel's choice touches no memory of ours.
    let page = unsafe {
        libc::mmap(std::ptr::null_mut(), size, libc::PROT_READ, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS, -1, 0)
    };
    if page == libc::MAP_FAILED {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the page was mapped above, readable, and is unmapped below.
    unsafe { page.cast::<u8>().read_volatile() };
    let address = page as u64;
    let seen = look(address..address + size as u64);
    // SAFETY: nothing refers to the page any more: `look` was given its address as a number.
    unsafe { libc::munmap(page, size) };
    seen
}

/// Moves the child into a cgroup between fork and exec, by writing to its open `cgroup.procs`.
pub(crate) fn enter_before_exec(command: &mut Command, procs: OwnedFd) {
    let enter = move || {
        // `0` stands for whoever writes.
        rustix::io::write(&procs, b"0").map(drop).map_err(io::Error::from)
    };
    // SAFETY: between fork and exec only `write` is called, which is async-signal-safe; nothing is allocated or locked.
    unsafe { command.pre_exec(enter) };
}
