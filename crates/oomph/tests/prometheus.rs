//! A fleet of known truth in a real Prometheus, sized from end to end, beside what the naive query would move; and in a
//! real VictoriaMetrics.
//!
//! `tests/prometheus/prometheus` and `tests/prometheus/victoria-metrics` start the servers; set `OOMPH_TEST_PROMETHEUS`
//! and `OOMPH_TEST_VICTORIA_METRICS` to them. `OOMPH_FLEET` is the number of containers, 100 where it is not set:
//! `benches/prometheus` takes a thousand.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test that cannot go on fails; figures are printed")]

#[path = "../../../tests/support/component.rs"]
mod component;
#[path = "prometheus/fleet.rs"]
mod fleet;
#[path = "prometheus/server.rs"]
mod server;
#[path = "prometheus/victoria.rs"]
mod victoria;

use std::collections::BTreeMap;
use std::process::{Command, Stdio};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use fleet::{DAYS, Fleet, PER_NAMESPACE, STEP, Truth};
use serde_json::Value;
use server::Prometheus;
use victoria::Victoria;

fn now() -> i64 {
    i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()).unwrap()
}

fn size(url: &str, arguments: &[&str]) -> (Option<i32>, Value, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_oomph"));
    command.args(["size", "-v", "-o", "json", "--prometheus", url]).args(arguments).stdin(Stdio::null());
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let document = serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {said}"));
    (output.status.code(), document, said)
}

#[test]
fn a_fleet_of_known_truth_is_sized_from_a_real_prometheus() {
    let Some(script) = server::script() else { return };
    let containers: u64 = std::env::var("OOMPH_FLEET").map_or(100, |text| text.parse().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("fleet.om");
    let begun = Instant::now();
    let fleet = Fleet::write(&file, "shop", containers, now() / STEP * STEP);
    println!("{containers} containers x {DAYS} days: {} samples written in {:.1?}", fleet.samples, begun.elapsed());
    let begun = Instant::now();
    let server = Prometheus::start(&script, folder.path(), &file, None);
    std::fs::remove_file(&file).unwrap();
    println!("promtool and Prometheus: {:.1?}", begun.elapsed());

    let (before, begun) = (server.spent(), Instant::now());
    let (code, document, said) = size(&server.url, &[]);
    let (took, after) = (begun.elapsed(), server.spent());
    println!("{}", said.trim());
    println!(
        "sized in {took:.1?}: {} queries, {:.1} MB over the wire, {:.1} s of the server's CPU",
        after.queries - before.queries,
        (after.bytes - before.bytes) / 1e6,
        after.cpu - before.cpu
    );
    let (before, begun) = (server.spent(), Instant::now());
    let bytes = server.naive("container_memory_working_set_bytes", fleet.from, fleet.to);
    let cpu = server.spent().cpu - before.cpu;
    println!(
        "naive container_memory_working_set_bytes, 1 query: {:.1} MB in {:.1?}, {cpu:.1} s of the server's CPU",
        bytes as f64 / 1e6,
        begun.elapsed()
    );

    assert_eq!(code, Some(1), "{said}");
    assert_eq!(fleet.truths.len() as u64, containers.div_ceil(PER_NAMESPACE) * 11);
    is_all_true(&document, &fleet);

    let (_, one, _) = size(&server.url, &["-n", "shop-00", "deployment/web"]);
    assert_eq!(by_name(&one).len(), 2, "app and proxy");
}

/// Small limits as well: the answers then come in parts.
#[test]
fn the_same_fleet_is_sized_alike_from_a_real_victoriametrics() {
    let Some(script) = victoria::script() else { return };
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("fleet.om");
    let fleet = Fleet::write(&file, "shop", PER_NAMESPACE, now() / STEP * STEP);
    let flags = "-search.maxPointsPerTimeseries=1500 -search.maxConcurrentRequests=2 -search.maxQueueDuration=50ms";
    let server = Victoria::start(&script, folder.path(), flags, &file);
    let (code, document, said) = size(&format!("{}/prometheus", server.url), &[]);
    assert_eq!(code, Some(1), "{said}");
    is_all_true(&document, &fleet);
}

/// Everything is said of the fleet that is so, and nothing else.
fn is_all_true(document: &Value, fleet: &Fleet) {
    assert_eq!(document["gaps"], Value::Array(Vec::new()));
    let found = by_name(document);
    assert_eq!(found.len(), fleet.truths.len(), "{:?}", found.keys().take(30).collect::<Vec<_>>());
    let wrong: Vec<String> = fleet.truths.iter().filter_map(|truth| differs(truth, &found)).collect();
    assert!(wrong.is_empty(), "{} of {} are wrong: {:#?}", wrong.len(), found.len(), &wrong[..wrong.len().min(12)]);
}

type Name = (String, String, String, String);

fn by_name(document: &Value) -> BTreeMap<Name, &Value> {
    let text = |it: &Value, field: &str| it[field].as_str().unwrap_or_default().to_owned();
    let name = |it| (text(it, "namespace"), text(it, "kind"), text(it, "name"), text(it, "container"));
    document["workloads"].as_array().unwrap().iter().map(|it| (name(it), it)).collect()
}

/// What is said of a workload that is not so.
fn differs(truth: &Truth, found: &BTreeMap<Name, &Value>) -> Option<String> {
    let name = (truth.namespace.clone(), truth.kind.to_owned(), truth.name.to_owned(), truth.container.to_owned());
    let Some(it) = found.get(&name) else { return Some(format!("{name:?} is not there")) };
    let facts = [
        ("replicas", it["replicas"].as_u64(), truth.replicas),
        ("peak", it["observed"]["maxBytes"].as_u64(), truth.peak),
        ("kills", it["observed"]["kills"].as_u64(), truth.kills),
        ("request", it["current"]["requestBytes"].as_u64(), truth.request),
        ("limit", it["current"]["limitBytes"].as_u64(), truth.limit),
    ];
    let mut wrong: Vec<String> = facts
        .iter()
        .filter(|(_, found, truth)| *found != Some(*truth))
        .map(|(what, found, truth)| format!("{what} {found:?}, not {truth}"))
        .collect();
    let class = it["class"].as_str().unwrap();
    if !truth.classes.contains(&class) {
        wrong.push(format!("class {class}, not {:?}: {}", truth.classes, it["classEvidence"]));
    }
    if (class == "leak") != it["proposed"].is_null() {
        wrong.push(format!("proposed {}", it["proposed"]));
    }
    (!wrong.is_empty()).then(|| format!("{name:?}: {}", wrong.join("; ")))
}
