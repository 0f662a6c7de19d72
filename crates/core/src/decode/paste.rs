//! What pasting does to a text, undone: marks of quotes, fences and bold, elisions, hard spaces, colours, a shift to the
//! right. Lines stay where they are, so that evidence can name them.

use std::borrow::Cow;

use memchr::memmem;

use crate::recording::is_recording;

/// Texts longer than this come from a tool, not from a clipboard.
const LONGEST: usize = 1 << 20;

/// The text without what pasting added.
pub(super) fn plain(bytes: &[u8]) -> Cow<'_, [u8]> {
    // What `tail` printed stands in a recording as it is, arrows and all.
    if bytes.len() > LONGEST || memchr::memchr(0, bytes).is_some() || is_recording(bytes) {
        return Cow::Borrowed(bytes);
    }
    let mut lines: Vec<Cow<'_, [u8]>> = bytes.split(|byte| *byte == b'\n').map(line).collect();
    // A text that is a shell's comment from end to end; a metric's lines of this kind have words of their own.
    let mut said = lines.iter().filter(|line| !line.trim_ascii().is_empty()).peekable();
    let of_metrics = |line: &[u8]| line.starts_with(b"# TYPE ") || line.starts_with(b"# HELP ");
    if said.peek().is_some() && said.all(|line| line.starts_with(b"#") && !of_metrics(line)) {
        for line in &mut lines {
            *line = Cow::Owned(line.strip_prefix(b"#").unwrap_or_default().to_vec());
        }
    }
    let shift = lines.iter().filter(|line| !line.trim_ascii().is_empty()).map(|line| depth(line)).min().unwrap_or(0);
    let plain = lines.iter().map(|line| line.get(shift..).unwrap_or_default()).collect::<Vec<_>>().join(&b'\n');
    if plain == bytes { Cow::Borrowed(bytes) } else { Cow::Owned(plain) }
}

fn depth(line: &[u8]) -> usize {
    line.iter().take_while(|byte| **byte == b' ').count()
}

fn line(raw: &[u8]) -> Cow<'_, [u8]> {
    let mut line = raw;
    while let Some(rest) = line.strip_prefix(b"> ").or((line.trim_ascii_end() == b">").then_some(b"")) {
        line = rest;
    }
    let bare = line.trim_ascii();
    let fence = bare.starts_with(b"```") && !bare[3..].contains(&b'`') || bare.starts_with(b"~~~");
    if fence || is_elision(bare) {
        return Cow::Borrowed(if line.starts_with(b"#") { b"#" } else { b"" });
    }
    let line = without_pointer(line);
    if memchr::memchr2(0x1b, 0xc2, line).is_none() && memmem::find(line, b"**").is_none() {
        return Cow::Borrowed(line);
    }
    Cow::Owned(unmarked(line))
}

/// Without the arrow and remark that somebody put behind what matters: `OOMKilled   <--- here`, `137   ← SIGKILL`.
fn without_pointer(line: &[u8]) -> &[u8] {
    let arrows = [" <--", " <==", " <<<", " ←"];
    // `==> memory.events <==` is how `head` and `tail` tell of which file the lines are.
    if line.trim_ascii_start().starts_with(b"==> ") {
        return line;
    }
    let arrow = arrows.iter().filter_map(|arrow| memmem::find(line, arrow.as_bytes())).min();
    match arrow.filter(|at| !matches!(line[..*at].trim_ascii(), b"" | b"#")) {
        Some(at) => line[..at].trim_ascii_end(),
        None => line,
    }
}

/// `...`, `[...]`, `<snip>`: lines were left out here.
fn is_elision(bare: &[u8]) -> bool {
    let bare = bare.strip_prefix(b"#").unwrap_or(bare).trim_ascii();
    let inner = bare.strip_prefix(b"[").and_then(|rest| rest.strip_suffix(b"]")).unwrap_or(bare);
    let dots = inner.len() >= 2 && inner.iter().all(|byte| *byte == b'.');
    dots || matches!(inner, [0xe2, 0x80, 0xa6] | b"snip" | b"<snip>" | b"...snip...")
}

/// Without bold marks and colours, and with plain spaces for hard ones.
fn unmarked(line: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(line.len());
    let mut rest = line;
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        match (first, after) {
            (b'*', [b'*', tail @ ..]) => rest = tail,
            (0xc2, [0xa0, tail @ ..]) => {
                plain.push(b' ');
                rest = tail;
            }
            // ESC [ parameters, ended by a letter (ECMA-48, CSI).
            (0x1b, [b'[', tail @ ..]) => {
                let end = tail.iter().position(u8::is_ascii_alphabetic);
                rest = end.map_or(&[][..], |end| &tail[end + 1..]);
            }
            _ => plain.push(*first),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(text: &str) -> String {
        String::from_utf8(super::plain(text.as_bytes()).into_owned()).unwrap()
    }

    #[test]
    fn marks_go_and_lines_stay() {
        assert_eq!(plain("> ```\n> Status:  Failed\n> ```\n"), "\nStatus:  Failed\n\n");
        assert_eq!(plain("**Reason:  Evicted**\n"), "Reason:  Evicted\n");
        assert_eq!(plain("a:\n...\n  b: 1\n  [...]\n"), "a:\n\n  b: 1\n\n");
        assert_eq!(plain("\u{1b}[31mReason:\u{a0}OOMKilled\u{1b}[0m"), "Reason: OOMKilled");
    }

    #[test]
    fn a_recording_is_left_as_it_is() {
        let text =
            "{\"schema\":\"oomph.dev/recording/v1\",\"run\":{}}\n{\"counters\":\"==> memory.events <==\\noom 1\"}\n";
        assert_eq!(plain(text), text);
    }

    #[test]
    fn a_comment_from_end_to_end_is_a_text() {
        assert_eq!(plain("# status:\n#   phase: Failed\n"), "status:\n  phase: Failed\n");
        assert_eq!(plain("# note\nphase: Failed\n"), "# note\nphase: Failed\n");
    }

    #[test]
    fn pointers_go_and_a_banner_stays() {
        assert_eq!(plain("\"ExitCode\": 137,   <----\n"), "\"ExitCode\": 137,\n");
        assert_eq!(plain("Reason:  OOMKilled   ← confirmed"), "Reason:  OOMKilled");
        assert_eq!(plain("<--- Last few GCs --->"), "<--- Last few GCs --->");
        assert_eq!(plain("==> memory.events <==\noom 1\n"), "==> memory.events <==\noom 1\n");
    }

    #[test]
    fn a_shift_to_the_right_is_undone_for_the_whole_text_alone() {
        assert_eq!(plain("    Name:  a\n\n      Image:  b\n"), "Name:  a\n\n  Image:  b\n");
        assert_eq!(plain("see:\n    Name:  a\n"), "see:\n    Name:  a\n");
    }

    #[test]
    fn a_text_as_tools_write_it_is_not_copied() {
        assert!(matches!(super::plain(b"<--- Last few GCs --->\n\nx\n"), Cow::Borrowed(_)));
    }
}
