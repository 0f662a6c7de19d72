//! The whole way from artifacts to the document: decode, join, judge.

use std::collections::HashSet;

use jiff::Timestamp;

use crate::artifact::{Artifact, ArtifactId};
use crate::calibrate;
use crate::case::{Index, assemble, newest_moment};
use crate::decode::{Decoded, decode, decode_by};
use crate::diagnose::{diagnose, kill_report};
use crate::diagnosis::{Diagnosis, Document, GapReport, SCHEMA, SourceReport, SourceState};

/// What was asked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ask {
    /// Only this namespace.
    pub namespace: Option<String>,
    /// Only this pod, also when it is healthy or gone.
    pub pod: Option<String>,
    /// Only pods of this owner, as (kind, name) in Kubernetes' own spelling: (`Deployment`, `checkout`).
    pub owner: Option<(String, String)>,
    /// Only this container.
    pub container: Option<String>,
    /// Only deaths since this moment.
    pub since: Option<Timestamp>,
    /// The present, for ages and years that a text leaves out; `None` for a replay that should not depend on it.
    pub now: Option<Timestamp>,
}

/// Explains every death in the artifacts. `sources` and `gaps` are what capturing them already knows.
pub fn why(artifacts: &[Artifact], sources: Vec<SourceReport>, gaps: Vec<GapReport>, ask: &Ask) -> Document {
    let mut facts = Vec::new();
    let mut coverage = Vec::new();
    let mut kinds = Vec::new();
    let mut sources = sources;
    let mut gaps = gaps;
    for (artifact, decoded) in artifacts.iter().zip(decode_all(artifacts, ask.now)) {
        sources.push(source_report(artifact, &decoded));
        gaps.extend(decoded.gaps.into_iter().map(|gap| GapReport {
            what: gap.what,
            because: gap.because,
            command: gap.command,
        }));
        facts.extend(decoded.facts);
        coverage.extend(decoded.coverage);
        kinds.push(decoded.kinds);
    }
    let index = Index::new(artifacts, kinds, facts, coverage);
    let cases = assemble(&index, ask);
    let mut diagnoses: Vec<(Option<Timestamp>, Diagnosis)> =
        cases.iter().filter_map(|case| Some((newest_moment(case), diagnose(case, &cases)?))).collect();
    diagnoses.sort_by(|(one, _), (other, _)| other.cmp(one));
    Document {
        schema: SCHEMA,
        diagnoses: diagnoses.into_iter().map(|(_, diagnosis)| diagnosis).collect(),
        kernel_kills: index.kills.iter().enumerate().map(|(number, (kill, _))| kill_report(number, kill)).collect(),
        sources,
        gaps: unique(gaps),
    }
}

/// Decodes every artifact; logs whose dates are incomplete a second time, by what the others tell of their clocks.
fn decode_all(artifacts: &[Artifact], now: Option<Timestamp>) -> Vec<Decoded> {
    let mut all: Vec<Decoded> = (0..).zip(artifacts).map(|(id, artifact)| decode(ArtifactId(id), artifact)).collect();
    for (id, clock) in (0..).zip(calibrate::clocks(artifacts, &all, now)) {
        if let Some(clock) = clock {
            let artifact = &artifacts[id as usize];
            all[id as usize] = decode_by(ArtifactId(id), artifact, clock);
        }
    }
    all
}

/// Gaps of several pages of one source are often the same.
fn unique(gaps: Vec<GapReport>) -> Vec<GapReport> {
    let mut seen = HashSet::new();
    gaps.into_iter().filter(|gap| seen.insert(gap.clone())).collect()
}

fn source_report(artifact: &Artifact, decoded: &Decoded) -> SourceReport {
    let from = decoded.coverage.iter().filter_map(|coverage| coverage.from).min();
    let to = decoded.coverage.iter().filter_map(|coverage| coverage.to).max();
    let holes = decoded.coverage.iter().flat_map(|coverage| &coverage.holes).map(ToString::to_string);
    let because: Vec<String> = holes.chain(decoded.gaps.iter().map(|gap| gap.because.clone())).collect();
    let kinds: Vec<&str> = decoded.kinds.iter().map(|kind| kind.name()).collect();
    SourceReport {
        name: artifact.name.clone(),
        kind: if kinds.is_empty() { "unknown".into() } else { kinds.join(", ") },
        status: if because.is_empty() { SourceState::Read } else { SourceState::Partial },
        from,
        to,
        because: because.join("; "),
    }
}
