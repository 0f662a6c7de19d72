//! `oomph lint`: reads manifests before they ship, and says which of them will be killed for memory.
//!
//! ```text
//! Source ─ read ─▶ Read (tree, workloads) ─ gather ─▶ Surroundings ─ judge ─▶ Finding* ─ document, report ─▶ text, JSON
//! ```
//!
//! A file is read by itself, so that files can be read side by side; what they say of each other (a LimitRange, a
//! ConfigMap, a VPA) is gathered in between. Rules stand in [`rules`], one file and one page each.

pub mod config;
mod document;
mod finding;
pub mod fix;
pub mod format;
mod judge;
mod program;
pub mod report;
pub mod rule;
pub mod rules;
mod runtime;
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
    Read { source, lines: Lines::of(&source.text), tree: tree::read(index, &source.text) }
}

impl<'t> Read<'t> {
    /// The objects and pod templates of every document that could be read.
    pub fn found<'a>(&'a self) -> Found<'a>
    where
        't: 'a,
    {
        let mut all = Found::default();
        for document in &self.tree.documents {
            let found = workload::find(&self.tree, document);
            all.workloads.extend(found.workloads);
            all.objects.extend(found.objects);
            all.others.extend(found.others);
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
    let found: Vec<Found<'_>> = reads.iter().map(Read::found).collect();
    let surroundings = Surroundings::gather(found.iter().flat_map(|found| found.objects.iter()));
    let judged: Vec<Judged<'_>> =
        reads.iter().zip(&found).map(|(read, found)| judge_file(read, found, &surroundings, true)).collect();
    document(&reads, &found, &judged)
}
