//! Queries that could not be read, so that nothing is hidden in them.

use super::{Finding, Level, Query};
use crate::lint::query::Purpose;

super::rule!("query-unread", Info, Query(judge));

fn judge<'a>(query: &Query<'a>) -> Vec<Finding<'a>> {
    let Err(problem) = &query.expr else { return Vec::new() };
    let what = if query.purpose == Purpose::File { "queries in" } else { "the query of" };
    let message = format!("{what} {} cannot be checked: {}", query.title(), problem.says);
    vec![query.finding(Level::Info, problem.at, message).label("read as PromQL up to here")]
}
