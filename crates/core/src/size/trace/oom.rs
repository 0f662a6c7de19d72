//! The column `oom`: kills of each row, or a counter of all until then.

use super::super::history::Kill;

/// A value that stays up for so many rows is a counter's: a kill is told by one row.
const UP_LEAST: u32 = 3;

/// No two rows are so many kills apart.
const MOST: u64 = 1000;

/// What the column of a series says, row by row.
#[derive(Debug, Default)]
pub(super) struct Column {
    /// A kill for each row that is not 0.
    rows: Vec<Kill>,
    /// One for each that the value rose by.
    rises: Vec<Kill>,
    last: Option<u64>,
    fell: bool,
    /// Rows since it rose last.
    up: u32,
}

impl Column {
    /// The next row; `kill` is one at its moment.
    pub(super) fn take(&mut self, value: u64, kill: Kill) {
        if value > 0 {
            self.rows.push(kill);
        }
        match self.last {
            Some(last) if value < last => self.fell = true,
            Some(last) if value > last => {
                let risen = usize::try_from((value - last).min(MOST)).unwrap_or(1);
                self.rises.extend(std::iter::repeat_n(kill, risen));
                self.up = 1;
            }
            _ => self.up = self.up.saturating_add(1),
        }
        self.last = Some(value);
    }

    /// The kills, and whether they are those of a counter: it never falls, and stays up.
    pub(super) fn kills(self) -> (Vec<Kill>, bool) {
        let last = self.last.unwrap_or(0);
        let counts = !self.fell && last > 0 && (last > 1 || self.up >= UP_LEAST);
        (if counts { self.rises } else { self.rows }, counts)
    }
}
