//! Where the memory went, as text for people and as markdown for a ticket.

use super::clean::{columns, cut_end, one_line};
use super::layout::Page;
use super::style::{Mark, Style};
use super::words;
use crate::diagnosis::GapReport;
use crate::waterfall::{Document, Waterfall};

mod rows;

use rows::Row;

/// Columns of a bar.
const BAR: usize = 16;

/// Rows of files, processes and flags beyond these are counted, not shown.
const ROWS: usize = 16;

/// The document as text in at most `width` columns (but never narrower than 40).
pub fn waterfall_text(document: &Document, style: Style, width: usize) -> String {
    let mut page = Page::new(style, width);
    if document.waterfalls.is_empty() {
        page.paragraph(0, Mark::Notice, NOTHING);
    }
    let number = document.waterfalls.len();
    if number > 1 {
        overview(&mut page, document);
    }
    for (index, waterfall) in document.waterfalls.iter().enumerate() {
        if number > 1 {
            page.rule(&format!("{} of {number}", index + 1));
        }
        one(&mut page, waterfall);
    }
    gaps(&mut page, &document.gaps);
    page.finish()
}

const NOTHING: &str = "No container was found to look at.";

fn overview(page: &mut Page, document: &Document) {
    page.paragraph(
        0,
        Mark::Heading,
        &format!("{} containers, those closest to a kill first", document.waterfalls.len()),
    );
    page.gap();
    let (head, right, rows) = table(document);
    page.table(&head, &right, &rows);
}

/// Every container in a row.
fn table(document: &Document) -> ([&'static str; 5], [bool; 5], Vec<Vec<String>>) {
    let cell = |bytes: Option<crate::units::Bytes>| bytes.map_or_else(|| "-".to_owned(), |bytes| bytes.to_string());
    let rows = document
        .waterfalls
        .iter()
        .map(|it| {
            vec![
                one_line(&rows::title(it)),
                it.charged_bytes.to_string(),
                it.unreclaimable_bytes.to_string(),
                cell(it.limits.iter().map(|limit| limit.limit_bytes).min()),
                cell(it.headroom_bytes),
            ]
        })
        .collect();
    (["CONTAINER", "CHARGED", "NOT RECLAIMABLE", "LIMIT", "HEADROOM"], [false, true, true, true, true], rows)
}

fn one(page: &mut Page, waterfall: &Waterfall) {
    let mark = match rows::risk(waterfall) {
        Some(90..) => Mark::Alarm,
        Some(75..) => Mark::Notice,
        _ => Mark::Well,
    };
    page.paragraph(0, mark, &rows::summary(waterfall));
    page.gap();
    page.facts(rows::facts(waterfall));
    page.heading("WHERE THE MEMORY WENT");
    bars_of(page, waterfall);
    if let Some(grew) = &waterfall.grew {
        page.heading("WHAT GREW");
        if grew.is_empty() {
            page.paragraph(2, Mark::Quiet, "nothing");
        }
        grew.iter().take(ROWS).for_each(|growth| page.item("•", &rows::growth(growth)));
        more(page, grew.len());
    }
    page.heading("NUMBERS THAT PEOPLE COMPARE");
    for view in &waterfall.views {
        page.item("•", &format!("{}: {}: {}", view.bytes, view.name, view.includes));
    }
    let processes = rows::processes(waterfall);
    if !processes.is_empty() {
        page.heading("PROCESSES");
        let shown = &processes[..processes.len().min(ROWS)];
        page.table(&rows::PROCESS_HEAD, &rows::PROCESS_RIGHT, shown);
        more(page, processes.len());
        for line in rows::descriptor_tables(waterfall) {
            page.item("•", &line);
        }
    }
    let flags = rows::flags(waterfall);
    if !flags.is_empty() {
        page.heading("SETTINGS IN FORCE");
        flags.iter().take(ROWS).for_each(|flag| page.item("•", flag));
        more(page, flags.len());
    }
    for process in &waterfall.processes {
        let Some(told) = &process.told else { continue };
        page.heading(&format!("WHAT {} ({}) SAYS OF ITSELF", process.pid, one_line(&process.comm)));
        page.paragraph(2, Mark::Quiet, &rows::asked(told));
        for line in rows::told(told) {
            page.item("•", &line);
        }
    }
    gaps(page, &waterfall.gaps);
}

fn more(page: &mut Page, number: usize) {
    if number > ROWS {
        page.paragraph(2, Mark::Quiet, &format!("and {} more; -o json has all", number - ROWS));
    }
}

/// The bars, and the buffers that are somewhere in them.
pub(super) fn bars_of(page: &mut Page, waterfall: &Waterfall) {
    bars(page, &rows::rows(waterfall), waterfall.charged_bytes.0);
    for line in rows::buffers(waterfall) {
        page.item("•", &line);
    }
}

/// A line each: name, bar, amount, share, note.
fn bars(page: &mut Page, rows: &[Row], charged: u64) {
    let width = rows.iter().map(|row| columns(&row.name) + 2 * row.depth).max().unwrap_or(0).min(36);
    for row in rows {
        let name = cut_end(&row.name, width.saturating_sub(2 * row.depth)).into_owned();
        let pad = width.saturating_sub(2 * row.depth + columns(&name));
        let bytes = u64::try_from(row.bytes).unwrap_or(0);
        let eighths = usize::try_from(u128::from(bytes) * (BAR * 8) as u128 / u128::from(charged.max(1))).unwrap_or(0);
        let share = u128::from(bytes) * 1000 / u128::from(charged.max(1));
        let share = if row.depth == 0 { format!("{:>2}.{} %", share / 10, share % 10) } else { String::new() };
        let bar = if row.depth == 0 { bar(eighths.min(BAR * 8)) } else { String::new() };
        let text = format!(
            "{}{name}{}  {bar}{}  {:>9}  {share:>6}  {}",
            " ".repeat(2 * row.depth),
            " ".repeat(pad),
            " ".repeat(BAR - columns(&bar)),
            rows::amount(row.bytes),
            row.note,
        );
        page.row(2, if row.depth == 0 { Mark::Body } else { Mark::Quiet }, &text);
    }
}

/// A bar in eighths of a column.
fn bar(eighths: usize) -> String {
    const ENDS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    "█".repeat(eighths / 8) + ENDS[eighths % 8]
}

pub(super) fn gaps(page: &mut Page, gaps: &[GapReport]) {
    if gaps.is_empty() {
        return;
    }
    page.heading("NOT READ");
    for gap in words::gaps(gaps) {
        page.item("•", &format!("{}: {}", gap.what, gap.because));
        if !gap.command.is_empty() {
            page.command(6, &gap.command);
        }
    }
}

/// The document as GitHub-flavoured markdown.
pub fn waterfall_markdown(document: &Document) -> String {
    let mut out = String::new();
    if document.waterfalls.is_empty() {
        out.push_str(&format!("{NOTHING}\n"));
    }
    if document.waterfalls.len() > 1 {
        let (head, right, rows) = table(document);
        out.push_str(&grid(&head, &right, &rows));
        out.push('\n');
    }
    for waterfall in &document.waterfalls {
        out.push_str(&format!("**{}**\n\n", super::markdown::escape(&rows::summary(waterfall))));
        let rows: Vec<Vec<String>> = rows::rows(waterfall)
            .into_iter()
            .map(|row| vec![format!("{}{}", "- ".repeat(row.depth), row.name), rows::amount(row.bytes), row.note])
            .collect();
        out.push_str(&grid(&["Part", "Memory", ""], &[false, true, false], &rows));
        out.push('\n');
        for line in rows::buffers(waterfall) {
            out.push_str(&format!("- {}\n", super::markdown::escape(&line)));
        }
        if let Some(grew) = &waterfall.grew {
            out.push_str(if grew.is_empty() { "\nNothing grew.\n" } else { "\nWhat grew:\n\n" });
            for growth in grew {
                out.push_str(&format!("- {}\n", super::markdown::escape(&rows::growth(growth))));
            }
        }
        let views: Vec<Vec<String>> = waterfall
            .views
            .iter()
            .map(|view| vec![view.name.clone(), view.bytes.to_string(), view.includes.clone()])
            .collect();
        out.push('\n');
        out.push_str(&grid(&["Seen in", "Memory", "What it counts"], &[false, true, false], &views));
        for process in &waterfall.processes {
            let Some(told) = &process.told else { continue };
            let asked = format!("{} ({}): {}", process.pid, one_line(&process.comm), rows::asked(told));
            out.push_str(&format!("\n{}\n\n", super::markdown::escape(&asked)));
            for line in rows::told(told) {
                out.push_str(&format!("- {}\n", super::markdown::escape(&line)));
            }
            out.push('\n');
        }
        for line in rows::descriptor_tables(waterfall).into_iter().chain(rows::flags(waterfall)) {
            out.push_str(&format!("- {}\n", super::markdown::escape(&line)));
        }
        out.push('\n');
    }
    let of_each = document.waterfalls.iter().flat_map(|it| words::gaps(&it.gaps));
    for gap in words::gaps(&document.gaps).into_iter().chain(of_each) {
        out.push_str(&format!("- Not read: {}\n", super::markdown::escape(&format!("{}: {}", gap.what, gap.because))));
    }
    out
}

fn grid(head: &[&str], right: &[bool], rows: &[Vec<String>]) -> String {
    let line = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
    let mut text = line(head.iter().map(|cell| (*cell).to_owned()).collect());
    text.push_str(&line(right.iter().map(|right| if *right { "---:" } else { "---" }.to_owned()).collect()));
    for row in rows {
        text.push_str(&line(row.iter().map(|cell| super::markdown::escape(cell)).collect()));
    }
    text
}
