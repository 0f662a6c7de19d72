//! A GOMEMLIMIT that the kernel's limit comes before.

use super::{Finding, Level, Subject};
use crate::budget::{golang, scaled};
use crate::lint::runtime::go;
use crate::units::Bytes;

super::rule!("go-memlimit-ge-limit", Error, Program(judge));

/// Go's guide asks for 5 to 10 % for what the runtime does not count.
const MOST: u64 = 95;

fn judge<'a>(subject: &Subject<'_, 'a>) -> Vec<Finding<'a>> {
    let (Some(limit), Some(it)) = (subject.limit(), go::memory_limit(subject)) else { return Vec::new() };
    let Some(bytes) = it.bytes.filter(|bytes| *bytes >= scaled(limit.bytes, MOST, 100)) else { return Vec::new() };
    let percent = u128::from(bytes.0) * 100 / u128::from(limit.bytes.0.max(1));
    let message = format!("GOMEMLIMIT of {bytes} is {percent} % of the limit of {}", limit.bytes);
    let label = match it.field {
        Some(field) => format!("{field} itself: {bytes}"),
        None => "the collector comes under pressure only here".to_owned(),
    };
    let fitting = golang::memory_limit(limit.bytes, Bytes(0), Bytes(0));
    let fitting = fitting.map_or_else(|| "raise the limit".to_owned(), golang::variable);
    vec![
        Finding::new(Level::Error, it.set.node, message)
            .label(label)
            .related(limit.place, limit.says())
            .note("stacks of C code, mapped files, the binary and the kernel's memory for it are not in Go's count")
            .help(format!("GOMEMLIMIT={fitting} for this limit, less what Go does not count")),
    ]
}
