//! A process's memory, read in large pieces and kept: for walks over many small things that stay as they are.

use std::cell::RefCell;
use std::collections::HashMap;

use crate::runtime::Memory;

/// Bytes read at once where all of them are present.
const BLOCK: u64 = 64 << 10;

/// Else as much.
const PAGE: u64 = 4096;

/// Blocks kept: 64 MiB, far more than the classes of any program.
const BLOCKS_MAX: usize = 1024;

/// Pieces by address; `None` is one that is not there as a whole.
type Kept = RefCell<HashMap<u64, Option<Vec<u8>>>>;

/// What was read stays as it was at the first read: not for anything that changes.
pub(super) struct Pages<'a> {
    memory: &'a dyn Memory,
    large: Kept,
    small: Kept,
}

impl<'a> Pages<'a> {
    pub(super) fn new(memory: &'a dyn Memory) -> Self {
        Self { memory, large: RefCell::default(), small: RefCell::default() }
    }

    /// Copies from one block or page; false where it is not there.
    fn copy(&self, size: u64, kept: &Kept, address: u64, into: &mut [u8]) -> bool {
        let mut kept = kept.borrow_mut();
        if kept.len() >= BLOCKS_MAX * usize::try_from(BLOCK / size).unwrap_or(1) {
            kept.clear();
        }
        let start = address - address % size;
        let length = usize::try_from(size).expect("64 KiB at most");
        let block = kept.entry(start).or_insert_with(|| self.memory.bytes(start, length));
        let from = usize::try_from(address - start).expect("less than a block");
        let there = block.as_ref().and_then(|block| block.get(from..from.checked_add(into.len())?));
        there.inspect(|there| into.copy_from_slice(there)).is_some()
    }
}

impl Memory for Pages<'_> {
    fn read(&self, address: u64, into: &mut [u8]) -> bool {
        let mut at = address;
        let mut rest = into;
        while !rest.is_empty() {
            let in_page = usize::try_from(PAGE - at % PAGE).expect("a page at most");
            let (piece, behind) = rest.split_at_mut(in_page.min(rest.len()));
            if !self.copy(BLOCK, &self.large, at, piece) && !self.copy(PAGE, &self.small, at, piece) {
                return false;
            }
            at = match at.checked_add(piece.len() as u64) {
                Some(next) => next,
                None => return behind.is_empty(),
            };
            rest = behind;
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One present stretch whose bytes are the low bytes of their addresses.
    struct Stretch(std::ops::Range<u64>);

    impl Memory for Stretch {
        fn read(&self, address: u64, into: &mut [u8]) -> bool {
            let end = address.saturating_add(into.len() as u64);
            into.iter_mut().zip(address..end).for_each(|(byte, at)| *byte = at.to_le_bytes()[0]);
            self.0.start <= address && end <= self.0.end
        }
    }

    #[test]
    fn pieces_are_put_together_and_what_is_not_there_is_not_read() {
        let stretch = Stretch(0x1_0000..0x2_2000);
        let pages = Pages::new(&stretch);
        let bytes = pages.bytes(0x1_fffe, 5).unwrap();
        assert_eq!(bytes, [0xfe, 0xff, 0, 1, 2]);
        assert!(pages.bytes(0x2_1fff, 2).is_none());
        assert!(pages.bytes(0x2_1fff, 1).is_some());
        assert!(pages.bytes(u64::MAX - 3, 8).is_none());
    }
}
