//! The task table: who could have been chosen.

use compact_str::CompactString;

use crate::digits::{after_blanks, blanks, digits};
use crate::fact::{Candidate, Victim};
use crate::units::Bytes;

/// The columns that kernels have printed between the pid and the name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Column {
    Uid,
    Tgid,
    TotalVm,
    Rss,
    /// Pages of page tables (until 4.14).
    PageTablePages,
    /// Bytes of page tables (from 4.15).
    PageTableBytes,
    Swap,
    Adj,
    /// `cpu`, `oom_adj` (2.6), `rss_anon`, `rss_file`, `rss_shmem` (6.7).
    Other,
}

/// A row as printed: sizes in pages.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) uid: u32,
    pub(super) tgid: u32,
    pub(super) total_vm: u64,
    pub(super) rss: u64,
    pub(super) page_table_pages: u64,
    pub(super) page_table_bytes: u64,
    pub(super) swap: u64,
    pub(super) adj: i32,
    pub(super) name: CompactString,
}

/// The header `[  pid  ]   uid  tgid total_vm      rss pgtables_bytes swapents oom_score_adj name`.
pub(super) fn header(text: &str) -> Option<Vec<Column>> {
    let rest = text.strip_prefix('[')?.trim_ascii_start().strip_prefix("pid")?.trim_ascii_start().strip_prefix(']')?;
    if !rest.trim_ascii_end().ends_with("name") {
        // It was cut: which columns its rows have is not known.
        return Some(vec![Column::Other]);
    }
    let columns = rest
        .split_whitespace()
        .take_while(|word| *word != "name")
        .map(|word| match word {
            "uid" => Column::Uid,
            "tgid" => Column::Tgid,
            "total_vm" => Column::TotalVm,
            "rss" => Column::Rss,
            "nr_ptes" | "nr_pmds" | "nr_puds" => Column::PageTablePages,
            "pgtables_bytes" => Column::PageTableBytes,
            "swapents" => Column::Swap,
            "oom_score_adj" => Column::Adj,
            _ => Column::Other,
        })
        .collect();
    Some(columns)
}

/// Is a text a row: a pid in brackets, and a number after it?
pub(super) fn is_row(text: &str) -> bool {
    let bytes = text.as_bytes();
    let Some(close) = bytes.iter().take(16).position(|byte| *byte == b']') else { return false };
    let pid = bytes[..close].trim_ascii();
    let pid = pid.strip_prefix(b"[").unwrap_or(pid).trim_ascii();
    let rest = bytes[close + 1..].trim_ascii_start();
    !pid.is_empty()
        && pid.iter().all(u8::is_ascii_digit)
        && rest.first().is_some_and(|byte| byte.is_ascii_digit() || *byte == b'-')
}

/// A row. Without `columns` (the header was cut off) they are guessed from how many numbers there are.
pub(super) fn row(text: &str, columns: &[Column]) -> Option<Row> {
    let pid = after_blanks(text.strip_prefix('[')?);
    let (_, length) = digits(pid.as_bytes()).filter(|(pid, _)| u32::try_from(*pid).is_ok())?;
    let fields = after_blanks(&pid[length..]).strip_prefix(']')?;
    // A row that has other fields than its header says was cut or wrapped: what stands in which is not known.
    if columns.is_empty() { guessed(fields) } else { exact(fields, columns) }
}

/// Fewer numbers than any kernel prints before the name.
pub(super) const LEAST_NUMBERS: usize = 6;

/// More columns than any kernel prints.
pub(super) const MOST_NUMBERS: usize = 16;

/// A row with a number for each column of its header.
fn exact(text: &str, columns: &[Column]) -> Option<Row> {
    if !(LEAST_NUMBERS..=MOST_NUMBERS).contains(&columns.len()) {
        return None;
    }
    let mut row = Row::default();
    let mut at = 0;
    for column in columns {
        let (value, length) = integer(&text.as_bytes()[at..])?;
        row.take(*column, value);
        at += length;
    }
    row.name = text[at..].trim_ascii().into();
    // Every process has a name: without one the last number may be the beginning of another.
    (!row.name.is_empty()).then_some(row)
}

/// A row without a header.
fn guessed(text: &str) -> Option<Row> {
    let mut numbers = Vec::with_capacity(MOST_NUMBERS);
    let mut at = 0;
    while numbers.len() < MOST_NUMBERS
        && let Some((value, length)) = integer(&text.as_bytes()[at..])
    {
        numbers.push(value);
        at += length;
    }
    if numbers.len() < LEAST_NUMBERS {
        return None;
    }
    let mut row = Row { name: text[at..].trim_ascii().into(), ..Row::default() };
    guess(&numbers).iter().zip(numbers).for_each(|(column, value)| row.take(*column, value));
    Some(row)
}

/// A whole number, which blanks may precede and a blank or the end follows, and its length with the blanks.
#[inline(always)]
#[expect(clippy::inline_always, reason = "called for every column of every row")]
fn integer(bytes: &[u8]) -> Option<(i64, usize)> {
    let before = blanks(bytes);
    let Some((value, length)) = digits(&bytes[before..]) else { return unusual(bytes) };
    let end = before + length;
    bytes.get(end).is_none_or(u8::is_ascii_whitespace).then(|| (value.cast_signed(), end))
}

/// An [`integer`] with a sign, or behind other white space than blanks.
#[cold]
fn unusual(bytes: &[u8]) -> Option<(i64, usize)> {
    let text = bytes.trim_ascii_start();
    let (negative, number) = text.strip_prefix(b"-").map_or((false, text), |number| (true, number));
    let (value, length) = digits(number)?;
    let value = value.cast_signed();
    let whole = number.get(length).is_none_or(u8::is_ascii_whitespace);
    whole.then(|| (if negative { -value } else { value }, bytes.len() - number.len() + length))
}

impl Row {
    #[inline]
    pub(super) fn take(&mut self, column: Column, value: i64) {
        let amount = u64::try_from(value).unwrap_or(0);
        match column {
            // User ids are printed signed: 4294967295 as -1.
            Column::Uid => self.uid = u32::try_from(value).unwrap_or(u32::MAX),
            Column::Tgid => self.tgid = u32::try_from(value).unwrap_or(0),
            Column::TotalVm => self.total_vm = amount,
            Column::Rss => self.rss = amount,
            Column::PageTablePages => self.page_table_pages = self.page_table_pages.saturating_add(amount),
            Column::PageTableBytes => self.page_table_bytes = amount,
            Column::Swap => self.swap = amount,
            Column::Adj => self.adj = i32::try_from(value).unwrap_or(0),
            Column::Other => {}
        }
    }

    /// The row in bytes, given the size of a page in KiB.
    pub(super) fn candidate(self, page_kib: u64) -> Candidate {
        let pages = |count: u64| Bytes::kib(count.saturating_mul(page_kib));
        Candidate {
            pid: self.tgid,
            comm: self.name,
            rss: pages(self.rss),
            pgtables: Bytes(self.page_table_bytes.saturating_add(pages(self.page_table_pages).0)),
            swap: pages(self.swap),
            oom_score_adj: self.adj,
            uid: self.uid,
        }
    }
}

/// The columns of a row whose header is missing, or that has another number of fields than it.
fn guess(numbers: &[i64]) -> Vec<Column> {
    use Column::{Adj, Other, PageTableBytes, PageTablePages, Rss, Swap, TotalVm, Uid};
    let mut columns = vec![Uid, Column::Tgid, TotalVm, Rss];
    match numbers.len() {
        7 if numbers[4] >= 4096 => columns.extend([PageTableBytes, Swap]),
        7 => columns.extend([PageTablePages, Swap]),
        8 => columns.extend([PageTablePages, PageTablePages, Swap]),
        10 => columns.extend([Other, Other, Other, PageTableBytes, Swap]),
        count => columns.extend(std::iter::repeat_n(Other, count.saturating_sub(5))),
    }
    columns.push(Adj);
    columns
}

/// The size of a page in KiB: the victim's line prints its address space in kB, its row in pages. 4 where that cannot
/// be told; arm64 and POWER also have 16 and 64.
pub(super) fn page_kib(rows: &[Row], victims: &[Victim]) -> u64 {
    victims
        .iter()
        .find_map(|victim| {
            let row = rows.iter().find(|row| Some(row.tgid) == victim.pid && row.total_vm > 0)?;
            let kib = victim.total_vm?.0 / 1024;
            [4, 16, 64].into_iter().find(|page| row.total_vm.checked_mul(*page) == Some(kib))
        })
        .unwrap_or(4)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_table_of_every_kernel_is_read() {
        for (title, line, expected) in [
            (
                "[ pid ]   uid  tgid total_vm      rss cpu oom_adj oom_score_adj name",
                "[ 1046]  1066  1046   228537    95491   3       2           117 app",
                (95491, 0, 0, 0, 117),
            ),
            (
                "[ pid ]   uid  tgid total_vm      rss nr_ptes swapents oom_score_adj name",
                "[ 1046]  1066  1046   228537    95491   300       20           -17 app",
                (95491, 300, 0, 20, -17),
            ),
            (
                "[ pid ]   uid  tgid total_vm      rss nr_ptes nr_pmds swapents oom_score_adj name",
                "[ 1046]  1066  1046   228537    95491   300   4    20           -17 app",
                (95491, 304, 0, 20, -17),
            ),
            (
                "[  pid  ]   uid  tgid total_vm      rss pgtables_bytes swapents oom_score_adj name",
                "[   1046]  1066  1046   228537    95491   106496    20           -17 app",
                (95491, 0, 106_496, 20, -17),
            ),
            (
                "[  pid  ]   uid  tgid total_vm      rss rss_anon rss_file rss_shmem pgtables_bytes swapents oom_score_adj name",
                "[   1046]  1066  1046   228537    95491   95000 400 91 106496    20           -17 app",
                (95491, 0, 106_496, 20, -17),
            ),
        ] {
            let columns = header(title).unwrap();
            let row = row(line, &columns).unwrap();
            assert_eq!((row.uid, row.tgid, row.total_vm, row.name.as_str()), (1066, 1046, 228_537, "app"));
            assert_eq!((row.rss, row.page_table_pages, row.page_table_bytes, row.swap, row.adj), expected, "{title}");
        }
    }

    #[test]
    fn a_name_of_digits_or_words_is_a_name() {
        let columns = header("[ pid ] uid tgid total_vm rss pgtables_bytes swapents oom_score_adj name").unwrap();
        assert_eq!(row("[ 9] 1 9 5 4 4096 0 0 tmux: client", &columns).unwrap().name, "tmux: client");
        assert_eq!(row("[ 9] 1 9 5 4 4096 0 0 12345", &columns).unwrap().name, "12345");
        let signed = row("[ 9] -1\t9 5 4 4096 \t0 -998 \u{e9}t\u{e9}", &columns).unwrap();
        assert_eq!((signed.uid, signed.adj, signed.name.as_str()), (u32::MAX, -998, "\u{e9}t\u{e9}"));
    }

    proptest! {
        #[test]
        fn numbers_are_read_as_the_library_reads_them(text in "[ \t]{0,9}-?[0-9]{0,19}[ \t,a\u{e9}]?.{0,9}") {
            let number = text.trim_ascii_start().split(|letter: char| letter.is_ascii_whitespace()).next().unwrap();
            let digits = number.strip_prefix('-').unwrap_or(number);
            let whole = (1..=18).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
            let before = text.len() - text.trim_ascii_start().len();
            let expected = whole.then(|| (number.parse().unwrap(), before + number.len()));
            prop_assert_eq!(integer(text.as_bytes()), expected);
        }
    }

    #[test]
    fn a_row_without_header_is_read_by_its_length() {
        let row =
            row("[ 5801]  1000  5801   542739   390808     774       6        0             -5 app", &[]).unwrap();
        assert_eq!((row.rss, row.page_table_pages, row.adj), (390_808, 780, -5));
        assert_eq!(super::row("[ 12] hello 1 2 3", &[]), None);
        assert_eq!(super::row("[12.5] 1 2 3 4 5 6 7 a", &[]), None);
    }

    #[test]
    fn pages_of_arm64_are_told_by_the_victim() {
        let rows = [Row { tgid: 7, total_vm: 100, rss: 10, ..Row::default() }];
        let victim = |kib| [Victim { pid: Some(7), total_vm: Some(Bytes::kib(kib)), ..Victim::default() }];
        assert_eq!(page_kib(&rows, &victim(6400)), 64);
        assert_eq!(page_kib(&rows, &victim(400)), 4);
        assert_eq!(page_kib(&rows, &victim(123)), 4);
        assert_eq!(page_kib(&rows, &[]), 4);
    }
}
