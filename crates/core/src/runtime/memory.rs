//! The memory of another process, as something to read.

/// Reads of another process's memory. An implementation reads only pages that were present when it looked, and never
/// makes one present: a read of an untouched page would charge a page table to the target's cgroup.
///
/// Every number is in the byte order of the target, little-endian on both architectures that are supported.
pub trait Memory {
    /// Fills `into` from `address` on. False, with `into` in any state, where a byte of it is not there.
    fn read(&self, address: u64, into: &mut [u8]) -> bool;

    /// Reads `size` bytes at each address, one behind the other, and says which reads worked; bytes of one that did not
    /// are zero. An implementation does many in one system call.
    fn gather(&self, addresses: &[u64], size: usize, into: &mut Vec<u8>) -> Vec<bool> {
        into.clear();
        into.resize(addresses.len().saturating_mul(size), 0);
        let slots = into.chunks_exact_mut(size.max(1));
        addresses.iter().zip(slots).map(|(address, slot)| self.read(*address, slot)).collect()
    }

    /// `length` bytes; `None` where a byte of them is not there, or for more than 64 MiB at once.
    fn bytes(&self, address: u64, length: usize) -> Option<Vec<u8>> {
        if length > 64 << 20 {
            return None;
        }
        let mut bytes = vec![0; length];
        self.read(address, &mut bytes).then_some(bytes)
    }

    /// A byte.
    fn u8(&self, address: u64) -> Option<u8> {
        let mut bytes = [0];
        self.read(address, &mut bytes).then_some(bytes[0])
    }

    /// Two bytes.
    fn u16(&self, address: u64) -> Option<u16> {
        let mut bytes = [0; 2];
        self.read(address, &mut bytes).then(|| u16::from_le_bytes(bytes))
    }

    /// Four bytes.
    fn u32(&self, address: u64) -> Option<u32> {
        let mut bytes = [0; 4];
        self.read(address, &mut bytes).then(|| u32::from_le_bytes(bytes))
    }

    /// Eight bytes: a pointer, a size.
    fn u64(&self, address: u64) -> Option<u64> {
        let mut bytes = [0; 8];
        self.read(address, &mut bytes).then(|| u64::from_le_bytes(bytes))
    }

    /// A text that ends with a zero byte, at most 4 KiB long.
    fn text(&self, address: u64) -> Option<String> {
        let mut text = Vec::new();
        let mut next = address;
        while text.len() < 4096 {
            // Up to the end of the page: the one behind it may not be there.
            let length = 64.min(4096 - next % 4096);
            let chunk = self.bytes(next, usize::try_from(length).ok()?)?;
            if let Some(end) = chunk.iter().position(|byte| *byte == 0) {
                text.extend_from_slice(&chunk[..end]);
                return String::from_utf8(text).ok();
            }
            text.extend_from_slice(&chunk);
            next = next.checked_add(length)?;
        }
        None
    }
}

/// A file that is mapped into the process, opened by whoever reads: libjvm.so, the program itself.
pub trait Image: std::io::Read + std::io::Seek {}

impl<T: std::io::Read + std::io::Seek> Image for T {}

/// Opens the file behind a mapping, also where it was deleted or lies in another mount namespace.
pub trait Images {
    /// `None` where it cannot be opened.
    fn open(&self, mapping: &crate::process::Mapping) -> Option<Box<dyn Image + '_>>;
}
