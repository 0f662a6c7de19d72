//! The answer for people at three in the morning: the verdict first, then its proof, then what to do.

use super::clean::{columns, cut_middle, one_line};
use super::layout::Page;
use super::style::{Mark, Style};
use super::words::{self, Balance};
use crate::diagnosis::{Diagnosis, Document, GapReport, KillReport, Verdict};

/// More diagnoses than this are preceded by a table of them.
const WITHOUT_TABLE: usize = 3;

/// Sources listed by name at the end.
const SOURCES: usize = 12;

/// Kernel kills of others listed.
const KILLS: usize = 10;

/// Gaps listed at the end.
const GAPS: usize = 12;

/// The document as text in at most `width` columns (but never narrower than 40).
pub fn text(document: &Document, style: Style, width: usize) -> String {
    let mut page = Page::new(style, width);
    let number = document.diagnoses.len();
    if number == 0 {
        page.paragraph(0, Mark::Notice, words::nothing(document));
    }
    for sentence in document.named.iter().flatten() {
        page.gap();
        page.paragraph(0, Mark::Well, sentence);
    }
    if number > WITHOUT_TABLE {
        table(&mut page, document);
    }
    for (index, diagnosis) in document.diagnoses.iter().enumerate() {
        if number > 1 {
            page.rule(&format!("{} of {number}", index + 1));
        }
        one(&mut page, document, diagnosis);
    }
    if number > 1 {
        page.rule("the evidence as a whole");
    }
    unclaimed(&mut page, document);
    footer(&mut page, document);
    page.finish()
}

/// Kernel kills that no diagnosis claims: in full where they are few and all there is, else one line each.
fn unclaimed(page: &mut Page, document: &Document) {
    let kills = words::unclaimed(document);
    if document.diagnoses.is_empty() && kills.len() <= WITHOUT_TABLE {
        for kill in kills {
            kernel_kill(page, kill);
        }
        return;
    }
    if kills.is_empty() {
        return;
    }
    page.heading("KERNEL KILLS OF OTHERS");
    kill_rows(page, &kills);
}

/// Kills in one line each.
fn kill_rows(page: &mut Page, kills: &[&KillReport]) {
    let (head, right, mut rows) = words::kill_table(kills, KILLS);
    let widest = |column: usize| rows.iter().map(|row| columns(&row[column])).max().unwrap_or(0);
    let used: usize = (0..3).map(|column| widest(column).max(head[column].len()) + 2).sum();
    let room = page.width().saturating_sub(2 + used).max(20);
    for row in &mut rows {
        row[3] = cut_middle(&row[3], room).into_owned();
    }
    page.table(&head, &right, &rows);
    more(page, kills.len(), KILLS);
}

/// One line for each diagnosis, under a line that counts them.
pub fn brief(document: &Document, style: Style, width: usize) -> String {
    let mut page = Page::new(style, width);
    if document.diagnoses.is_empty() {
        page.paragraph(0, Mark::Notice, words::nothing(document));
    } else {
        table(&mut page, document);
    }
    page.finish()
}

/// Columns of a moment.
const WHEN: usize = "2026-11-21 21:18:02Z".len();

/// Columns of the number of restarts, by its head.
const RESTARTS: usize = "RESTARTS".len();

fn table(page: &mut Page, document: &Document) {
    page.paragraph(0, Mark::Heading, &words::tally(&document.diagnoses));
    page.gap();
    // A namespace that all share says nothing.
    let namespace = |diagnosis: &Diagnosis| diagnosis.subject.namespace.clone();
    let first = document.diagnoses.first().and_then(namespace);
    let shared = first.filter(|_| document.diagnoses.windows(2).all(|two| namespace(&two[0]) == namespace(&two[1])));
    let verdict = document.diagnoses.iter().map(|diagnosis| diagnosis.verdict.id().len()).max().unwrap_or(0);
    let room = page.width().saturating_sub(2 + 2 + verdict + 2 + WHEN + 2 + RESTARTS).max(20);
    let rows: Vec<_> = document
        .diagnoses
        .iter()
        .map(|diagnosis| {
            let label = words::label(document, diagnosis);
            let prefix = shared.as_ref().map(|namespace| format!("{namespace}/")).unwrap_or_default();
            let label = label.strip_prefix(&prefix).unwrap_or(&label);
            let restarts = diagnosis.termination.restart_count;
            vec![
                cut_middle(&one_line(label), room).into_owned(),
                diagnosis.verdict.to_string(),
                words::when(document, diagnosis).map(words::moment).unwrap_or_default(),
                restarts.map(|restarts| restarts.to_string()).unwrap_or_default(),
            ]
        })
        .collect();
    page.table(&["CONTAINER", "VERDICT", "WHEN", "RESTARTS"], &[false, false, false, true], &rows);
}

fn one(page: &mut Page, document: &Document, diagnosis: &Diagnosis) {
    page.paragraph(0, gravity(diagnosis), &diagnosis.summary);
    page.gap();
    page.facts(words::facts(document, diagnosis));

    if !diagnosis.evidence.is_empty() {
        page.heading("EVIDENCE");
        for evidence in &diagnosis.evidence {
            page.item("-", &evidence.says);
            page.paragraph(4, Mark::Quiet, &origin(&evidence.source, &evidence.locator));
            page.quote(4, &evidence.excerpt);
        }
    }
    if !diagnosis.ruled_out.is_empty() {
        page.heading("RULED OUT");
        for (verdicts, because) in words::ruled_out(diagnosis) {
            let names: Vec<_> = verdicts.iter().map(|verdict| verdict.id()).collect();
            page.item("-", &format!("{}: {because}", names.join(", ")));
        }
    }
    if !diagnosis.missing.is_empty() {
        page.heading("NOT KNOWN");
        for missing in &diagnosis.missing {
            page.item("-", &missing.what);
            page.command(4, &missing.command);
        }
    }
    if !diagnosis.contributors.is_empty() {
        page.heading("WHAT MADE IT LIKELY");
        for contributor in &diagnosis.contributors {
            page.item("-", &contributor.says);
            page.paragraph(4, Mark::Quiet, &origin(&contributor.source, &contributor.locator));
        }
    }
    if !diagnosis.changes.is_empty() {
        page.heading("CHANGED BEFORE");
        for change in &diagnosis.changes {
            let at = change.at.map_or("at an unknown time".to_owned(), words::moment);
            page.item("-", &format!("{at}  {}", change.what));
        }
    }
    if let Some(pattern) = words::pattern(&diagnosis.pattern) {
        page.heading("PATTERN");
        page.paragraph(2, Mark::Body, &pattern);
    }
    memory(page, document, diagnosis);
    for kill in words::kills(document, diagnosis) {
        kernel_kill(page, kill);
    }
    let earlier = words::earlier(document, diagnosis);
    if !earlier.is_empty() {
        page.heading("OTHER KERNEL KILLS IN ITS POD");
        kill_rows(page, &earlier);
    }
    if !diagnosis.advice.is_empty() {
        page.heading("FIX");
        for (index, advice) in diagnosis.advice.iter().enumerate() {
            page.item(&format!("{}.", index + 1), &advice.action);
            for (label, words) in words::why_and_risk(advice) {
                page.paragraph(5, Mark::Body, &format!("{label}: {words}"));
            }
            if let Some(patch) = &advice.patch {
                page.command(5, patch);
            }
        }
    }
    page.gap();
    page.paragraph(0, Mark::Quiet, &format!("More about this verdict: oomph explain {}", diagnosis.verdict));
}

/// Red where the kernel killed for memory, green where all ended well, else yellow.
fn gravity(diagnosis: &Diagnosis) -> Mark {
    match diagnosis.verdict {
        Verdict::Completed => Mark::Well,
        _ if diagnosis.oom_kill == Some(true) => Mark::Alarm,
        _ => Mark::Notice,
    }
}

fn origin(source: &str, locator: &str) -> String {
    match (source.is_empty(), locator.is_empty()) {
        (_, true) => source.to_owned(),
        (true, false) => locator.to_owned(),
        (false, false) => format!("{source}: {locator}"),
    }
}

fn memory(page: &mut Page, document: &Document, diagnosis: &Diagnosis) {
    let settings = words::settings(&diagnosis.memory);
    let balance = words::balance(document, diagnosis);
    if settings.is_empty() && balance.is_none() {
        return;
    }
    page.heading("MEMORY");
    page.facts(settings);
    if let Some(balance) = balance {
        page.gap();
        sum(page, &balance);
    }
}

/// The composition as a sum that a reader can check.
fn sum(page: &mut Page, balance: &Balance) {
    let rows = balance.rows("  of it shared memory and tmpfs");
    page.table(&["AT THE KILL", "BYTES", "SHARE"], &[false, true, true], &rows);
    if let Some(caveat) = balance.caveat() {
        page.paragraph(2, Mark::Quiet, caveat);
    }
}

fn kernel_kill(page: &mut Page, kill: &KillReport) {
    page.heading(&format!("KERNEL KILL {}", one_line(&kill.id)));
    page.facts(words::kill_facts(kill));
    if let Some((head, right, rows)) = words::next_victims(kill) {
        page.gap();
        page.paragraph(2, Mark::Body, "Who was next, by the kernel's badness:");
        page.table(&head, &right, &rows);
    }
}

/// What was looked at and what was not learned: never silence.
fn footer(page: &mut Page, document: &Document) {
    if document.sources.is_empty() && document.gaps.is_empty() {
        return;
    }
    if !document.sources.is_empty() {
        page.heading("LOOKED AT");
        for source in document.sources.iter().take(SOURCES) {
            page.item("-", &format!("{} ({})", source.name, words::source(source)));
        }
        more(page, document.sources.len(), SOURCES);
    }
    if !document.gaps.is_empty() {
        page.heading("NOT LEARNED");
        let gaps = words::gaps(&document.gaps);
        for GapReport { what, because, command } in gaps.iter().take(GAPS) {
            let because = if because.is_empty() { String::new() } else { format!(": {because}") };
            page.item("-", &format!("{what}{because}"));
            page.command(4, command);
        }
        more(page, gaps.len(), GAPS);
    }
}

fn more(page: &mut Page, all: usize, shown: usize) {
    if all > shown {
        page.item("-", &format!("and {} more (all of them: -o json)", all - shown));
    }
}
