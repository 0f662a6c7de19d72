//! A series while it is being read.

use super::plain::Head;

/// What every row touches of a series, close together.
#[derive(Debug)]
pub(super) struct Series {
    /// What its rows begin with; none where the name has to be quoted.
    pub(super) head: Option<Head>,
    /// The series whose row came after the last row of this one: traces repeat their order.
    pub(super) next: usize,
    pub(super) at: Vec<i64>,
    pub(super) used: Vec<u64>,
    pub(super) name: Box<[u8]>,
    /// The time of the last row.
    latest: i64,
    /// Whether no row is older than the one before it.
    pub(super) in_order: bool,
}

impl Series {
    /// A series that is the `place`-th and has about so many rows.
    pub(super) fn new(name: &[u8], place: usize, likely: usize) -> Self {
        Self {
            head: Head::new(name),
            next: place,
            at: Vec::with_capacity(likely),
            used: Vec::with_capacity(likely),
            name: name.into(),
            latest: i64::MIN,
            in_order: true,
        }
    }

    #[inline]
    pub(super) fn push(&mut self, time: i64, used: u64) {
        self.in_order &= time >= self.latest;
        self.latest = time;
        self.at.push(time);
        self.used.push(used);
    }

    /// Whether the next row needs room.
    #[inline]
    pub(super) fn is_full(&self) -> bool {
        self.at.len() == self.at.capacity()
    }

    /// Makes room for about so many more rows.
    #[cold]
    pub(super) fn make_room(&mut self, likely: usize) {
        // Twice as much keeps growing cheap; what is foretold wrongly costs no more than 1 MiB.
        let rows = likely.min(1 << 16).max(self.at.len());
        self.at.reserve_exact(rows);
        self.used.reserve_exact(rows);
    }
}
