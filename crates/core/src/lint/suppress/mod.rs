//! Findings that the author of a manifest has looked at and wants no more: `# oomph: ignore[RULE] reason` at the end of a
//! line, or alone above a node, also as a comment of a query, and the annotation `oomph.dev/ignore.RULE: reason` of an object or its template.
//!
//! A suppression needs a reason, and one that suppresses nothing is said to be so: both are findings of their own.

use super::Read;
use super::finding::{Finding, Level, Place};
use super::rules::{RULES, SUPPRESSION_UNUSED, SUPPRESSION_WITHOUT_REASON};
use super::tree::{At, Comment, SUPPRESSION, Span};
use super::workload::{Found, Object};

const ANNOTATION: &str = "oomph.dev/ignore.";

/// One rule that is not to be reported somewhere.
struct Suppression<'a> {
    rule: &'a str,
    reason: &'a str,
    /// The rule's name where it stands.
    at: Span,
    /// Where it holds.
    over: Over<'a>,
    object: Option<Object<'a>>,
    used: bool,
}

/// What a suppression covers.
enum Over<'a> {
    /// Findings that begin in this stretch; or that are of this container.
    Stretch(Span, Option<&'a str>),
    /// Everything about an object.
    Object,
}

impl Suppression<'_> {
    fn covers(&self, finding: &Finding<'_>) -> bool {
        if finding.rule != self.rule {
            return false;
        }
        let same_object = || match (&self.object, &finding.object) {
            (Some(ours), Some(its)) => ours.node.span() == its.node.span(),
            _ => false,
        };
        match self.over {
            Over::Object => same_object(),
            Over::Stretch(stretch, container) => {
                let start = finding.at.place.span.start;
                stretch.start <= start && start < stretch.end
                    || container.is_some() && container == finding.container && same_object()
            }
        }
    }
}

/// Takes away what is suppressed in a file, and adds what is to be said of its suppressions. The number is of those that
/// were taken away.
pub(super) fn suppress<'a>(
    read: &'a Read<'a>,
    found: &Found<'a>,
    findings: Vec<Finding<'a>>,
) -> (Vec<Finding<'a>>, usize) {
    let mut suppressions = by_comment(read, found);
    suppressions.extend(by_annotation(found));
    if suppressions.is_empty() {
        return (findings, 0);
    }
    let before = findings.len();
    let mut kept: Vec<Finding<'a>> = Vec::new();
    for finding in findings {
        let mut covered = false;
        for suppression in suppressions.iter_mut().filter(|it| it.covers(&finding)) {
            suppression.used = true;
            covered |= !suppression.reason.is_empty();
        }
        if !covered {
            kept.push(finding);
        }
    }
    let taken = before - kept.len();
    kept.extend(suppressions.iter().filter_map(|it| remark(it, read.tree.file)));
    (kept, taken)
}

/// What is to be said of a suppression itself.
fn remark<'a>(it: &Suppression<'a>, file: usize) -> Option<Finding<'a>> {
    let place = Place { file, span: it.at };
    let finding =
        |rule, level, message: String| Finding { rule, object: it.object, ..Finding::new(level, place, message) };
    if !RULES.iter().any(|rule| rule.id == it.rule) {
        let message = format!("no rule is called `{}`: nothing is suppressed", it.rule);
        return Some(finding(SUPPRESSION_UNUSED, Level::Warning, message).help("oomph explain lists the rules"));
    }
    if it.reason.is_empty() {
        let message = format!("`{}` is suppressed without a reason, so it is not", it.rule);
        let help = format!("say why: `# oomph: ignore[{}] the heap is bounded by ...`", it.rule);
        return Some(finding(SUPPRESSION_WITHOUT_REASON, Level::Warning, message).help(help));
    }
    let message = format!("`{}` finds nothing here: the suppression can go", it.rule);
    (!it.used).then(|| finding(SUPPRESSION_UNUSED, Level::Warning, message))
}

fn by_annotation<'a>(found: &Found<'a>) -> Vec<Suppression<'a>> {
    let of_objects = found.objects.iter().filter_map(|it| Some((*it, it.node.path(&["metadata", "annotations"])?)));
    let of_templates = found.workloads.iter().filter_map(|it| Some((it.object, it.annotations?)));
    let mut all: Vec<Suppression<'a>> = Vec::new();
    for (object, annotations) in of_objects.chain(of_templates) {
        for (key, value) in annotations.entries() {
            let Some(rule) = key.text().and_then(|key| key.strip_prefix(ANNOTATION)) else { continue };
            // A pod's own annotations are its template's as well.
            if all.iter().all(|known| known.at != key.span()) {
                let reason = value.text().unwrap_or("").trim();
                let object = Some(object);
                all.push(Suppression { rule, reason, at: key.span(), over: Over::Object, object, used: false });
            }
        }
    }
    all
}

fn by_comment<'a>(read: &'a Read<'a>, found: &Found<'a>) -> Vec<Suppression<'a>> {
    let mut all = Vec::new();
    let of_queries = found.queries.iter().flat_map(|query| &query.comments);
    for comment in read.tree.comments.iter().chain(of_queries) {
        let Some((rules, reason)) = words(&read.source.text[comment.span.range()]) else { continue };
        let stretch = stretch(read, *comment);
        let workload = found.workloads.iter().find(|it| it.object.node.span().contains(stretch.start));
        let object = workload
            .map(|it| it.object)
            .or_else(|| found.objects.iter().copied().find(|object| object.node.span().contains(stretch.start)));
        let first_line = read.lines.start(read.lines.line(stretch.start) + 1).max(stretch.start + 1);
        let around = |span: Span| span.start < first_line && stretch.start < span.end;
        let mut containers = workload.into_iter().flat_map(|it| &it.containers).filter(|_| comment.alone);
        let container = containers.find(|it| around(it.node.span())).map(|it| it.name);
        for rule in rules.split(',').map(str::trim) {
            let start = comment.span.start + offset(&read.source.text[comment.span.range()], rule);
            let at = Span { start, end: start + offset_of_len(rule) };
            all.push(Suppression { rule, reason, at, over: Over::Stretch(stretch, container), object, used: false });
        }
    }
    all
}

/// The rules and the reason of `# oomph: ignore[RULE, RULE] reason`.
fn words(comment: &str) -> Option<(&str, &str)> {
    let rest = comment.trim_start_matches('#').trim_start().strip_prefix(SUPPRESSION)?.trim_start();
    let (rules, reason) = rest.strip_prefix("ignore[")?.split_once(']')?;
    Some((rules, reason.trim_start_matches([':', '-', ' ', '\t']).trim()))
}

/// Where `part` begins in `text`, of which it is a slice.
fn offset(text: &str, part: &str) -> u32 {
    offset_of_len(&text[..part.as_ptr() as usize - text.as_ptr() as usize])
}

fn offset_of_len(text: &str) -> u32 {
    u32::try_from(text.len()).unwrap_or(u32::MAX)
}

/// Its line; for a comment that stands alone the line below it, with all that begins there.
fn stretch(read: &Read<'_>, comment: Comment) -> Span {
    let (text, lines) = (read.source.text.as_str(), &read.lines);
    let own = lines.line(comment.span.start);
    if !comment.alone {
        return Span { start: lines.start(own), end: comment.span.end };
    }
    let mut line = own + 1;
    let mut start = comment.span.end as usize;
    for below in text[start..].split_inclusive('\n').skip(1) {
        start = lines.start(line) as usize;
        let words = below.trim();
        if !words.is_empty() && !words.starts_with('#') {
            break;
        }
        line += 1;
    }
    let end_of_line = text[start..].find('\n').map_or(text.len(), |at| start + at);
    let mut stretch = Span { start: lines.start(line), end: u32::try_from(end_of_line).unwrap_or(u32::MAX) };
    for document in &read.tree.documents {
        if document.span.start < stretch.end && stretch.start < document.span.end {
            widen(read.tree.root(document), &mut stretch, end_of_line);
        }
    }
    stretch
}

/// Makes the stretch reach to the end of every node and entry that begins on its first line.
fn widen(node: At<'_>, stretch: &mut Span, end_of_line: usize) {
    let begins = |span: Span| stretch.start <= span.start && (span.start as usize) < end_of_line;
    let span = node.span();
    if begins(span) && !node.is_alias() {
        stretch.end = stretch.end.max(span.end);
        return;
    }
    if node.is_alias() || span.start as usize > end_of_line || span.end < stretch.start {
        return;
    }
    for (key, value) in node.own_entries() {
        if begins(key.span()) {
            stretch.end = stretch.end.max(value.span().end);
        }
    }
    for child in node.own_children() {
        widen(child, stretch, end_of_line);
    }
}

#[cfg(test)]
mod tests;
