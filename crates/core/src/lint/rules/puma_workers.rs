//! Workers of Ruby servers.

use super::{Finding, Subject};
use crate::lint::runtime::workers::workers;
use crate::units::Bytes;

super::rule!("puma-workers", Info, Program(judge));

/// What a worker of a Rails service has for itself: assumed.
const WORKER: Bytes = Bytes::mib(150);

fn judge<'a>(subject: &Subject<'_, 'a>) -> Vec<Finding<'a>> {
    let server = ["puma", "unicorn", "unicorn_rails", "rails"].into_iter().find(|name| subject.program.runs(name));
    let Some(server) = server else { return Vec::new() };
    let found = workers(subject.program, &["--workers", "-w"], &["WEB_CONCURRENCY"]);
    found.and_then(|found| found.judge(subject, server, WORKER)).into_iter().collect()
}
