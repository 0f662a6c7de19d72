//! The words of a query. Variables of Grafana (`$x`, `${x}`, `[[x]]`) are letters of a name.

use super::Problem;
use crate::lint::tree::Span;
use crate::units::DAY;

/// A word.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token {
    /// A name, a keyword, or a variable.
    Name,
    Number(f64),
    /// In seconds.
    Duration(f64),
    Text(String),
    /// An operator or a bracket.
    Sign(&'static str),
}

/// A word and its place.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Word {
    pub(super) token: Token,
    pub(super) span: Span,
}

const SIGNS: [&str; 26] = [
    "==", "!=", ">=", "<=", "=~", "!~", "=", ">", "<", "+", "-", "*", "/", "%", "^", "@", "(", ")", "{", "}", "[", "]",
    ",", ":", "!", "|",
];

/// Longer queries are not read: the longest of kubernetes-mixin has 400 words.
const WORDS: usize = 20_000;

/// Reads the words of a query, and where its comments stand.
pub(super) fn words(text: &str, comments: &mut Vec<Span>) -> Result<Vec<Word>, Problem> {
    let (mut words, mut at, mut brackets) = (Vec::new(), 0, 0_usize);
    while let Some(first) = text[at..].chars().next() {
        let rest = &text[at..];
        if first.is_whitespace() {
            at += first.len_utf8();
            continue;
        }
        if first == '#' {
            let length = rest.find('\n').unwrap_or(rest.len());
            comments.push(span(at, at + rest[..length].trim_end().len()));
            at += length;
            continue;
        }
        let (token, length) = if matches!(first, '"' | '\'' | '`') {
            let Some((value, length)) = string(rest, first) else {
                return Err(Problem::new(span(at, at + 1), "a string that does not end"));
            };
            (Token::Text(value), length)
        } else if first.is_ascii_digit() || first == '.' && rest[1..].starts_with(|c: char| c.is_ascii_digit()) {
            let length = number_length(rest);
            let Some(token) = number(&rest[..length]) else {
                return Err(Problem::new(span(at, at + length), "neither a number nor a duration"));
            };
            (token, length)
        } else {
            let length = name_length(rest, brackets > 0);
            if length > 0 {
                (Token::Name, length)
            } else if let Some(sign) = SIGNS.iter().find(|sign| rest.starts_with(**sign)) {
                brackets = match *sign {
                    "[" => brackets + 1,
                    "]" => brackets.saturating_sub(1),
                    _ => brackets,
                };
                (Token::Sign(sign), sign.len())
            } else {
                return Err(Problem::new(span(at, at + first.len_utf8()), "no word of PromQL"));
            }
        };
        words.push(Word { token, span: span(at, at + length) });
        at += length;
        if words.len() > WORDS {
            return Err(Problem::new(span(at, at), "the query is too long to be read"));
        }
    }
    Ok(words)
}

pub(super) fn span(start: usize, end: usize) -> Span {
    let index = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
    Span { start: index(start), end: index(end) }
}

/// The length of a name; a colon belongs to it outside of brackets (`[5m:1m]`).
fn name_length(text: &str, in_brackets: bool) -> usize {
    let mut at = 0;
    loop {
        let rest = &text[at..];
        let variable = variable_length(rest);
        if variable > 0 {
            at += variable;
            continue;
        }
        match rest.chars().next() {
            Some(c) if c.is_ascii_alphabetic() || c == '_' => at += 1,
            Some(c) if at > 0 && c.is_ascii_digit() => at += 1,
            Some(':') if !in_brackets => at += 1,
            _ => return at,
        }
    }
}

/// `$name`, `${name:format}` and `[[name]]`.
fn variable_length(text: &str) -> usize {
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let name = |text: &str| text.find(|c| !is_name(c)).unwrap_or(text.len());
    if let Some(inner) = text.strip_prefix("${") {
        let end = inner.find('}').filter(|end| !inner[..*end].contains(['"', '\n', '{']));
        return end.map_or(0, |end| end + 3);
    }
    if let Some(inner) = text.strip_prefix('$') {
        let length = name(inner);
        return if length > 0 { length + 1 } else { 0 };
    }
    let Some(inner) = text.strip_prefix("[[") else { return 0 };
    let length = name(inner);
    let format = inner[length..].strip_prefix(':').map_or(0, |format| name(format) + 1);
    let is_whole = length > 0 && inner[length + format..].starts_with("]]");
    if is_whole { length + format + 4 } else { 0 }
}

/// A string's value and its length in the text, quotes included.
fn string(text: &str, quote: char) -> Option<(String, usize)> {
    let mut value = String::new();
    let mut characters = text.char_indices().skip(1);
    while let Some((at, c)) = characters.next() {
        match c {
            _ if c == quote => return Some((value, at + 1)),
            '\\' if quote != '`' => match characters.next()?.1 {
                'n' => value.push('\n'),
                't' => value.push('\t'),
                // Of a pattern's escapes both characters matter; Go's strings know no others of one letter.
                c @ ('\\' | '"' | '\'') => value.push(c),
                c => value.extend(['\\', c]),
            },
            _ => value.push(c),
        }
    }
    None
}

fn number_length(text: &str) -> usize {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '.' || c == '_';
    let mut length = text.find(|c| !is_part(c)).unwrap_or(text.len());
    let is_exponent = text[..length].ends_with(['e', 'E']) && !text.starts_with("0x");
    if is_exponent && text[length..].starts_with(['+', '-']) {
        let more = &text[length + 1..];
        let digits = more.find(|c: char| !c.is_ascii_digit()).unwrap_or(more.len());
        length += if digits > 0 { digits + 1 } else { 0 };
    }
    length
}

fn number(text: &str) -> Option<Token> {
    let plain = text.replace('_', "");
    if let Some(digits) = plain.strip_prefix("0x").or_else(|| plain.strip_prefix("0X")) {
        return u64::from_str_radix(digits, 16).ok().map(|value| Token::Number(value as f64));
    }
    if let Ok(value) = plain.parse() {
        return Some(Token::Number(value));
    }
    duration(&plain).map(Token::Duration).or_else(|| multiple(&plain).map(Token::Number))
}

/// `1h30m`, in seconds (prometheus/common, model/time.go, ParseDuration).
fn duration(text: &str) -> Option<f64> {
    let (mut seconds, mut rest) = (0.0, text);
    while !rest.is_empty() {
        let digits = rest.find(|c: char| c.is_ascii_alphabetic())?;
        let unit = &rest[digits..];
        let unit = &unit[..unit.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(unit.len())];
        let length = match unit {
            "ms" => 0.001,
            "s" => 1.0,
            "m" => 60.0,
            "h" => 3600.0,
            "d" => DAY as f64,
            "w" => 604_800.0,
            "y" => 31_536_000.0,
            _ => return None,
        };
        seconds += rest[..digits].parse::<f64>().ok()? * length;
        rest = &rest[digits + unit.len()..];
    }
    Some(seconds)
}

/// VictoriaMetrics counts in `Ki` and `K` too (docs.victoriametrics.com/metricsql).
fn multiple(text: &str) -> Option<f64> {
    let digits = text.find(|c: char| c.is_ascii_alphabetic())?;
    let factor = match text[digits..].trim_end_matches('B') {
        "K" => 1e3,
        "M" => 1e6,
        "G" => 1e9,
        "T" => 1e12,
        "Ki" => 1024.0,
        "Mi" => 1_048_576.0,
        "Gi" => 1_073_741_824.0,
        "Ti" => 1_099_511_627_776.0,
        _ => return None,
    };
    Some(text[..digits].parse::<f64>().ok()? * factor)
}
