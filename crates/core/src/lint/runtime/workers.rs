//! Servers that multiply themselves: how many workers, and where that is said.

use crate::lint::finding::Place;
use crate::lint::program::{Program, Set};

/// A number of workers, and where it stands.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Workers {
    pub count: u64,
    pub place: Place,
}

/// From the last of these flags on the command line (`-w 4`, `-w4`, `--workers=4`), else from the first of these
/// variables that is set.
pub(crate) fn workers(program: &Program<'_>, flags: &[&str], variables: &[&str]) -> Option<Workers> {
    let words = &program.words;
    let by_flag = words.iter().enumerate().rev().find_map(|(index, word)| {
        let rest = flags.iter().find_map(|flag| word.text.strip_prefix(flag))?;
        let next = words.get(index + 1);
        let (text, place) = match rest {
            "" => (&*next?.text, next?.place),
            rest => (rest.strip_prefix('=').unwrap_or(rest), word.place),
        };
        Some(Workers { count: text.parse().ok()?, place })
    });
    by_flag.or_else(|| {
        variables.iter().find_map(|name| {
            let set: &Set<'_> = program.variable(name)?;
            Some(Workers { count: set.text()?.trim().parse().ok()?, place: set.node.into() })
        })
    })
}
