//! Kernel logs as log services, APIs and scripts hand them on: tables of comma-separated values, and whole logs in one
//! string of a JSON document.
#![allow(clippy::unwrap_used, clippy::format_collect, reason = "small evidence is written as it is read")]

use oomph_core::artifact::Artifact;
use oomph_core::diagnosis::Document;
use oomph_core::why::{Ask, why};
use serde_json::json;

/// A kernel's report, without anything before its messages.
fn report() -> Vec<String> {
    let id = "ab".repeat(32);
    let pod = "/kubepods/burstable/pod11111111-2222-3333-4444-555555555555";
    [
        "app invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=999".to_owned(),
        "memory: usage 24576kB, limit 24576kB, failcnt 9".to_owned(),
        "Tasks state (memory values in pages):".to_owned(),
        "[  pid  ]   uid  tgid total_vm      rss pgtables_bytes swapents oom_score_adj name".to_owned(),
        "[     60]     0    60      250        1    40960        0          -998 pause".to_owned(),
        "[     70]     0    70     1000      500    40960        0           999 sh".to_owned(),
        "[     77]     0    77     1000      500    40960        0           999 app".to_owned(),
        format!(
            "oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=x,mems_allowed=0,oom_memcg={pod},\
             task_memcg={pod}/{id},task=app,pid=77,uid=0"
        ),
        "Memory cgroup out of memory: Killed process 77 (app) total-vm:9000kB, anon-rss:8000kB, file-rss:4kB, \
         shmem-rss:0kB, UID:0 pgtables:40kB oom_score_adj:999"
            .to_owned(),
    ]
    .to_vec()
}

fn explain(name: &str, text: impl Into<String>) -> Document {
    why(&[Artifact::new(name, text.into())], Vec::new(), Vec::new(), &Ask::default())
}

fn quoted(fields: &[&str]) -> String {
    let fields: Vec<String> = fields.iter().map(|field| format!("\"{}\"", field.replace('"', "\"\""))).collect();
    fields.join(",") + "\n"
}

/// The one kill, whole, at this time and line, on this node.
#[track_caller]
fn check(document: &Document, at: Option<&str>, node: Option<&str>, line: usize) {
    assert_eq!(document.kernel_kills.len(), 1, "{:#?}", document.kernel_kills);
    let kill = &document.kernel_kills[0];
    assert_eq!(kill.at.map(|at| at.to_string()).as_deref(), at);
    assert_eq!((kill.node.as_deref(), kill.candidates.len(), kill.victims[0].pid), (node, 3, Some(77)));
    assert_eq!(document.diagnoses[0].evidence[0].locator, format!("line {line}"));
}

#[test]
fn tables_of_log_services_are_read_in_either_order() {
    let lines = report();
    let millisecond = |n: usize| 1_772_359_499_500 + n;
    let rows: Vec<String> =
        lines.iter().enumerate().map(|(n, line)| quoted(&[&millisecond(n).to_string(), "n1", line])).collect();
    let head = "timestamp,host,message\n";
    check(&explain("a.csv", head.to_owned() + &rows.concat()), Some("2026-03-01T10:04:59.508Z"), Some("n1"), 9);
    let newest_first: String = rows.iter().rev().map(String::as_str).collect();
    check(&explain("b.csv", head.to_owned() + &newest_first), Some("2026-03-01T10:04:59.508Z"), Some("n1"), 3);
    // Kibana's dates, and Loki's labels and nanoseconds.
    let kibana: String = lines.iter().map(|line| quoted(&["Mar 1, 2026 @ 10:04:59.500", line])).collect();
    check(&explain("c.csv", "\"@timestamp\",message\n".to_owned() + &kibana), Some("2026-03-01T10:04:59.5Z"), None, 9);
    let loki = |(n, line): (usize, &String)| {
        let nanosecond = format!("{}000000", millisecond(n));
        quoted(&[
            r#"{"node":"n2","job":"kern"}"#,
            "2026-03-01 12:04:59.500",
            &format!("[ 1234.00000{n}] {line}"),
            &nanosecond,
        ])
    };
    let loki: String = lines.iter().enumerate().rev().map(loki).collect();
    check(
        &explain("d.csv", "labels,Time,Line,tsNs\n".to_owned() + &loki),
        Some("2026-03-01T10:04:59.508Z"),
        Some("n2"),
        3,
    );
    // All in one row.
    let splunk = quoted(&["2026-03-01T10:04:59.500+0000", "n1", &lines.join("\n")]);
    check(&explain("e.csv", "_time,host,_raw\n".to_owned() + &splunk), Some("2026-03-01T10:04:59.5Z"), Some("n1"), 9);
}

#[test]
fn a_lines_own_date_counts_more_than_its_rows() {
    let rows: String = report()
        .iter()
        .map(|line| quoted(&["2026-03-01T10:25:00Z", &format!("2026-03-01T10:04:59.500000+00:00 n1 kernel: {line}")]))
        .collect();
    check(&explain("a.csv", "timestamp,message\n".to_owned() + &rows), Some("2026-03-01T10:04:59.5Z"), Some("n1"), 9);
}

#[test]
fn a_broken_row_is_a_gap_and_proves_nothing() {
    let rows: Vec<String> = report().iter().map(|line| quoted(&["2026-03-01T10:04:59Z", line])).collect();
    // The row of the shell, which was first.
    let broken = |n: usize, row: &str| {
        let mut rows = rows.clone();
        rows[n] = row.to_owned();
        explain("a.csv", "timestamp,message\n".to_owned() + &rows.concat())
    };
    for row in ["\"2026-03-01T10:04:59Z\",\"[     70]     0 \"sh\"\n", "\"2026-03-01T10:04:59Z\"\n"] {
        let document = broken(5, row);
        assert_eq!(document.kernel_kills.len(), 1);
        assert!(document.kernel_kills[0].candidates.is_empty(), "a table with a hole");
        assert!(document.gaps[0].because.contains("line 7"), "{:?}", document.gaps);
        assert!(document.sources[0].because.contains("could not be read"), "{:?}", document.sources);
    }
    let cut = broken(8, rows[8].get(..90).unwrap());
    assert!(cut.gaps[0].because.contains("line 10"), "{:?}", cut.gaps);
    let whole = explain("a.csv", "timestamp,message\n".to_owned() + &rows.concat());
    assert!(whole.gaps.is_empty() && whole.sources[0].because.contains("query"), "{:?}", whole.sources);
}

#[test]
fn a_log_in_one_string_of_a_document_is_read_and_stands_on_its_line() {
    let log: String =
        report().iter().map(|line| format!("2026-03-01T10:04:59.500000+00:00 n1 kernel: {line}\n")).collect();
    let lines: Vec<&str> = log.lines().collect();
    let at = Some("2026-03-01T10:04:59.5Z");
    for (document, line) in [
        (json!({"logs": log}).to_string(), 1),
        (json!(log).to_string(), 1),
        (json!({"log": log}).to_string(), 1),
        (json!([log]).to_string(), 1),
        (json!({"rc": 0, "stdout_lines": lines}).to_string(), 1),
        (serde_json::to_string_pretty(&json!({"a": {"b": [1, 2], "node": "n1", "output": log}})).unwrap(), 8),
        // Ansible tells it twice.
        (serde_json::to_string_pretty(&json!({"changed": true, "stdout": log, "stdout_lines": lines})).unwrap(), 3),
    ] {
        check(&explain("a.json", document.clone()), at, Some("n1"), line);
    }
}

#[test]
fn an_entry_of_several_lines_stands_among_the_others() {
    let at = |n: usize| format!("2026-03-01T10:04:{:02}Z", 50 + n);
    let entries: Vec<_> = report()
        .chunks(2)
        .enumerate()
        .map(|(n, lines)| json!({"timestamp": at(n), "host": "n1", "message": lines.join("\n")}))
        .collect();
    let document = explain("a.json", serde_json::to_string_pretty(&entries).unwrap());
    check(&document, Some("2026-03-01T10:04:54Z"), Some("n1"), 19);
}

#[test]
fn lists_of_a_log_service_are_read_newest_first_too() {
    let values: Vec<_> = report()
        .into_iter()
        .enumerate()
        .map(|(n, line)| json!([format!("{}000000", 1_772_359_499_500_usize + n), line]))
        .rev()
        .collect();
    let document = json!({"data": {"result": [{"stream": {"node": "n1"}, "values": values}]}});
    let document = explain("a.json", document.to_string());
    check(&document, Some("2026-03-01T10:04:59.508Z"), None, 1);
}

#[test]
fn a_row_far_behind_others_that_are_none_is_found() {
    let broken = "\"2026-03-01T10:00:00Z\",\"eth0: link \"up\"\"\n".repeat(4000);
    let rows: String = report().iter().map(|line| quoted(&["2026-03-01T10:04:59Z", line])).collect();
    let document = explain("a.csv", format!("timestamp,message\n{broken}{rows}"));
    check(&document, Some("2026-03-01T10:04:59Z"), None, 4009);
    assert!(document.gaps[0].because.contains("line 2 and 3999 more"), "{:?}", document.gaps);
}
