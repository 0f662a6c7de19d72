//! Text from evidence made safe to show, measured and cut.

use std::borrow::Cow;

/// Control characters and the marks that reorder text become spaces or vanish; a tab is a space, line ends stay.
pub(super) fn clean(text: &str) -> Cow<'_, str> {
    if !text.chars().any(|c| is_unsafe(c) && c != '\n') {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\n' => out.push('\n'),
            '\r' if chars.peek() == Some(&'\n') => {}
            '\u{1b}' => skip_escape(&mut chars),
            c if is_invisible(c) => {}
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    Cow::Owned(out)
}

/// The same on one line.
pub(super) fn one_line(text: &str) -> String {
    clean(text).split_whitespace().collect::<Vec<_>>().join(" ")
}

fn is_unsafe(c: char) -> bool {
    c.is_control() || is_invisible(c)
}

/// Marks without a shape: direction overrides can make a line read as another one ("Trojan Source", CVE-2021-42574).
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// Drops the rest of an escape sequence (ECMA-48: CSI ends with a byte of `@`..=`~`), so that coloured logs read well.
fn skip_escape(chars: &mut std::iter::Peekable<std::str::Chars<'_>>) {
    if chars.next_if_eq(&'[').is_some() {
        while chars.next_if(|c| matches!(c, ' '..='?')).is_some() {}
        chars.next_if(|c| matches!(c, '@'..='~'));
    }
}

/// Columns that a terminal gives to `text`.
pub(super) fn columns(text: &str) -> usize {
    text.chars().map(columns_of).sum()
}

/// 2 for East Asian wide characters and pictographs (Unicode UAX #11, the blocks that logs contain), else 1.
pub(super) const fn columns_of(c: char) -> usize {
    match c as u32 {
        0x0300..=0x036f => 0,
        0x1100..=0x115f
        | 0x2e80..=0xa4cf
        | 0xac00..=0xd7a3
        | 0xf900..=0xfaff
        | 0xfe30..=0xfe6f
        | 0xff00..=0xff60
        | 0xffe0..=0xffe6
        | 0x1_f300..=0x1_faff
        | 0x2_0000..=0x3_fffd => 2,
        _ => 1,
    }
}

/// The byte index after as many characters of `text` as fit into `width` columns.
pub(super) fn fitting(text: &str, width: usize) -> usize {
    let mut used = 0;
    for (index, c) in text.char_indices() {
        used += columns_of(c);
        if used > width {
            return index;
        }
    }
    text.len()
}

/// `text` in at most `width` columns, the end cut off with `…`.
pub(super) fn cut_end(text: &str, width: usize) -> Cow<'_, str> {
    if columns(text) <= width {
        return Cow::Borrowed(text);
    }
    let end = fitting(text, width.saturating_sub(1));
    Cow::Owned(format!("{}…", text[..end].trim_end()))
}

/// `text` in at most `width` columns, the middle cut out with `…`: both ends of a pod's name tell it from others.
pub(super) fn cut_middle(text: &str, width: usize) -> Cow<'_, str> {
    if columns(text) <= width {
        return Cow::Borrowed(text);
    }
    let room = width.saturating_sub(1);
    let head = &text[..fitting(text, room - room * 2 / 3)];
    let mut tail = text.len();
    let mut used = 0;
    for (index, c) in text.char_indices().rev() {
        used += columns_of(c);
        if used > room * 2 / 3 {
            break;
        }
        tail = index;
    }
    Cow::Owned(format!("{head}…{}", &text[tail..]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_log_line_cannot_drive_the_terminal() {
        assert_eq!(clean("\x1b[31mred\x1b[0m \x1b]0;title\x07 \u{202e}done\r\n\tx"), "red ]0;title  done\n x");
    }

    #[test]
    fn names_keep_both_ends() {
        assert_eq!(cut_middle("checkout-7d9fbc8c6d-x2k4b/app", 20), "checkou…6d-x2k4b/app");
        assert_eq!(cut_end("abcdef", 4), "abc…");
    }

    proptest! {
        #[test]
        fn what_was_cut_fits(text in "\\PC{0,60}", width in 1_usize..70) {
            prop_assert!(columns(&cut_end(&text, width)) <= width);
            prop_assert!(columns(&cut_middle(&text, width)) <= width);
        }

        #[test]
        fn nothing_unsafe_is_left(text in any::<String>()) {
            prop_assert!(clean(&text).chars().all(|c| c == '\n' || !is_unsafe(c)));
        }
    }
}
