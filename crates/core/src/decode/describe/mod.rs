//! The text of `kubectl describe`: pods and nodes, whole or in part, of any version, with whatever stands around it.
//!
//! Labels decide, not columns: what people paste has lost its indentation, half of its lines, and gained comments.

use std::ops::Range;

use super::columns::is_name;
use super::{Decoded, Input};

mod container;
mod identity;
mod label;
mod node;
mod pod;

/// Decodes every object of the text.
pub(super) fn decode(input: Input<'_>, out: &mut Decoded) {
    let text = String::from_utf8_lossy(input.bytes);
    let mut blocks = vec![Block::default()];
    for (number, raw) in text.lines().enumerate() {
        let line = Line { number: input.first_line + number, raw };
        if let Some((name, namespace)) = headline(raw) {
            blocks.push(Block { name: Some(name), namespace, lines: Vec::new() });
        } else if line.label() == Some("Name") && raw.starts_with("Name:") {
            // An object's first line; the block that a headline opened is this object's.
            let opened = blocks.last().is_some_and(|block| block.lines.iter().all(|line| line.raw.trim().is_empty()));
            if !opened {
                blocks.push(Block::default());
            }
        }
        if let Some(block) = blocks.last_mut() {
            block.lines.push(line);
        }
    }
    for block in blocks {
        if node::is_node(&block) {
            node::decode(&block, input, out);
        } else {
            pod::decode(&block, input, out);
        }
    }
}

/// Ranges of bytes that repeat what the pod's template says: commands, arguments, variables, probes. Their words are what
/// a container is told, not what it said.
pub(super) fn template(bytes: &[u8]) -> Vec<Range<usize>> {
    let mut ranges: Vec<Range<usize>> = Vec::new();
    let mut below: Option<usize> = None;
    let mut at = 0;
    for raw in bytes.split_inclusive(|byte| *byte == b'\n') {
        let text = String::from_utf8_lossy(raw);
        let line = Line { number: 0, raw: &text };
        let (label, depth) = (line.label(), line.depth());
        let ends = |above: usize| depth < above || depth == above && label.is_some_and(label::is_known);
        below = below.filter(|above| line.raw.trim().is_empty() || !ends(*above));
        // Nothing of a log stands to the right under such a label alone.
        if depth > 0 && line.value().is_empty() && matches!(label, Some("Command" | "Args" | "Environment")) {
            below = Some(depth);
        }
        let probe = depth > 0 && matches!(label, Some("Liveness" | "Readiness" | "Startup"));
        let end = at + raw.len();
        if below.is_some() || probe {
            match ranges.last_mut().filter(|last| last.end == at) {
                Some(last) => last.end = end,
                None => ranges.push(at..end),
            }
        }
        at = end;
    }
    ranges
}

/// The lines about one object.
#[derive(Default)]
struct Block<'a> {
    /// Named by the command line above it.
    name: Option<&'a str>,
    namespace: Option<&'a str>,
    lines: Vec<Line<'a>>,
}

/// A line of the text.
#[derive(Clone, Copy)]
struct Line<'a> {
    number: usize,
    raw: &'a str,
}

impl<'a> Line<'a> {
    /// What stands before the first colon, without the marks of lists and quotes.
    fn label(&self) -> Option<&'a str> {
        let (label, rest) = self.text().split_once(':')?;
        (rest.is_empty() || rest.starts_with([' ', '\t'])).then(|| label.trim())
    }

    /// What stands behind it, without a comment that somebody added.
    fn value(&self) -> &'a str {
        let value = self.text().split_once(':').map_or("", |(_, rest)| rest).trim();
        let comment = value.find("   <").or_else(|| value.find(" <--")).or_else(|| value.find("   #"));
        comment.map_or(value, |at| value[..at].trim())
    }

    fn text(&self) -> &'a str {
        self.raw.trim().trim_start_matches(['>', '*', '#', '$']).trim_start().trim_end_matches("**")
    }

    fn depth(&self) -> usize {
        self.raw.len() - self.raw.trim_start().len()
    }
}

/// `kubectl describe pod NAME -n NAMESPACE`, `k describe po NAME`: names what follows.
fn headline(raw: &str) -> Option<(&str, Option<&str>)> {
    let mut words = raw.split_whitespace().skip_while(|word| *word != "describe").skip(1);
    let resource = words.next()?;
    let mut namespace = None;
    let mut name = match resource {
        "pod" | "pods" | "po" => None,
        other => Some(
            other.strip_prefix("pod/").or_else(|| other.strip_prefix("pods/")).or_else(|| other.strip_prefix("po/"))?,
        ),
    };
    while let Some(word) = words.next() {
        match word {
            "-n" | "--namespace" => namespace = words.next(),
            word if word.starts_with("-n") && word.len() > 2 => namespace = word.get(2..),
            word if word.starts_with('-') || word.starts_with('|') => break,
            word if is_name(word) && name.is_none() => name = Some(word),
            _ => break,
        }
    }
    name.map(|name| (name, namespace))
}
