//! From a scalar's value back to the text: where each of its characters stands.

use crate::lint::tree::{At, Span, Style};

/// Where the characters of a scalar's value stand in the text that it was read from.
#[derive(Debug, Clone)]
pub(super) struct Places {
    /// In order; none where the two could not be laid side by side.
    stretches: Vec<Stretch>,
    whole: Span,
}

/// Characters that stand in the text as in the value, or one that is escaped there.
#[derive(Debug, Clone, Copy)]
struct Stretch {
    /// First byte in the value.
    value: u32,
    /// First byte in the text.
    text: u32,
    /// Length of an escape in the text; 0 where nothing is escaped.
    escape: u32,
}

impl Places {
    /// Of a scalar. White space is not followed: no word begins or ends with it.
    pub(super) fn of(node: At<'_>, value: &str) -> Self {
        let (whole, source) = (node.span(), node.source());
        let is_block = node.style() == Some(Style::Block) && source.starts_with(['|', '>']);
        // A block's first line is its header.
        let from = if is_block { source.find('\n').map_or(source.len(), |at| at + 1) } else { 0 };
        let quote = source.chars().next().filter(|c| matches!(c, '"' | '\'') && node.style() == Some(Style::Quoted));
        let from = from + usize::from(quote.is_some());
        let stretches = beside(value, source, from, quote).unwrap_or_default();
        let base = whole.start;
        let moved = stretches.into_iter().map(|it| Stretch { text: it.text + base, ..it });
        Self { stretches: moved.collect(), whole }
    }

    /// Where a stretch of the value stands.
    pub(super) fn span(&self, span: Span) -> Span {
        let (Some(start), Some(end)) = (self.start(span.start), self.end(span.end)) else { return self.whole };
        if start > end || start < self.whole.start || end > self.whole.end {
            return self.whole;
        }
        Span { start, end }
    }

    fn at(&self, value: u32) -> Option<&Stretch> {
        self.stretches[..self.stretches.partition_point(|it| it.value <= value)].last()
    }

    fn start(&self, value: u32) -> Option<u32> {
        let it = self.at(value)?;
        Some(if it.escape > 0 { it.text } else { it.text + (value - it.value) })
    }

    fn end(&self, value: u32) -> Option<u32> {
        let it = self.at(value.checked_sub(1)?)?;
        Some(if it.escape > 0 { it.text + it.escape } else { it.text + (value - it.value) })
    }
}

/// Lays a value beside its source, character by character.
fn beside(value: &str, source: &str, from: usize, quote: Option<char>) -> Option<Vec<Stretch>> {
    let (mut stretches, mut at): (Vec<Stretch>, usize) = (Vec::new(), from);
    let index = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
    for (start, c) in value.char_indices() {
        if c.is_whitespace() {
            continue;
        }
        loop {
            let rest = source.get(at..)?;
            let next = rest.chars().next()?;
            let (read, length) = match (quote, next) {
                (Some('"'), '\\') => escape(rest)?,
                (Some('\''), '\'') if rest.starts_with("''") => (Some('\''), 2),
                _ => (Some(next), 0),
            };
            at += if length > 0 { length } else { next.len_utf8() };
            match read {
                Some(read) if read == c => {
                    let text = at - if length > 0 { length } else { c.len_utf8() };
                    let continues = stretches.last().is_some_and(|it| {
                        it.escape == 0 && length == 0 && index(start) - it.value == index(text) - it.text
                    });
                    if !continues {
                        stretches.push(Stretch { value: index(start), text: index(text), escape: index(length) });
                    }
                    break;
                }
                Some(read) if !read.is_whitespace() => return None,
                _ => {}
            }
        }
    }
    Some(stretches)
}

/// The character that an escape stands for, none for a broken line, and its length (yaml.org/spec/1.2.2, 5.7).
fn escape(text: &str) -> Option<(Option<char>, usize)> {
    let letter = text[1..].chars().next()?;
    let digits = match letter {
        'x' => 2,
        'u' => 4,
        'U' => 8,
        _ => {
            let c = match letter {
                '0' => '\0',
                'a' => '\u{7}',
                'b' => '\u{8}',
                't' | '\t' => '\t',
                'n' => '\n',
                'v' => '\u{b}',
                'f' => '\u{c}',
                'r' => '\r',
                'e' => '\u{1b}',
                'N' => '\u{85}',
                '_' => '\u{a0}',
                'L' => '\u{2028}',
                'P' => '\u{2029}',
                '\n' | '\r' => return Some((None, 1 + letter.len_utf8())),
                c => c,
            };
            return Some((Some(c), 1 + letter.len_utf8()));
        }
    };
    let code = |at: usize, digits: usize| u32::from_str_radix(text.get(at..at + digits)?, 16).ok();
    let first = code(2, digits)?;
    if let Some(c) = char::from_u32(first) {
        return Some((Some(c), 2 + digits));
    }
    // JSON writes characters beyond the first plane as two halves (RFC 8259, 7).
    let second = text.get(6..8).filter(|it| *it == "\\u").and_then(|_| code(8, 4))?;
    let joined = 0x1_0000 + ((first.checked_sub(0xd800)? << 10) | second.checked_sub(0xdc00)?);
    Some((Some(char::from_u32(joined)?), 12))
}
