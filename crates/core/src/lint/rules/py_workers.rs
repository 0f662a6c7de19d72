//! Workers of Python servers other than gunicorn.

use super::{Finding, Level, Subject};
use crate::lint::runtime::workers::{PYTHON_WORKER, python, workers};

super::rule!("py-workers", Info, Program(judge));

fn judge<'a>(subject: &Subject<'_, 'a>) -> Vec<Finding<'a>> {
    let Some((name, flags, variables)) = python(subject.program) else { return Vec::new() };
    if let Some(found) = workers(subject.program, flags, variables) {
        return found.judge(subject, name, PYTHON_WORKER).into_iter().collect();
    }
    let (Some(limit), "celery") = (subject.limit(), name) else { return Vec::new() };
    let is_worker = subject.program.words.iter().any(|word| word.text == "worker");
    let has_pool = subject.program.words.iter().any(|word| word.text.starts_with("--pool") || word.text == "-P");
    let Some(word) = subject.program.started("celery") else { return Vec::new() };
    if !is_worker || has_pool || subject.program.words.iter().any(|word| word.text.starts_with("--autoscale")) {
        return Vec::new();
    }
    vec![
        Finding::new(Level::Info, word.place, "celery starts as many workers as the node has processors")
            .label("no --concurrency, and the container's own CPU limit plays no part")
            .related(limit.place, limit.says())
            .help("set --concurrency to what fits the limit"),
    ]
}
