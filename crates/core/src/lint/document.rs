//! The document of `oomph lint`: `oomph.dev/lint/v1`.

use std::cmp::Ordering;
use std::collections::{BTreeMap, HashMap};
use std::ops::AddAssign;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::finding::{Level, Place, Words};
use super::judged::Judged;
use super::surroundings::Surroundings;
use crate::diagnosis::GapReport;

/// What `oomph lint` found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Document {
    /// `oomph.dev/lint/v1`.
    pub schema: String,
    /// What was found, by file and place.
    pub findings: Vec<DocumentFinding>,
    /// What was looked at.
    pub checked: Checked,
    /// Objects that are not judged, and why.
    pub skipped: Vec<Skipped>,
    /// Documents that could not be read.
    pub parse_errors: Vec<ParseError>,
    /// What of a cluster or an image was not learned.
    #[serde(default)]
    pub gaps: Vec<GapReport>,
}

/// What was looked at.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Checked {
    /// Files.
    pub files: usize,
    /// Objects.
    pub objects: usize,
    /// Pod templates.
    pub templates: usize,
    /// Containers.
    pub containers: usize,
    /// Queries of alert rules and dashboards, also those that could not be read.
    #[serde(default)]
    pub queries: usize,
    /// Findings that the manifests themselves suppress.
    pub suppressed: usize,
    /// Images that are described beside the manifests.
    #[serde(default)]
    pub images: usize,
}

/// A finding.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DocumentFinding {
    /// The rule's id.
    pub rule: String,
    /// How much it matters.
    pub level: Level,
    /// One sentence.
    pub message: Words,
    /// The key or value that it is about.
    #[serde(flatten)]
    pub region: Region,
    /// What is to be said right there.
    pub label: Option<Words>,
    /// The object that it is in.
    pub object: Option<ObjectName>,
    /// The container that it is in.
    pub container: Option<String>,
    /// The numbers that it rests on.
    pub related: Vec<Related>,
    /// What the arithmetic had to assume.
    pub assumed: Vec<String>,
    /// The arithmetic, and what else is worth knowing.
    pub notes: Vec<Words>,
    /// What to do.
    pub help: Option<Words>,
    /// The same for the same finding when lines move or files are renamed.
    pub fingerprint: String,
    /// How the text would be mended.
    pub fix: Option<DocumentFix>,
}

/// Lines and columns, counted from 1; columns are characters, and the end is the first one behind.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Region {
    /// The file.
    pub path: String,
    /// Line.
    pub line: u32,
    /// Column.
    pub column: u32,
    /// Last line.
    pub end_line: u32,
    /// Column behind the last one.
    pub end_column: u32,
    /// The same in bytes of the file.
    #[serde(skip)]
    pub place: Option<Place>,
}

/// Another place, and what is to be said of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Related {
    /// The place.
    #[serde(flatten)]
    pub region: Region,
    /// What it says.
    pub message: Words,
}

/// Which object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ObjectName {
    /// `apiVersion`.
    pub api_version: String,
    /// `kind`.
    pub kind: String,
    /// `metadata.namespace`.
    pub namespace: Option<String>,
    /// `metadata.name`.
    pub name: String,
    /// The template that Helm made it from.
    pub template: Option<String>,
}

/// A change of the text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DocumentFix {
    /// The text allows one reading only, and the change gives it.
    pub safe: bool,
    /// What is changed; edits do not overlap.
    pub edits: Vec<DocumentEdit>,
}

/// Replaces a stretch of text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DocumentEdit {
    /// What is replaced.
    #[serde(flatten)]
    pub region: Region,
    /// First byte of it in the file.
    pub start: u32,
    /// Behind its last byte.
    pub end: u32,
    /// By what.
    pub text: String,
}

/// Objects that are not judged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Skipped {
    /// `apiVersion`; empty where none is given.
    pub api_version: String,
    /// `kind`; empty where none is given.
    pub kind: String,
    /// How many.
    pub count: usize,
    /// Why.
    pub because: Words,
}

/// A document that could not be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ParseError {
    /// Where the reader stopped.
    #[serde(flatten)]
    pub region: Region,
    /// What it says.
    pub message: String,
}

/// The JSON Schema of [`Document`].
pub fn schema() -> schemars::Schema {
    schemars::schema_for!(Document)
}

impl DocumentFinding {
    /// The order of a document: by file and place, the graver first.
    pub(super) fn by_place(&self, other: &Self) -> Ordering {
        self.region.cmp(&other.region).then(other.level.cmp(&self.level))
    }
}

impl Document {
    /// The gravest level among the findings.
    pub fn gravest(&self) -> Option<Level> {
        self.findings.iter().map(|finding| finding.level).max()
    }
}

impl AddAssign for Checked {
    fn add_assign(&mut self, other: Self) {
        self.files += other.files;
        self.objects += other.objects;
        self.templates += other.templates;
        self.containers += other.containers;
        self.queries += other.queries;
        self.suppressed += other.suppressed;
        self.images += other.images;
    }
}

/// Puts everything together.
pub(super) fn document(mut judged: Vec<Judged>, surroundings: &Surroundings<'_>) -> Document {
    let mut checked = Checked::default();
    for judged in &judged {
        checked += judged.checked;
    }
    let skipped = skipped(&judged, surroundings);
    let count = judged.iter().map(|judged| judged.findings.len()).sum();
    let mut seen = HashMap::with_capacity(count);
    for Judged { findings, fingerprints, .. } in &mut judged {
        for (finding, fingerprint) in findings.iter_mut().zip(fingerprints) {
            // Findings that agree in all that stays when lines move are told apart by how many came before.
            let behind = seen.entry(*fingerprint).or_insert(0_u64);
            if *behind > 0 {
                finding.fingerprint = fingerprint.written(*behind);
            }
            *behind += 1;
        }
    }
    let errors = judged.iter_mut().flat_map(|judged| std::mem::take(&mut judged.errors)).collect();
    // Files first, each in order already: what is in order is not moved again.
    judged.sort_by(|a, b| a.first_path().cmp(&b.first_path()));
    let mut findings = Vec::with_capacity(count);
    for judged in &mut judged {
        findings.append(&mut judged.findings);
    }
    findings.sort_by(DocumentFinding::by_place);
    Document {
        schema: "oomph.dev/lint/v1".to_owned(),
        findings,
        checked,
        skipped,
        parse_errors: errors,
        gaps: Vec::new(),
    }
}

/// Why an object is not judged that another one made.
pub(super) const MADE: &str = "another object of the input made it, and is judged";

/// Why an image that is described plays no part.
pub(super) const UNUSED: &str = "no container of the input names it";

fn skipped(judged: &[Judged], surroundings: &Surroundings<'_>) -> Vec<Skipped> {
    let mut counts: BTreeMap<(&str, &str, &str), usize> = BTreeMap::new();
    for it in judged.iter().flat_map(|judged| &judged.skipped) {
        *counts.entry((&it.kind, &it.api_version, &it.because)).or_default() += it.count;
    }
    let unused = surroundings.unused_images(judged.iter().flat_map(|judged| &judged.images).map(String::as_str));
    if unused > 0 {
        counts.insert(("Image", "", UNUSED), unused);
    }
    let it = |((kind, api_version, because), count): ((&str, &str, &str), usize)| Skipped {
        api_version: api_version.to_owned(),
        kind: kind.to_owned(),
        count,
        because: because.to_owned().into(),
    };
    counts.into_iter().map(it).collect()
}
