//! A page of text that fits a width: paragraphs, items, labelled facts, quotes, commands and tables.

use super::clean::{clean, columns, cut_end, fitting, one_line};
use super::style::{Mark, Style};

/// A page that grows downwards.
pub(super) struct Page {
    out: String,
    style: Style,
    width: usize,
}

impl Page {
    pub(super) fn new(style: Style, width: usize) -> Self {
        Self { out: String::new(), style, width: width.max(40) }
    }

    pub(super) fn finish(self) -> String {
        self.out
    }

    pub(super) fn width(&self) -> usize {
        self.width
    }

    /// One empty line, unless the page is at its start or has one already.
    pub(super) fn gap(&mut self) {
        if !self.out.is_empty() && !self.out.ends_with("\n\n") {
            self.out.push('\n');
        }
    }

    /// A section's name, with air above.
    pub(super) fn heading(&mut self, name: &str) {
        self.gap();
        self.line(0, Mark::Heading, name);
    }

    /// A rule across the page with a label in it.
    pub(super) fn rule(&mut self, label: &str) {
        self.gap();
        let rest = self.width.saturating_sub(columns(label) + 4);
        let line = format!("── {label} {}", "─".repeat(rest));
        self.line(0, Mark::Quiet, &line);
        self.gap();
    }

    /// Words, wrapped.
    pub(super) fn paragraph(&mut self, indent: usize, mark: Mark, text: &str) {
        self.hang(&" ".repeat(indent), mark, text);
    }

    /// A list's item: the first line carries `bullet`, the others hang under its text.
    pub(super) fn item(&mut self, bullet: &str, text: &str) {
        self.hang(&format!("  {bullet} "), Mark::Body, text);
    }

    /// A label and what it says, hanging under itself.
    pub(super) fn fact(&mut self, label: &str, column: usize, text: &str) {
        let lead = format!("  {label:column$}  ");
        let lines = wrap(text, self.width.saturating_sub(columns(&lead)));
        for (index, line) in lines.iter().enumerate() {
            if index == 0 {
                self.style.push(&mut self.out, Mark::Quiet, &lead);
            } else {
                self.out.push_str(&" ".repeat(columns(&lead)));
            }
            self.out.push_str(line);
            self.out.push('\n');
        }
    }

    /// Labelled facts with their texts in one column.
    pub(super) fn facts<'a>(&mut self, facts: impl IntoIterator<Item = (&'a str, String)>) {
        let facts: Vec<_> = facts.into_iter().collect();
        let column = facts.iter().map(|(label, _)| columns(label)).max().unwrap_or(0);
        for (label, text) in &facts {
            self.fact(label, column, text);
        }
    }

    /// The evidence's own words: one line, cut where it does not fit.
    pub(super) fn quote(&mut self, indent: usize, text: &str) {
        let text = one_line(text);
        if !text.is_empty() {
            let text = cut_end(&text, self.width.saturating_sub(indent + 2)).into_owned();
            self.line(indent, Mark::Quiet, &format!("│ {text}"));
        }
    }

    /// Something to type: broken so that a shell still takes it as it stands. What is no command (a piece of a
    /// manifest) keeps its lines.
    pub(super) fn command(&mut self, indent: usize, text: &str) {
        let text = clean(text);
        let is_command = is_command(&text);
        let mut lead = if is_command { "$ " } else { "  " };
        for line in text.lines() {
            let pieces = if is_command {
                break_command(line, self.width.saturating_sub(indent + 2))
            } else {
                vec![line.trim_end().to_owned()]
            };
            for piece in pieces {
                self.line(indent, Mark::Command, format!("{lead}{piece}").trim_end());
                lead = "  ";
            }
        }
    }

    /// Rows under a head, each column as wide as its widest cell. `right` tells the columns of numbers.
    pub(super) fn table(&mut self, head: &[&str], right: &[bool], rows: &[Vec<String>]) {
        let widths: Vec<usize> = (0..head.len())
            .map(|column| {
                let cells = rows.iter().filter_map(|row| row.get(column)).map(|cell| columns(cell));
                cells.chain([columns(head[column])]).max().unwrap_or(0)
            })
            .collect();
        let line = |cells: &[&str]| {
            let mut out = String::new();
            for (index, cell) in cells.iter().enumerate() {
                let pad = " ".repeat(widths[index].saturating_sub(columns(cell)));
                out.push_str(if index == 0 { "" } else { "  " });
                if right.get(index) == Some(&true) {
                    out.push_str(&pad);
                    out.push_str(cell);
                } else {
                    out.push_str(cell);
                    out.push_str(&pad);
                }
            }
            out.trim_end().to_owned()
        };
        let room = self.width.saturating_sub(2);
        let title = line(head);
        self.line(2, Mark::Quiet, &cut_end(&title, room));
        for row in rows {
            let cells: Vec<&str> = row.iter().map(String::as_str).take(head.len()).collect();
            let row = line(&cells);
            self.line(2, Mark::Body, &cut_end(&row, room));
        }
    }

    /// One line, cut where it does not fit.
    pub(super) fn row(&mut self, indent: usize, mark: Mark, text: &str) {
        let text = clean(text);
        let fitting = cut_end(text.trim_end(), self.width.saturating_sub(indent)).into_owned();
        self.line(indent, mark, &fitting);
    }

    /// One line as it is.
    fn line(&mut self, indent: usize, mark: Mark, text: &str) {
        self.out.push_str(&" ".repeat(indent));
        self.style.push(&mut self.out, mark, text);
        self.out.push('\n');
    }

    fn hang(&mut self, lead: &str, mark: Mark, text: &str) {
        let indent = columns(lead);
        let below = " ".repeat(indent);
        for (index, line) in wrap(text, self.width.saturating_sub(indent)).iter().enumerate() {
            self.out.push_str(if index == 0 { lead } else { &below });
            self.style.push(&mut self.out, mark, line);
            self.out.push('\n');
        }
    }
}

/// `text` in lines of at most `width` columns: at spaces, and inside words only where a word alone is too long.
pub(super) fn wrap(text: &str, width: usize) -> Vec<String> {
    let width = width.max(10);
    let mut lines = Vec::new();
    for paragraph in clean(text).lines() {
        let mut line = String::new();
        for mut word in paragraph.split_whitespace() {
            if !line.is_empty() && columns(&line) + 1 + columns(word) > width {
                lines.push(std::mem::take(&mut line));
            }
            if !line.is_empty() {
                line.push(' ');
            }
            while columns(word) > width {
                let fitting = fitting(word, width);
                // A path breaks after a slash where one stands far enough to the right.
                let end = word[..fitting].rfind('/').map(|slash| slash + 1).filter(|end| end * 2 > fitting);
                let end = end.unwrap_or(fitting);
                lines.push(word[..end].to_owned());
                word = &word[end..];
            }
            line.push_str(word);
        }
        if !line.is_empty() {
            lines.push(line);
        }
    }
    lines
}

/// Whether a text is a shell command, and not a piece of YAML or JSON.
pub(super) fn is_command(text: &str) -> bool {
    let first = text.split_whitespace().next().unwrap_or("");
    !first.is_empty() && !first.ends_with(':') && !first.starts_with(['{', '[', '-', '#', '"'])
}

/// A shell command in lines of at most `width` columns that mean the same: outside quotes it breaks at a space, with a
/// backslash; inside single quotes only between the tokens of a JSON text, where a newline is white space. A piece that
/// offers no such place stays whole, however long: a command that runs is worth more than a straight margin.
fn break_command(line: &str, width: usize) -> Vec<String> {
    let (mut pieces, mut start, mut last) = (Vec::new(), 0, None::<(usize, bool)>);
    let (mut single, mut double, mut escaped) = (false, false, false);
    for (index, c) in line.char_indices() {
        let used = columns(&line[start..index]);
        // A backslash needs two columns of its own.
        if used + 2 >= width
            && let Some((at, in_json)) = last.take()
        {
            let piece = line[start..at].trim_end();
            pieces.push(if in_json { piece.to_owned() } else { format!("{piece} \\") });
            start = at;
        }
        match c {
            _ if escaped => escaped = false,
            '\\' if !single || double => escaped = true,
            '\'' if !double || single => (single, double) = (!single, false),
            '"' => double = !double,
            ' ' if !single && !double => last = Some((index + 1, false)),
            ',' | '{' | '[' if single && !double => last = Some((index + 1, true)),
            _ => {}
        }
    }
    pieces.push(line[start..].to_owned());
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_long_command_breaks_at_spaces_outside_quotes() {
        assert_eq!(
            break_command("kubectl get pod --namespace 'a b' -o json", 20),
            ["kubectl get pod \\", "--namespace 'a b' \\", "-o json"]
        );
    }

    #[test]
    fn a_patch_breaks_between_its_json_tokens() {
        assert_eq!(
            break_command(r#"kubectl patch x -p '{"spec":{"containers":[{"name":"app, one"}]}}'"#, 30),
            ["kubectl patch x -p '{", "\"spec\":{\"containers\":[{", "\"name\":\"app, one\"}]}}'"]
        );
    }

    proptest! {
        #[test]
        fn wrapped_lines_fit_and_lose_no_word(text in "[a-z …é漢]{0,200}", width in 10_usize..40) {
            let lines = wrap(&text, width);
            prop_assert!(lines.iter().all(|line| columns(line) <= width));
            let joined: String = lines.concat().split_whitespace().collect();
            prop_assert_eq!(joined, text.split_whitespace().collect::<String>());
        }

        #[test]
        fn a_broken_command_has_every_character_of_the_whole(text in "[a-z '\"{,:]{0,120}", width in 10_usize..40) {
            let pieces = break_command(&text, width);
            let joined: String = pieces.iter().map(|piece| piece.trim_end_matches(" \\")).collect();
            prop_assert_eq!(joined.replace(' ', ""), text.replace(' ', ""));
        }
    }
}
