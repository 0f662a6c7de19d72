//! Words that are sought in a text all at once, in one pass.

use std::ops::Range;
use std::sync::OnceLock;

use aho_corasick::{AhoCorasick, Input, MatchKind};

/// A list of words, and the search for them.
pub(super) struct Words {
    words: &'static [&'static str],
    search: OnceLock<AhoCorasick>,
}

impl Words {
    pub(super) const fn of(words: &'static [&'static str]) -> Self {
        Self { words, search: OnceLock::new() }
    }

    fn search(&self) -> &AhoCorasick {
        // This kind of match alone is sought by vectors.
        self.search.get_or_init(|| {
            let builder = &mut AhoCorasick::builder();
            builder.match_kind(MatchKind::LeftmostFirst).build(self.words).expect("a few short words")
        })
    }

    /// Does one of the words stand in the text?
    pub(super) fn any(&self, bytes: &[u8]) -> bool {
        self.search().find(bytes).is_some()
    }

    /// Does one of the words at these places of the list stand in the text? Of words that overlap the first one counts.
    pub(super) fn any_at(&self, places: Range<usize>, bytes: &[u8]) -> bool {
        self.search().find_iter(bytes).any(|hit| places.contains(&hit.pattern().as_usize()))
    }

    /// The lines that hold one of the words, in order, each once and without its newline.
    pub(super) fn lines(&self, bytes: &[u8]) -> impl Iterator<Item = Range<usize>> {
        let search = self.search();
        let mut at = 0;
        std::iter::from_fn(move || {
            let hit = search.find(Input::new(bytes).range(at..))?;
            let start = memchr::memrchr(b'\n', &bytes[at..hit.start()]).map_or(at, |newline| at + newline + 1);
            let end = memchr::memchr(b'\n', &bytes[hit.end()..]).map_or(bytes.len(), |newline| hit.end() + newline);
            at = bytes.len().min(end + 1);
            Some(start..end)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_line_with_a_word_is_found_once() {
        let words = Words::of(&["oom", "memory"]);
        let text = "a\nb oom of memory\n\noom\nmemory leaks\nnothing\nlast oom";
        let lines: Vec<_> = words.lines(text.as_bytes()).map(|line| &text[line]).collect();
        assert_eq!(lines, ["b oom of memory", "oom", "memory leaks", "last oom"]);
        assert!(words.any(b"an oom kill") && !words.any(b"o om"));
        assert_eq!(words.lines(b"").count() + words.lines(b"\n").count(), 0);
    }
}
