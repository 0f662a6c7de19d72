//! Findings as text for people, in the manner of rustc: the text itself, underlined, and what is to be said of it.

use annotate_snippets::{Group, Level as Mark, Renderer, normalize_untrusted_str};

use super::Source;
use super::document::{Document, DocumentFinding, MADE, Region, Skipped, UNUSED};
use super::finding::Level;
use crate::report::Style;

mod excerpt;

use excerpt::excerpts;

/// The document as text. `sources` are the files that it was made from. Infos are a line each unless `all` is asked for.
pub fn text(document: &Document, sources: &[Source], style: Style, width: usize, all: bool) -> String {
    let renderer = match style {
        Style::Plain => Renderer::plain(),
        Style::Ansi => Renderer::styled(),
    };
    let renderer = renderer.term_width(width);
    let mut out = String::new();
    for error in &document.parse_errors {
        let message = format!("this document cannot be read: {}", error.message);
        let group = Mark::ERROR.primary_title(clean(&message)).elements(excerpts(sources, &error.region, "", &[]));
        out.push_str(&renderer.render(&[group]));
        out.push_str("\n\n");
    }
    for finding in &document.findings {
        if finding.level > Level::Info || all {
            out.push_str(&renderer.render(&[group(finding, sources)]));
            out.push_str("\n\n");
        }
    }
    let infos = document.findings.iter().filter(|finding| finding.level == Level::Info && !all);
    let before = out.len();
    for it in infos {
        let Region { path, line, column, .. } = &it.region;
        let place = object_of(it);
        out.push_str(&clean(&format!("info[{}]: {} ({place})", it.rule, it.message)));
        out.push_str(&clean(&format!("\n  --> {path}:{line}:{column}")));
        out.push('\n');
    }
    if out.len() > before {
        out.push('\n');
    }
    out.push_str(&summary(document));
    out
}

fn group<'a>(finding: &'a DocumentFinding, sources: &'a [Source]) -> Group<'a> {
    let level = match finding.level {
        Level::Error => Mark::ERROR,
        Level::Warning => Mark::WARNING,
        Level::Info => Mark::INFO,
    };
    let related: Vec<(&Region, &str)> =
        finding.related.iter().map(|related| (&related.region, &*related.message)).collect();
    let label = finding.label.as_deref().unwrap_or("");
    let title = level.primary_title(clean(&finding.message)).id(finding.rule.as_str());
    let mut group = title.elements(excerpts(sources, &finding.region, label, &related));
    let place = object_of(finding);
    group = group.element(Mark::NOTE.with_name("in").message(clean(&place)));
    for note in &finding.notes {
        group = group.element(Mark::NOTE.message(clean(note)));
    }
    if !finding.assumed.is_empty() {
        group = group.element(Mark::NOTE.with_name("assumed").message(clean(&finding.assumed.join("; "))));
    }
    if let Some(help) = &finding.help {
        group = group.element(Mark::HELP.message(clean(help)));
    }
    group.element(Mark::NOTE.with_name("explain").message(format!("oomph explain {}", finding.rule)))
}

fn object_of(finding: &DocumentFinding) -> String {
    let container = finding.container.as_ref().map(|name| format!(", container `{name}`")).unwrap_or_default();
    let Some(object) = &finding.object else { return container.trim_start_matches(", ").to_owned() };
    let template = object.template.as_ref().map(|path| format!(", from {path}")).unwrap_or_default();
    let name = match &object.namespace {
        Some(namespace) => format!("{}/{namespace}/{}", object.kind, object.name),
        None => format!("{}/{}", object.kind, object.name),
    };
    format!("{name}{container}{template}")
}

/// Words that came out of a manifest must not drive the reader's terminal.
fn clean(text: &str) -> String {
    normalize_untrusted_str(text)
}

fn count(number: usize, word: &str) -> String {
    format!("{number} {word}{}", if number == 1 { "" } else { "s" })
}

fn summary(document: &Document) -> String {
    let of = |level: Level| document.findings.iter().filter(|finding| finding.level == level).count();
    let checked = &document.checked;
    let mut out = format!(
        "{}, {}, {} in {}: {}, {}",
        count(of(Level::Error), "error"),
        count(of(Level::Warning), "warning"),
        count(of(Level::Info), "info"),
        count(checked.files, "file"),
        count(checked.templates, "pod template"),
        count(checked.containers, "container"),
    );
    if checked.queries > 0 {
        out.push_str(&format!(", {} {}", checked.queries, if checked.queries == 1 { "query" } else { "queries" }));
    }
    if checked.images > 0 {
        out.push_str(&format!(", {}", count(checked.images, "image")));
    }
    out.push('\n');
    if !document.parse_errors.is_empty() {
        out.push_str(&count(document.parse_errors.len(), "document"));
        out.push_str(" could not be read\n");
    }
    let name = |kind: &str| if kind.is_empty() { "no kind".to_owned() } else { clean(kind) };
    let of = |because: fn(&str) -> bool| document.skipped.iter().filter(move |it| because(&it.because));
    let groups: [(&str, Vec<&Skipped>); 3] = [
        ("judged by what made them", of(|it| it == MADE).collect()),
        ("no container names", of(|it| it == UNUSED).collect()),
        ("no rule applies to", of(|it| it != MADE && it != UNUSED).collect()),
    ];
    for (what, skipped) in groups {
        let kinds: Vec<String> = skipped.iter().map(|it| format!("{} {}", it.count, name(&it.kind))).collect();
        if !kinds.is_empty() {
            out.push_str(&format!("{what}: {}\n", kinds.join(", ")));
        }
    }
    for gap in &document.gaps {
        out.push_str(&format!("not known: {}: {}\n", clean(&gap.what), clean(&gap.because)));
        if !gap.command.is_empty() {
            out.push_str(&format!("  {}\n", clean(&gap.command)));
        }
    }
    out
}

/// The document for a ticket.
pub fn markdown(document: &Document) -> String {
    let mut out = String::new();
    for error in &document.parse_errors {
        let Region { path, line, column, .. } = &error.region;
        out.push_str(&format!("- **error**: `{path}:{line}:{column}` cannot be read: {}\n", clean(&error.message)));
    }
    for it in &document.findings {
        let Region { path, line, column, .. } = &it.region;
        let object = object_of(it);
        let message = format!("{} ({object})", it.message);
        out.push_str(&format!(
            "- **{}** `{}` at `{path}:{line}:{column}`: {}\n",
            it.level.word(),
            it.rule,
            clean(&message)
        ));
        if let Some(help) = &it.help {
            out.push_str(&format!("  - {}\n", clean(help)));
        }
    }
    if !out.is_empty() {
        out.push('\n');
    }
    out.push_str(&summary(document));
    out
}
