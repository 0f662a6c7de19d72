//! Workers of Ruby servers.

use super::{Finding, Subject};
use crate::lint::runtime::workers::{ruby, workers};
use crate::units::Bytes;

super::rule!("puma-workers", Info, Program(judge));

/// What a worker of a Rails service has for itself: assumed.
const WORKER: Bytes = Bytes::mib(150);

fn judge<'a>(subject: &Subject<'_, 'a>) -> Vec<Finding<'a>> {
    let Some((server, flags, variables)) = ruby(subject.program) else { return Vec::new() };
    let found = workers(subject.program, flags, variables);
    found.and_then(|found| found.judge(subject, server, WORKER)).into_iter().collect()
}
