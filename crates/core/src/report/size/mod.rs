//! What workloads should be given, as text for people and as markdown for a ticket.

use super::clean::{cut_middle, one_line};
use super::layout::Page;
use super::style::{Mark, Style};
use crate::growth::Class;
use crate::size::{Curve, Document, Setting, Sizing, time};
use crate::units::Bytes;

mod change;
mod chart;
mod patch;
mod plot;
mod vpa;
mod watched;

pub use change::{Change, Difference, Left, changes, differences};
pub use patch::{kustomization, patches};
pub use plot::svg;
pub use vpa::vpas;

/// So many workloads are told in full; of more, a table only, unless all is asked for.
const IN_FULL: usize = 8;

/// The document as text in at most `width` columns (but never narrower than 40). `curves` are those of its workloads, in
/// the same order; with `full` every workload is told in full, however many there are.
pub fn size_text(document: &Document, curves: &[Curve], full: bool, style: Style, width: usize) -> String {
    let mut page = Page::new(style, width);
    if document.workloads.is_empty() {
        page.paragraph(0, Mark::Notice, "No history was found to size.");
    } else {
        let action = document.workloads.iter().filter(|it| it.needs_action).count();
        page.paragraph(0, Mark::Heading, &counted(document.workloads.len(), action));
        page.gap();
        let (head, right, rows) = table(document);
        page.table(&head, &right, &rows);
    }
    let number = document.workloads.len();
    let in_full =
        document.workloads.iter().zip(curves).filter(|(it, _)| full || number <= IN_FULL || it.class == Class::Leak);
    for (sizing, curve) in in_full {
        page.rule(&one_line(&title(sizing)));
        one(&mut page, sizing, curve);
    }
    if !full && number > IN_FULL {
        page.gap();
        page.paragraph(0, Mark::Quiet, "Name a workload, or say -v, for the reasons of each number.");
    }
    super::waterfall::gaps(&mut page, &document.gaps);
    page.finish()
}

fn counted(number: usize, action: usize) -> String {
    let workloads = if number == 1 { "1 workload".to_owned() } else { format!("{number} workloads") };
    match action {
        0 => format!("{workloads}, none needs action"),
        1 => format!("{workloads}, 1 needs action"),
        _ => format!("{workloads}, {action} need action"),
    }
}

/// `namespace/name/container`.
fn title(sizing: &Sizing) -> String {
    let names = [sizing.namespace.as_deref(), Some(sizing.name.as_str()), sizing.container.as_deref()];
    names.into_iter().flatten().collect::<Vec<_>>().join("/")
}

fn cell(bytes: Option<Bytes>) -> String {
    bytes.map_or_else(|| "-".to_owned(), |bytes| bytes.to_string())
}

/// Columns of a workload's name in the table.
const NAME: usize = 32;

/// Every workload in a row, what needs action first.
fn table(document: &Document) -> ([&'static str; 7], [bool; 7], Vec<Vec<String>>) {
    let mut order: Vec<&Sizing> = document.workloads.iter().collect();
    order.sort_by_key(|it| (!it.needs_action, it.class != Class::Leak, it.class != Class::LimitTooLow));
    let rows = order.into_iter().map(|it| {
        let proposed = it.proposed.as_ref();
        vec![
            cut_middle(&one_line(&title(it)), NAME).into_owned(),
            it.class.id().to_owned(),
            cell(it.current.request_bytes),
            cell(it.current.limit_bytes),
            cell(proposed.and_then(|it| it.request_bytes)),
            cell(proposed.and_then(|it| it.limit_bytes)),
            kills(it),
        ]
    });
    (
        ["WORKLOAD", "CLASS", "REQUEST", "LIMIT", "NEW REQUEST", "NEW LIMIT", "KILLS/MONTH"],
        [false, false, true, true, true, true, true],
        rows.collect(),
    )
}

/// The risk, before and after.
fn kills(sizing: &Sizing) -> String {
    let told = |kills: Option<f64>| kills.map_or_else(|| "-".to_owned(), few);
    match (sizing.risk.kills_per_month_before, sizing.risk.kills_per_month) {
        (None, after) => told(after),
        (before, after) => format!("{} → {}", told(before), told(after)),
    }
}

/// A small number with as many digits as it deserves.
fn few(kills: f64) -> String {
    match kills {
        it if it < 0.01 => "0".to_owned(),
        it if it < 10.0 => format!("{it:.2}"),
        it => format!("{it:.0}"),
    }
}

fn mark(sizing: &Sizing) -> Mark {
    match (sizing.class, sizing.needs_action) {
        (Class::Leak | Class::LimitTooLow, _) => Mark::Alarm,
        (_, true) => Mark::Notice,
        _ => Mark::Well,
    }
}

fn one(page: &mut Page, sizing: &Sizing, curve: &Curve) {
    page.paragraph(0, mark(sizing), &summary(sizing));
    page.gap();
    page.facts(facts(sizing));
    chart::chart(page, curve);
    if let Some(because) = &sizing.proposed_missing {
        page.heading("WHAT TO SET");
        page.paragraph(2, Mark::Notice, &format!("nothing: {because}"));
    } else if let Some(proposed) = &sizing.proposed {
        page.heading("WHAT TO SET");
        for line in settings(proposed) {
            page.item("•", &line);
        }
        if let Some(because) = &sizing.flags_missing {
            page.item("•", &format!("no runtime flags: {because}"));
        }
        page.heading("WHY");
        for reason in &sizing.reasons {
            page.item("-", reason);
        }
    }
    if let Some(vpa) = sizing.vpa.as_ref().filter(|vpa| !vpa.defects.is_empty()) {
        page.heading("THE VPA");
        for defect in &vpa.defects {
            page.item("!", &format!("{}: {}", defect.id, defect.what));
        }
    }
    if !sizing.advice.is_empty() {
        page.heading("BESIDES");
        for (index, advice) in sizing.advice.iter().enumerate() {
            page.item(&format!("{}.", index + 1), &format!("{}: {}", advice.what, advice.why));
        }
    }
}

/// Request, limit and flags, one a line.
fn settings(setting: &Setting) -> Vec<String> {
    let mut lines = vec![format!("request {}, limit {}", cell(setting.request_bytes), cell(setting.limit_bytes))];
    lines.extend(setting.flags.iter().map(|flag| format!("{}: {}", flag.setting(), flag.why)));
    lines
}

/// One sentence.
fn summary(sizing: &Sizing) -> String {
    let cut = if sizing.censored { ", and its history was cut off by its limit" } else { "" };
    let what = match sizing.class {
        Class::Leak => "grows without end: more memory only delays the kill",
        Class::LimitTooLow => "has a limit that is too low",
        Class::Spike => "has short peaks far above what is usual",
        Class::Sawtooth => "rises and falls again and again",
        Class::StartUpPeak => "needs the most while starting",
        Class::WarmUp => "grew towards a level and stays there",
        Class::Step => "went from one level to another",
        Class::Cache => "is mostly page cache or tmpfs",
        Class::Steady => "is steady",
        Class::TooLittleData if sizing.observed.samples == 0 && sizing.vpa.is_some() => "was seen by a VPA alone",
        Class::TooLittleData => "was seen too shortly to tell what it will do",
    };
    format!("The memory of {} {what}{cut}.", title(sizing))
}

fn facts(sizing: &Sizing) -> Vec<(&'static str, String)> {
    let mut facts =
        vec![("class", format!("{}, {}: {}", sizing.class.id(), confidence(sizing), sizing.class_evidence))];
    facts.extend(sizing.growing_part.as_ref().map(|part| ("grows", part.clone())));
    facts.extend(sizing.seconds_to_limit.map(|seconds| ("time left", format!("{} to the limit", time(seconds)))));
    let seen = &sizing.observed;
    if let (Some(p50), Some(p95), Some(p99), Some(most)) =
        (seen.p50_bytes, seen.p95_bytes, seen.p99_bytes, seen.max_bytes)
    {
        facts.push(("used", format!("median {p50}, p95 {p95}, p99 {p99}, most {most}")));
    }
    let span = match (seen.from, seen.to) {
        (Some(from), Some(to)) => {
            format!(" from {} to {}", from.strftime("%Y-%m-%d %H:%M:%SZ"), to.strftime("%Y-%m-%d %H:%M:%SZ"))
        }
        _ => String::new(),
    };
    let step = seen.step_seconds.map(|step| format!(", one every {}", time(step))).unwrap_or_default();
    let replicas = if sizing.replicas > 1 { format!(" of {} replicas", sizing.replicas) } else { String::new() };
    let samples = if seen.samples == 1 { "1 sample".to_owned() } else { format!("{} samples", seen.samples) };
    facts.push(match sizing.vpa.as_ref().filter(|vpa| seen.samples == 0 && !vpa.peaks.is_empty()) {
        Some(vpa) => ("seen", format!("{}{span}", watched::peaks(vpa))),
        None => ("seen", format!("{samples}{replicas}{span}{step}")),
    });
    if seen.kills > 0 {
        let times = if seen.kills == 1 { "once".to_owned() } else { format!("{} times", seen.kills) };
        facts.push(("killed", format!("{times} for memory")));
    }
    let now = &sizing.current;
    if now.request_bytes.is_some() || now.limit_bytes.is_some() {
        facts.push(("set now", format!("request {}, limit {}", cell(now.request_bytes), cell(now.limit_bytes))));
    }
    facts.extend(sizing.vpa.as_ref().map(|vpa| ("vpa", watched::told(vpa))));
    if let Some(replay) = &sizing.replay
        && let Some(after) = replay.oom_kills_after
    {
        let count = |kills: u64| if kills == 1 { "1 kill".to_owned() } else { format!("{kills} kills") };
        let before = replay.oom_kills_before.map(|kills| format!("{} as it was, ", count(kills))).unwrap_or_default();
        let unused = unused(replay.slack_pct_before, replay.slack_pct_after);
        facts.push(("replay", format!("{before}{} under the new limit{unused}", count(after))));
    }
    if sizing.risk.kills_per_month.is_some() {
        facts.push(("risk", format!("{} kills a month expected", kills(sizing))));
    }
    facts
}

/// How much of a limit is left, as it was and as it would be; of a limit below what is used, how far below.
fn unused(before: Option<f64>, after: Option<f64>) -> String {
    let told = |slack: f64| match slack {
        ..0.0 => format!("use {} % above the limit", -slack),
        _ => format!("{slack} % of the limit unused"),
    };
    match (before, after) {
        (Some(before), Some(after @ 0.0..)) if before >= 0.0 => format!("; {}, then {after} %", told(before)),
        (Some(before), Some(after)) => format!("; {}, then {}", told(before), told(after)),
        (None, Some(after)) => format!("; {}", told(after)),
        (_, None) => String::new(),
    }
}

fn confidence(sizing: &Sizing) -> &'static str {
    use crate::diagnosis::Confidence;
    match sizing.confidence {
        Confidence::Possible => "possible",
        Confidence::Likely => "likely",
        Confidence::Proven => "proven",
    }
}

/// The document as GitHub-flavoured markdown.
pub fn size_markdown(document: &Document) -> String {
    use super::markdown::escape;
    let action = document.workloads.iter().filter(|it| it.needs_action).count();
    let mut out = format!("### {}\n\n", counted(document.workloads.len(), action));
    let (head, right, rows) = table(document);
    if !rows.is_empty() {
        let rule = right.map(|right| if right { "---:" } else { "---" });
        out.push_str(&format!("| {} |\n| {} |\n", head.join(" | "), rule.join(" | ")));
        for row in rows {
            out.push_str(&format!("| {} |\n", row.iter().map(|cell| escape(cell)).collect::<Vec<_>>().join(" | ")));
        }
    }
    for sizing in &document.workloads {
        out.push_str(&format!("\n#### {}\n\n{}\n\n", escape(&title(sizing)), escape(&summary(sizing))));
        for (label, text) in facts(sizing) {
            out.push_str(&format!("- {label}: {}\n", escape(&text)));
        }
        match (&sizing.proposed, &sizing.proposed_missing) {
            (Some(proposed), _) => {
                for line in settings(proposed) {
                    out.push_str(&format!("- set {}\n", escape(&line)));
                }
                for reason in &sizing.reasons {
                    out.push_str(&format!("- why {}\n", escape(reason)));
                }
            }
            (None, because) => {
                out.push_str(&format!("- set nothing: {}\n", escape(because.as_deref().unwrap_or("not known"))));
            }
        }
        for defect in sizing.vpa.iter().flat_map(|vpa| &vpa.defects) {
            out.push_str(&format!("- the VPA, {}: {}\n", defect.id, escape(&defect.what)));
        }
        for advice in &sizing.advice {
            out.push_str(&format!("- {}: {}\n", escape(&advice.what), escape(&advice.why)));
        }
    }
    if !document.gaps.is_empty() {
        out.push_str("\n#### Not known\n\n");
        for gap in &document.gaps {
            out.push_str(&format!("- {}: {}\n", escape(&gap.what), escape(&gap.because)));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::unused;

    #[test]
    fn a_limit_below_what_is_used_leaves_nothing_unused() {
        assert_eq!(unused(Some(60.2), Some(23.9)), "; 60.2 % of the limit unused, then 23.9 %");
        assert_eq!(unused(Some(60.2), Some(-28.4)), "; 60.2 % of the limit unused, then use 28.4 % above the limit");
        assert_eq!(unused(None, Some(-28.4)), "; use 28.4 % above the limit");
        assert_eq!(unused(Some(60.2), None), "");
    }
}
