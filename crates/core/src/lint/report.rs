//! Findings as text for people, in the manner of rustc: the text itself, underlined, and what is to be said of it.

use std::ops::Range;

use annotate_snippets::{AnnotationKind, Group, Level as Mark, Renderer, Snippet, normalize_untrusted_str};

use super::Source;
use super::document::{Document, DocumentFinding, Region};
use super::finding::Level;
use crate::report::Style;

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
        let group = Mark::ERROR.primary_title(clean(&message)).elements(snippets(sources, &error.region, "", &[]));
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
        finding.related.iter().map(|related| (&related.region, related.message.as_str())).collect();
    let label = finding.label.as_deref().unwrap_or("");
    let title = level.primary_title(clean(&finding.message)).id(finding.rule.as_str());
    let mut group = title.elements(snippets(sources, &finding.region, label, &related));
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

/// A place and its line, what is to be said of it, and whether it is the place itself.
type Marked<'a> = (Range<usize>, u32, &'a str, bool);

/// The place itself and those of the same file in one piece of text, every other file in its own.
fn snippets<'a>(
    sources: &'a [Source],
    at: &'a Region,
    label: &'a str,
    related: &[(&'a Region, &'a str)],
) -> Vec<Snippet<'a, annotate_snippets::Annotation<'a>>> {
    let mut files: Vec<(usize, Vec<Marked<'_>>)> = Vec::new();
    let all = std::iter::once((at, label, true)).chain(related.iter().map(|(region, says)| (*region, *says, false)));
    for (region, says, primary) in all {
        let Some(place) = region.place else { continue };
        let it = (place.span.range(), region.line, says, primary);
        match files.iter_mut().find(|(file, _)| *file == place.file) {
            Some((_, places)) => places.push(it),
            None => files.push((place.file, vec![it])),
        }
    }
    files.into_iter().filter_map(|(file, places)| snippet(sources.get(file)?, &places)).collect()
}

/// Only the lines that matter are handed over: a file may be large.
fn snippet<'a>(source: &'a Source, places: &[Marked<'a>]) -> Option<Snippet<'a, annotate_snippets::Annotation<'a>>> {
    let text = source.text.as_str();
    let first = places.iter().map(|(range, ..)| range.start).min()?;
    let last = places.iter().map(|(range, ..)| range.end).max()?;
    let from = text[..first].rfind('\n').map_or(0, |at| at + 1);
    let to = text[last..].find('\n').map_or(text.len(), |at| last + at);
    let line = places.iter().map(|(_, line, ..)| *line).min()? as usize;
    let annotations = places.iter().map(|(range, _, says, primary)| {
        let kind = if *primary { AnnotationKind::Primary } else { AnnotationKind::Context };
        // A place of several lines is pointed at by its first.
        let end = text[range.clone()].find('\n').map_or(range.end, |at| range.start + at);
        let annotation = kind.span(range.start - from..end.max(range.start) - from);
        if says.is_empty() { annotation } else { annotation.label(clean(says)) }
    });
    Some(Snippet::source(&text[from..to]).line_start(line).path(source.name.as_str()).annotations(annotations))
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
        "{}, {}, {} in {}: {}, {}\n",
        count(of(Level::Error), "error"),
        count(of(Level::Warning), "warning"),
        count(of(Level::Info), "info"),
        count(checked.files, "file"),
        count(checked.templates, "pod template"),
        count(checked.containers, "container"),
    );
    if !document.parse_errors.is_empty() {
        out.push_str(&count(document.parse_errors.len(), "document"));
        out.push_str(" could not be read\n");
    }
    if !document.skipped.is_empty() {
        let name = |kind: &str| if kind.is_empty() { "no kind".to_owned() } else { clean(kind) };
        let kinds: Vec<String> =
            document.skipped.iter().map(|skipped| format!("{} {}", skipped.count, name(&skipped.kind))).collect();
        out.push_str(&format!("no rule applies to: {}\n", kinds.join(", ")));
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
