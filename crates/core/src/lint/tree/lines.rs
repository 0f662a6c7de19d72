//! Lines and columns of a text.

use super::Span;

/// Where the lines of a text begin.
#[derive(Debug, Clone)]
pub struct Lines {
    starts: Vec<u32>,
}

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
        let breaks = memchr::memchr_iter(b'\n', text.as_bytes()).map(|at| index(at + 1));
        Self { starts: std::iter::once(0).chain(breaks).collect() }
    }

    /// The place of a byte.
    pub fn position(&self, text: &str, at: u32) -> Position {
        let line = self.starts.partition_point(|start| *start <= at).max(1);
        let start = self.starts[line - 1] as usize;
        let before = text.get(start..at as usize).unwrap_or("");
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
}
