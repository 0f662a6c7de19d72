//! From the parser's events to the tree. A syntax error costs its document, never the ones behind it.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use granit_parser::{Event, Parser, ScalarStyle, StructureStyle};

use super::comments::origins;
use super::lines::index;
use super::{Comment, Document, Kind, Language, Node, Span, Style, SyntaxError, Tree};

/// Comments in a row that the parser may have to look past: no licence header is longer.
const COMMENTS: usize = 1 << 16;

/// Bytes of text for a node: manifests take some more, so that little is set aside for nothing.
const NODE: usize = 10;

/// An open collection.
struct Open {
    node: u32,
    /// Where its children begin on the stack of finished nodes.
    base: usize,
    anchor: usize,
}

/// Reads a text, as the given file of an input.
pub fn read(file: usize, text: &str) -> Tree<'_> {
    read_with(file, text, origins(text))
}

/// The same, with the comments that are known of it; without, the parser tells them.
pub(super) fn read_with(file: usize, text: &str, comments: Option<Vec<Comment>>) -> Tree<'_> {
    let emit_comments = comments.is_none();
    let mut builder = Builder {
        tree: Tree {
            file,
            text,
            language: Language::Yaml,
            documents: Vec::new(),
            comments: comments.unwrap_or_default(),
            errors: Vec::new(),
            nodes: Vec::with_capacity(text.len() / NODE),
            made: Vec::new(),
            shared: HashSet::new(),
            merges: false,
            children: Vec::with_capacity(text.len() / NODE),
        },
        open: Vec::new(),
        done: Vec::new(),
        anchors: HashMap::new(),
        start: 0,
    };
    if u32::try_from(text.len()).is_err() {
        let message = "a text of 4 GiB or more is not read; split it".to_owned();
        builder.tree.errors.push(SyntaxError { at: Span::default(), message });
        return builder.tree;
    }
    let options = granit_parser::options! {
        max_buffered_comment_events: COMMENTS, simple_key_max_lookahead: 1 << 16, emit_comments: emit_comments
    };
    let mut parser = Parser::new_from_str_with_options(text, options);
    loop {
        match parser.next_event() {
            None => break,
            Some(Ok((event, span))) => builder.take(event, builder.span(&span)),
            Some(Err(error)) => {
                let at = builder.offset(error.marker().byte_offset());
                builder.fail(at, error.kind().to_string());
                builder.hint();
                if !matches!(parser.proceed_next_document(), Ok(true)) {
                    break;
                }
            }
        }
    }
    builder.tree
}

struct Builder<'t> {
    tree: Tree<'t>,
    open: Vec<Open>,
    /// Finished nodes whose collection is still open.
    done: Vec<u32>,
    anchors: HashMap<usize, u32>,
    /// Where the document begins.
    start: u32,
}

impl<'t> Builder<'t> {
    fn take(&mut self, event: Event<'t>, span: Span) {
        match event {
            Event::DocumentStart(..) => {
                self.reset();
                self.start = span.start;
            }
            Event::DocumentEnd => {
                if let Some(root) = self.done.pop() {
                    let span = Span { start: self.start, end: span.end.max(self.tree.nodes[root as usize].span.end) };
                    self.tree.documents.push(Document { root, span });
                }
                self.reset();
            }
            Event::Scalar(text, style, anchor, _) => {
                let style = match style {
                    ScalarStyle::Plain => Style::Plain,
                    ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted => Style::Quoted,
                    _ => Style::Block,
                };
                let kind = self.scalar(text, style);
                let node = self.push(span, kind);
                self.finish(node, anchor);
            }
            Event::SequenceStart(style, anchor, _) => {
                let flow = style == StructureStyle::Flow;
                self.begin(span, Kind::Sequence { from: 0, to: 0, flow }, anchor);
            }
            Event::MappingStart(style, anchor, _) => {
                let flow = style == StructureStyle::Flow;
                self.begin(span, Kind::Mapping { from: 0, to: 0, flow }, anchor);
            }
            Event::SequenceEnd | Event::MappingEnd => self.end(span),
            Event::Alias(anchor) => {
                // An alias inside of its own anchor names a node that is not finished: it is followed no further.
                let kind = match self.anchors.get(&anchor) {
                    Some(node) => {
                        self.tree.shared.insert(*node);
                        Kind::Alias(*node)
                    }
                    None => Kind::Written { from: span.start, to: span.start, style: Style::Plain },
                };
                let node = self.push(span, kind);
                self.finish(node, 0);
            }
            Event::Comment(..) => {
                let line = &self.tree.text[..span.start as usize];
                let before = &line[line.rfind('\n').map_or(0, |at| at + 1)..];
                let alone = before.trim_start_matches('\u{feff}').trim().is_empty();
                self.tree.comments.push(Comment { span, alone });
            }
            _ => {}
        }
    }

    fn reset(&mut self) {
        self.open.clear();
        self.done.clear();
        self.anchors.clear();
    }

    fn fail(&mut self, at: u32, message: String) {
        self.reset();
        let end = self.tree.text[at as usize..].chars().next().filter(|c| *c != '\n').map_or(0, char::len_utf8);
        self.tree.errors.push(SyntaxError { at: Span { start: at, end: at + index(end) }, message });
    }

    /// What is not rendered yet is no YAML.
    fn hint(&mut self) {
        let Some(error) = self.tree.errors.last_mut() else { return };
        let line = self.tree.text[..error.at.start as usize].rfind('\n').map_or(0, |at| at + 1);
        let near = self.tree.text[line..].lines().take(2);
        if near.into_iter().any(|line| line.contains("{{")) {
            error.message.push_str("; a template is to be rendered first: `helm template . | oomph lint -`");
        }
    }

    fn scalar(&mut self, text: Cow<'t, str>, style: Style) -> Kind {
        self.tree.merges |= text == "<<";
        let text = match text {
            Cow::Borrowed(text) => text,
            Cow::Owned(text) => return self.tree.make(text, style),
        };
        let whole = self.tree.text;
        let from = text.as_ptr().addr().wrapping_sub(whole.as_ptr().addr());
        match from.checked_add(text.len()) {
            Some(to) if to <= whole.len() => Kind::Written { from: index(from), to: index(to), style },
            // What the parser has of its own: the empty value of a key that is given none.
            _ => self.tree.make(text.to_owned(), style),
        }
    }

    fn push(&mut self, span: Span, kind: Kind) -> u32 {
        let node = index(self.tree.nodes.len());
        self.tree.nodes.push(Node { span, kind });
        node
    }

    fn finish(&mut self, node: u32, anchor: usize) {
        if anchor != 0 {
            self.anchors.insert(anchor, node);
        }
        self.done.push(node);
    }

    fn begin(&mut self, span: Span, kind: Kind, anchor: usize) {
        let node = self.push(span, kind);
        self.open.push(Open { node, base: self.done.len(), anchor });
    }

    fn end(&mut self, end: Span) {
        let Some(Open { node, base, anchor }) = self.open.pop() else { return };
        let from = index(self.tree.children.len());
        self.tree.children.extend(self.done.drain(base..));
        let to = index(self.tree.children.len());
        let last = self.tree.children[from as usize..].last().map(|child| self.tree.nodes[*child as usize].span.end);
        let it = &mut self.tree.nodes[node as usize];
        let is_flow = match &mut it.kind {
            Kind::Sequence { from: first, to: last, flow } | Kind::Mapping { from: first, to: last, flow } => {
                (*first, *last) = (from, to);
                *flow
            }
            _ => false,
        };
        // A block ends where its last child does; the parser tells that only at the next token.
        it.span.end = if is_flow { end.end } else { last.unwrap_or(it.span.end) }.max(it.span.start);
        self.finish(node, anchor);
    }

    fn span(&self, span: &granit_parser::Span) -> Span {
        let start = self.offset(span.start.byte_offset());
        Span { start, end: self.offset(span.end.byte_offset()).max(start) }
    }

    /// A place inside of the text, on a character's boundary.
    fn offset(&self, offset: Option<usize>) -> u32 {
        let mut offset = offset.unwrap_or_default().min(self.tree.text.len());
        while !self.tree.text.is_char_boundary(offset) {
            offset -= 1;
        }
        index(offset)
    }
}
