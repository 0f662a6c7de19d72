//! Queries in alert rules and dashboards, and where each of their words stands in the file.
//!
//! [`find`] takes them out of PrometheusRules, VMRules, rule files, dashboards, and all of these inside of ConfigMaps;
//! [`parse`] reads them; rules look at one query at a time. A query that cannot be read is kept with the reason.

mod expr;
mod find;
mod metric;
mod parse;
mod places;
mod token;

pub use expr::{Expr, Grouping, Kind, Matcher, Range, Selector, is_comparison};
pub use metric::{Ratio, is_limit, is_memory, is_request, ratios};
pub use parse::parse;

pub(super) use find::find;

use std::sync::Arc;

use super::finding::{Finding, Level, Place, Words};
use super::tree::{Comment, Span};
use super::workload::Object;
use places::Places;

/// A query and what it is for.
#[derive(Debug, Clone)]
pub struct Query<'a> {
    /// The object that it stands in.
    pub object: Object<'a>,
    /// What it is for.
    pub purpose: Purpose,
    /// The alert's, record's or panel's name.
    pub name: String,
    /// Its tree, or why it has none.
    pub expr: Result<Expr, Problem>,
    /// Its own comments, in the file.
    pub comments: Vec<Comment>,
    file: usize,
    /// From the query outwards: a ConfigMap's file stands in a scalar itself.
    places: Vec<Arc<Places>>,
}

/// What a query is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Somebody is called.
    Alert,
    /// Another query reads its result.
    Record,
    /// Somebody looks at it.
    Panel,
    /// Not known: the file that holds it could not be read.
    File,
}

/// Why a query could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Where, in the query.
    pub at: Span,
    /// What was expected, and what was found.
    pub says: String,
}

impl Problem {
    pub(super) fn new(at: Span, says: impl Into<String>) -> Self {
        Self { at, says: says.into() }
    }
}

impl Query<'_> {
    /// Where a stretch of it stands in the file.
    pub fn place(&self, span: Span) -> Place {
        let span = self.places.iter().fold(span, |span, places| places.span(span));
        Place { file: self.file, span }
    }

    /// `the alert X`.
    pub fn title(&self) -> String {
        let word = match self.purpose {
            Purpose::Alert => "alert",
            Purpose::Record => "record",
            Purpose::Panel => "panel",
            Purpose::File => "file",
        };
        if self.name.is_empty() { "this query".to_owned() } else { format!("the {word} `{}`", self.name) }
    }

    /// How much a wrong number matters: an alert calls somebody or does not, a panel has a reader.
    pub fn level(&self) -> Level {
        if self.purpose == Purpose::Panel { Level::Info } else { Level::Warning }
    }

    /// A finding about a part of it.
    pub fn finding<'f>(&self, level: Level, at: Span, message: impl Into<Words>) -> Finding<'f> {
        Finding::new(level, self.place(at), message)
    }
}

#[cfg(test)]
mod tests;
