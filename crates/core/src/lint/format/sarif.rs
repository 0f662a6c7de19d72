//! SARIF 2.1.0 (docs.oasis-open.org/sarif), as GitHub's code scanning takes it.

use serde_json::{Value, json};

use super::{Document, DocumentFinding, Level, place, whole};
use crate::lint::document::{DocumentFix, Region};
use crate::lint::rule::Rule;
use crate::lint::rules::RULES;

pub(super) fn write(document: &Document, _: Option<Level>) -> String {
    let results: Vec<Value> = document.findings.iter().map(result).collect();
    let errors = document.parse_errors.iter().map(|error| {
        json!({
            "level": "error",
            "message": {"text": format!("this document cannot be read: {}", error.message)},
            "locations": [{"physicalLocation": physical(&error.region)}],
        })
    });
    let gaps = document.gaps.iter().map(
        |gap| json!({"level": "warning", "message": {"text": format!("not known: {}: {}", gap.what, gap.because)}}),
    );
    let notifications: Vec<Value> = errors.chain(gaps).collect();
    let run = json!({
        "tool": {"driver": {
            "name": "oomph",
            "version": env!("CARGO_PKG_VERSION"),
            "semanticVersion": env!("CARGO_PKG_VERSION"),
            "rules": RULES.iter().map(rule).collect::<Vec<_>>(),
        }},
        "invocations": [{
            "executionSuccessful": document.parse_errors.is_empty(),
            "toolExecutionNotifications": notifications,
        }],
        "columnKind": "unicodeCodePoints",
        "results": results,
    });
    let log = json!({
        "$schema": "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
        "version": "2.1.0",
        "runs": [run],
    });
    format!("{log:#}\n")
}

const fn level(level: Level) -> &'static str {
    match level {
        Level::Error => "error",
        Level::Warning => "warning",
        Level::Info => "note",
    }
}

fn rule(rule: &Rule) -> Value {
    json!({
        "id": rule.id,
        "name": rule.id,
        "shortDescription": {"text": first_paragraph(rule.page)},
        "help": {"text": rule.page, "markdown": rule.page},
        "defaultConfiguration": {"level": level(rule.level)},
    })
}

/// What a page begins with, behind its heading.
fn first_paragraph(page: &str) -> String {
    let body = page.split_once("\n\n").map_or(page, |(_, body)| body);
    body.split("\n\n").next().unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" ")
}

fn result(it: &DocumentFinding) -> Value {
    let mut location = json!({"physicalLocation": physical(&it.region)});
    if !place(it).is_empty() {
        location["logicalLocations"] = json!([{"fullyQualifiedName": place(it), "kind": "resource"}]);
    }
    let mut result = json!({
        "ruleId": it.rule,
        "level": level(it.level),
        "message": {"text": whole(it)},
        "locations": [location],
        "partialFingerprints": {"oomph/v1": it.fingerprint},
    });
    if let Some(index) = RULES.iter().position(|rule| rule.id == it.rule) {
        result["ruleIndex"] = json!(index);
    }
    let related: Vec<Value> = (1..)
        .zip(&it.related)
        .map(|(id, related)| {
            json!({"id": id, "message": {"text": related.message}, "physicalLocation": physical(&related.region)})
        })
        .collect();
    if !related.is_empty() {
        result["relatedLocations"] = Value::Array(related);
    }
    if let Some(fix) = &it.fix {
        result["fixes"] = json!([fix_of(fix, it.help.as_deref())]);
    }
    result
}

fn fix_of(fix: &DocumentFix, help: Option<&str>) -> Value {
    let changes: Vec<Value> = fix
        .edits
        .iter()
        .map(|edit| {
            json!({
                "artifactLocation": artifact(&edit.region.path),
                "replacements": [{"deletedRegion": region(&edit.region), "insertedContent": {"text": edit.text}}],
            })
        })
        .collect();
    json!({"description": {"text": help.unwrap_or("what the text can only have meant")}, "artifactChanges": changes})
}

fn physical(at: &Region) -> Value {
    json!({"artifactLocation": artifact(&at.path), "region": region(at)})
}

fn region(at: &Region) -> Value {
    json!({"startLine": at.line, "startColumn": at.column, "endLine": at.end_line, "endColumn": at.end_column})
}

/// A path as a URI reference: relative to the root of the sources, or a `file` URI where it is absolute.
fn artifact(path: &str) -> Value {
    let mut uri = String::from(if path.starts_with('/') { "file://" } else { "" });
    for byte in path.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => uri.push(byte.into()),
            _ => uri.push_str(&format!("%{byte:02X}")),
        }
    }
    if path.starts_with('/') { json!({"uri": uri}) } else { json!({"uri": uri, "uriBaseId": "%SRCROOT%"}) }
}
