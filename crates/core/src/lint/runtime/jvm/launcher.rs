//! The command line of `java`: which words are flags of the JVM, and which are the program's own arguments.

use super::{is_bare_size, is_flag};
use crate::lint::program::Part;
use crate::memory_flags::JAVA_WITH_VALUE;
use crate::runtime::flags::size;

/// Options whose value is the program: what stands behind it is the program's.
const PROGRAM: [&str; 3] = ["-jar", "-m", "--module"];

/// Words between two commands.
const BETWEEN: [&str; 4] = ["&&", "||", "|", "&"];

/// The flags of a command line.
#[derive(Debug, Default)]
pub(super) struct Line<'a> {
    /// Those that reach a JVM, or whatever a start script makes of them.
    pub flags: Vec<Part<'a>>,
    /// Those behind the program that `java` starts, which are its arguments.
    pub behind: Vec<Part<'a>>,
    /// Words stand for flags that are not in the input: `@file`, `$(cat file)`.
    pub is_open: bool,
}

/// Flags of several JVMs: those of the one that may take most, which is the one that is killed.
fn largest(lines: Vec<Line<'_>>) -> Line<'_> {
    let heap = |line: &Line<'_>| {
        let said = super::last(&line.flags, &["-Xmx", "-XX:MaxHeapSize="]);
        said.and_then(|given| size(&given.value)).unwrap_or(0)
    };
    // Of equals the last one, which stays.
    lines.into_iter().max_by_key(heap).unwrap_or_default()
}

/// Where a word stands.
#[derive(Clone, Copy, PartialEq)]
enum Stand {
    /// In a command that is not `java`.
    Elsewhere,
    /// Among the launcher's options.
    Options,
    /// Behind an option with a value.
    Value,
    /// Behind an option whose value is the program.
    Name,
    /// Behind the program.
    Behind,
}

pub(super) fn read<'a>(words: &[Part<'a>]) -> Line<'a> {
    let (mut line, mut others) = (Line::default(), Vec::new());
    let mut stand = Stand::Elsewhere;
    let mut is_started = false;
    for word in words {
        let text = &*word.text;
        if word.starts && text.rsplit('/').next() == Some("java") {
            stand = Stand::Options;
            if std::mem::replace(&mut is_started, true) {
                others.push(std::mem::take(&mut line));
            }
            continue;
        }
        match stand {
            Stand::Value => {
                stand = Stand::Options;
                continue;
            }
            Stand::Name => {
                stand = Stand::Behind;
                continue;
            }
            _ if BETWEEN.contains(&text) || (word.starts && !text.starts_with('-')) => stand = Stand::Elsewhere,
            Stand::Options if PROGRAM.contains(&text) => stand = Stand::Name,
            Stand::Options if JAVA_WITH_VALUE.contains(&text) => stand = Stand::Value,
            Stand::Options if is_class(text) => stand = Stand::Behind,
            _ => {}
        }
        line.is_open |= stand == Stand::Options && (text.starts_with('@') || text.contains("$(") || text.contains('`'));
        if is_flag(text) || (stand == Stand::Options && is_bare_size(text)) {
            let list = if stand == Stand::Behind { &mut line.behind } else { &mut line.flags };
            list.push(word.clone());
        }
    }
    if others.is_empty() {
        return line;
    }
    others.push(line);
    largest(others)
}

/// `org.example.Main`, `Main`; not `%p` or `kill` of a value that the shell would not have taken apart.
fn is_class(text: &str) -> bool {
    let is_name = text.chars().all(|it| it.is_alphanumeric() || matches!(it, '.' | '_' | '$' | '/'));
    is_name && text.starts_with(char::is_alphabetic) && (text.contains('.') || text.starts_with(char::is_uppercase))
}
