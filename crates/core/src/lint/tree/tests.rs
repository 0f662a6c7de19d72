use proptest::prelude::*;

use super::*;

fn roots(text: &str) -> (Vec<String>, Vec<(u32, String)>) {
    let tree = read(0, text);
    let lines = Lines::of(text);
    let documents = tree.documents.iter().map(|document| shown(tree.root(document))).collect();
    let errors = tree.errors.iter().map(|error| (lines.line(error.at.start), error.message.clone())).collect();
    (documents, errors)
}

/// A node as it is understood: aliases followed, merge keys merged.
fn shown(node: At<'_>) -> String {
    if node.is_mapping() {
        let entries = node.entries();
        let entries: Vec<String> =
            entries.iter().map(|(key, value)| format!("{}: {}", key.text().unwrap_or("~"), shown(*value))).collect();
        return format!("{{{}}}", entries.join(", "));
    }
    if node.is_sequence() {
        return format!("[{}]", node.items().map(shown).collect::<Vec<_>>().join(", "));
    }
    node.text().unwrap_or("~").to_owned()
}

#[test]
fn blocks_flows_quotes_and_nulls_are_read() {
    let (documents, errors) = roots("a: [1, 'two', \"th\\u0072ee\"]\nb: {c: , d: ~}\ne: |\n  x\n  y\nf:\n- g\n");
    assert_eq!(documents, ["{a: [1, two, three], b: {c: ~, d: ~}, e: x\ny\n, f: [g]}"]);
    assert!(errors.is_empty());
}

#[test]
fn aliases_and_merge_keys_are_followed() {
    let (documents, errors) = roots("base: &b {x: 1, y: 2}\none: *b\ntwo: {<<: *b, y: 3}\nthree: {<<: [*b, {z: 4}]}\n");
    let whole = "{base: {x: 1, y: 2}, one: {x: 1, y: 2}, two: {y: 3, x: 1}, three: {x: 1, y: 2, z: 4}}";
    assert_eq!((documents, errors), (vec![whole.to_owned()], vec![]));
}

#[test]
fn an_anchor_that_holds_itself_ends() {
    let tree = read(0, "a: &a {b: *a}\n");
    assert_eq!(shown(tree.root(&tree.documents[0])), "{a: {b: ~}}");
}

#[test]
fn a_broken_document_never_hides_the_others() {
    for broken in
        ["a: [1, 2", "a: 'b", "a: \"b", "a: b: c", "a: b\n c: d", "\ta: b\n\t- c", "a: *x", "{a: b", "- a\nb: c"]
    {
        let text = format!("first: 1\n---\n{broken}\n---\nlast: 1\n---\nafter: 2\n");
        let (documents, errors) = roots(&text);
        assert_eq!(documents, ["{first: 1}", "{last: 1}", "{after: 2}"], "{broken:?} {errors:?}");
        assert_eq!(errors.len(), 1, "{broken:?}");
        assert!((3..=5).contains(&errors[0].0), "{broken:?} {errors:?}");
    }
}

#[test]
fn json_is_read_as_it_is_written() {
    let text = "{\n\t\"a\": \"x\\/y\\ud83d\\ude00\",\n\t\"b\": [\n\t\t1,\n\t\ttrue\n\t],\n\t\"c\": {}\n}\n";
    let (documents, errors) = roots(text);
    assert_eq!((documents, errors), (vec!["{a: x/y😀, b: [1, true], c: {}}".to_owned()], vec![]));
    let compact = "{\"a\":{\"b\":[{\"c\":null}]},\"d\":\"e\"}{\"second\":1}";
    assert_eq!(roots(compact).0[0], "{a: {b: [{c: ~}]}, d: e}");
    let long = format!("{{\"a\":\"{}\",\"b\":{{\"{}\":1}}}}", "x".repeat(20_000), "k".repeat(3000));
    assert_eq!(roots(&long).1, []);
}

#[test]
fn windows_line_ends_and_byte_order_marks_shift_nothing() {
    let text = "\u{feff}a: b # oomph: note\r\nc:\r\n- \"d\"\r\n";
    let tree = read(0, text);
    let root = tree.root(&tree.documents[0]);
    assert_eq!(root.get("a").unwrap().source(), "b");
    let item = root.get("c").unwrap().items().next().unwrap();
    assert_eq!(item.source(), "\"d\"");
    assert_eq!(Lines::of(text).position(text, item.span().start), Position { line: 3, column: 3 });
    let comment = &text[tree.comments[0].span.range()];
    assert_eq!((comment.trim_end(), tree.comments[0].alone), ("# oomph: note", false));
}

#[test]
fn spans_are_those_of_the_words() {
    let text = "a:\n  - {b: 'c d', e: f}\n  - g: h i\n\n    j: k # tail\nl: m\n";
    let tree = read(0, text);
    let root = tree.root(&tree.documents[0]);
    let items: Vec<At<'_>> = root.get("a").unwrap().items().collect();
    assert_eq!(items[0].source(), "{b: 'c d', e: f}");
    assert_eq!(items[0].get("b").unwrap().source(), "'c d'");
    assert_eq!(items[1].source(), "g: h i\n\n    j: k");
    assert_eq!(items[1].get("g").unwrap().source(), "h i");
    assert_eq!(root.get("a").unwrap().source(), "- {b: 'c d', e: f}\n  - g: h i\n\n    j: k");
}

fn check_spans(node: At<'_>, parent: Span) {
    let span = node.span();
    assert!(span.start <= span.end && span.start >= parent.start && span.end <= parent.end, "{span:?} {parent:?}");
    assert!(node.tree().text.get(span.range()).is_some());
    if !node.is_alias() && node.style() == Some(Style::Plain) && !node.source().contains('\n') {
        assert_eq!(node.text().unwrap_or(node.source()), node.source());
    }
    for child in node.own_children() {
        check_spans(child, span);
    }
}

/// All of a tree but the comments, and the comments that anybody asks for.
fn told(tree: &Tree<'_>) -> (String, Vec<Span>) {
    let documents = tree.documents.iter().map(|it| format!("{it:?} {:?}", tree.root(it)));
    let nodes = documents.chain(tree.nodes.iter().map(|it| format!("{it:?}")));
    let errors = tree.errors.iter().map(|it| format!("{it:?}"));
    let origins = tree.comments.iter().filter(|it| tree.text[it.span.range()].starts_with(ORIGIN)).map(|it| it.span);
    (nodes.chain(errors).collect::<Vec<_>>().join("\n"), origins.collect())
}

#[test]
fn comments_that_name_a_template_are_told_with_and_without_the_parser() {
    let text = "---\n# Source: a/b.yaml\n# more\na: b\n---\r\n# Source: c/d.yaml\r\ne: f # g\n";
    let (with, without) = (super::build::read_with(0, text, None), read(0, text));
    assert_eq!((with.comments.len(), without.comments.len()), (4, 2));
    assert_eq!(told(&with), told(&without));
    let in_a_scalar = "a: |\n  # Source: b\n# Source: c\nd: 'e # Source: f'\n";
    assert_eq!(told(&read(0, in_a_scalar)).1.len(), 1);
}

fn check(text: &str) {
    let tree = read(0, text);
    let with = super::build::read_with(0, text, None);
    assert_eq!(told(&with).0, told(&tree).0);
    for document in &tree.documents {
        let root = tree.root(document);
        assert!(document.span.end as usize <= text.len());
        check_spans(root, root.span());
        shown(root);
    }
    for comment in &tree.comments {
        assert!(text[comment.span.range()].starts_with('#'), "{comment:?}");
    }
    for error in &tree.errors {
        assert!(text.get(error.at.range()).is_some());
    }
}

proptest! {
    #[test]
    fn no_text_panics_and_spans_stay_inside(text in "\\PC{0,80}") {
        check(&text);
    }

    #[test]
    fn nothing_like_yaml_panics(
        pieces in prop::collection::vec(
            prop::sample::select(vec![
                "a", "b: ", "- ", "\n", "\n  ", "\n    ", "{", "}", "[", "]", ", ", ": ", "? ", "'x'", "\"y\"", "\"\\u00e9\"",
                "&a ", "*a", "<<: ", "| \n", ">-\n", "# c", " # d", "# Source: x", "# oomph: x", "---\n", "\n---\n", "...\n", "\r\n", "\t", "é", "!t ",
                "%YAML 1.2\n", "\u{feff}", "containers:\n", "- name: x\n", "  image: y\n", "memory: 512m", "~", "😀",
            ]),
            0..40,
        )
    ) {
        check(&pieces.concat());
    }
}
