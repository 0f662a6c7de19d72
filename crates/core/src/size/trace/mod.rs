//! A memory trace as CSV: `series,time_s,bytes[,limit_bytes][,heap_bytes][,rss_bytes][,cache_bytes][,oom]`.
//!
//! The header names the columns, in any order; unknown ones are passed over and said to be. Rows of one series may stand
//! among those of others and need no order. What cannot be read is counted, with the first line numbers, and the rest
//! goes on. `oom` is the kills of each row, or a counter, which never falls in the order of time.

mod cell;
mod oom;
mod order;
mod plain;
mod row;
mod series;

use std::collections::HashMap;

use memchr::memchr;

use super::history::{History, Kill, MISSING, Subject};
use crate::fact::Gap;
use crate::units::Bytes;
use order::{ordered, single};
use plain::Clock;
use row::{Row, split_quoted};
use series::Series;

/// The columns that a trace may have. `series`, `time_s` and `bytes` must be there.
const COLUMNS: [&str; WIDTH] =
    ["series", "time_s", "bytes", "limit_bytes", "heap_bytes", "rss_bytes", "cache_bytes", "oom"];
const WIDTH: usize = 8;
const SERIES: usize = 0;
const TIME: usize = 1;
const USED: usize = 2;
const LIMIT: usize = 3;
const HEAP: usize = 4;
const RSS: usize = 5;
const CACHE: usize = 6;
const OOM: usize = 7;

/// The columns of most traces.
const PLAIN: [Option<usize>; 3] = [Some(SERIES), Some(TIME), Some(USED)];

/// No time is later, in seconds: the year 5138. What is, is of another unit.
const LATEST: u64 = 100_000_000_000;

/// No program that is worth a limit uses less at its peak, in bytes: what does was written in another unit.
const SMALLEST: u64 = 64 << 10;

/// So many bad lines are named; the others are only counted.
const NAMED: usize = 8;

/// No line of a trace is longer; what is longer is no trace, and would fill the memory before its end is found.
const LONGEST_LINE: usize = 1 << 20;

/// Reads a trace piece by piece, as its bytes come.
#[derive(Debug, Default)]
pub struct Reader {
    header: Header,
    /// The beginning of a line whose end has not come yet.
    rest: Vec<u8>,
    /// Lines read so far.
    lines: u64,
    series: Vec<Series>,
    /// Whose they are, and what their rows have besides a time and an amount.
    histories: Vec<History>,
    /// Their columns `oom`, as far as they have one.
    ooms: Vec<oom::Column>,
    by_name: HashMap<Box<[u8]>, usize>,
    /// The series of the row before.
    last: usize,
    clock: Clock,
    /// Bytes of the text that are still to come, where its length was told.
    left: usize,
    /// Rows without an amount.
    unmeasured: usize,
    trace: Trace,
}

/// What the first line said.
#[derive(Debug, Default)]
enum Header {
    #[default]
    Unread,
    /// It lacks a column that must be there, or the text is no table: nothing more is read.
    Refused,
    /// Which of [`COLUMNS`] stands in each place; `None` for an unknown one.
    Read(Vec<Option<usize>>),
}

/// A trace, read.
#[derive(Debug, Default, Clone, PartialEq)]
pub struct Trace {
    /// The series, in the order of their first rows, each ordered by time.
    pub histories: Vec<History>,
    /// Rows that could not be read.
    pub bad_rows: u64,
    /// What is not known and why: columns passed over, the first bad rows by line.
    pub gaps: Vec<Gap>,
}

impl Trace {
    /// Amounts that are no bytes, by the looks of them.
    pub fn other_unit(&self) -> Option<Gap> {
        let used = self.histories.iter().flat_map(|it| &it.used).filter(|used| **used != MISSING);
        let most = used.max().filter(|most| (1..SMALLEST).contains(*most))?;
        let because =
            format!("its highest amount is {most} bytes; multiply it, if it is KiB, MiB or a share of a limit");
        Some(gap("the unit of the trace", because))
    }
}

impl Reader {
    /// Reads a text of about so many bytes: what is known to come needs no growing.
    pub fn of_length(bytes: u64) -> Self {
        Self { left: usize::try_from(bytes).unwrap_or(usize::MAX), ..Self::default() }
    }

    /// Takes the next bytes of the text.
    pub fn feed(&mut self, mut bytes: &[u8]) {
        self.left = self.left.saturating_sub(bytes.len());
        if !self.rest.is_empty() {
            let Some(end) = memchr(b'\n', bytes) else {
                return self.keep(bytes);
            };
            self.rest.extend_from_slice(&bytes[..end]);
            let line = std::mem::take(&mut self.rest);
            self.line(&line);
            bytes = &bytes[end + 1..];
        }
        while !bytes.is_empty() {
            // The usual line is read in one pass, without looking for its end first.
            if matches!(&self.header, Header::Read(columns) if *columns == PLAIN) {
                let rows = self.plain(bytes);
                if rows > 0 {
                    bytes = &bytes[rows..];
                    continue;
                }
            }
            if let Header::Read(columns) = &self.header {
                let mut row = Row::default();
                if let Some(length) = row.read(bytes, columns) {
                    self.lines += 1;
                    self.take(&row);
                    bytes = &bytes[length..];
                    continue;
                }
            }
            let Some(end) = memchr(b'\n', bytes) else {
                return self.keep(bytes);
            };
            self.line(&bytes[..end]);
            bytes = &bytes[end + 1..];
        }
    }

    /// The text ended: the trace.
    pub fn finish(mut self) -> Trace {
        if !self.rest.is_empty() {
            let line = std::mem::take(&mut self.rest);
            self.line(&line);
        }
        if matches!(self.header, Header::Unread) {
            self.trace.gaps.push(gap("the trace", "it is empty".to_owned()));
        }
        if let Some(more) = self.trace.bad_rows.checked_sub(NAMED as u64).filter(|more| *more > 0) {
            self.trace.gaps.push(gap("rows of the trace", format!("{more} more lines cannot be read")));
        }
        if !self.series.is_empty() && self.series.iter().map(Series::len).sum::<usize>() == self.unmeasured {
            self.series.clear();
            self.trace.gaps.push(gap("the trace", "none of its rows has an amount in bytes".to_owned()));
        } else if self.unmeasured > 0 {
            let rows =
                if self.unmeasured == 1 { "1 row has".to_owned() } else { format!("{} rows have", self.unmeasured) };
            self.trace.gaps.push(gap("rows of the trace", format!("{rows} no amount")));
        }
        let mut counters = 0;
        for (history, column) in self.histories.iter_mut().zip(self.ooms) {
            let (kills, counts) = column.kills();
            (history.kills, counters) = (kills, counters + usize::from(counts));
        }
        if counters > 0 {
            let because = format!(
                "in {counters} of {} series it never falls: read as a counter, each rise of which is a kill",
                self.series.len()
            );
            self.trace.gaps.push(gap("column oom", because));
        }
        let whole = |(series, history): (Series, History)| {
            let (at, used) = series.columns();
            let history = History { at, used, ..history };
            if history.at.is_sorted() { history } else { ordered(history) }
        };
        self.trace.histories = self.series.into_iter().zip(self.histories).map(whole).collect();
        let twice: usize = self.trace.histories.iter_mut().map(single).sum();
        if twice > 0 {
            let rows = if twice == 1 { "1 row stands".to_owned() } else { format!("{twice} rows stand") };
            self.trace.gaps.push(gap("rows of the trace", format!("{rows} there twice, and counted once")));
        }
        self.trace
    }

    /// The text broke off: the trace without the line that it broke off in, whose numbers may lack digits.
    pub fn finish_broken(mut self) -> Trace {
        self.rest.clear();
        self.finish()
    }

    fn keep(&mut self, bytes: &[u8]) {
        if self.rest.len() + bytes.len() > LONGEST_LINE && !matches!(self.header, Header::Refused) {
            self.header = Header::Refused;
            let because = format!("line {} is longer than 1 MiB: this is no CSV", self.lines + 1);
            self.trace.gaps.push(gap("the trace", because));
        }
        if matches!(self.header, Header::Refused) {
            self.rest.clear();
        } else {
            self.rest.extend_from_slice(bytes);
        }
    }

    /// A line without its end.
    fn line(&mut self, line: &[u8]) {
        self.lines += 1;
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.is_empty() {
            return;
        }
        match &self.header {
            Header::Refused => {}
            Header::Unread => self.header = self.header(line),
            Header::Read(columns) => match Row::parse(&split_quoted(line), columns) {
                Ok(row) => self.take(&row),
                Err(because) => self.bad(&because),
            },
        }
    }

    fn header(&mut self, line: &[u8]) -> Header {
        let line = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line);
        let mut columns = Vec::new();
        for name in split_quoted(line) {
            let name = String::from_utf8_lossy(&name).trim().to_owned();
            let known = COLUMNS.iter().position(|column| *column == name);
            match known {
                Some(known) if columns.contains(&Some(known)) => {
                    self.trace
                        .gaps
                        .push(gap(&format!("column {name}"), "it stands twice; the first is read".to_owned()));
                    columns.push(None);
                }
                Some(_) => columns.push(known),
                None => {
                    self.trace.gaps.push(gap(&format!("column {name}"), "oomph does not know it".to_owned()));
                    columns.push(None);
                }
            }
        }
        let lacking: Vec<&str> =
            [SERIES, TIME, USED].into_iter().filter(|it| !columns.contains(&Some(*it))).map(|it| COLUMNS[it]).collect();
        if lacking.is_empty() {
            return Header::Read(columns);
        }
        let because =
            format!("its first line lacks {}; it must name the columns: {}", lacking.join(", "), COLUMNS.join(","));
        self.trace.gaps.push(gap("the trace", because));
        Header::Refused
    }

    fn bad(&mut self, because: &str) {
        self.trace.bad_rows += 1;
        if self.trace.bad_rows <= NAMED as u64 {
            self.trace.gaps.push(gap(&format!("line {} of the trace", self.lines), because.to_owned()));
        }
    }

    /// Takes the rows of three plain cells that `bytes` begins with: their length.
    fn plain(&mut self, bytes: &[u8]) -> usize {
        let mut at = 0;
        loop {
            at += self.foretold(&bytes[at..]);
            let Some((name, (time, used, length))) = plain::row(&bytes[at..], &mut self.clock) else { return at };
            let series = self.series_of(name);
            at += length;
            self.lines += 1;
            self.push(series, time, used, (bytes.len() - at, length));
        }
    }

    /// Takes the rows at the beginning of `bytes` that are as foretold: their length.
    fn foretold(&mut self, bytes: &[u8]) -> usize {
        let (mut rest, mut rows) = (bytes, 0);
        let (mut last, mut clock) = (self.last, self.clock);
        let many = self.series.len();
        let Some(mut next) = self.series.get(last).map(|last| last.next) else { return 0 };
        while let Some(series) = self.series.get_mut(next)
            && let Some((time, used, length)) = plain::foretold(rest, &series.head, &mut clock)
        {
            if series.push(time, used) {
                series.settle(|| (self.left + rest.len()) / length / many);
            }
            rest = &rest[length..];
            rows += 1;
            (last, next) = (next, series.next);
        }
        (self.last, self.clock) = (last, clock);
        self.lines += rows;
        bytes.len() - rest.len()
    }

    /// Takes a row; so many bytes of rows of that length are at hand besides.
    #[inline]
    fn push(&mut self, series: usize, time: i64, used: u64, (bytes, length): (usize, usize)) {
        let many = self.series.len();
        if self.series[series].push(time, used) {
            self.series[series].settle(|| (self.left + bytes) / length / many);
        }
    }

    #[inline]
    fn take(&mut self, row: &Row) {
        if row.time.unsigned_abs() > LATEST {
            return self.bad("its time is no number of seconds; milliseconds have to be divided by 1000");
        }
        let at = self.series_of(&row.series);
        self.push(at, row.time, row.number[USED], (0, LONGEST_LINE));
        let Header::Read(columns) = &self.header else { return };
        self.unmeasured += usize::from(row.number[USED] == MISSING);
        let history = &mut self.histories[at];
        for column in columns.iter().flatten() {
            let value = row.number[*column];
            match *column {
                // No container runs under a limit of 0: where engines and cAdvisor say so, there is none.
                LIMIT if value == 0 => history.limit.push(MISSING),
                LIMIT => history.limit.push(value),
                HEAP => history.heap.push(value),
                RSS => history.rss.push(value),
                CACHE => history.cache.push(value),
                OOM if value != MISSING => {
                    let limit = row.number[LIMIT];
                    let limit = (limit != MISSING && limit > 0).then_some(Bytes(limit));
                    self.ooms[at].take(value, Kill { at: row.time, limit });
                }
                _ => {}
            }
        }
    }

    #[inline]
    fn series_of(&mut self, name: &[u8]) -> usize {
        if let Some(last) = self.series.get(self.last) {
            if *last.name == *name {
                return self.last;
            }
            let next = last.next;
            if *self.series[next].name == *name {
                self.last = next;
                return next;
            }
        }
        self.look_up(name)
    }

    #[cold]
    fn look_up(&mut self, name: &[u8]) -> usize {
        let at = if let Some(at) = self.by_name.get(name) {
            *at
        } else {
            let at = self.series.len();
            let subject = Subject { name: String::from_utf8_lossy(name).into_owned(), ..Subject::default() };
            self.histories.push(History { subject, ..History::default() });
            self.ooms.push(oom::Column::default());
            // Where series follow each other whole, one is about as long as the one before. Each foretells one other, so
            // that no order of rows makes room for more than twice as many as there are.
            let likely = self.series.last().map_or(0, Series::len);
            self.series.push(Series::new(name, at, likely));
            self.by_name.insert(name.into(), at);
            at
        };
        self.series[self.last].next = at;
        self.last = at;
        at
    }
}

fn gap(what: &str, because: String) -> Gap {
    Gap { what: what.to_owned(), because, command: String::new() }
}

#[cfg(test)]
mod tests;
