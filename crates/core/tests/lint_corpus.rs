//! Lint against a corpus of manifests with one defect each, and of some with none.
#![allow(clippy::disallowed_methods, reason = "a test reads files")]

use oomph_core::lint::{Document, Level, Source, lint};

mod shared;

/// File, rule and line; the good ones have none at warning or above.
const DEFECTS: [(&str, &str, u32); 13] = [
    ("01-no-resources", "limit-missing", 10),
    ("03-request-only", "limit-missing", 10),
    ("04-milli-typo", "quantity-milli", 10),
    ("05-request-gt-limit", "request-gt-limit", 10),
    ("06-xmx-eq-limit", "jvm-heap-ge-limit", 12),
    ("07-maxram-100", "jvm-heap-ge-limit", 12),
    ("08-node-oldspace-eq", "node-heap-ge-limit", 12),
    ("09-gomemlimit-gt", "go-memlimit-ge-limit", 12),
    ("10-tmpfs-unbounded", "tmpfs-unbounded", 9),
    ("11-init-missing", "limit-missing", 10),
    ("16-crd-rollout", "limit-missing", 8),
    ("17-list", "limit-missing", 7),
    ("18-tiny", "limit-below-runtime-min", 4),
];

const GOOD: [&str; 5] = ["02-limit-only", "12-int-bytes", "13-half-gi", "14-pod-level", "15-limitrange"];

fn linted(name: &str) -> Option<Document> {
    let text = std::fs::read_to_string(shared::part(&format!("corpus/lint/{name}.yaml"))?).ok()?;
    Some(lint(&[Source { name: format!("{name}.yaml"), text }]))
}

#[test]
fn every_defect_is_found_on_its_line() {
    for (name, rule, line) in DEFECTS {
        let Some(document) = linted(name) else { return };
        let found = document.findings.iter().find(|finding| finding.rule == rule);
        let found = found.unwrap_or_else(|| panic!("{name}: {rule} not found"));
        assert_eq!(found.region.line, line, "{name}");
        assert!(found.level >= Level::Warning, "{name}");
    }
}

#[test]
fn nothing_is_wrong_with_the_good_ones() {
    for name in GOOD {
        let Some(document) = linted(name) else { return };
        let grave: Vec<_> = document.findings.iter().filter(|finding| finding.level > Level::Info).collect();
        assert!(grave.is_empty(), "{name}: {grave:?}");
    }
}
