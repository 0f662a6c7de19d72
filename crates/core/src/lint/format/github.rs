//! Workflow commands of GitHub Actions: `::error file=deploy.yaml,line=3,col=5::message`, and how they are escaped
//! (actions/toolkit, packages/core/src/command.ts).

use super::{Document, DocumentFinding, Level, whole};
use crate::lint::document::Region;

pub(super) fn write(document: &Document, _: Option<Level>) -> String {
    let errors = document.parse_errors.iter().map(|error| {
        let message = format!("this document cannot be read: {}", error.message);
        command("error", &error.region, "oomph", &message)
    });
    errors.chain(document.findings.iter().map(finding)).collect()
}

fn finding(it: &DocumentFinding) -> String {
    let word = match it.level {
        Level::Error => "error",
        Level::Warning => "warning",
        Level::Info => "notice",
    };
    command(word, &it.region, &it.rule, &whole(it))
}

fn command(word: &str, at: &Region, title: &str, message: &str) -> String {
    // Columns are of one line; on several GitHub refuses them.
    let columns =
        if at.line == at.end_line { format!(",col={},endColumn={}", at.column, at.end_column) } else { String::new() };
    format!(
        "::{word} file={},line={},endLine={}{columns},title={}::{}\n",
        property(&at.path),
        at.line,
        at.end_line,
        property(title),
        text(message)
    )
}

fn text(words: &str) -> String {
    words.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(words: &str) -> String {
    text(words).replace(':', "%3A").replace(',', "%2C")
}
