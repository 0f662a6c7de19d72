//! What a line of the kernel's without a telling word is, as far as the way it begins shows it.

use super::{amount, message, prefix};
use crate::digits::line_end_and_signs;

/// What it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape<'a> {
    /// Nothing of a report that is read: a frame of a call trace, registers, another part of the kernel.
    Nothing,
    /// `anon 98742272`.
    Pair(&'a str, u64),
    /// The same otherwise: several on a line.
    Pairs,
}

/// The message that `text` begins with, which stands behind a clock, its length with the end of the line, and its shape.
/// None: it needs a closer look. With `whole`, a word there is a message whatever follows.
#[inline]
pub(super) fn of_line(text: &str, whole: bool) -> Option<(&str, usize, Shape<'_>)> {
    let (end, signed) = line_end_and_signs(text.as_bytes(), prefix::SIGNS)?;
    let message = text[..end].trim_ascii();
    if !may_be_pairs(message, signed, whole)? {
        return Some((message, end + 1, Shape::Nothing));
    }
    let shape = match amount::pair(text, end) {
        Some((key, value)) if key.len() >= message::SHORTEST_KEY => Shape::Pair(key, value),
        None if message::is_stat_pairs(message) => Shape::Pairs,
        _ => Shape::Nothing,
    };
    Some((message, end + 1, shape))
}

/// May a message be of pairs? None: it needs a closer look.
#[inline]
fn may_be_pairs(text: &str, signed: bool, whole: bool) -> Option<bool> {
    let bytes = text.as_bytes();
    let first = *bytes.first()?;
    match first {
        b'?' | b'_' => return Some(false),
        b'<' => return matches!(text, "<TASK>" | "</TASK>").then_some(false),
        b'A'..=b'Z' | b'a'..=b'z' => {}
        _ => return None,
    }
    if may_be_ours(first, text, signed) || !whole && !prefix::is_word(text, signed) {
        return None;
    }
    Some(first.is_ascii_lowercase() && bytes.last().is_some_and(u8::is_ascii_digit))
}

/// Does it begin as messages do that are read, or that may go on in the next line ([`message::leading`],
/// [`super::wrap`])? But for the pairs and a kill without a number, those hold a sign.
#[inline]
fn may_be_ours(first: u8, text: &str, signed: bool) -> bool {
    match first {
        b'T' => true,
        b'K' | b'k' => signed || text[1..].starts_with("ill"),
        b'M' | b'm' | b'O' | b'o' | b'C' | b'P' | b'W' | b's' => signed && text != "Call Trace:",
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_told_by_how_it_begins() {
        let shape = |text: &str| {
            of_line(&format!("{text}\nkernel: [1.5]"), false).map(|(message, length, shape)| {
                assert_eq!((message, length), (text.trim_ascii(), text.len() + 1));
                format!("{shape:?}")
            })
        };
        for (text, expected) in [
            (" dump_stack_lvl+0x57/0x80", "Nothing"),
            (" ? srso_alias_return_thunk+0x5/0xfbef5", "Nothing"),
            (" <TASK>", "Nothing"),
            ("Call Trace:", "Nothing"),
            ("RAX: 0000000000000000 RBX: 0000000000001000", "Nothing"),
            ("anon 98742272", "Pair(\"anon\", 98742272)"),
            (" anon 98742272\r", "Pairs"),
            ("anon 98742272 file 4096", "Pairs"),
            ("rx 98742272", "Nothing"),
        ] {
            assert_eq!(shape(text).as_deref(), Some(expected), "{text}");
        }
        for text in [
            "",
            "[      9]     1     9        5        4     4096        0          -998 tmux",
            "1048438 pages RAM",
            "kmem: usage 884kB, limit 9007199254740988kB, failcnt 0",
            "kern: info: [ 1.5] a",
            "Kill process 7 (app) sharing same memory",
            "Task in /a",
            "CPU: 1 PID: 7 Comm: app Not tainted 6.1.0",
            "a: [ 1.5] b",
        ] {
            assert_eq!(shape(text), None, "{text}");
        }
    }
}
