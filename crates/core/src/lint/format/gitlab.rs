//! GitLab's code quality report: Code Climate's issues, of which GitLab reads description, check name, fingerprint,
//! severity and place (docs.gitlab.com, ci/testing/code_quality).

use serde_json::{Value, json};

use super::{Document, Level, whole};
use crate::lint::document::Region;

pub(super) fn write(document: &Document, _: Option<Level>) -> String {
    let errors = document.parse_errors.iter().enumerate().map(|(number, error)| {
        let fingerprint = format!("{}:{number}:{}", error.region.path, error.message);
        issue(&format!("cannot be read: {}", error.message), "oomph", &fingerprint, "critical", &error.region)
    });
    let findings = document.findings.iter().map(|it| {
        let severity = match it.level {
            Level::Error => "major",
            Level::Warning => "minor",
            Level::Info => "info",
        };
        issue(&whole(it), &it.rule, &it.fingerprint, severity, &it.region)
    });
    let issues: Vec<Value> = errors.chain(findings).collect();
    format!("{:#}\n", Value::Array(issues))
}

fn issue(description: &str, rule: &str, fingerprint: &str, severity: &str, at: &Region) -> Value {
    json!({
        "type": "issue",
        "check_name": rule,
        "description": description,
        "fingerprint": fingerprint,
        "severity": severity,
        "location": {"path": at.path, "lines": {"begin": at.line, "end": at.end_line}},
    })
}
