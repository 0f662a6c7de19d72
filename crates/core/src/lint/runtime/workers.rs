//! Servers that multiply themselves: how many workers, and where that is said.

use crate::budget::workers::fitting;
use crate::lint::finding::{Finding, Level, Place};
use crate::lint::program::{Program, Set};
use crate::lint::subject::Subject;
use crate::units::Bytes;

/// What a worker of a small Python service has for itself: assumed.
pub(crate) const PYTHON_WORKER: Bytes = Bytes::mib(80);

/// Program, flags, variables.
pub(crate) type Server = (&'static str, &'static [&'static str], &'static [&'static str]);

/// Python servers other than gunicorn.
const PYTHON: [Server; 5] = [
    ("uvicorn", &["--workers"], &["WEB_CONCURRENCY"]),
    ("hypercorn", &["--workers", "-w"], &["WEB_CONCURRENCY"]),
    ("granian", &["--workers"], &["GRANIAN_WORKERS"]),
    ("uwsgi", &["--processes", "--workers", "-p"], &["UWSGI_PROCESSES", "UWSGI_WORKERS"]),
    ("celery", &["--concurrency", "-c"], &["CELERYD_CONCURRENCY", "CELERY_WORKER_CONCURRENCY"]),
];

/// Pools of Celery whose workers are threads, or one after the other (docs.celeryq.dev, "Concurrency").
const ONE_PROCESS: [&str; 4] = ["gevent", "eventlet", "threads", "solo"];

/// A number of workers, and where it stands.
#[derive(Debug, Clone)]
pub(crate) struct Workers<'a> {
    pub count: u64,
    pub place: Place,
    /// What stands before the number: `-w `, `--workers=`; nothing in a variable of its own.
    pub before: String,
    /// The variable that it stands in; none: the command line.
    pub variable: Option<&'a str>,
}

impl Workers<'_> {
    /// The finding on so many of a server, each of which is taken to have so much for itself, where they do not fit.
    pub(crate) fn judge<'a>(&self, subject: &Subject<'_, 'a>, server: &str, each: Bytes) -> Option<Finding<'a>> {
        let limit = subject.limit()?;
        let fitting = fitting(limit.bytes, each, Bytes(0), Bytes(0));
        if self.count < 2 || self.count <= fitting {
            return None;
        }
        let share = Bytes(limit.bytes.0 / self.count);
        let need = Bytes(each.0.saturating_mul(self.count));
        Some(
            Finding::new(
                Level::Info,
                self.place,
                format!("{} workers of {server} share the limit of {}: {share} each", self.count, limit.bytes),
            )
            .label("every worker has its own copy of what the application allocates")
            .related(limit.place, limit.says())
            .note(format!("budget: {} workers x {each} = {need} of {}", self.count, limit.bytes))
            .assume(format!("{each} a worker"))
            .help(format!("{} of that size fit; `oomph inspect` shows what a worker has for itself", fitting.max(1))),
        )
    }
}

/// From the last of these flags on the command line (`-w 4`, `-w4`, `--workers=4`), else from the first of these
/// variables that is set.
pub(crate) fn workers<'a>(program: &Program<'a>, flags: &[&str], variables: &[&str]) -> Option<Workers<'a>> {
    let words = &program.words;
    let by_flag = words.iter().enumerate().rev().find_map(|(index, word)| {
        let rest = flags.iter().find_map(|flag| word.text.strip_prefix(flag))?;
        let next = words.get(index + 1);
        let (text, place) = match rest {
            "" => (&*next?.text, next?.place),
            rest => (rest.strip_prefix('=').unwrap_or(rest), word.place),
        };
        let before = word.text.strip_suffix(text).map_or_else(|| format!("{} ", word.text), str::to_owned);
        Some(Workers { count: text.parse().ok()?, place, before, variable: word.from })
    });
    by_flag.or_else(|| {
        variables.iter().find_map(|name| {
            let set: &Set<'_> = program.variable(name)?;
            let count = set.text()?.trim().parse().ok()?;
            Some(Workers { count, place: set.node.into(), before: String::new(), variable: Some(set.name) })
        })
    })
}

/// How many gunicorn is told to start.
pub(crate) fn of_gunicorn<'a>(program: &Program<'a>) -> Option<Workers<'a>> {
    if !program.names("gunicorn") && program.variable("GUNICORN_CMD_ARGS").is_none() {
        return None;
    }
    let flags = ["--workers", "-w"];
    workers(program, &flags, &["WEB_CONCURRENCY", "GUNICORN_WORKERS"]).or_else(|| {
        let words = program.variable("GUNICORN_CMD_ARGS")?.words();
        workers(&Program { words, ..Program::default() }, &flags, &[])
    })
}

/// Another Python server that a program starts, with processes for workers.
pub(crate) fn python(program: &Program<'_>) -> Option<Server> {
    // `airflow celery worker` has settings of its own.
    let runs = |name: &str| if name == "celery" { program.runs(name) } else { program.names(name) };
    let server = PYTHON.into_iter().find(|(name, ..)| runs(name))?;
    (server.0 != "celery" || !is_one_process(program)).then_some(server)
}

fn is_one_process(program: &Program<'_>) -> bool {
    let words = &program.words;
    let pool = words.iter().enumerate().find_map(|(index, word)| match &*word.text {
        "-P" | "--pool" => words.get(index + 1).map(|next| &*next.text),
        text => text.strip_prefix("--pool="),
    });
    pool.is_some_and(|pool| ONE_PROCESS.contains(&pool))
}

/// A Ruby server that a program starts.
pub(crate) fn ruby(program: &Program<'_>) -> Option<Server> {
    let name = ["puma", "unicorn", "unicorn_rails", "rails"].into_iter().find(|name| program.runs(name))?;
    Some((name, &["--workers", "-w"], &["WEB_CONCURRENCY"]))
}

/// How many the server of a program is told to start, whichever it is.
pub(crate) fn stated<'a>(program: &Program<'a>) -> Option<Workers<'a>> {
    of_gunicorn(program).or_else(|| {
        let (_, flags, variables) = python(program).or_else(|| ruby(program))?;
        workers(program, flags, variables)
    })
}

#[cfg(test)]
mod tests {
    use crate::lint::Source;
    use crate::size::autoscaler::objects;

    /// What a manifest with this in its container says: the flag, the variable, the number.
    fn of(container: &str) -> Option<(String, Option<String>, u64)> {
        let text = format!(
            "apiVersion: v1\nkind: Pod\nmetadata: {{name: web}}\nspec: {{containers: [{{name: app, image: a, {container}}}]}}\n"
        );
        let it = objects(&[Source { name: "pod.yaml".into(), text }]).set.remove(0).workers?;
        Some((it.flag.text, it.flag.variable, it.count))
    }

    #[test]
    fn a_number_of_workers_is_told_as_it_is_written() {
        let line = |text: &str| Some((text.to_owned(), None, 4));
        assert_eq!(of("command: [gunicorn, -w, '4', app]"), line("-w 4"));
        assert_eq!(of("command: [gunicorn, -w4, app]"), line("-w4"));
        assert_eq!(of("command: [sh, -c, 'exec uvicorn --workers=4 app']"), line("--workers=4"));
        assert_eq!(of("command: [puma, -w, '4']"), line("-w 4"));
        let variable = |name: &str, text: &str| Some((text.to_owned(), Some(name.to_owned()), 4));
        let env = |name: &str, value: &str| format!("env: [{{name: {name}, value: '{value}'}}]");
        let web = env("WEB_CONCURRENCY", "4");
        assert_eq!(of(&format!("command: [gunicorn, app], {web}")), variable("WEB_CONCURRENCY", "4"));
        let arguments = env("GUNICORN_CMD_ARGS", "--threads 4 --workers 4");
        assert_eq!(of(&arguments), variable("GUNICORN_CMD_ARGS", "--workers 4"));
    }

    #[test]
    fn one_worker_no_number_and_a_program_that_is_no_server_are_none() {
        assert_eq!(of("command: [gunicorn, -w, '1', app]"), None);
        assert_eq!(of("command: [gunicorn, app]"), None);
        assert_eq!(of("command: [tar, -w, '4']"), None);
        assert_eq!(of("command: [celery, -A, app, worker, -P, gevent, -c, '500']"), None);
    }
}
