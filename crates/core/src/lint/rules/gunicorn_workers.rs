//! Workers of gunicorn, each with a copy of the application.

use super::{Finding, Level, Subject};
use crate::budget::margin_within;
use crate::lint::runtime::workers::{Workers, workers};
use crate::units::Bytes;

super::rule!("gunicorn-workers", Info, Program(judge));

/// What a worker of a small Python service has for itself: assumed.
pub(super) const WORKER: Bytes = Bytes::mib(80);

fn judge<'a>(subject: &Subject<'_, 'a>) -> Vec<Finding<'a>> {
    if !subject.program.names("gunicorn") && subject.program.variable("GUNICORN_CMD_ARGS").is_none() {
        return Vec::new();
    }
    let found = workers(subject.program, &["--workers", "-w"], &["WEB_CONCURRENCY", "GUNICORN_WORKERS"]);
    let found = found.or_else(|| {
        let words = subject.program.variable("GUNICORN_CMD_ARGS")?.words();
        let program = crate::lint::Program { words, ..crate::lint::Program::default() };
        workers(&program, &["--workers", "-w"], &[])
    });
    found.and_then(|found| look(subject, found, "gunicorn", WORKER)).into_iter().collect()
}

/// The finding on so many workers, where they do not fit.
pub(super) fn look<'a>(subject: &Subject<'_, 'a>, found: Workers, server: &str, each: Bytes) -> Option<Finding<'a>> {
    let limit = subject.limit()?;
    let room = Bytes(limit.bytes.0.saturating_sub(margin_within(limit.bytes, Bytes(0)).0));
    let need = Bytes(each.0.saturating_mul(found.count));
    if found.count < 2 || need <= room {
        return None;
    }
    let share = Bytes(limit.bytes.0 / found.count);
    let fitting = (room.0 / each.0).max(1);
    Some(
        Finding::new(
            Level::Info,
            found.place,
            format!("{} workers of {server} share the limit of {}: {share} each", found.count, limit.bytes),
        )
        .label("every worker has its own copy of what the application allocates")
        .related(limit.place, limit.says())
        .note(format!("budget: {} workers x {each} = {need} of {}", found.count, limit.bytes))
        .assume(format!("{each} a worker"))
        .help(format!("{fitting} of that size fit; `oomph inspect` shows what a worker has for itself")),
    )
}
