//! `oomph lint`: reads manifests before they ship, and says which of them will be killed for memory.
//!
//! ```text
//! Source ─ read ─▶ Read (tree, workloads) ─ gather ─▶ Surroundings ─ judge ─▶ Finding* ─ document, report ─▶ text, JSON
//! ```
//!
//! A file is read by itself, so that files can be read side by side. Those that may say something of others (a LimitRange,
//! a ConfigMap, a VPA, the configuration of an image) are read first, and what they say is gathered; all others are read and
//! judged in one go. Rules stand in [`rules`], one file and one page each.

mod admitted;
pub mod config;
mod document;
mod expansion;
mod finding;
pub mod fix;
pub mod format;
mod hearsay;
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
use judged::{AtHand, Judged, judge_file};
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
        let mut all = Found { file: self.tree.file, path: self.source.name.as_str(), ..Found::default() };
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
    let kept: Vec<OnceLock<Read<'_>>> = sources.iter().map(|_| OnceLock::new()).collect();
    let keep = |files: Vec<usize>| {
        workers.each(files, |_, file| kept[file].get_or_init(|| read(file, &sources[file])).found())
    };
    let (heard, mut others) = hearsay::parted(workers, sources);
    let mut found = keep(heard);
    if hearsay::is_of_all(&found) {
        found.extend(keep(std::mem::take(&mut others)));
        found.sort_by_key(|found| found.file);
    }
    let surroundings = Surroundings::gather(&found);
    let kept: Vec<Option<&Read<'_>>> = kept.iter().map(OnceLock::get).collect();
    let judge = |own, found| judge_file(AtHand { own, kept: &kept }, found, &surroundings, suppressions);
    let judged = workers.each(found, |_, found| kept[found.file].map(|own| judge(own, found)));
    // Nobody else asks for these: they are judged while the processor has their trees at hand.
    let others = workers.each(others, |_, file| {
        let own = read(file, &sources[file]);
        judge_file(AtHand { own: &own, kept: &kept }, own.found(), &surroundings, suppressions)
    });
    let mut judged: Vec<Judged> = judged.into_iter().flatten().chain(others).collect();
    judged.sort_by_key(|judged| judged.file);
    document(judged, &surroundings)
}
