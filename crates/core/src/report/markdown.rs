//! The answer for a ticket: the same content as the text, as GitHub-flavoured markdown.

use super::clean::{clean, one_line};
use super::layout::is_command;
use super::words::{self, Balance};
use crate::diagnosis::{Diagnosis, Document, KillReport};

/// The document as markdown.
pub fn markdown(document: &Document) -> String {
    let mut out = Paper::default();
    match document.diagnoses.len() {
        0 => out.block(&escape(words::nothing(document))),
        1 => {}
        _ => overview(&mut out, document),
    }
    for sentence in document.named.iter().flatten() {
        out.block(&escape(sentence));
    }
    for diagnosis in &document.diagnoses {
        one(&mut out, document, diagnosis);
    }
    let kills = words::unclaimed(document);
    if !kills.is_empty() {
        out.block("## Kernel kills of others");
        let (head, right, rows) = words::kill_table(&kills, usize::MAX);
        out.table(&head, &right, &rows);
    }
    footer(&mut out, document);
    out.text
}

/// Blocks with an empty line between them.
#[derive(Default)]
struct Paper {
    text: String,
}

impl Paper {
    fn block(&mut self, text: &str) {
        if text.is_empty() {
            return;
        }
        if !self.text.is_empty() {
            self.text.push('\n');
        }
        self.text.push_str(text);
        self.text.push('\n');
    }

    fn heading(&mut self, name: &str) {
        self.block(&format!("### {name}"));
    }

    fn table(&mut self, head: &[&str], right: &[bool], rows: &[Vec<String>]) {
        let line = |cells: &mut dyn Iterator<Item = String>| format!("| {} |", cells.collect::<Vec<_>>().join(" | "));
        let mut text = line(&mut head.iter().map(|cell| (*cell).to_owned()));
        text.push('\n');
        text.push_str(&line(&mut right.iter().map(|right| if *right { "---:" } else { "---" }.to_owned())));
        for row in rows {
            text.push('\n');
            text.push_str(&line(&mut row.iter().take(head.len()).map(|cell| escape(cell))));
        }
        self.block(&text);
    }
}

fn overview(out: &mut Paper, document: &Document) {
    out.block(&format!("**{}**", escape(&words::tally(&document.diagnoses))));
    let rows: Vec<_> = document
        .diagnoses
        .iter()
        .map(|diagnosis| {
            let restarts = diagnosis.termination.restart_count;
            vec![
                words::label(document, diagnosis),
                diagnosis.verdict.to_string(),
                words::when(document, diagnosis).map(words::moment).unwrap_or_default(),
                restarts.map(|restarts| restarts.to_string()).unwrap_or_default(),
            ]
        })
        .collect();
    out.table(&["Container", "Verdict", "When", "Restarts"], &[false, false, false, true], &rows);
}

fn one(out: &mut Paper, document: &Document, diagnosis: &Diagnosis) {
    out.block(&format!("## {}: {}", diagnosis.verdict, escape(&words::label(document, diagnosis))));
    out.block(&format!("**{}**", escape(&diagnosis.summary)));
    facts(out, words::facts(document, diagnosis));

    list(out, "Evidence", &diagnosis.evidence, |evidence| {
        let mut item = format!("{}{}", escape(&evidence.says), origin(&evidence.source, &evidence.locator));
        if !evidence.excerpt.trim().is_empty() {
            item.push('\n');
            item.push_str(&fence("text", &one_line(&evidence.excerpt)));
        }
        item
    });
    list(out, "Ruled out", &words::ruled_out(diagnosis), |(verdicts, because)| {
        let names: Vec<_> = verdicts.iter().map(|verdict| code(verdict.id())).collect();
        format!("{}: {}", names.join(", "), escape(because))
    });
    list(out, "Not known", &diagnosis.missing, |missing| with_command(&escape(&missing.what), &missing.command));
    list(out, "What made it likely", &diagnosis.contributors, |contributor| {
        format!("{}{}", escape(&contributor.says), origin(&contributor.source, &contributor.locator))
    });
    list(out, "Changed before", &diagnosis.changes, |change| {
        format!("{}: {}", change.at.map_or("at an unknown time".to_owned(), words::moment), escape(&change.what))
    });
    if let Some(pattern) = words::pattern(&diagnosis.pattern) {
        out.heading("Pattern");
        out.block(&escape(&pattern));
    }
    let settings = words::settings(&diagnosis.memory);
    let balance = words::balance(document, diagnosis);
    if !settings.is_empty() || balance.is_some() {
        out.heading("Memory");
        facts(out, settings);
    }
    if let Some(balance) = balance {
        sum(out, &balance);
    }
    for kill in words::kills(document, diagnosis) {
        kernel_kill(out, kill);
    }
    let earlier = words::earlier(document, diagnosis);
    if !earlier.is_empty() {
        out.heading("Other kernel kills in its pod");
        let (head, right, rows) = words::kill_table(&earlier, usize::MAX);
        out.table(&head, &right, &rows);
    }
    list(out, "Fix", &diagnosis.advice, |advice| {
        let mut item = escape(&advice.action);
        for (label, text) in words::why_and_risk(advice) {
            item = format!("{item}  \n{label}: {}", escape(text));
        }
        with_command(&item, advice.patch.as_deref().unwrap_or_default())
    });
}

fn facts(out: &mut Paper, facts: Vec<words::Labelled>) {
    if !facts.is_empty() {
        let rows: Vec<_> = facts.into_iter().map(|(label, text)| vec![label.to_owned(), text]).collect();
        out.table(&["", ""], &[false, false], &rows);
    }
}

fn sum(out: &mut Paper, balance: &Balance) {
    let rows = balance.rows("(of it shared memory and tmpfs)");
    out.table(&["At the kill", "Bytes", "Share"], &[false, true, true], &rows);
    if let Some(caveat) = balance.caveat() {
        out.block(caveat);
    }
}

fn kernel_kill(out: &mut Paper, kill: &KillReport) {
    out.heading(&format!("Kernel kill {}", escape(&kill.id)));
    facts(out, words::kill_facts(kill));
    if let Some((head, right, rows)) = words::next_victims(kill) {
        out.block("Who was next, by the kernel's badness:");
        out.table(&head, &right, &rows);
    }
}

fn footer(out: &mut Paper, document: &Document) {
    list_at(out, "## Looked at", &document.sources, |source| {
        format!("{} ({})", code(&source.name), escape(&words::source(source)))
    });
    list_at(out, "## Not learned", &words::gaps(&document.gaps), |gap| {
        let because = if gap.because.is_empty() { String::new() } else { format!(": {}", gap.because) };
        with_command(&escape(&format!("{}{because}", gap.what)), &gap.command)
    });
}

fn list<T>(out: &mut Paper, name: &str, items: &[T], item: impl Fn(&T) -> String) {
    list_at(out, &format!("### {name}"), items, item);
}

fn list_at<T>(out: &mut Paper, heading: &str, items: &[T], item: impl Fn(&T) -> String) {
    if items.is_empty() {
        return;
    }
    out.block(heading);
    let lines: Vec<_> = items
        .iter()
        .map(|one| {
            let text = item(one);
            // Lines under an item belong to it when they are indented as its text is.
            format!("- {}", text.replace('\n', "\n  "))
        })
        .collect();
    out.block(&lines.join("\n"));
}

fn origin(source: &str, locator: &str) -> String {
    match (source.is_empty(), locator.is_empty()) {
        (true, true) => String::new(),
        (false, true) => format!(" ({})", code(source)),
        (true, false) => format!(" ({})", code(locator)),
        (false, false) => format!(" ({} {})", code(source), code(locator)),
    }
}

fn with_command(text: &str, command: &str) -> String {
    if command.trim().is_empty() {
        text.to_owned()
    } else {
        let language = if is_command(command) { "sh" } else { "yaml" };
        format!("{text}\n{}", fence(language, clean(command).trim_end()))
    }
}

/// Text in which nothing is markup: every character that could begin some is escaped (CommonMark 0.31, section 2.4).
pub(super) fn escape(text: &str) -> String {
    let text = one_line(text);
    let mut out = String::with_capacity(text.len());
    let bullet = list_marker(&text);
    for (index, c) in text.char_indices() {
        match c {
            '\\' | '`' | '*' | '[' | ']' | '<' | '>' | '|' | '~' | '&' | '@' => {
                out.push('\\');
                out.push(c);
            }
            // Inside a word an underscore is no emphasis.
            '_' if !inside_word(&text, index) => out.push_str("\\_"),
            // A text that begins as a list's item does is none.
            '+' | '-' | '.' | ')' if bullet == Some(index) => {
                out.push('\\');
                out.push(c);
            }
            // `#12` would be a link to an issue.
            '#' => out.push_str("\\#"),
            c => out.push(c),
        }
    }
    out
}

/// Where the marker of a list's item ends, if the text begins with one: `- `, `+ `, `12. `, `3) `.
fn list_marker(text: &str) -> Option<usize> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let marks: &[u8] = if digits == 0 { b"-+" } else { b".)" };
    let is_marker = text.as_bytes().get(digits).is_some_and(|mark| marks.contains(mark));
    (is_marker && matches!(text.as_bytes().get(digits + 1), None | Some(b' '))).then_some(digits)
}

fn inside_word(text: &str, index: usize) -> bool {
    let before = text[..index].chars().next_back().is_some_and(char::is_alphanumeric);
    let after = text[index + 1..].chars().next().is_some_and(char::is_alphanumeric);
    before && after
}

/// A code span that holds any text: its fence is longer than every run of backticks inside.
fn code(text: &str) -> String {
    let text = one_line(text).replace('|', "\\|");
    let ticks = "`".repeat(longest_run(&text) + 1);
    let pad = if text.starts_with('`') || text.ends_with('`') { " " } else { "" };
    format!("{ticks}{pad}{text}{pad}{ticks}")
}

/// A fenced block that holds any text.
fn fence(language: &str, text: &str) -> String {
    let ticks = "`".repeat((longest_run(text) + 1).max(3));
    format!("{ticks}{language}\n{text}\n{ticks}")
}

fn longest_run(text: &str) -> usize {
    text.split(|c| c != '`').map(str::len).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_from_evidence_becomes_markup() {
        assert_eq!(escape("a|b <img> *x* _y_ oom_score #12 @me"), r"a\|b \<img\> \*x\* \_y\_ oom_score \#12 \@me");
        assert_eq!(escape("-Xmx512m"), "-Xmx512m");
        assert_eq!(escape("- x"), "\\- x");
        assert_eq!(escape("12. x. y"), "12\\. x. y");
        assert_eq!(code("a`b``c"), "```a`b``c```");
        assert_eq!(fence("text", "```"), "````text\n```\n````");
    }
}
