//! What the rules say of a file, in the document's words: all that needs no other file's findings is done here, so that
//! it is done side by side. Nothing of it leads back into the file, which may be gone when the document is made.

use std::collections::HashSet;

use super::Read;
use super::document::{
    Checked, DocumentEdit, DocumentFinding, DocumentFix, MADE, ObjectName, ParseError, Region, Related, Skipped,
};
use super::finding::{Edit, Finding, Place};
use super::judge::judge;
use super::suppress::suppress;
use super::surroundings::Surroundings;
use super::tree::{Span, SyntaxError};
use super::workload::{Found, Object};

/// A file, judged.
#[derive(Debug)]
pub(super) struct Judged {
    /// Its place in the input.
    pub file: usize,
    /// What the rules found, in the order of the document, without what is suppressed.
    pub findings: Vec<DocumentFinding>,
    /// What tells each of them from others.
    pub fingerprints: Vec<Fingerprint>,
    /// What was looked at.
    pub checked: Checked,
    /// Objects that are not judged, each with the reason.
    pub skipped: Vec<Skipped>,
    /// Documents that could not be read.
    pub errors: Vec<ParseError>,
    /// What its containers call their images, where the input describes any.
    pub images: Vec<String>,
}

impl Judged {
    /// The file of its first finding.
    pub(super) fn first_path(&self) -> Option<&str> {
        self.findings.first().map(|finding| finding.region.path.as_str())
    }
}

/// The files that a finding may point into: the one that is judged, and those that are kept.
#[derive(Debug, Clone, Copy)]
pub(super) struct AtHand<'a> {
    /// The one that is judged.
    pub own: &'a Read<'a>,
    /// By their places in the input.
    pub kept: &'a [Option<&'a Read<'a>>],
}

impl<'a> AtHand<'a> {
    fn read(self, file: usize) -> &'a Read<'a> {
        let kept = || self.kept.get(file).copied().flatten();
        if file == self.own.tree.file { self.own } else { kept().unwrap_or(self.own) }
    }

    fn region(self, place: Place) -> Region {
        let read = self.read(place.file);
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
}

/// Every rule over a file. `suppressions` in the text are honoured or not.
pub(super) fn judge_file<'a>(
    files: AtHand<'a>,
    mut found: Found<'a>,
    surroundings: &Surroundings<'a>,
    suppressions: bool,
) -> Judged {
    found.put_aside(surroundings);
    let (mut findings, mut suppressed) = (judge(&found, surroundings), 0);
    if suppressions {
        (findings, suppressed) = suppress(files.own, &found, findings);
    }
    let skipped = skipped(&found, &findings);
    let path = |it: &Finding<'_>| files.read(it.at.place.file).source.name.as_str();
    findings.sort_by(|a, b| (path(a), a.at.place.span, b.level).cmp(&(path(b), b.at.place.span, a.level)));
    let fingerprints: Vec<Fingerprint> = findings.iter().map(|it| Fingerprint::of(files, it)).collect();
    let findings = findings.into_iter().zip(&fingerprints).map(|(it, fingerprint)| finding(files, it, *fingerprint));
    let containers = || found.workloads.iter().flat_map(|workload| &workload.containers);
    let named = containers().filter(|_| surroundings.has_images()).filter_map(|it| it.image);
    let tree = &files.own.tree;
    let error = |it: &SyntaxError| ParseError {
        region: files.region(Place { file: tree.file, span: it.at }),
        message: it.message.clone(),
    };
    Judged {
        file: tree.file,
        findings: findings.collect(),
        fingerprints,
        checked: Checked {
            files: 1,
            objects: found.objects.len(),
            templates: found.workloads.len(),
            containers: containers().count(),
            queries: found.queries.len(),
            suppressed,
            images: found.images.len(),
        },
        skipped,
        errors: tree.errors.iter().map(error).collect(),
        images: named.map(|it| it.text.to_owned()).collect(),
    }
}

/// Kinds that rules read though they have no pod template.
const READ: [&str; 6] =
    ["LimitRange", "ResourceQuota", "ConfigMap", "VerticalPodAutoscaler", "HorizontalPodAutoscaler", "ScaledObject"];

fn skipped(found: &Found<'_>, findings: &[Finding<'_>]) -> Vec<Skipped> {
    let skipped = |object: &Object<'_>, because: &'static str| Skipped {
        api_version: object.api_version.to_owned(),
        kind: object.kind.to_owned(),
        count: 1,
        because: because.into(),
    };
    let made = found.made.iter().map(|object| skipped(object, MADE));
    if found.others.is_empty() {
        return made.collect();
    }
    // What something is found in is judged, by whatever it was.
    let of = |object: &Object<'_>| Place::from(object.node);
    let said: HashSet<Place> = findings.iter().filter_map(|finding| finding.object.as_ref()).map(of).collect();
    let others = found.others.iter().filter(|it| !READ.contains(&it.kind) && !said.contains(&of(it)));
    let because =
        |kind: &str| if kind.is_empty() { "no object of Kubernetes" } else { "no pod template and no query in it" };
    others.map(|object| skipped(object, because(object.kind))).chain(made).collect()
}

fn finding(files: AtHand<'_>, it: Finding<'_>, fingerprint: Fingerprint) -> DocumentFinding {
    let object = it.object.map(|object| ObjectName {
        api_version: object.api_version.to_owned(),
        kind: object.kind.to_owned(),
        namespace: object.namespace.map(str::to_owned),
        name: object.name.to_owned(),
        template: object.template.map(str::to_owned),
    });
    let related =
        it.related.into_iter().map(|label| Related { region: files.region(label.place), message: label.says });
    let edit = |edit: Edit| {
        let Span { start, end } = edit.place.span;
        DocumentEdit { region: files.region(edit.place), start, end, text: edit.text }
    };
    let fix = it.fix.map(|fix| DocumentFix { safe: fix.safe, edits: fix.edits.into_iter().map(edit).collect() });
    DocumentFinding {
        rule: it.rule.to_owned(),
        level: it.level,
        message: it.message,
        region: files.region(it.at.place),
        label: Some(it.at.says).filter(|label| !label.is_empty()),
        object,
        container: it.container.filter(|name| !name.is_empty()).map(str::to_owned),
        related: related.collect(),
        assumed: it.assumed,
        notes: it.notes,
        help: it.help,
        fingerprint: fingerprint.written(0),
        fix,
    }
}

/// FNV-1a, 64 bits, of rule, object, container and the words pointed at, which is what stays when lines move: the same on
/// every machine and in every release.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Fingerprint(u64);

impl Fingerprint {
    fn of(files: AtHand<'_>, it: &Finding<'_>) -> Self {
        let words = &files.read(it.at.place.file).source.text[it.at.place.span.range()];
        let object =
            it.object.map(|object| [object.api_version, object.kind, object.namespace.unwrap_or(""), object.name]);
        let parts = [it.rule, it.container.unwrap_or(""), words].into_iter().chain(object.into_iter().flatten());
        parts.fold(Self(0xcbf2_9ce4_8422_2325), |hash, part| hash.with(part.as_bytes()).with(&[0]))
    }

    fn with(self, bytes: &[u8]) -> Self {
        Self(bytes.iter().fold(self.0, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)))
    }

    /// As it is written; of several findings that have the same, that behind so many others.
    pub(super) fn written(self, behind: u64) -> String {
        let it = if behind == 0 { self } else { self.with(&behind.to_le_bytes()) };
        format!("{:016x}", it.0)
    }
}
