//! Quotes and variables of a word, as BuildKit's shell lexer takes them (`frontend/dockerfile/shell/lex.go`).

/// A word without its quotes, and with the variables that are known. Others stay as they are written.
pub(super) fn expand(word: &str, escape: char, value: &dyn Fn(&str) -> Option<String>) -> String {
    let mut out = String::with_capacity(word.len());
    let mut quoted = false;
    let mut rest = word;
    while let Some(first) = rest.chars().next() {
        rest = &rest[first.len_utf8()..];
        match first {
            '\'' if !quoted => {
                let (inside, behind) = rest.split_once('\'').unwrap_or((rest, ""));
                out.push_str(inside);
                rest = behind;
            }
            '"' => quoted = !quoted,
            '$' => rest = variable(rest, escape, value, &mut out),
            _ if first == escape => {
                let Some(next) = rest.chars().next() else { break };
                // Between double quotes it escapes three characters, and is itself before any other.
                if quoted && next != '"' && next != '$' && next != escape {
                    out.push(escape);
                }
                out.push(next);
                rest = &rest[next.len_utf8()..];
            }
            _ => out.push(first),
        }
    }
    out
}

/// Writes the variable behind a `$`, and returns what follows it.
fn variable<'w>(rest: &'w str, escape: char, value: &dyn Fn(&str) -> Option<String>, out: &mut String) -> &'w str {
    let braced = rest.strip_prefix('{');
    let name_from = braced.unwrap_or(rest);
    let end = name_from.find(|it: char| !it.is_ascii_alphanumeric() && it != '_').unwrap_or(name_from.len());
    let (name, behind) = name_from.split_at(end);
    if braced.is_none() {
        if let Some(known) = value(name).filter(|_| !name.is_empty()) {
            out.push_str(&known);
        } else {
            out.push('$');
            out.push_str(name);
        }
        return behind;
    }
    let Some((modifier, after)) = split_brace(behind) else {
        out.push_str("${");
        return name_from;
    };
    let known = value(name);
    let given = known.as_deref().is_some_and(|text| !text.is_empty());
    let word = |text: &str| expand(text, escape, value);
    let text = if modifier.is_empty() {
        known
    } else if let Some(other) = modifier.strip_prefix(":-") {
        if given { known } else { Some(word(other)) }
    } else if let Some(other) = modifier.strip_prefix('-') {
        known.or_else(|| Some(word(other)))
    } else if let Some(other) = modifier.strip_prefix(":+") {
        Some(if given { word(other) } else { String::new() })
    } else {
        modifier.strip_prefix('+').map(|other| if known.is_some() { word(other) } else { String::new() })
    };
    out.push_str(&text.unwrap_or_else(|| format!("${{{name}{modifier}}}")));
    after
}

/// What stands before the brace that closes, and what behind it.
fn split_brace(text: &str) -> Option<(&str, &str)> {
    let mut depth = 0_u32;
    for (at, it) in text.char_indices() {
        match it {
            '{' => depth += 1,
            '}' if depth == 0 => return Some((&text[..at], &text[at + 1..])),
            '}' => depth -= 1,
            _ => {}
        }
    }
    None
}
