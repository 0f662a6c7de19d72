//! Workers of Python servers other than gunicorn.

use super::{Finding, Level, Subject};
use crate::lint::program::Program;
use crate::lint::runtime::workers::{PYTHON_WORKER, workers};

super::rule!("py-workers", Info, Program(judge));

/// Program, flags, variables.
type Server = (&'static str, &'static [&'static str], &'static [&'static str]);

const SERVERS: [Server; 5] = [
    ("uvicorn", &["--workers"], &["WEB_CONCURRENCY"]),
    ("hypercorn", &["--workers", "-w"], &["WEB_CONCURRENCY"]),
    ("granian", &["--workers"], &["GRANIAN_WORKERS"]),
    ("uwsgi", &["--processes", "--workers", "-p"], &["UWSGI_PROCESSES", "UWSGI_WORKERS"]),
    ("celery", &["--concurrency", "-c"], &["CELERYD_CONCURRENCY", "CELERY_WORKER_CONCURRENCY"]),
];

/// Pools of Celery whose workers are threads, or one after the other (docs.celeryq.dev, "Concurrency").
const ONE_PROCESS: [&str; 4] = ["gevent", "eventlet", "threads", "solo"];

fn is_one_process(program: &Program<'_>) -> bool {
    let words = &program.words;
    let pool = words.iter().enumerate().find_map(|(index, word)| match &*word.text {
        "-P" | "--pool" => words.get(index + 1).map(|next| &*next.text),
        text => text.strip_prefix("--pool="),
    });
    pool.is_some_and(|pool| ONE_PROCESS.contains(&pool))
}

fn judge<'a>(subject: &Subject<'_, 'a>) -> Vec<Finding<'a>> {
    // `airflow celery worker` has settings of its own.
    let runs = |name: &str| if name == "celery" { subject.program.runs(name) } else { subject.program.names(name) };
    let Some((name, flags, variables)) = SERVERS.iter().find(|(name, ..)| runs(name)) else {
        return Vec::new();
    };
    if *name == "celery" && is_one_process(subject.program) {
        return Vec::new();
    }
    if let Some(found) = workers(subject.program, flags, variables) {
        return found.judge(subject, name, PYTHON_WORKER).into_iter().collect();
    }
    let (Some(limit), "celery") = (subject.limit(), *name) else { return Vec::new() };
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
