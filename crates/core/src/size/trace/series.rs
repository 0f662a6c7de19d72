//! A series while it is being read.

use super::plain::Head;

/// Rows that wait in one place until they are put into their columns: what stands among hundreds of series would else
/// touch two places far away for every row.
const WAITING: usize = 32;

/// What every row touches of a series, close together.
#[derive(Debug)]
pub(super) struct Series {
    /// What its rows begin with.
    pub(super) head: Head,
    /// The series whose row came after the last row of this one: traces repeat their order.
    pub(super) next: usize,
    /// How many rows wait: fewer than [`WAITING`].
    waiting: usize,
    waiting_at: [i64; WAITING],
    waiting_used: [u64; WAITING],
    at: Vec<i64>,
    used: Vec<u64>,
    pub(super) name: Box<[u8]>,
}

impl Series {
    /// A series that is the `place`-th and has about so many rows.
    pub(super) fn new(name: &[u8], place: usize, likely: usize) -> Self {
        Self {
            head: Head::new(name),
            next: place,
            waiting: 0,
            waiting_at: [0; WAITING],
            waiting_used: [0; WAITING],
            at: Vec::with_capacity(likely),
            used: Vec::with_capacity(likely),
            name: name.into(),
        }
    }

    /// Takes a row; whether no more can wait, so that [`Self::settle`] has to follow.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "called for every row")]
    #[must_use]
    pub(super) fn push(&mut self, time: i64, used: u64) -> bool {
        let place = self.waiting % WAITING;
        self.waiting_at[place] = time;
        self.waiting_used[place] = used;
        self.waiting = place + 1;
        place + 1 == WAITING
    }

    /// Puts all rows that wait into their columns; `likely` tells about how many more will come, where there is no room.
    #[inline]
    pub(super) fn settle(&mut self, likely: impl FnOnce() -> usize) {
        if self.at.capacity() - self.at.len() < WAITING {
            self.make_room(likely());
        }
        self.at.extend_from_slice(&self.waiting_at);
        self.used.extend_from_slice(&self.waiting_used);
        self.waiting = 0;
    }

    /// How many rows it has.
    pub(super) fn len(&self) -> usize {
        self.at.len() + self.waiting
    }

    /// Its columns.
    pub(super) fn columns(mut self) -> (Vec<i64>, Vec<u64>) {
        self.at.reserve_exact(self.waiting);
        self.used.reserve_exact(self.waiting);
        self.at.extend_from_slice(&self.waiting_at[..self.waiting]);
        self.used.extend_from_slice(&self.waiting_used[..self.waiting]);
        (self.at, self.used)
    }

    /// Makes room for about so many more rows.
    #[cold]
    fn make_room(&mut self, likely: usize) {
        // Twice as much keeps growing cheap; what is foretold wrongly costs no more than 1 MiB.
        let rows = likely.min(1 << 16).max(self.at.len()).max(WAITING);
        self.at.reserve_exact(rows);
        self.used.reserve_exact(rows);
    }
}
