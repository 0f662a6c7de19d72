//! A collector that is switched off, with nothing to switch it on again.

use super::{Finding, Level, Subject};

super::rule!("gogc-off-without-memlimit", Error, Program(judge));

fn judge<'a>(subject: &Subject<'_, 'a>) -> Vec<Finding<'a>> {
    let program = subject.program;
    let Some(set) = program.variable("GOGC") else { return Vec::new() };
    let Some(text) = set.text() else { return Vec::new() };
    let is_off = text == "off" || text.parse::<i64>().is_ok_and(|percent| percent < 0);
    // A memory limit that the manifest does not show is one all the same, and what is not in the input may hold one.
    let is_limited = program.variable("GOMEMLIMIT").is_some_and(|set| !matches!(set.text(), Some("off" | "")));
    let is_hidden = program.variable("GOMEMLIMIT").is_none() && !program.hidden.is_empty();
    if !is_off || is_limited || is_hidden {
        return Vec::new();
    }
    let mut finding = Finding::new(Level::Error, set.node, "the collector is off, and no GOMEMLIMIT switches it on")
        .label("nothing is ever freed")
        .help("set GOMEMLIMIT below the limit, or remove GOGC");
    if let Some(limit) = subject.limit() {
        finding = finding.related(limit.place, limit.says());
    }
    vec![finding]
}
