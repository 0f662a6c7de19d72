#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use proptest::prelude::*;

use super::{Expr, Kind, parse};
use crate::lint::{Document, Level, Source, lint};

fn linted(text: &str) -> Document {
    lint(&[Source { name: "rules.yaml".into(), text: text.to_owned() }])
}

/// Rule, and the words that it points at.
fn found(text: &str) -> Vec<(String, String)> {
    let document = linted(text);
    let words = |it: crate::lint::DocumentFinding| (it.rule, text[it.region.place.unwrap().span.range()].to_owned());
    document.findings.into_iter().map(words).collect()
}

fn kind(text: &str) -> Kind {
    parse(text).unwrap_or_else(|problem| panic!("{text}: {problem:?}")).kind
}

#[test]
fn the_grammar_is_read() {
    for text in [
        "1 + 2 * -3 ^ 2",
        "up{job=\"a\",instance!~'b|c',}",
        "{__name__=~\"a.*\"}",
        "{\"my.metric\", a=\"b\"}",
        "rate(x[5m:1m]) offset -1h",
        "rate(x{a=\"b\"}[5m] offset 1h30m @ end())",
        "sum by (a, b,) (x) / on (a) group_left (c) count without (d) (y) or vector(0)",
        "sum(x) by (a) > bool 0.5e-3",
        "a and ignoring (b) c unless d atan2 e",
        "topk(3, sum by (a) (rate(b[$__rate_interval])))",
        "histogram_quantile(0.9, sum by (le) (rate(x_bucket{a=~\"$pod\"}[${interval:raw}])))",
        "${metric}_total{pod=~\"[[pod]]\", ${filters}}[[[range]]]",
        "$agg by ($label) (x{a=$quoted}) > $threshold",
        "avg_over_time((sum(x) * 2)[1d:])",
        "label_replace(x, \"a\", \"$1\", \"b\", `c(.*)\\d`)",
        "namespace:x:sum # a comment\n+ y",
        "-x > 0x1F",
        "x > 512Mi",
        "NaN == Inf",
        "SUM BY (a) (x) OFFSET 5m",
    ] {
        kind(text);
    }
}

#[test]
fn operators_bind_as_in_prometheus() {
    let Kind::Binary { operator: "or", right, .. } = kind("a or b and c > d + e * f") else { panic!() };
    let Kind::Binary { operator: "and", right, .. } = &right.kind else { panic!() };
    let Kind::Binary { operator: ">", right, .. } = &right.kind else { panic!() };
    let Kind::Binary { operator: "+", right, .. } = &right.kind else { panic!() };
    assert!(matches!(&right.kind, Kind::Binary { operator: "*", .. }));
    let Kind::Binary { operator: "-", left, .. } = kind("a - b - c") else { panic!() };
    assert!(matches!(&left.kind, Kind::Binary { operator: "-", .. }));
    let Kind::Binary { operator: "^", right, .. } = kind("2 ^ 3 ^ 2") else { panic!() };
    assert!(matches!(&right.kind, Kind::Binary { operator: "^", .. }));
    assert!(matches!(kind("-1 ^ 2"), Kind::Negative(_)));
    let Kind::Binary { operator: "*", left, .. } = kind("-a * b") else { panic!() };
    assert!(matches!(&left.kind, Kind::Negative(_)));
}

#[test]
fn what_is_no_query_says_where() {
    for (text, at) in [
        ("", 0),
        ("sum(", 4),
        ("a b", 2),
        ("x{a=1}", 4),
        ("x[5m", 4),
        ("x{a=\"b", 4),
        ("x |= \"error\"", 2),
        ("5q", 0),
        ("(a", 2),
        ("é", 0),
    ] {
        let problem = parse(text).unwrap_err();
        assert_eq!(problem.at.start, at, "{text}: {problem:?}");
    }
    assert_eq!(parse(&"(".repeat(15_000)).unwrap_err().says, "nested too deeply");
    assert_eq!(parse(&format!("a{}", " + a".repeat(5_000))).unwrap_err().says, "nested too deeply");
    assert!(parse(&format!("a{}", " or a".repeat(100))).is_ok());
}

const SLOPE: &str = "rate(container_memory_rss{container=\"a\"}[5m])";

#[test]
fn a_query_is_found_where_it_stands_however_it_is_written() {
    let rule = |expr: &str| format!("groups:\n- name: g\n  rules:\n  - record: r\n    expr: {expr}\n");
    let one =
        |text: &str, words: &str| assert_eq!(found(text), [("query-slope".to_owned(), words.to_owned())], "{text}");
    one(&rule(SLOPE), SLOPE);
    one(&rule(&format!("|\n      1 +\n      {SLOPE}\n      + 2")), SLOPE);
    one(&rule(&format!(">-\n      ä + \"é\" +\n        1 + {SLOPE}")).replace("ä + \"é\"", "vector(1)"), SLOPE);
    one(&rule(&format!("'{}'", SLOPE.replace('"', "''"))), &SLOPE.replace('"', "''"));
    one(&rule(&format!("\"{}\"", SLOPE.replace('"', "\\\""))), &SLOPE.replace('"', "\\\""));
    one(&rule(&format!("1 +\n      {SLOPE}\n      + 3")), SLOPE);
    one(&rule(&format!("|\n      1 +\n      {SLOPE}\n      + 2")).replace('\n', "\r\n"), SLOPE);
    one(&rule(&format!("|2-\n      1 +\n\n\n      {SLOPE}")), SLOPE);
    let escaped = format!("\"1 \\u003e {} \\\n      \\u003c 3\"", SLOPE.replace('"', "\\u0022"));
    one(&rule(&escaped), &SLOPE.replace('"', "\\u0022"));
}

fn dashboard(targets: &str) -> String {
    format!(
        "{{\"title\": \"Memory\", \"schemaVersion\": 39, \"panels\": [{{\"type\": \"row\", \"title\": \"Row\", \"panels\": \
         [{{\"title\": \"Growth\", \"type\": \"timeseries\", \"datasource\": {{\"type\": \"prometheus\", \"uid\": \
         \"${{ds}}\"}}, \"targets\": [{targets}]}}]}}]}}"
    )
}

#[test]
fn a_panel_is_found_in_its_row_and_other_sources_are_left_alone() {
    let query = SLOPE.replace('"', "\\\"");
    let text = dashboard(&format!(
        "{{\"expr\": \"{query}\"}}, {{\"expr\": \"{{a=`b`}} |= `c`\", \"datasource\": {{\"type\": \"loki\"}}}}"
    ));
    let document = linted(&text);
    assert_eq!(found(&text), [("query-slope".to_owned(), query)]);
    assert_eq!((document.checked.queries, document.skipped.len()), (1, 0));
    let finding = &document.findings[0];
    assert_eq!(finding.level, Level::Info, "a panel has a reader");
    assert!(finding.message.starts_with("the panel `Growth`"), "{}", finding.message);
    assert_eq!(finding.object.as_ref().map(|it| (it.kind.as_str(), it.name.as_str())), Some(("Dashboard", "Memory")));
}

#[test]
fn a_file_in_a_config_map_is_found_in_the_config_map() {
    let json = dashboard(&format!("{{\"expr\": \"1 +\\n{}\"}}", SLOPE.replace('"', "\\\"")));
    let rules = format!(
        "groups:\n    - name: g\n      rules:\n      - alert: a\n        expr: |\n          1 +\n          {SLOPE}\n"
    );
    let text = format!(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: m}}\ndata:\n  d.json: |-\n    {json}\n  r.yaml: |\n    {rules}"
    );
    let words = |text: &str| ("query-slope".to_owned(), text.to_owned());
    assert_eq!(found(&text), [words(&SLOPE.replace('"', "\\\"")), words(SLOPE)]);
    // The same as helm's toJson would write it: escaped twice.
    let quoted = serde_json::to_string(&json).unwrap();
    let text = format!(
        "{{\"apiVersion\": \"v1\", \"kind\": \"ConfigMap\", \"metadata\": {{\"name\": \"m\"}}, \"data\": {{\"d.json\": {quoted}}}}}"
    );
    assert_eq!(found(&text), [words(&SLOPE.replace('"', "\\\\\\\""))]);
}

#[test]
fn what_holds_no_query_is_still_skipped_and_a_broken_file_is_named() {
    let text = "apiVersion: monitoring.coreos.com/v1\nkind: PrometheusRule\nmetadata: {name: a}\nspec: {groups: []}\n";
    assert_eq!(linted(text).skipped.len(), 1);
    let text = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: m}\ndata:\n  run.sh: |\n    expr: [ 1\n  d.json: |\n    {\"expr\": [}\n";
    let document = linted(text);
    let unread: Vec<_> = document.findings.iter().map(|it| (it.rule.as_str(), it.level, it.region.line)).collect();
    assert_eq!(unread, [("query-unread", Level::Info, 8)]);
    let text = "apiVersion: loki.grafana.com/v1\nkind: AlertingRule\nmetadata: {name: a}\nspec: {groups: [{rules: [{alert: a, expr: '{a=\"b\"} |= \"c\"'}]}]}\n";
    assert_eq!(linted(text).findings.len(), 0);
}

#[test]
fn a_suppression_reaches_a_query() {
    let text = format!(
        "groups:\n- name: g\n  rules:\n  # oomph: ignore[query-slope] seen\n  - record: r\n    expr: |\n      {SLOPE}\n"
    );
    let document = linted(&text);
    assert_eq!((document.findings.len(), document.checked.suppressed), (0, 1));
    // A comment of the query itself, at the end of a line and alone above it, also in a file of a ConfigMap.
    let map = |rule: &str| {
        format!(
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {name}\ndata:\n  r.yaml: |\n    {}\n",
            rule.replace('\n', "\n    "),
            name = "{name: m}"
        )
    };
    for query in [
        format!("{SLOPE} # oomph: ignore[query-slope] seen"),
        format!("# oomph: ignore[query-slope] seen\n      {SLOPE}\n      + 1"),
    ] {
        let text = format!("groups:\n- name: g\n  rules:\n  - record: r\n    expr: |\n      {query}\n");
        for text in [map(&text), text] {
            let document = linted(&text);
            assert_eq!((document.findings.len(), document.checked.suppressed), (0, 1), "{text}");
        }
    }
    let text = format!(
        "groups:\n- name: g\n  rules:\n  - record: r\n    expr: |\n      1 # oomph: ignore[query-slope] seen\n      + {SLOPE}\n"
    );
    assert_eq!(found(&text).len(), 2, "another line, and a suppression of nothing");
}

const QUERIES: [&str; 4] = [
    "sum(container_memory_working_set_bytes{container!=\"\"}) by (pod) / sum(kube_pod_container_resource_limits{resource=\"memory\"}) by (pod) > 0.8",
    "predict_linear(container_memory_usage_bytes{pod=~\"$pod\", a=~\"[[b]]\"}[1h:5m] offset 5m, 4 * 3600) @ end()",
    "kube_pod_container_status_last_terminated_reason{reason=\"OOMKilled\"} > 0 and on (pod) group_left () -x ^ 2",
    "rate(container_memory_rss[${__interval}]) # <- é",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn a_damaged_query_panics_nothing_and_every_place_is_in_the_text(
        which in 0..QUERIES.len(),
        cuts in prop::collection::vec((any::<prop::sample::Index>(), "[\\[\\]{}()$\"'`\\\\:,é\n# a-c0-9=~!@^|*-]{0,4}", 0..6_usize), 1..5),
        style in 0..4_usize,
    ) {
        let mut query: Vec<char> = QUERIES[which].chars().collect();
        for (at, insert, length) in cuts {
            let at = at.index(query.len() + 1);
            let end = (at + length).min(query.len());
            query.splice(at..end, insert.chars());
        }
        let query: String = query.into_iter().collect();
        match parse(&query) {
            Ok(expr) => for it in expr.all() {
                prop_assert!(query.get(it.span.range()).is_some());
            },
            Err(problem) => prop_assert!(query.get(problem.at.range()).is_some()),
        }
        let scalar = match style {
            0 => format!("|\n      {}", query.replace('\n', "\n      ")),
            1 => serde_json::to_string(&query).unwrap(),
            2 => format!("'{}'", query.replace('\'', "''")),
            _ => query.clone(),
        };
        let text = format!("groups:\n- name: g\n  rules:\n  - alert: r\n    expr: {scalar}\n");
        for finding in linted(&text).findings {
            prop_assert!(text.get(finding.region.place.unwrap().span.range()).is_some());
        }
    }

    #[test]
    fn a_word_of_a_json_string_is_found_in_it(before in "[a-z\"\\\\/<>é\u{1f600}\n ]{0,12}", name in "[a-z]{1,8}") {
        let value = format!("{before} {name} {before}");
        let json = serde_json::to_string(&value).unwrap();
        let tree = crate::lint::tree::read(0, &json);
        let node = tree.root(&tree.documents[0]);
        prop_assert_eq!(node.text(), Some(value.as_str()));
        let places = super::places::Places::of(node, &value);
        let at = super::token::span(before.len() + 1, before.len() + 1 + name.len());
        prop_assert_eq!(&json[places.span(at).range()], name);
    }
}

#[test]
fn everything_in_an_expression_is_seen_once_and_in_order() {
    let expr: Expr = parse("sum(a) / (b + c[5m:1m])").unwrap();
    let starts: Vec<u32> = expr.all().iter().map(|it| it.span.start).collect();
    assert_eq!(starts, [0, 0, 4, 9, 10, 14, 14]);
    assert_eq!(expr.selectors().count(), 3);
}
