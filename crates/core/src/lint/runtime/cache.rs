//! Servers that keep a cache of a fixed size: where that is said.

use crate::lint::finding::Place;
use crate::lint::program::{Part, locate};
use crate::lint::subject::Subject;

/// What the last of these options says (`--name=1`, `--name 1`, `-m1`): of the command line, or of a variable that the
/// start script puts behind it.
pub(crate) fn option(subject: &Subject<'_, '_>, names: &[&str], variables: &[&str]) -> Option<(String, Place)> {
    let of = |words: &[Part<'_>]| {
        words.iter().enumerate().rev().find_map(|(index, word)| {
            names.iter().find_map(|name| {
                let rest = word.text.strip_prefix(name)?;
                match rest.strip_prefix('=') {
                    Some(value) => Some((value.to_owned(), word.place)),
                    None if rest.is_empty() => {
                        words.get(index + 1).map(|next| (next.text.clone().into_owned(), next.place))
                    }
                    // The value of an option of one letter follows at once.
                    None => (name.len() == 2).then(|| (rest.to_owned(), word.place)),
                }
            })
        })
    };
    of(&subject.program.words)
        .or_else(|| variables.iter().find_map(|name| of(&subject.program.variable(name)?.words())))
}

/// What the last line of a mounted file says that begins with this name, and `=` or `:` behind it.
pub(crate) fn line(subject: &Subject<'_, '_>, name: &str) -> Option<(String, Place)> {
    subject.files().into_iter().find_map(|(_, node)| {
        node.text()?.lines().rev().find_map(|line| {
            let (key, value) = line.split_once(['=', ':'])?;
            let value = value.split('#').next().unwrap_or("").trim().trim_matches(['"', '\'']);
            (key.trim().replace('-', "_") == name && !value.is_empty())
                .then(|| (value.to_owned(), locate(node, line.trim())))
        })
    })
}
