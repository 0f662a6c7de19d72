//! One GOMEMLIMIT for several processes.

use super::{Finding, Level, Subject};
use crate::lint::program::Part;
use crate::lint::runtime::go;
use crate::lint::script::is_shell;

super::rule!("go-memlimit-multiproc", Warning, Program(judge));

/// Programs that start others and stay.
const PARENTS: [&str; 7] = ["supervisord", "s6-svscan", "runsvdir", "foreman", "honcho", "overmind", "parallel"];

/// Commands of a script that are no program of Go: the shell's own, and small tools.
const TOOLS: [&str; 34] = [
    "wait", "trap", "kill", "sleep", "exit", "true", "exec", "set", "export", "cd", "test", "[", "if", "while",
    "until", "for", "done", "fi", "}", "echo", "printf", "tail", "cat", "touch", "mkdir", "chmod", "chown", "cp", "mv",
    "ln", "rm", "date", "nc", "tee",
];

fn judge<'a>(subject: &Subject<'_, 'a>) -> Vec<Finding<'a>> {
    let Some(it) = go::memory_limit(subject).filter(|it| it.bytes.is_some()) else { return Vec::new() };
    let program = subject.program;
    let parent = PARENTS.iter().find(|name| program.runs(name));
    // `a & b`: a script that leaves a process behind in the background and starts another.
    let words = &program.words;
    let is_left = |at: &usize| words[..*at].iter().rev().find(|word| word.starts).is_some_and(is_program);
    // What only waits for it is no second one.
    let mut background = (0..words.len()).filter(|at| words[*at].text == "&").filter(is_left);
    let background = background.find(|at| words[at + 1..].iter().any(|word| word.starts && is_program(word)));
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

/// A command that may be one of Go.
fn is_program(word: &Part<'_>) -> bool {
    let name = word.text.rsplit('/').next().unwrap_or("").trim_start_matches('(');
    let is_assignment = word.text.contains('=') && !word.text.starts_with('-');
    !name.is_empty() && !is_assignment && !is_shell(name) && !TOOLS.contains(&name)
}

#[cfg(test)]
mod tests {
    use crate::lint::{Source, lint};

    #[test]
    fn one_program_and_what_waits_for_it_are_one_process() {
        let found = |script: &str| {
            let text = format!(
                "kind: Pod\napiVersion: v1\nmetadata: {{name: a}}\nspec:\n  containers:\n  - name: a\n    image: \
                 registry/a:1\n    command: [sh, -c, '{script}']\n    env: [{{name: GOMEMLIMIT, value: 400MiB}}]\n    \
                 resources: {{limits: {{memory: 512Mi}}}}\n"
            );
            let document = lint(&[Source { name: "a.yaml".into(), text }]);
            document.findings.iter().any(|it| it.rule == "go-memlimit-multiproc")
        };
        for one in [
            "(sleep 5; touch /ready) & exec /app",
            "/app & PID=$!; wait $PID",
            "tail -F /log & exec /app",
            "/migrate; tail -F /log & exec /app",
            "/app & trap \"kill $!\" TERM; wait",
        ] {
            assert!(!found(one), "{one}");
        }
        for several in ["/cache & exec /app", "/cache & /app & wait", "sleep 1; /cache & /app"] {
            assert!(found(several), "{several}");
        }
    }
}
