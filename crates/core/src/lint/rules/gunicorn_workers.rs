//! Workers of gunicorn, each with a copy of the application.

use super::{Finding, Subject};
use crate::lint::runtime::workers::{PYTHON_WORKER, workers};

super::rule!("gunicorn-workers", Info, Program(judge));

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
    found.and_then(|found| found.judge(subject, "gunicorn", PYTHON_WORKER)).into_iter().collect()
}
