//! Lines and columns of a text.

use super::Span;

/// Where the lines of a text begin.
#[derive(Debug, Clone)]
pub struct Lines {
    starts: Vec<u32>,
    /// Characters before each block of a text that has a line longer than one; else empty. A whole folder may be JSON on
    /// one line, of which no column can be counted from the line's beginning.
    before: Vec<u32>,
}

/// Bytes of a block.
const BLOCK: usize = 4096;

/// A place in a text, counted from 1; columns are characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// Line.
    pub line: u32,
    /// Character of the line.
    pub column: u32,
}

impl Lines {
    /// Of a text.
    pub fn of(text: &str) -> Self {
        let breaks = memchr::memchr_iter(b'\n', text.as_bytes());
        let mut starts = Vec::with_capacity(breaks.clone().count() + 1);
        starts.push(0);
        starts.extend(breaks.map(|at| index(at + 1)));
        let ends = starts.iter().skip(1).copied().chain([index(text.len())]);
        let is_long = starts.iter().zip(ends).any(|(start, end)| end - start > index(BLOCK));
        let mut before = Vec::new();
        if is_long {
            let mut sum = 0;
            for block in text.as_bytes().chunks(BLOCK) {
                before.push(sum);
                sum += characters(block);
            }
            before.push(sum);
        }
        Self { starts, before }
    }

    /// Characters before a byte of the text.
    fn characters_before(&self, text: &str, at: usize) -> u32 {
        let block = at / BLOCK;
        let in_block = text.as_bytes().get(block * BLOCK..at).map_or(0, characters);
        self.before.get(block).copied().unwrap_or_default() + in_block
    }

    /// The place of a byte.
    pub fn position(&self, text: &str, at: u32) -> Position {
        let line = self.starts.partition_point(|start| *start <= at).max(1);
        let start = self.starts[line - 1] as usize;
        let end = at as usize;
        if end > start + BLOCK && end <= text.len() && !self.before.is_empty() {
            let mark = u32::from(start == 0 && text.starts_with('\u{feff}'));
            let column = self.characters_before(text, end) - self.characters_before(text, start) - mark + 1;
            return Position { line: index(line), column };
        }
        let before = text.get(start..end).unwrap_or("");
        let before = if start == 0 { before.strip_prefix('\u{feff}').unwrap_or(before) } else { before };
        Position { line: index(line), column: index(before.chars().count() + 1) }
    }

    /// The line of a byte, counted from 1.
    pub fn line(&self, at: u32) -> u32 {
        index(self.starts.partition_point(|start| *start <= at).max(1))
    }

    /// The first byte of a line, counted from 1.
    pub fn start(&self, line: u32) -> u32 {
        self.starts.get(line.saturating_sub(1) as usize).copied().unwrap_or_default()
    }

    /// The places where a span begins and ends.
    pub fn ends(&self, text: &str, span: Span) -> (Position, Position) {
        (self.position(text, span.start), self.position(text, span.end))
    }
}

/// Bytes that begin a character.
fn characters(bytes: &[u8]) -> u32 {
    // A block has no more of them than fit.
    index(bytes.iter().filter(|byte| byte.cast_signed() >= -64).count())
}

/// Texts of 4 GiB and more are not read.
pub(super) fn index(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_characters() {
        let text = "äb\r\ncd\n";
        let lines = Lines::of(text);
        assert_eq!(lines.position(text, 2), Position { line: 1, column: 2 });
        assert_eq!(lines.position(text, 5), Position { line: 2, column: 1 });
        assert_eq!(lines.position(text, 8), Position { line: 3, column: 1 });
        assert_eq!(lines.position("\u{feff}a", 3), Position { line: 1, column: 1 });
    }

    #[test]
    fn columns_of_a_long_line_are_those_that_counting_gives() {
        for head in ["", "\u{feff}", "a\n", "ä€\n\n"] {
            let text = format!("{head}{}\n{}", "aä€😀".repeat(3000), "ß".repeat(9000));
            let lines = Lines::of(&text);
            for (at, _) in text.char_indices().step_by(7).chain([(text.len(), ' ')]) {
                let start = text[..at].rfind('\n').map_or(0, |at| at + 1);
                let counted = text[start..at].trim_start_matches('\u{feff}').chars().count() + 1;
                assert_eq!(lines.position(&text, index(at)).column, index(counted), "byte {at}");
            }
        }
    }
}
