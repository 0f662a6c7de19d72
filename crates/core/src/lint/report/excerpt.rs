//! The text around the places of a finding. A text may have many megabytes, and they may stand on one line.

use std::borrow::Cow;
use std::ops::Range;

use annotate_snippets::{Annotation, AnnotationKind, Element, Origin, Snippet};

use super::clean;
use crate::lint::Source;
use crate::lint::document::Region;

/// A line longer than this is cut, in bytes.
const LONG: usize = 1000;
/// What is shown of a line that is cut, before the first place and behind the last.
const AROUND: usize = 60;
/// Places of one line that are farther apart are shown by themselves.
const APART_ON_A_LINE: usize = 300;
/// So are places of one text.
const APART: usize = 16 << 10;

/// A place, what is to be said of it, and whether it is the place itself.
#[derive(Clone, Copy)]
struct Marked<'a> {
    region: &'a Region,
    says: &'a str,
    primary: bool,
}

impl Marked<'_> {
    fn range(&self) -> Range<usize> {
        self.region.place.map(|place| place.span.range()).unwrap_or_default()
    }
}

/// The place itself and those near it in one piece of text, every other in its own.
pub(super) fn excerpts<'a>(
    sources: &'a [Source],
    at: &'a Region,
    label: &'a str,
    related: &[(&'a Region, &'a str)],
) -> Vec<Element<'a>> {
    let of_related = related.iter().map(|(region, says)| Marked { region, says, primary: false });
    let all = std::iter::once(Marked { region: at, says: label, primary: true }).chain(of_related);
    let mut files: Vec<(usize, Vec<Marked<'a>>)> = Vec::new();
    for it in all {
        let Some(place) = it.region.place else { continue };
        match files.iter_mut().find(|(file, _)| *file == place.file) {
            Some((_, places)) => places.push(it),
            None => files.push((place.file, vec![it])),
        }
    }
    let pieces = files.into_iter().filter_map(|(file, places)| {
        let source = sources.get(file)?;
        Some(apart(&source.text, places).into_iter().flat_map(move |places| excerpt(source, &places)))
    });
    pieces.flatten().collect()
}

/// Places in pieces of those that are near to each other, the place itself in the first.
fn apart<'a>(text: &str, mut places: Vec<Marked<'a>>) -> Vec<Vec<Marked<'a>>> {
    places.sort_by_key(|it| it.range().start);
    let mut pieces: Vec<Vec<Marked<'a>>> = Vec::new();
    for place in places {
        let start = place.range().start;
        let is_near = |piece: &Vec<Marked<'_>>| {
            let last = piece.last().map_or(0, |it| it.range().start);
            start - last <= APART_ON_A_LINE || start - last <= APART && text[last..start].contains('\n')
        };
        match pieces.last_mut().filter(|piece| is_near(piece)) {
            Some(piece) => piece.push(place),
            None => pieces.push(vec![place]),
        }
    }
    pieces.sort_by_key(|piece| !piece.iter().any(|it| it.primary));
    pieces
}

fn excerpt<'a>(source: &'a Source, places: &[Marked<'a>]) -> Vec<Element<'a>> {
    let text = source.text.as_str();
    // A place of several lines is pointed at by its first, and one on a long line by its beginning.
    let shown = |it: &Marked<'_>| {
        let range = it.range();
        let most = boundary(text, range.end.min(range.start + APART_ON_A_LINE));
        range.start..text[range.start..most].find('\n').map_or(most, |at| range.start + at)
    };
    let Some(first) = places.iter().map(|it| it.range().start).min() else { return Vec::new() };
    let last = places.iter().map(|it| shown(it).end).max().unwrap_or(first);
    let (from, is_cut) = begin(text, first);
    let to = end(text, last);
    let (mark, behind) = (if is_cut { "…" } else { "" }, if to.1 { "…" } else { "" });
    let shift = |at: usize| at - from + mark.len();
    let annotations = places.iter().map(|it| {
        let kind = if it.primary { AnnotationKind::Primary } else { AnnotationKind::Context };
        let Range { start, end } = shown(it);
        let annotation: Annotation<'_> = kind.span(shift(start)..shift(end.max(start)));
        if it.says.is_empty() { annotation } else { annotation.label(clean(it.says)) }
    });
    let slice = &text[from..to.0];
    let words = if is_cut || to.1 { Cow::Owned(format!("{mark}{slice}{behind}")) } else { Cow::Borrowed(slice) };
    let line = places.iter().map(|it| it.region.line).min().unwrap_or(1) as usize;
    let snippet = Snippet::source(words).line_start(line).annotations(annotations);
    if !is_cut {
        return vec![snippet.path(source.name.as_str()).into()];
    }
    // Columns cannot be counted from what is shown.
    let named = places.iter().find(|it| it.primary).or(places.first()).map_or(1, |it| it.region.column);
    let origin = Origin::path(source.name.as_str()).line(line).char_column(named as usize);
    vec![origin.into(), snippet.into()]
}

/// The beginning of a place's line, or where it is cut.
fn begin(text: &str, at: usize) -> (usize, bool) {
    let from = boundary(text, at.saturating_sub(LONG));
    match text[from..at].rfind('\n') {
        Some(found) => (from + found + 1, false),
        None if from == 0 => (0, false),
        None => (boundary(text, at - AROUND), true),
    }
}

/// The end of a place's line, or where it is cut.
fn end(text: &str, at: usize) -> (usize, bool) {
    let to = boundary(text, at + LONG);
    match text[at..to].find('\n') {
        Some(found) => (at + found, false),
        None if to == text.len() => (to, false),
        None => (boundary(text, at + AROUND), true),
    }
}

/// The last character's boundary up to a byte.
fn boundary(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

#[cfg(test)]
mod tests {
    use crate::lint::report::text;
    use crate::lint::{Source, lint};
    use crate::report::Style;

    fn shown(manifest: String) -> String {
        let source = Source { name: "a.json".into(), text: manifest };
        text(&lint(std::slice::from_ref(&source)), &[source], Style::Plain, 100, false)
    }

    fn pod(name: &str, limit: &str) -> String {
        format!(
            r#"{{"kind":"Pod","apiVersion":"v1","metadata":{{"name":"{name}"}},"spec":{{"containers":[{{"name":"app","image":"x:1","resources":{{"limits":{{"memory":"{limit}"}}}}}}]}}}}"#
        )
    }

    #[test]
    fn of_a_long_line_the_surroundings_are_shown_and_the_column_is_that_of_the_file() {
        let before = vec![pod("ä", "64Mi"); 500].join(",");
        let list = format!(r#"{{"kind":"List","items":[{before},{},{before}]}}"#, pod("bad", "512m"));
        let column = list.find("\"512m\"").map(|at| list[..at].chars().count() + 1).unwrap();
        let text = shown(list);
        assert!(text.contains(&format!("--> a.json:1:{column}\n")), "{text}");
        assert!(text.lines().all(|line| line.chars().count() <= 200), "{text}");
        let marked = text.lines().find(|line| line.contains("^^^")).unwrap();
        let above = text.lines().find(|line| line.contains("\"512m\"")).unwrap();
        let at = above.find("\"512m\"").map(|at| above[..at].chars().count()).unwrap();
        assert_eq!(marked.find('^'), Some(at), "{text}");
        assert!(above.contains('…'));
    }

    #[test]
    fn places_far_apart_are_shown_by_themselves() {
        let range = "kind: LimitRange\napiVersion: v1\nmetadata: {name: small}\nspec: {limits: [{type: Container, default: \
                     {memory: 64Mi}, defaultRequest: {memory: 64Mi}}]}\n";
        let filler = "---\n# filler\nkind: Service\napiVersion: v1\nmetadata: {name: x}\n".repeat(400);
        let java = "---\nkind: Pod\napiVersion: v1\nmetadata: {name: a}\nspec:\n  containers:\n  - name: app\n    image: \
                    x:1\n    command: [java, -Xmx300m, -jar, a.jar]\n";
        let text = shown(format!("{range}{filler}{java}"));
        assert!(text.contains("LimitRange `small` sets the limit to 64 MiB"), "{text}");
        assert!(text.contains("a.json:4:") && !text.contains("filler"), "{text}");
    }
}
