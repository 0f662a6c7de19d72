//! Bytes as somebody pasted them, made readable: invalid UTF-8, colours of a terminal, HTML entities.

use std::borrow::Cow;

/// The text, when pasting put nothing into it.
pub(super) fn plain(raw: &[u8]) -> Option<&str> {
    std::str::from_utf8(raw).ok().filter(|text| is_plain(text))
}

fn is_plain(text: &str) -> bool {
    // ESC, an entity, the first byte of a no-break space.
    memchr::memchr3(b'\x1b', b'&', 0xc2, text.as_bytes()).is_none()
}

/// A line without what pasting put into it.
pub(super) fn clean(raw: &[u8]) -> Cow<'_, str> {
    let text = match std::str::from_utf8(raw) {
        Ok(text) => Cow::Borrowed(text.trim_ascii_end()),
        Err(_) => Cow::Owned(String::from_utf8_lossy(raw).trim_ascii_end().to_owned()),
    };
    if is_plain(&text) {
        return text;
    }
    Cow::Owned(unescape(&without_colours(&text)).replace('\u{a0}', " ").trim_ascii_end().to_owned())
}

/// Removes `ESC [ ... letter`.
fn without_colours(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('\x1b') {
        out.push_str(before);
        rest = after
            .strip_prefix('[')
            .and_then(|codes| codes.find(|letter: char| letter.is_ascii_alphabetic()).map(|end| &codes[end + 1..]))
            .unwrap_or(after);
    }
    out.push_str(rest);
    out
}

/// Replaces the entities that HTML writes for characters of kernel lines.
fn unescape(text: &str) -> String {
    const ENTITIES: [(&str, &str); 8] = [
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&#34;", "\""),
        ("&#39;", "'"),
        ("&#x27;", "'"),
        ("&nbsp;", " "),
        ("&amp;", "&"),
    ];
    let mut out = text.to_owned();
    for (entity, character) in ENTITIES {
        if out.contains(entity) {
            out = out.replace(entity, character);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_and_entities_are_removed() {
        assert_eq!(clean(b"\x1b[32m[ 1.5] \x1b[0m\x1b[33mapp: \x1b[0m&lt;4&gt; a &amp; b\r"), "[ 1.5] app: <4> a & b");
        assert_eq!(clean(b"plain \xff text  "), "plain \u{fffd} text");
        assert_eq!(clean("\u{a0}\u{a0}[ 1.5] a\u{a0}".as_bytes()), "  [ 1.5] a");
        assert_eq!(clean(b"cut \x1b[3"), "cut [3");
    }
}
