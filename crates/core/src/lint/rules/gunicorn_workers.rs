//! Workers of gunicorn, each with a copy of the application.

use super::{Finding, Subject};
use crate::lint::runtime::workers::{PYTHON_WORKER, of_gunicorn};

super::rule!("gunicorn-workers", Info, Program(judge));

fn judge<'a>(subject: &Subject<'_, 'a>) -> Vec<Finding<'a>> {
    let found = of_gunicorn(subject.program);
    found.and_then(|found| found.judge(subject, "gunicorn", PYTHON_WORKER)).into_iter().collect()
}
