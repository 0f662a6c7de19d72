//! `oomph lint`: reads manifests before they ship, and says which of them will be killed for memory.
//!
//! ```text
//! Source ─ read ─▶ Read (tree, workloads) ─ gather ─▶ Surroundings ─ judge ─▶ Finding* ─ document, report ─▶ text, JSON
//! ```
//!
//! A file is read by itself, so that files can be read side by side; what they say of each other (a LimitRange, a
//! ConfigMap, a VPA, the configuration of an image) is gathered in between. Rules stand in [`rules`], one file and one page each.

mod admitted;
pub mod config;
mod document;
mod expansion;
mod finding;
pub mod fix;
pub mod format;
pub mod image;
mod images;
mod judge;
pub mod live;
mod program;
pub mod query;
pub mod report;
pub mod rule;
pub mod rules;
mod runtime;
mod script;
mod subject;
mod suppress;
mod surroundings;
pub mod tree;
pub mod workload;

pub use document::{Document, DocumentFinding, document, schema};
pub use finding::{Edit, Finding, Fix, Label, Level, Place};
use judge::judge;
pub use program::{Part, Program};
pub use subject::{Limit, LimitOrigin, Subject};
pub use surroundings::Surroundings;

use tree::{Lines, Tree};
use workload::Found;

/// A file of the input.
#[derive(Debug, Clone)]
pub struct Source {
    /// Its name, as findings give it.
    pub name: String,
    /// Its text.
    pub text: String,
}

/// A file, read.
#[derive(Debug)]
pub struct Read<'t> {
    /// The file.
    pub source: &'t Source,
    /// Its lines.
    pub lines: Lines,
    /// Its documents.
    pub tree: Tree<'t>,
}

/// Reads a file; `index` is its place in the input.
pub fn read(index: usize, source: &Source) -> Read<'_> {
    let text = source.text.as_str();
    // A text of 4 GiB or more is refused by the other reader.
    let is_dockerfile = u32::try_from(text.len()).is_ok() && tree::is_dockerfile(&source.name, text);
    let tree = if is_dockerfile { tree::read_dockerfile(index, text) } else { tree::read(index, text) };
    Read { source, lines: Lines::of(text), tree }
}

impl<'t> Read<'t> {
    /// The objects and pod templates of every document that could be read.
    pub fn found<'a>(&'a self) -> Found<'a>
    where
        't: 'a,
    {
        let mut all = Found { path: self.source.name.as_str(), ..Found::default() };
        for document in &self.tree.documents {
            let found = workload::find(&self.tree, document);
            all.workloads.extend(found.workloads);
            all.objects.extend(found.objects);
            all.made.extend(found.made);
            all.others.extend(found.others);
            all.queries.extend(found.queries);
            all.images.extend(found.images);
        }
        all
    }
}

/// What the rules say of a file.
#[derive(Debug)]
pub struct Judged<'a> {
    /// What they found, without what is suppressed.
    pub findings: Vec<Finding<'a>>,
    /// How many findings were suppressed.
    pub suppressed: usize,
}

/// Every rule over a file. `suppressions` in the text are honoured or not.
pub fn judge_file<'a>(
    read: &'a Read<'a>,
    found: &Found<'a>,
    surroundings: &Surroundings<'a>,
    suppressions: bool,
) -> Judged<'a> {
    let findings = judge(found, surroundings);
    if !suppressions {
        return Judged { findings, suppressed: 0 };
    }
    let (findings, suppressed) = suppress::suppress(read, found, findings);
    Judged { findings, suppressed }
}

/// Lints files that belong together, in one go.
pub fn lint(sources: &[Source]) -> Document {
    let reads: Vec<Read<'_>> = sources.iter().enumerate().map(|(index, source)| read(index, source)).collect();
    let mut found: Vec<Found<'_>> = reads.iter().map(Read::found).collect();
    let surroundings = Surroundings::gather(&found);
    for found in &mut found {
        found.put_aside(&surroundings);
    }
    let judged: Vec<Judged<'_>> =
        reads.iter().zip(&found).map(|(read, found)| judge_file(read, found, &surroundings, true)).collect();
    document(&reads, &found, &judged)
}
