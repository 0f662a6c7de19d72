//! The command line of `java`: which words are flags of the JVM, and which are the program's own arguments.

use super::is_flag;
use crate::lint::program::Part;
use crate::memory_flags::JAVA_WITH_VALUE;

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
    let mut line = Line::default();
    let mut stand = Stand::Elsewhere;
    for word in words {
        let text = &*word.text;
        if word.starts && text.rsplit('/').next() == Some("java") {
            stand = Stand::Options;
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
        if is_flag(text) {
            let list = if stand == Stand::Behind { &mut line.behind } else { &mut line.flags };
            list.push(word.clone());
        }
    }
    line
}

/// `org.example.Main`, `Main`; not `%p` or `kill` of a value that the shell would not have taken apart.
fn is_class(text: &str) -> bool {
    let is_name = text.chars().all(|it| it.is_alphanumeric() || matches!(it, '.' | '_' | '$' | '/'));
    is_name && text.starts_with(char::is_alphabetic) && (text.contains('.') || text.starts_with(char::is_uppercase))
}
