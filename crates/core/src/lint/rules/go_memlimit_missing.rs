//! Go without a memory limit.

use super::{Finding, Level, Subject};
use crate::budget::golang;
use crate::units::Bytes;

super::rule!("go-memlimit-missing", Info, Program(judge));

/// Variables that only Go's runtime reads.
const SIGNS: [&str; 4] = ["GOGC", "GOMAXPROCS", "GODEBUG", "GOTRACEBACK"];

fn judge<'a>(subject: &Subject<'_, 'a>) -> Vec<Finding<'a>> {
    let program = subject.program;
    let Some(limit) = subject.limit() else { return Vec::new() };
    let sign = SIGNS.iter().find_map(|name| program.variable(name));
    let image = subject.container.image.is_some_and(|image| image.name.contains("golang"));
    if program.variable("GOMEMLIMIT").is_some() || (sign.is_none() && !image) || !program.hidden.is_empty() {
        return Vec::new();
    }
    let fitting = golang::memory_limit(limit.bytes, subject.tmpfs(), Bytes(0)).map(golang::variable);
    let place = sign.map_or_else(|| subject.container.title_node(), |set| set.node);
    let finding = Finding::new(Level::Info, place, "a Go program without GOMEMLIMIT collects at twice the live heap")
        .label("the limit plays no part in when Go collects")
        .related(limit.place, limit.says())
        .assume("the program does not set its memory limit itself");
    vec![match fitting {
        Some(value) => finding.help(format!("GOMEMLIMIT={value} for this limit, less what Go does not count")),
        None => finding,
    }]
}
