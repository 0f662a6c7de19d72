//! What a rule is.

use super::finding::{Finding, Level};
use super::query::Query;
use super::subject::{Scene, Subject};
use super::surroundings::Surroundings;
use super::workload::Object;

/// A rule: one file in `rules`, one page, one word in the table.
#[derive(Debug)]
pub struct Rule {
    /// Its name, as people write it.
    pub id: &'static str,
    /// The gravest level that it gives.
    pub level: Level,
    /// Its page, in markdown.
    pub page: &'static str,
    /// What it looks at.
    pub judges: &'static [Judge],
}

/// How a rule looks.
#[derive(Debug, Clone, Copy)]
pub enum Judge {
    /// At every container of a pod by itself.
    Container(for<'a> fn(&Subject<'_, 'a>) -> Vec<Finding<'a>>),
    /// At every container of a pod, and every service of Docker Compose: at what it runs, against its limit.
    Program(for<'a> fn(&Subject<'_, 'a>) -> Vec<Finding<'a>>),
    /// At every pod template as a whole, and every service of Docker Compose.
    Template(for<'a> fn(&Scene<'_, 'a>) -> Vec<Finding<'a>>),
    /// At every pod template as a whole.
    Workload(for<'a> fn(&Scene<'_, 'a>) -> Vec<Finding<'a>>),
    /// At every object of the API, with or without a template.
    Object(for<'a> fn(&Object<'a>, &Surroundings<'a>) -> Vec<Finding<'a>>),
    /// At every query of an alert, a record or a panel.
    Query(for<'a> fn(&Query<'a>) -> Vec<Finding<'a>>),
}
