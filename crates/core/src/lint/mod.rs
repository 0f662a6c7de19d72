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
mod judged;
pub mod live;
mod program;
pub mod query;
pub mod report;
pub mod rule;
pub mod rules;
pub(crate) mod runtime;
mod script;
pub(crate) mod subject;
mod suppress;
mod surroundings;
pub mod tree;
pub mod workload;

use document::document;
pub use document::{Document, DocumentFinding, schema};
pub use finding::{Edit, Finding, Fix, Label, Level, Place};
use judged::judge_file;
pub use program::{Part, Program};
pub use subject::{Limit, LimitOrigin, Subject};
pub use surroundings::Surroundings;

use std::sync::OnceLock;

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
            all.owned.extend(found.owned);
            all.others.extend(found.others);
            all.queries.extend(found.queries);
            all.images.extend(found.images);
        }
        all
    }
}

/// Who does the same to many files: side by side, or one after the other.
pub trait Workers {
    /// Does `work` to every item, which it is given with its place among them; the results stand in the items' order.
    fn each<I: Send, T: Send>(&self, items: Vec<I>, work: impl Fn(usize, I) -> T + Sync) -> Vec<T>;
}

/// One after the other.
struct Alone;

impl Workers for Alone {
    fn each<I: Send, T: Send>(&self, items: Vec<I>, work: impl Fn(usize, I) -> T + Sync) -> Vec<T> {
        items.into_iter().enumerate().map(|(index, item)| work(index, item)).collect()
    }
}

/// Lints files that belong together, in one go.
pub fn lint(sources: &[Source]) -> Document {
    lint_with(&Alone, sources, true)
}

/// Lints files that belong together, each of them wherever there is somebody free. Suppressions in the texts are honoured
/// or not.
pub fn lint_with(workers: &impl Workers, sources: &[Source], suppressions: bool) -> Document {
    // A tree is searched as soon as it is read, as long as the processor has it at hand.
    let places: Vec<OnceLock<Read<'_>>> = sources.iter().map(|_| OnceLock::new()).collect();
    let found = workers.each(places.iter().zip(sources).collect(), |file, (place, source)| {
        place.get_or_init(|| read(file, source)).found()
    });
    let reads: Vec<&Read<'_>> = places.iter().filter_map(OnceLock::get).collect();
    let surroundings = Surroundings::gather(&found);
    let judged = workers.each(found, |file, found| judge_file(&reads, file, found, &surroundings, suppressions));
    let document = document(&reads, judged, &surroundings);
    drop(surroundings);
    // Ten thousand trees are not freed in no time.
    workers.each(places, |_, read| drop(read));
    document
}
