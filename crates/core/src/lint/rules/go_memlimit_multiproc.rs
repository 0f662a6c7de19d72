//! One GOMEMLIMIT for several processes.

use super::{Finding, Level, Subject};
use crate::lint::program::Part;
use crate::lint::runtime::go;

super::rule!("go-memlimit-multiproc", Warning, Program(judge));

/// Programs that start others and stay.
const PARENTS: [&str; 7] = ["supervisord", "s6-svscan", "runsvdir", "foreman", "honcho", "overmind", "parallel"];

/// Commands of a script that stays for the sake of another.
const STAYING: [&str; 6] = ["wait", "trap", "kill", "sleep", "exit", "true"];

fn judge<'a>(subject: &Subject<'_, 'a>) -> Vec<Finding<'a>> {
    let Some(it) = go::memory_limit(subject).filter(|it| it.bytes.is_some()) else { return Vec::new() };
    let program = subject.program;
    let parent = PARENTS.iter().find(|name| program.runs(name));
    // `a & b`: a script that leaves a process behind in the background and starts another.
    let background = program.words.iter().rposition(|word| word.text == "&");
    // What only waits for it is no second one.
    let is_another = |word: &Part<'_>| word.starts && !STAYING.contains(&&*word.text);
    let background = background.filter(|at| program.words[at + 1..].iter().any(is_another));
    let (place, what) = match (parent, background) {
        (Some(name), _) => (program.started(name).map(|word| word.place), format!("`{name}` starts several processes")),
        (None, Some(at)) => (Some(program.words[at].place), "this script runs several processes".to_owned()),
        (None, None) => return Vec::new(),
    };
    let mut finding =
        Finding::new(Level::Warning, it.node, "every process of the container takes GOMEMLIMIT for its own")
            .label("each Go process may grow to this, and together they exceed it")
            .help("divide it among the processes, or give each its own");
    if let Some(place) = place {
        finding = finding.related(place, what);
    }
    vec![finding]
}
