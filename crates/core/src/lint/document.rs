//! The document of `oomph lint`: `oomph.dev/lint/v1`.

use std::collections::{BTreeMap, HashMap, HashSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::finding::{Finding, Level, Place};
use super::images::Images;
use super::tree::Span;
use super::workload::{Found, Object};
use super::{Judged, Read};
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
    pub message: String,
    /// The key or value that it is about.
    #[serde(flatten)]
    pub region: Region,
    /// What is to be said right there.
    pub label: Option<String>,
    /// The object that it is in.
    pub object: Option<ObjectName>,
    /// The container that it is in.
    pub container: Option<String>,
    /// The numbers that it rests on.
    pub related: Vec<Related>,
    /// What the arithmetic had to assume.
    pub assumed: Vec<String>,
    /// The arithmetic, and what else is worth knowing.
    pub notes: Vec<String>,
    /// What to do.
    pub help: Option<String>,
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
    pub message: String,
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
    pub because: String,
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

impl Document {
    /// The gravest level among the findings.
    pub fn gravest(&self) -> Option<Level> {
        self.findings.iter().map(|finding| finding.level).max()
    }
}

/// Puts everything together.
pub fn document(reads: &[Read<'_>], found: &[Found<'_>], judged: &[Judged<'_>]) -> Document {
    let mut seen: HashMap<u64, u64> = HashMap::new();
    let all = judged.iter().flat_map(|judged| &judged.findings);
    let mut findings: Vec<DocumentFinding> = all.map(|it| finding(reads, it, &mut seen)).collect();
    findings.sort_by(|a, b| a.region.cmp(&b.region).then(b.level.cmp(&a.level)));
    let errors = reads.iter().enumerate().flat_map(|(file, read)| {
        let parse_error = move |error: &super::tree::SyntaxError| ParseError {
            region: region(reads, Place { file, span: error.at }),
            message: error.message.clone(),
        };
        read.tree.errors.iter().map(parse_error)
    });
    let workloads = || found.iter().flat_map(|found| &found.workloads);
    Document {
        schema: "oomph.dev/lint/v1".to_owned(),
        findings,
        checked: Checked {
            files: reads.len(),
            objects: found.iter().map(|found| found.objects.len()).sum(),
            templates: workloads().count(),
            suppressed: judged.iter().map(|judged| judged.suppressed).sum(),
            images: found.iter().map(|found| found.images.len()).sum(),
            queries: found.iter().map(|found| found.queries.len()).sum(),
            containers: workloads().map(|workload| workload.containers.len()).sum(),
        },
        skipped: skipped(found, judged),
        parse_errors: errors.collect(),
        gaps: Vec::new(),
    }
}

/// Kinds that rules read though they have no pod template.
const READ: [&str; 6] =
    ["LimitRange", "ResourceQuota", "ConfigMap", "VerticalPodAutoscaler", "HorizontalPodAutoscaler", "ScaledObject"];

/// Why an object is not judged that another one made.
pub(super) const MADE: &str = "another object of the input made it, and is judged";

/// Why an image that is described plays no part.
pub(super) const UNUSED: &str = "no container of the input names it";

fn skipped(found: &[Found<'_>], judged: &[Judged<'_>]) -> Vec<Skipped> {
    // What something is found in is judged, by whatever it was.
    let of = |object: &Object<'_>| Place::from(object.node);
    let findings = judged.iter().flat_map(|judged| &judged.findings);
    let said: HashSet<Place> = findings.filter_map(|finding| finding.object.as_ref()).map(of).collect();
    let because =
        |kind: &str| if kind.is_empty() { "no object of Kubernetes" } else { "no pod template and no query in it" };
    let mut counts: BTreeMap<(&str, &str, &str), usize> = BTreeMap::new();
    for object in
        found.iter().flat_map(|found| &found.others).filter(|it| !READ.contains(&it.kind) && !said.contains(&of(it)))
    {
        *counts.entry((object.kind, object.api_version, because(object.kind))).or_default() += 1;
    }
    for object in found.iter().flat_map(|found| &found.made) {
        *counts.entry((object.kind, object.api_version, MADE)).or_default() += 1;
    }
    let unused = Images::unused(found);
    if unused > 0 {
        counts.insert(("Image", "", UNUSED), unused);
    }
    let it = |((kind, api_version, because), count): ((&str, &str, &str), usize)| Skipped {
        api_version: api_version.to_owned(),
        kind: kind.to_owned(),
        count,
        because: because.to_owned(),
    };
    counts.into_iter().map(it).collect()
}

fn region(reads: &[Read<'_>], place: Place) -> Region {
    let read = &reads[place.file];
    let (start, end) = read.lines.ends(&read.source.text, place.span);
    Region {
        path: read.source.name.clone(),
        line: start.line,
        column: start.column,
        end_line: end.line,
        end_column: end.column,
        place: Some(place),
    }
}

fn finding(reads: &[Read<'_>], it: &Finding<'_>, seen: &mut HashMap<u64, u64>) -> DocumentFinding {
    let object = it.object.map(|object| ObjectName {
        api_version: object.api_version.to_owned(),
        kind: object.kind.to_owned(),
        namespace: object.namespace.map(str::to_owned),
        name: object.name.to_owned(),
        template: object.template.map(str::to_owned),
    });
    let related =
        it.related.iter().map(|label| Related { region: region(reads, label.place), message: label.says.clone() });
    let fix = it
        .fix
        .as_ref()
        .map(|fix| DocumentFix { safe: fix.safe, edits: fix.edits.iter().map(|edit| edit_of(reads, edit)).collect() });
    DocumentFinding {
        rule: it.rule.to_owned(),
        level: it.level,
        message: it.message.clone(),
        region: region(reads, it.at.place),
        label: Some(it.at.says.clone()).filter(|label| !label.is_empty()),
        object,
        container: it.container.filter(|name| !name.is_empty()).map(str::to_owned),
        related: related.collect(),
        assumed: it.assumed.clone(),
        notes: it.notes.clone(),
        help: it.help.clone(),
        fingerprint: fingerprint(reads, it, seen),
        fix,
    }
}

fn edit_of(reads: &[Read<'_>], edit: &super::finding::Edit) -> DocumentEdit {
    let Span { start, end } = edit.place.span;
    DocumentEdit { region: region(reads, edit.place), start, end, text: edit.text.clone() }
}

/// Rule, object, container and the words pointed at: what stays when lines move. Of several that agree in all of it the
/// later ones are counted.
fn fingerprint(reads: &[Read<'_>], it: &Finding<'_>, seen: &mut HashMap<u64, u64>) -> String {
    let words = &reads[it.at.place.file].source.text[it.at.place.span.range()];
    let object = it.object.map(|object| [object.api_version, object.kind, object.namespace.unwrap_or(""), object.name]);
    let parts = [it.rule, it.container.unwrap_or(""), words].into_iter().chain(object.into_iter().flatten());
    let mut hash = Fnv::default();
    for part in parts {
        hash.write(part.as_bytes());
        hash.write(&[0]);
    }
    let count = seen.entry(hash.0).or_default();
    if *count > 0 {
        hash.write(&count.to_le_bytes());
    }
    *count += 1;
    format!("{:016x}", hash.0)
}

/// FNV-1a, 64 bits: the same on every machine and in every release.
struct Fnv(u64);

impl Default for Fnv {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl Fnv {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
}
