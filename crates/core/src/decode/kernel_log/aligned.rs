//! Rows of a task table that stand under each other, read where they stand.
//!
//! The kernel prints the numbers of a column to the right of the same width (`dump_task` in mm/oom_kill.c), so that they
//! end where those of the row above end, and none has to wait for where the one before it ends.

use super::table::{Column, LEAST_NUMBERS, MOST_NUMBERS, Row};
use crate::digits::{Cell, blanks, digits, line_end};

/// Where the cells of the last row stood.
#[derive(Debug, Default)]
pub(super) struct Ends {
    /// Where the first one began.
    start: usize,
    cells: [Cell; MOST_NUMBERS],
}

impl Ends {
    /// The row that `text` begins with, if it is as kernels print it, and its length with the end of the line. One that
    /// ends in a number may go on in the next line, and is left to a closer look.
    #[inline]
    pub(super) fn line(&mut self, text: &str, columns: &[Column]) -> Option<(Row, usize)> {
        let bytes = text.as_bytes();
        if bytes.first() != Some(&b'[') || !(LEAST_NUMBERS..=MOST_NUMBERS).contains(&columns.len()) {
            return None;
        }
        let (pid, length) = cell(&bytes[1..])?;
        let start = 1 + length + 1;
        if u32::try_from(pid).is_err() || bytes.get(start - 1) != Some(&b']') {
            return None;
        }
        let mut row = Row::default();
        let at = match self.as_before(&mut row, bytes, start, columns) {
            Some(at) => at,
            None => self.anew(&mut row, bytes, start, columns)?,
        };
        let end = at + line_end(&bytes[at..])?;
        let name = text[at..end].trim_ascii();
        if name.as_bytes().last().is_none_or(u8::is_ascii_digit) {
            return None;
        }
        row.name = name.into();
        Some((row, end + 1))
    }

    /// The cells from `start` on, each where the last row's stood: where the last one ends.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "called for every row")]
    fn as_before(&self, row: &mut Row, bytes: &[u8], start: usize, columns: &[Column]) -> Option<usize> {
        let mut at = start;
        if start != self.start {
            return None;
        }
        for (column, cell) in columns.iter().zip(&self.cells) {
            let value = cell.number(bytes)?;
            at = cell.end;
            if bytes.get(at) != Some(&b' ') {
                return None;
            }
            row.take(*column, value.cast_signed());
        }
        Some(at)
    }

    /// The same of cells that end anywhere.
    fn anew(&mut self, row: &mut Row, bytes: &[u8], start: usize, columns: &[Column]) -> Option<usize> {
        *row = Row::default();
        // No cell begins there: places of half a row are none to go by.
        self.start = 0;
        let mut at = start;
        for (column, place) in columns.iter().zip(&mut self.cells) {
            let (value, length) = cell(&bytes[at..])?;
            *place = Cell::between(at, at + length);
            at += length;
            if bytes.get(at) != Some(&b' ') {
                return None;
            }
            row.take(*column, value);
        }
        self.start = start;
        Some(at)
    }
}

/// A number with a sign, which blanks may precede, and its length with them.
#[inline]
fn cell(bytes: &[u8]) -> Option<(i64, usize)> {
    let before = blanks(bytes);
    let negative = bytes.get(before) == Some(&b'-');
    let before = before + usize::from(negative);
    let (value, length) = digits(&bytes[before..])?;
    let value = value.cast_signed();
    Some((if negative { -value } else { value }, before + length))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::table::{header, row};
    use super::*;

    fn columns() -> Vec<Column> {
        header("[  pid  ] uid tgid total_vm rss pgtables_bytes swapents oom_score_adj name").unwrap()
    }

    proptest! {
        #[test]
        fn rows_are_read_alike_where_they_stand_and_line_by_line(
            rows in proptest::collection::vec((" {0,9}[0-9]{1,9}", " {1,3}[a-z0-9:é ]{0,9}\r?"), 1..5),
            cells in proptest::collection::vec(proptest::collection::vec((0_u32..10_000_000, 0_usize..10), 5..9), 5),
            odd in " {0,12}-?[0-9]{1,9}|", next in "(\n.{0,9})?",
        ) {
            let (columns, mut ends) = (columns(), Ends::default());
            for (number, ((pid, name), cells)) in rows.into_iter().zip(&cells).enumerate() {
                // Most stand under each other.
                let cell = |(value, width): &(u32, usize)| format!(" {value:width$}", width = 5 + width % 4);
                let cells = cells.iter().map(cell).collect::<Vec<_>>().concat();
                let odd = if number == 2 { odd.as_str() } else { "" };
                let printed = format!("[{pid}]{odd}{cells}{name}");
                if let Some((one, length)) = ends.line(&format!("{printed}{next}"), &columns) {
                    prop_assert_eq!(length, printed.len() + 1);
                    prop_assert_eq!(row(printed.trim_ascii_end(), &columns), Some(one));
                }
            }
        }
    }

    #[test]
    fn a_row_is_read_under_the_one_before_it_and_elsewhere() {
        let mut ends = Ends::default();
        for (cells, expected) in [
            ("     0    12    74798    23376   487424        0           969 ", (12, 23_376, 487_424, 969)),
            ("  1000   345  7474798   123376    87424     1000          -998 ", (345, 123_376, 87_424, -998)),
            ("  1000 99345  7474798   123376 12387424     1000             0 ", (99_345, 123_376, 12_387_424, 0)),
            ("     0    12    74798    23376   487424        0           969 ", (12, 23_376, 487_424, 969)),
        ] {
            let (row, _) = ends.line(&format!("[   1234]{cells}worker\nOct 12 19:00:20"), &columns()).unwrap();
            assert_eq!((row.tgid, row.rss, row.page_table_bytes, row.adj), expected, "{cells}");
        }
    }

    #[test]
    fn a_row_is_read_where_it_stands_up_to_its_end() {
        let read = |text| Ends::default().line(text, &columns()).map(|(row, length)| (row.name, row.adj, length));
        let printed = "[      9]     1     9        5        4     4096        0          -998 tmux: client\r\nrest";
        assert_eq!(read(printed), Some(("tmux: client".into(), -998, printed.len() - 4)));
        for text in ["[ 9] 1 9 5 4 4096 0 0 worker1\n", "[ 9] 1 9 5 4 4096 0 0\n1 a\n", "[ 9] 1 9 5 4 4096 0 0 worker"]
        {
            assert_eq!(read(text), None, "{text} may go on, or is no row");
        }
    }
}
