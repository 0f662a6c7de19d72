//! A YAML or JSON text, or a Dockerfile, as a tree that keeps where everything stands: what lint looks at and what a fix edits.
//!
//! Nodes lie in one vector, in the order of the text; an alias is a node that names another. Nothing is copied out of the
//! text that needs no unescaping.

use std::collections::{BTreeSet, HashSet};
use std::ops::Range;

mod build;
mod comments;
mod dockerfile;
mod lines;

pub use build::read;
pub use comments::{ORIGIN, SUPPRESSION};
pub use dockerfile::{is_dockerfile, is_name as is_dockerfile_name, read as read_dockerfile};
pub use lines::{Lines, Position};

/// A stretch of a text, in bytes, on character boundaries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Span {
    /// First byte.
    pub start: u32,
    /// Behind the last byte.
    pub end: u32,
}

impl Span {
    /// As an index of the text.
    pub fn range(self) -> Range<usize> {
        self.start as usize..self.end as usize
    }

    /// A byte lies in it.
    pub fn contains(self, at: u32) -> bool {
        self.start <= at && at < self.end
    }
}

/// A text, read.
#[derive(Debug)]
pub struct Tree<'t> {
    /// Which file of the input it is.
    pub file: usize,
    /// The text.
    pub text: &'t str,
    /// What it is written in.
    pub language: Language,
    /// The documents that could be read, in order.
    pub documents: Vec<Document>,
    /// Comments in order, also of documents that could not be read: all of a text that may suppress a finding, of others
    /// those that name a template.
    pub comments: Vec<Comment>,
    /// Documents that could not be read.
    pub errors: Vec<SyntaxError>,
    nodes: Vec<Node>,
    /// Texts of scalars that are written otherwise than they read: unescaped, folded.
    made: Vec<String>,
    /// Nodes that an alias names.
    shared: HashSet<u32>,
    /// A key somewhere may be a merge key.
    merges: bool,
    /// Children of sequences, and keys and values of mappings in turn.
    children: Vec<u32>,
}

/// What a text is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    /// YAML, or JSON, which is a part of it.
    Yaml,
    /// A Dockerfile.
    Dockerfile,
}

/// One document of a text.
#[derive(Debug, Clone, Copy)]
pub struct Document {
    root: u32,
    /// From its `---`, where it has one, to its end.
    pub span: Span,
}

/// A comment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Comment {
    /// From its `#` to the end of the line.
    pub span: Span,
    /// Nothing else stands on its line.
    pub alone: bool,
}

/// Why a document could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyntaxError {
    /// Where the reader stopped.
    pub at: Span,
    /// What it says.
    pub message: String,
}

/// Small, and without anything of its own: a tree has thousands of them.
#[derive(Debug, Clone, Copy)]
struct Node {
    span: Span,
    kind: Kind,
}

#[derive(Debug, Clone, Copy)]
enum Kind {
    /// A scalar that reads as it stands in the text, here.
    Written { from: u32, to: u32, style: Style },
    /// A scalar that reads as one of the texts that were made.
    Made { index: u32, style: Style },
    /// Children.
    Sequence { from: u32, to: u32, flow: bool },
    /// Children, keys and values in turn.
    Mapping { from: u32, to: u32, flow: bool },
    /// Another node.
    Alias(u32),
}

/// How a scalar is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// Without quotes.
    Plain,
    /// In single or double quotes.
    Quoted,
    /// As a block, behind `|` or `>`.
    Block,
}

/// A node in its tree. Aliases are followed.
#[derive(Clone, Copy)]
pub struct At<'a> {
    tree: &'a Tree<'a>,
    id: u32,
}

/// The same node of the same text.
impl PartialEq for At<'_> {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self.tree, other.tree) && self.id == other.id
    }
}

impl std::fmt::Debug for At<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "At({:?})", &self.tree.text[self.span().range()])
    }
}

/// A merge key may lead to a mapping with another one; nobody nests them deeper.
const MERGES: u8 = 8;

impl<'t> Tree<'t> {
    /// The root of a document.
    pub fn root<'a>(&'a self, document: &Document) -> At<'a>
    where
        't: 'a,
    {
        At { tree: self, id: document.root }
    }

    /// The comments of a document.
    pub fn comments_of(&self, document: &Document) -> &[Comment] {
        let from = self.comments.partition_point(|comment| comment.span.start < document.span.start);
        let to = self.comments.partition_point(|comment| comment.span.start < document.span.end);
        &self.comments[from..to.max(from)]
    }

    /// A scalar of a text that does not stand in the tree's own.
    fn make(&mut self, text: String, style: Style) -> Kind {
        self.made.push(text);
        Kind::Made { index: lines::index(self.made.len() - 1), style }
    }

    /// What a scalar reads.
    fn scalar(&self, kind: Kind) -> Option<(&str, Style)> {
        match kind {
            Kind::Written { from, to, style } => Some((&self.text[from as usize..to as usize], style)),
            Kind::Made { index, style } => Some((&self.made[index as usize], style)),
            _ => None,
        }
    }

    /// A scalar reads so. Most have another length, so that their words are not even looked at.
    fn reads(&self, kind: Kind, text: &str) -> bool {
        match kind {
            Kind::Written { from, to, .. } => {
                (to - from) as usize == text.len()
                    && &self.text.as_bytes()[from as usize..to as usize] == text.as_bytes()
            }
            Kind::Made { index, .. } => self.made[index as usize] == text,
            _ => false,
        }
    }
}

impl<'a> At<'a> {
    /// The tree that it stands in.
    pub fn tree(self) -> &'a Tree<'a> {
        self.tree
    }

    /// Where it stands.
    pub fn span(self) -> Span {
        self.tree.nodes[self.id as usize].span
    }

    /// Its own words in the text, quotes included.
    pub fn source(self) -> &'a str {
        &self.tree.text[self.span().range()]
    }

    /// The node behind an alias; itself, where it is none. An alias never names another.
    fn resolved(self) -> Self {
        match self.tree.nodes[self.id as usize].kind {
            Kind::Alias(id) => At { tree: self.tree, id },
            _ => self,
        }
    }

    /// It is an alias (`*name`).
    pub fn is_alias(self) -> bool {
        matches!(self.tree.nodes[self.id as usize].kind, Kind::Alias(_))
    }

    /// An alias elsewhere names it: what is written here counts there too, whatever it means there.
    pub fn is_shared(self) -> bool {
        self.tree.shared.contains(&self.resolved().id)
    }

    /// The value of a scalar. A null is no value.
    pub fn text(self) -> Option<&'a str> {
        let (text, style) = self.tree.scalar(self.resolved_kind())?;
        let is_null = style == Style::Plain && matches!(text, "" | "~" | "null" | "Null" | "NULL");
        (!is_null).then_some(text)
    }

    /// How a scalar is written.
    pub fn style(self) -> Option<Style> {
        self.tree.scalar(self.resolved_kind()).map(|(_, style)| style)
    }

    fn resolved_kind(self) -> Kind {
        match self.tree.nodes[self.id as usize].kind {
            Kind::Alias(id) => self.tree.nodes[id as usize].kind,
            kind => kind,
        }
    }

    /// It is a scalar itself, and no alias of one.
    pub fn is_scalar(self) -> bool {
        matches!(self.tree.nodes[self.id as usize].kind, Kind::Written { .. } | Kind::Made { .. })
    }

    /// It is a mapping.
    pub fn is_mapping(self) -> bool {
        matches!(self.resolved_kind(), Kind::Mapping { .. })
    }

    /// It is a sequence.
    pub fn is_sequence(self) -> bool {
        matches!(self.resolved_kind(), Kind::Sequence { .. })
    }

    /// It is a collection in brackets or braces.
    pub fn is_flow(self) -> bool {
        matches!(self.resolved_kind(), Kind::Mapping { flow: true, .. } | Kind::Sequence { flow: true, .. })
    }

    /// The items of a sequence; none of anything else.
    pub fn items(self) -> impl DoubleEndedIterator<Item = At<'a>> {
        let tree = self.tree;
        let children = match self.resolved_kind() {
            Kind::Sequence { from, to, .. } => &tree.children[from as usize..to as usize],
            _ => &[],
        };
        children.iter().map(move |id| At { tree, id: *id }.resolved())
    }

    /// Keys and values that a mapping itself holds, as they stand, aliases not followed.
    pub fn own_entries(self) -> impl DoubleEndedIterator<Item = (At<'a>, At<'a>)> {
        let tree = self.tree;
        let children = match self.resolved_kind() {
            Kind::Mapping { from, to, .. } => &tree.children[from as usize..to as usize],
            _ => &[],
        };
        children.chunks_exact(2).map(move |pair| (At { tree, id: pair[0] }, At { tree, id: pair[1] }))
    }

    /// Children as they stand, aliases not followed: for a walk that sees every node once.
    pub fn own_children(self) -> impl Iterator<Item = At<'a>> {
        let tree = self.tree;
        let (children, step) = match tree.nodes[self.id as usize].kind {
            Kind::Mapping { from, to, .. } => (&tree.children[from as usize..to as usize], 2),
            Kind::Sequence { from, to, .. } => (&tree.children[from as usize..to as usize], 1),
            _ => (&tree.children[0..0], 1),
        };
        children.iter().skip(step - 1).step_by(step).map(move |id| At { tree, id: *id })
    }

    /// Keys and values of a mapping, those of merge keys included, the ones that are overridden left out.
    pub fn entries(self) -> Vec<(At<'a>, At<'a>)> {
        let (mut entries, mut seen) = (Vec::new(), BTreeSet::new());
        self.collect(&mut entries, &mut seen, MERGES);
        entries
    }

    fn collect(self, entries: &mut Vec<(At<'a>, At<'a>)>, seen: &mut BTreeSet<&'a str>, merges: u8) {
        let from = entries.len();
        // Of a key that is given twice the last one counts.
        for (key, value) in self.own_entries().rev().filter(|(key, _)| !key.is_merge()) {
            if key.text().is_some_and(|text| seen.insert(text)) {
                entries.push((key, value.resolved()));
            }
        }
        entries[from..].reverse();
        if merges == 0 {
            return;
        }
        for (_, value) in self.own_entries().filter(|(key, _)| key.is_merge()) {
            if value.is_sequence() {
                value.items().for_each(|item| item.collect(entries, seen, merges - 1));
            } else {
                value.collect(entries, seen, merges - 1);
            }
        }
    }

    fn is_merge(self) -> bool {
        let kind = self.tree.nodes[self.id as usize].kind;
        self.tree.merges && self.tree.scalar(kind) == Some(("<<", Style::Plain))
    }

    /// A key of a mapping and its value, also from a merge key.
    pub fn entry(self, name: &str) -> Option<(At<'a>, At<'a>)> {
        self.find(name, MERGES)
    }

    fn find(self, name: &str, merges: u8) -> Option<(At<'a>, At<'a>)> {
        // No name that is asked for is a null: a look at the text is enough.
        let own = self.own_entries().rev().find(|(key, _)| self.tree.reads(key.resolved_kind(), name));
        if let Some((key, value)) = own {
            return Some((key, value.resolved()));
        }
        if !self.tree.merges || merges == 0 {
            return None;
        }
        self.own_entries().filter(|(key, _)| key.is_merge()).find_map(|(_, value)| {
            if value.is_sequence() {
                value.items().find_map(|item| item.find(name, merges - 1))
            } else {
                value.find(name, merges - 1)
            }
        })
    }

    /// The value of a key.
    pub fn get(self, name: &str) -> Option<At<'a>> {
        self.entry(name).map(|(_, value)| value)
    }

    /// The value at the end of several keys.
    pub fn path(self, names: &[&str]) -> Option<At<'a>> {
        names.iter().try_fold(self, |node, name| node.get(name))
    }

    /// The text of a key's value.
    pub fn text_of(self, name: &str) -> Option<&'a str> {
        self.get(name)?.text()
    }
}

#[cfg(test)]
mod tests;
