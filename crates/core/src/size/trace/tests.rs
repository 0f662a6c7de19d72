use std::fmt::Write;

use proptest::prelude::*;

use super::*;

/// Time, limit, use.
type Sample = (i64, u64, u64);

fn read(text: &str) -> Trace {
    let mut reader = Reader::default();
    reader.feed(text.as_bytes());
    reader.finish()
}

#[test]
fn columns_stand_in_any_order_and_series_among_each_other() {
    let trace =
        read("oom,bytes,time_s,limit_bytes,series\n0,10,300,100,a\n,20,300,,b\n1,30,600,100,a\nfalse,40,600,200,b\n");
    assert_eq!(trace.gaps, []);
    let [a, b] = trace.histories.as_slice() else { panic!("{trace:?}") };
    assert_eq!((a.subject.name.as_str(), b.subject.name.as_str()), ("a", "b"));
    assert_eq!((&a.at, &a.used, &a.limit), (&vec![300, 600], &vec![10, 30], &vec![100, 100]));
    assert_eq!(a.kills, [Kill { at: 600, limit: Some(Bytes(100)) }]);
    assert_eq!((&b.used, &b.limit), (&vec![20, 40], &vec![MISSING, 200]));
    assert_eq!(b.kills, []);
    assert!(a.heap.is_empty(), "a column that the source does not have is empty");
}

#[test]
fn a_column_that_nobody_knows_is_passed_over_and_said_to_be() {
    let trace = read("series,cpu,time_s,bytes\na,0.5,1,2\n\"b,c\",\"x\",3,4\n");
    assert_eq!(trace.histories[0].used, [2]);
    assert_eq!(trace.histories[1].subject.name, "b,c");
    assert_eq!(trace.histories[1].used, [4]);
    assert_eq!(trace.gaps.len(), 1);
    assert_eq!(trace.gaps[0].what, "column cpu");
}

#[test]
fn a_row_that_stands_there_twice_counts_once_and_two_amounts_of_one_moment_both() {
    let trace = read("series,time_s,bytes,limit_bytes\na,1,5,9\na,1,5,9\na,2,5,9\na,2,6,9\n");
    assert_eq!((&trace.histories[0].at, &trace.histories[0].used), (&vec![1, 2, 2], &vec![5, 5, 6]));
    assert_eq!(trace.gaps[0].because, "1 row stands there twice, and counted once");
}

#[test]
fn a_cell_that_cannot_be_read_is_named() {
    let trace = read("series,time_s,bytes\na,1,300Mi\n");
    assert_eq!(trace.gaps[0].because, "bytes \"300Mi\": no number; amounts are whole bytes, times seconds");
    let small = read("series,time_s,bytes\na,1,300\n").other_unit().unwrap();
    assert!(small.because.starts_with("its highest amount is 300 bytes"), "{small:?}");
}

#[test]
fn an_oom_that_never_falls_and_stays_up_is_a_counter() {
    let of = |values: &[u64]| {
        let mut text = "series,time_s,bytes,oom\n".to_owned();
        for (value, at) in values.iter().zip(1..) {
            writeln!(text, "a,{at},5,{value}").unwrap();
        }
        let trace = read(&text);
        (trace.histories[0].kills.iter().map(|kill| kill.at).collect::<Vec<_>>(), trace.gaps.len())
    };
    assert_eq!(of(&[0, 0, 1, 1, 1, 3, 3]), (vec![3, 6, 6], 1));
    assert_eq!(of(&[7, 7, 7, 8]), (vec![4], 1), "what it began with happened before");
    assert_eq!(of(&[0, 1, 0, 1, 0]), (vec![2, 4], 0));
    assert_eq!(of(&[0, 0, 0, 1]), (vec![4], 0));
}

/// When these rows of times and cells of the column `oom` tell of kills.
fn killed(rows: &[(i64, &str)]) -> Vec<i64> {
    let mut text = "series,time_s,bytes,oom\n".to_owned();
    for (at, oom) in rows {
        writeln!(text, "a,{at},5,{oom}").unwrap();
    }
    read(&text).histories[0].kills.iter().map(|kill| kill.at).collect()
}

#[test]
fn a_counter_is_read_in_the_order_of_time_and_each_moment_once() {
    let rows: [(i64, &str); 4] = [(1, "0"), (2, "1"), (3, "1"), (4, "3")];
    let newest_first: Vec<(i64, &str)> = rows.iter().rev().copied().collect();
    for rows in [rows.to_vec(), newest_first, [rows, rows].concat()] {
        assert_eq!(killed(&rows), [2, 4, 4], "{rows:?}");
    }
}

#[test]
fn rows_that_are_all_kills_are_no_counter() {
    assert_eq!(killed(&[(1, "true"), (2, "true"), (3, "true")]), [1, 2, 3]);
    assert_eq!(killed(&[(1, "1"), (2, "1"), (3, "1"), (4, "1")]), [1, 2, 3, 4]);
    assert_eq!(killed(&[(1, "0"), (2, "0"), (3, "1"), (4, "1"), (5, "1")]), [3, 4, 5], "a crash loop at the end");
    assert_eq!(killed(&[(1, "false"), (2, "true"), (3, "true")]), [2, 3]);
    assert_eq!(killed(&[(7, "2")]), [7, 7], "a row alone tells of its own kills");
    assert_eq!(killed(&[(7, "true")]), [7]);
    let stays_up: Vec<(i64, &str)> = (1..20).map(|at| (at, if at < 5 { "0" } else { "1" })).collect();
    assert_eq!(killed(&stays_up), [5]);
}

#[test]
fn a_kill_whose_row_stands_there_twice_is_counted_once() {
    let trace = read("series,time_s,bytes,limit_bytes,oom\na,1,5,9,0\na,2,5,9,1\na,2,5,9,1\na,3,5,9,0\n");
    assert_eq!(trace.histories[0].kills, [Kill { at: 2, limit: Some(Bytes(9)) }]);
    assert_eq!(trace.gaps[0].because, "1 row stands there twice, and counted once");
}

#[test]
fn bad_rows_are_counted_with_their_lines_and_the_rest_is_read() {
    let trace = read("series,time_s,bytes\na,1,2\na,x,3\n\na,2,-3\na,3\na,4,5,6\na,5,1.5e3\r\na,6,NaN\na,7,8");
    let [a] = trace.histories.as_slice() else { panic!("{trace:?}") };
    assert_eq!(a.at, [1, 3, 5, 6, 7]);
    assert_eq!(a.used, [2, MISSING, 1500, MISSING, 8]);
    assert_eq!(trace.bad_rows, 3);
    let lines: Vec<&str> = trace.gaps.iter().map(|gap| gap.what.as_str()).collect();
    assert_eq!(lines, ["line 3 of the trace", "line 5 of the trace", "line 7 of the trace", "rows of the trace"]);
    assert_eq!(trace.gaps[3].because, "2 rows have no amount");

    let many = "series,time_s,bytes\n".to_owned() + &"?\n".repeat(30);
    let trace = read(&many);
    assert_eq!((trace.bad_rows, trace.gaps.len()), (30, NAMED + 1));
    assert!(trace.gaps[NAMED].because.contains("22 more"), "{:?}", trace.gaps);
}

#[test]
fn rows_that_come_late_are_put_into_order() {
    let trace = read("series,time_s,bytes,oom\na,9,1,1\na,3,2,1\na,6,3,0\n");
    assert_eq!((&trace.histories[0].at, &trace.histories[0].used), (&vec![3, 6, 9], &vec![2, 3, 1]));
    assert_eq!(trace.histories[0].kills.iter().map(|kill| kill.at).collect::<Vec<_>>(), [3, 9]);
}

#[test]
fn what_is_no_trace_gives_a_gap_and_nothing_else() {
    for text in ["", "\n", "hello\nworld\n", "series,bytes\na,1\n"] {
        let trace = read(text);
        assert_eq!(trace.histories, [], "{text:?}");
        assert_eq!(trace.bad_rows, 0, "{text:?}");
        assert!(!trace.gaps.is_empty(), "{text:?}");
    }
    let mut reader = Reader::default();
    for _ in 0..3 {
        reader.feed(&vec![b'x'; LONGEST_LINE]);
    }
    assert!(reader.rest.len() <= LONGEST_LINE, "a line without an end does not fill the memory");
    assert!(reader.finish().gaps[0].because.contains("longer"));
}

#[test]
fn what_no_machine_has_and_no_clock_says_is_refused_and_a_limit_of_nothing_is_none() {
    let read = |rows: &str| {
        let mut reader = Reader::default();
        reader.feed(format!("series,time_s,bytes,limit_bytes\n{rows}").as_bytes());
        reader.finish()
    };
    for (row, says) in [
        ("a,1,10000000000000000000,", "more memory than any machine has"),
        ("a,1,-5,", "negative"),
        ("a,1800000000000,5,", "milliseconds"),
        ("a,1,5Mi,", "no number"),
    ] {
        let trace = read(row);
        assert!(trace.histories.is_empty() && trace.gaps[0].because.contains(says), "{row}: {:?}", trace.gaps);
    }
    for limit in ["0", "max", "9223372036854771712", "18446744073709551615", ""] {
        let trace = read(&format!("a,1,5,{limit}\n"));
        assert_eq!((trace.bad_rows, &trace.histories[0].limit[..]), (0, &[MISSING][..]), "{limit}");
    }
    let trace = read("a,1,NaN,\na,2,,\n");
    assert!(trace.histories.is_empty() && trace.gaps[0].because.contains("none of its rows"), "{:?}", trace.gaps);
}

#[test]
fn the_line_in_which_a_text_breaks_off_is_not_read() {
    let mut reader = Reader::default();
    reader.feed(b"series,time_s,bytes\na,1800000000,100\na,18");
    assert_eq!(reader.finish_broken().histories[0].at, [1_800_000_000]);
}

proptest! {
    /// The pieces in which a text comes do not matter, and what was written is what is read.
    #[test]
    fn any_rows_survive_any_pieces(
        rows in prop::collection::vec(("[a-c]{1,3}|\"x,y\"", -5_i64..1 << 36, prop::option::of(0_u64..1 << 62), 0_u64..3), 0..40),
        piece in 1_usize..40,
        crlf: bool,
    ) {
        let end = if crlf { "\r\n" } else { "\n" };
        let mut text = format!("series,time_s,limit_bytes,bytes{end}");
        let mut expected: Vec<(String, Vec<Sample>)> = Vec::new();
        for (name, at, limit, used) in &rows {
            let limit_cell = limit.map(|limit| limit.to_string()).unwrap_or_default();
            write!(text, "{name},{at},{limit_cell},{used}{end}").unwrap();
            // No limit, as engines and cgroups write it.
            let in_force = limit.filter(|limit| *limit > 0 && *limit < 1_000_000_000_000_000_000);
            let row = (*at, in_force.unwrap_or(MISSING), *used);
            let name = name.trim_matches('"');
            match expected.iter_mut().find(|(known, _)| known == name) {
                Some((_, rows)) => rows.push(row),
                None => expected.push((name.to_owned(), vec![row])),
            }
        }
        let mut reader = Reader::default();
        for piece in text.as_bytes().chunks(piece) {
            reader.feed(piece);
        }
        let trace = reader.finish();
        prop_assert_eq!(&trace.gaps, &[]);
        prop_assert_eq!(trace.histories.len(), expected.len());
        for (history, (name, mut rows)) in trace.histories.iter().zip(expected) {
            rows.sort_by_key(|row| row.0);
            prop_assert_eq!(&history.subject.name, &name);
            let got: Vec<_> = history.at.iter().zip(&history.limit).zip(&history.used).map(|((at, limit), used)| (*at, *limit, *used)).collect();
            prop_assert_eq!(got, rows);
        }
    }

    /// The short way of rows that are foretold reads what the long way reads, which lines take that come in pieces.
    #[test]
    fn rows_that_follow_each_other_as_before_are_read_as_any_others(
        round in prop::collection::vec(("[a-b]{0,2}|[ab]{6,9}|[ab]{14,18}|a{30}|\"a,b\"|a,b|\"a|a\"b|\"\"\"a\"", 0_u64..4, 0_u64..19), 1..5),
        times in prop::collection::vec(prop_oneof![0_u64..1 << 37, 1_799_999_990_u64..1_800_000_010, LATEST - 3..LATEST + 3], 1..12),
    ) {
        let mut text = String::from("series,time_s,bytes\n");
        for time in times {
            for (name, later, used) in &round {
                writeln!(text, "{name},{},{}", time + later, 10_u64.pow(u32::try_from(*used).unwrap()) - 1).unwrap();
            }
        }
        let (mut whole, mut pieces) = (Reader::default(), Reader::default());
        whole.feed(text.as_bytes());
        text.as_bytes().chunks(1).for_each(|piece| pieces.feed(piece));
        prop_assert_eq!(whole.finish(), pieces.finish());
    }

    #[test]
    fn any_bytes_are_survived(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let mut reader = Reader::default();
        reader.feed(b"series,time_s,bytes\n");
        reader.feed(&bytes);
        let _ = reader.finish();
    }
}
