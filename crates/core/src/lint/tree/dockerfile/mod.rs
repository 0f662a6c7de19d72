//! A Dockerfile as a tree of what its last stage comes to: `from`, `environment`, `entrypoint`, `command`, each word
//! where it stands; and `stages`, a list of the same for every stage, each with its `name`. Syntax and meaning are those of BuildKit (github.com/moby/buildkit, `frontend/dockerfile`, v0.17).
//!
//! A variable that the file does not set stays as it is written: the image that it is built on may set it.

use std::collections::HashSet;

use super::{Comment, Document, Kind, Language, Node, Span, Style, Tree};

mod expand;
mod lines;
mod stage;

use lines::Instruction;
use stage::{Stage, Text};

/// A file with this name and text is a Dockerfile: by its name, or on stdin by its first instruction.
pub fn is_dockerfile(name: &str, text: &str) -> bool {
    if name == "<stdin>" {
        let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
        let first = lines.next().and_then(|line| line.split_once(char::is_whitespace));
        return first.is_some_and(|(word, _)| word.eq_ignore_ascii_case("from") || word.eq_ignore_ascii_case("arg"));
    }
    is_name(name)
}

/// `Dockerfile`, `Dockerfile.jvm`, `app.Dockerfile`, `Containerfile`, in any case.
pub fn is_name(path: &str) -> bool {
    let name = path.rsplit(['/', '\\']).next().unwrap_or(path).to_ascii_lowercase();
    let others = ["dockerignore", "yaml", "yml", "json", "md"];
    ["dockerfile", "containerfile"].iter().any(|known| match name.strip_prefix(known) {
        Some("") => true,
        Some(rest) => rest.strip_prefix('.').is_some_and(|rest| !others.contains(&rest)),
        None => name.strip_suffix(known).is_some_and(|before| before.ends_with('.')),
    })
}

/// Reads a Dockerfile, as the given file of an input.
pub fn read(file: usize, text: &str) -> Tree<'_> {
    let (instructions, comments) = lines::read(text);
    let mut tree = Tree {
        file,
        text,
        language: Language::Dockerfile,
        documents: Vec::new(),
        comments: comments.into_iter().map(|span| Comment { span, alone: true }).collect(),
        errors: Vec::new(),
        nodes: Vec::new(),
        made: Vec::new(),
        shared: HashSet::new(),
        merges: false,
        children: Vec::new(),
    };
    let whole = Span { start: 0, end: super::lines::index(text.len()) };
    let stages = stage::all(&instructions);
    let last = stages.last().cloned();
    let stages: Vec<u32> = stages.into_iter().map(|stage| of_stage(&mut tree, whole, stage, &[])).collect();
    let stages = collect(&mut tree, whole, false, &stages);
    let root = match last {
        Some(stage) => of_stage(&mut tree, whole, stage, &[("stages", stages)]),
        None => collect(&mut tree, whole, true, &[]),
    };
    tree.documents.push(Document { root, span: whole });
    tree
}

/// A stage with what else belongs to it.
fn of_stage(tree: &mut Tree<'_>, whole: Span, stage: Stage, others: &[(&str, u32)]) -> u32 {
    let mut environment = Vec::new();
    for (name, value) in stage.environment {
        environment.extend([scalar(tree, name), scalar(tree, value)]);
    }
    let environment = collect(tree, whole, true, &environment);
    let mut words = |texts: Vec<Text>| {
        let span = Span {
            start: texts.first().map_or(whole.start, |it| it.span.start),
            end: texts.last().map_or(whole.start, |it| it.span.end),
        };
        let ids: Vec<u32> = texts.into_iter().map(|text| scalar(tree, text)).collect();
        collect(tree, span, false, &ids)
    };
    let (entrypoint, command) = (words(stage.entrypoint), words(stage.command));
    let at = stage.base.span;
    let from = scalar(tree, stage.base);
    let name = scalar(tree, Text { span: at, text: stage.name });
    let mut entries = Vec::new();
    let own = [
        ("from", from),
        ("name", name),
        ("environment", environment),
        ("entrypoint", entrypoint),
        ("command", command),
    ];
    for (name, value) in own.iter().chain(others).copied() {
        entries.extend([scalar(tree, Text { span: at, text: name.to_owned() }), value]);
    }
    collect(tree, whole, true, &entries)
}

fn scalar(tree: &mut Tree<'_>, it: Text) -> u32 {
    let kind = tree.make(it.text, Style::Quoted);
    push(tree, it.span, kind)
}

fn collect(tree: &mut Tree<'_>, span: Span, is_mapping: bool, ids: &[u32]) -> u32 {
    let from = super::lines::index(tree.children.len());
    tree.children.extend(ids);
    let to = super::lines::index(tree.children.len());
    let kind =
        if is_mapping { Kind::Mapping { from, to, flow: false } } else { Kind::Sequence { from, to, flow: false } };
    push(tree, span, kind)
}

fn push(tree: &mut Tree<'_>, span: Span, kind: Kind) -> u32 {
    let id = super::lines::index(tree.nodes.len());
    tree.nodes.push(Node { span, kind });
    id
}

#[cfg(test)]
mod tests;
