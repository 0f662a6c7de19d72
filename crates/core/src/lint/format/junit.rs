//! JUnit XML: a suite for each file with findings, a case for each of them, failed from the level on that fails the run.
//! A run without findings has one case that passed, since readers take an empty report for a missing one.

use std::collections::BTreeMap;

use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesText, Event};

use super::{Document, DocumentFinding, Level, place, whole};
use crate::lint::document::ParseError;

/// What is said of a file.
#[derive(Default)]
struct Suite<'d> {
    errors: Vec<&'d ParseError>,
    findings: Vec<&'d DocumentFinding>,
}

pub(super) fn write(document: &Document, fails: Option<Level>) -> String {
    let mut suites: BTreeMap<&str, Suite<'_>> = BTreeMap::new();
    for error in &document.parse_errors {
        suites.entry(&error.region.path).or_default().errors.push(error);
    }
    for finding in &document.findings {
        suites.entry(&finding.region.path).or_default().findings.push(finding);
    }
    if suites.is_empty() {
        suites.insert("oomph lint", Suite::default());
    }
    let is_failure = |it: &DocumentFinding| fails.is_some_and(|from| it.level >= from);
    let mut writer = Writer::new_with_indent(Vec::new(), b' ', 2);
    let written = writer.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None))).and_then(|()| {
        writer.create_element("testsuites").with_attribute(("name", "oomph lint")).write_inner_content(|writer| {
            suites.iter().try_for_each(|(path, suite)| write_suite(writer, path, suite, is_failure))
        })
    });
    written.map(|_| ()).expect("memory takes all that is written");
    let mut text = String::from_utf8(writer.into_inner()).expect("what was written are strings");
    text.push('\n');
    text
}

fn write_suite(
    writer: &mut Writer<Vec<u8>>,
    path: &str,
    suite: &Suite<'_>,
    is_failure: impl Fn(&DocumentFinding) -> bool,
) -> std::io::Result<()> {
    let empty = suite.errors.is_empty() && suite.findings.is_empty();
    let tests = (suite.errors.len() + suite.findings.len() + usize::from(empty)).to_string();
    let failures = suite.findings.iter().filter(|it| is_failure(it)).count().to_string();
    let errors = suite.errors.len().to_string();
    let element = writer.create_element("testsuite").with_attributes([
        ("name", clean(path).as_str()),
        ("tests", tests.as_str()),
        ("failures", failures.as_str()),
        ("errors", errors.as_str()),
    ]);
    element
        .write_inner_content(|writer| {
            for error in &suite.errors {
                let line = format!("line {}: {}", error.region.line, error.message);
                case(writer, "the document can be read", path, Some(("error", "error", &error.message, &line)))?;
            }
            for it in &suite.findings {
                let name = format!("{}: {} (line {})", it.rule, place(it), it.region.line);
                let text = format!("{path}:{}:{}\n{}", it.region.line, it.region.column, whole(it));
                let failure = is_failure(it).then_some(("failure", it.level.word(), &*it.message, text.as_str()));
                case(writer, &name, path, failure)?;
            }
            if empty { case(writer, "no findings", path, None) } else { Ok(()) }
        })
        .map(|_| ())
}

/// A case, with the element, type, message and text of what failed.
fn case(
    writer: &mut Writer<Vec<u8>>,
    name: &str,
    class: &str,
    failure: Option<(&str, &str, &str, &str)>,
) -> std::io::Result<()> {
    let (name, class) = (clean(name), clean(class));
    let element =
        writer.create_element("testcase").with_attributes([("name", name.as_str()), ("classname", class.as_str())]);
    let Some((word, kind, message, text)) = failure else { return element.write_empty().map(|_| ()) };
    let (message, text) = (clean(message), clean(text));
    element
        .write_inner_content(|writer| {
            let failed = writer.create_element(word).with_attributes([("type", kind), ("message", message.as_str())]);
            failed.write_text_content(BytesText::new(&text)).map(|_| ())
        })
        .map(|_| ())
}

/// Without the characters that XML 1.0 cannot say.
fn clean(words: &str) -> String {
    words
        .chars()
        .filter(|it| !it.is_control() || matches!(it, '\n' | '\t'))
        .filter(|it| !matches!(it, '\u{fffe}' | '\u{ffff}'))
        .collect()
}
