//! A set of page frames.

/// A set of page frames.
///
/// A machine's frames are numbers without large holes, so this is a bitmap in pieces: a GiB of memory takes 32 KiB of it
/// and adding a frame costs a nanosecond or two.
#[derive(Debug, Default)]
pub(super) struct FrameSet {
    pieces: Vec<Option<Box<[u64; WORDS]>>>,
}

/// A piece stands for 65,536 frames: 256 MiB of pages of 4 KiB.
const WORDS: usize = 1024;

const FRAMES_PER_PIECE: u64 = WORDS as u64 * 64;

/// Physical addresses have at most 52 bits on x86-64 and arm64, so that frames have 40.
const FRAMES_MAX: u64 = 1 << 40;

impl FrameSet {
    /// Adds a frame. True when it is new; also for a number that is no frame of any machine, which is not kept.
    pub(super) fn insert(&mut self, frame: u64) -> bool {
        let Some((piece, word, bit)) = place(frame) else { return true };
        if piece >= self.pieces.len() {
            self.pieces.resize_with(piece + 1, || None);
        }
        let word = &mut self.pieces[piece].get_or_insert_with(|| Box::new([0; WORDS]))[word];
        let new = *word & bit == 0;
        *word |= bit;
        new
    }

    /// The frame is among them.
    pub(super) fn contains(&self, frame: u64) -> bool {
        place(frame).is_some_and(|(piece, word, bit)| {
            self.pieces.get(piece).and_then(Option::as_ref).is_some_and(|piece| piece[word] & bit != 0)
        })
    }

    /// Adds all of `others`.
    pub(super) fn absorb(&mut self, others: Self) {
        if self.pieces.len() < others.pieces.len() {
            self.pieces.resize_with(others.pieces.len(), || None);
        }
        for (mine, theirs) in self.pieces.iter_mut().zip(others.pieces) {
            match (mine, theirs) {
                (Some(mine), Some(theirs)) => mine.iter_mut().zip(*theirs).for_each(|(mine, theirs)| *mine |= theirs),
                (mine @ None, theirs) => *mine = theirs,
                (Some(_), None) => {}
            }
        }
    }
}

/// Piece, word in it, and bit in that.
fn place(frame: u64) -> Option<(usize, usize, u64)> {
    let piece = usize::try_from(frame / FRAMES_PER_PIECE).ok().filter(|_| frame < FRAMES_MAX)?;
    let word = usize::try_from(frame % FRAMES_PER_PIECE / 64).ok()?;
    Some((piece, word, 1 << (frame % 64)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashSet;

    #[test]
    fn a_number_that_is_no_frame_is_always_new() {
        let mut frames = FrameSet::default();
        assert!(frames.insert(u64::MAX) && frames.insert(u64::MAX) && !frames.contains(u64::MAX));
    }

    proptest! {
        #[test]
        fn it_is_a_set(numbers in proptest::collection::vec(0_u64..300_000, 0..200), more in proptest::collection::vec(0_u64..300_000, 0..200)) {
            let (mut frames, mut set) = (FrameSet::default(), HashSet::new());
            for number in &numbers {
                prop_assert_eq!(frames.insert(*number), set.insert(*number));
            }
            let mut others = FrameSet::default();
            for number in &more {
                others.insert(*number);
                set.insert(*number);
            }
            frames.absorb(others);
            for number in (0..300_000).step_by(7).chain(numbers).chain(more) {
                prop_assert_eq!(frames.contains(number), set.contains(&number));
            }
        }
    }
}
