//! The only module with `unsafe`: system calls that no library wraps.

use std::io;

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
