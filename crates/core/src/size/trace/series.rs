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
        }
    }

    #[inline]
    pub(super) fn push(&mut self, time: i64, used: u64) {
        self.at.push(time);
        self.used.push(used);
    }
}
