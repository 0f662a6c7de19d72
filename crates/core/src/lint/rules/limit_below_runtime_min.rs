//! A limit in which no container starts.

use super::{Finding, Level, Subject};
use crate::budget::{LIMIT_LEAST, START_LEAST};

super::rule!("limit-below-runtime-min", Error, Container(judge));

fn judge<'a>(subject: &Subject<'_, 'a>) -> Vec<Finding<'a>> {
    let Some(limit) = subject.limit().filter(|limit| limit.bytes < LIMIT_LEAST) else { return Vec::new() };
    let bytes = limit.bytes;
    let finding = if bytes < START_LEAST {
        Finding::new(Level::Error, limit.place, format!("a limit of {bytes} is too small to start a container"))
            .note(format!("CRI-O refuses a limit under {START_LEAST}"))
    } else {
        Finding::new(Level::Warning, limit.place, format!("a limit of {bytes} leaves hardly room to start a container"))
    };
    vec![
        finding
            .label(format!("under {}", if bytes < START_LEAST { START_LEAST } else { LIMIT_LEAST }))
            .note("the runtime's own process (runc init) starts inside of the container's cgroup and counts")
            .help(format!("set the limit to at least {LIMIT_LEAST}, and more than the program needs")),
    ]
}
