//! A document as text for people, as markdown for a ticket, and as JSON or YAML for machines.
//!
//! Everything here returns a string and prints nothing. Words that came out of evidence are cleaned of control
//! characters first: a log line must not be able to drive the reader's terminal.

use serde::Serialize;

mod backtest;
mod clean;
mod layout;
mod markdown;
mod run;
mod size;
mod style;
mod text;
mod waterfall;
mod words;

pub use backtest::{backtest_markdown, backtest_text};
pub use markdown::markdown;
pub use run::{run_brief, run_markdown, run_text};
pub use size::{
    Change, Difference, Left, changes, differences, kustomization, patches, size_markdown, size_text, svg, vpas,
};
pub use style::Style;
pub use text::{brief, text};
pub use waterfall::{waterfall_markdown, waterfall_text};

/// The width that fits every terminal, mail and ticket.
pub const WIDTH: usize = 100;

/// The document as JSON, indented, with a newline at its end.
pub fn json<T: Serialize>(document: &T) -> String {
    written(serde_json::to_string_pretty(document)) + "\n"
}

/// The document as JSON on one line, for a stream of documents.
pub fn json_line<T: Serialize>(document: &T) -> String {
    written(serde_json::to_string(document)) + "\n"
}

/// The document as YAML: the same fields as [`json`].
pub fn yaml<T: Serialize>(document: &T) -> String {
    written(serde_saphyr::to_string(document))
}

fn written<E: std::fmt::Debug>(text: Result<String, E>) -> String {
    text.expect("a document has string keys and plain numbers, and memory takes every write")
}
