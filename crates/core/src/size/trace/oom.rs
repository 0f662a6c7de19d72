//! The column `oom`: kills of each row, or a counter of all until then.

use std::cmp::Reverse;

use super::super::history::Kill;
use super::cell::TRUE;

/// A 1 that stays up for so many rows is a counter's: fewer are a container that is killed again and again.
const UP_LEAST: usize = 6;

/// No two rows are so many kills apart.
const MOST: u64 = 1000;

/// What the column of a series says, row by row.
#[derive(Debug, Default)]
pub(super) struct Column {
    /// What each row says, with the kill that it is if it is one; in the order of the text.
    rows: Vec<(u64, Kill)>,
}

impl Column {
    /// The next row; `kill` is one at its moment.
    #[inline]
    pub(super) fn take(&mut self, value: u64, kill: Kill) {
        self.rows.push((value, kill));
    }

    /// The kills in the order of time, and whether they are those of a counter.
    pub(super) fn kills(self) -> (Vec<Kill>, bool) {
        let mut rows = self.rows;
        // Of several rows of one moment the highest is taken, with a limit if one of them has it.
        rows.sort_by_key(|(value, kill)| (kill.at, Reverse(*value), Reverse(kill.limit)));
        rows.dedup_by_key(|(_, kill)| kill.at);
        if counts(&rows) {
            let rises = rows.windows(2).flat_map(|two| std::iter::repeat_n(two[1].1, many(two[1].0 - two[0].0)));
            return (rises.collect(), true);
        }
        if let [(value, kill)] = rows.as_slice()
            && *value != TRUE
        {
            return (vec![*kill; many(*value)], false);
        }
        (rows.into_iter().filter(|(value, _)| *value > 0).map(|(_, kill)| kill).collect(), false)
    }
}

/// Whether rows in the order of time are those of a counter: it never falls, and got beyond 1 or stays up once it rose.
fn counts(rows: &[(u64, Kill)]) -> bool {
    let [(first, _), .., (last, _)] = rows else { return false };
    let up = || rows.iter().filter(|(value, _)| *value > 0).count();
    let rose = *last > 1 || (*first == 0 && up() >= UP_LEAST);
    // `true` is above every number: where it stands at all, it is the last, or the value falls.
    *last != TRUE && rose && rows.is_sorted_by_key(|(value, _)| *value)
}

/// So many kills.
fn many(kills: u64) -> usize {
    usize::try_from(kills.min(MOST)).unwrap_or(1)
}
