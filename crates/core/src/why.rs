//! The whole way from artifacts to the document: decode, join, judge.

use std::collections::{HashMap, HashSet, VecDeque};

use jiff::Timestamp;

use crate::artifact::{Artifact, ArtifactId};
use crate::calibrate;
use crate::case::{Case, Index, assemble, healthy, newest_moment};
use crate::decode::{Decoded, decode, decode_by};
use crate::diagnose::{diagnose, kill_report};
use crate::diagnosis::{Diagnosis, Document, GapReport, SCHEMA, SourceReport, SourceState};

pub use crate::ask::Ask;

/// Explains every death in the artifacts. `sources` and `gaps` are what capturing them already knows; a source of an
/// artifact's name and the artifact are reported as one.
pub fn why(artifacts: &[Artifact], sources: Vec<SourceReport>, gaps: Vec<GapReport>, ask: &Ask) -> Document {
    let mut facts = Vec::new();
    let mut coverage = Vec::new();
    let mut kinds = Vec::new();
    let (mut sources, mut of_artifacts) = apart(sources, artifacts);
    let mut gaps = gaps;
    for (artifact, decoded) in artifacts.iter().zip(decode_all(artifacts, ask.now)) {
        let captured = of_artifacts.get_mut(artifact.name.as_str()).and_then(VecDeque::pop_front);
        sources.push(source_report(artifact, &decoded, captured));
        gaps.extend(decoded.gaps.into_iter().map(GapReport::from));
        facts.extend(decoded.facts);
        coverage.extend(decoded.coverage);
        kinds.push(decoded.kinds);
    }
    let index = Index::new(artifacts, kinds, facts, coverage);
    let cases = assemble(&index, ask);
    let of_case = |case: &Case<'_>| Some((newest_moment(case), diagnose(case, &cases)?));
    let mut diagnoses: Vec<(Option<Timestamp>, Diagnosis)> = Vec::new();
    let mut told = Vec::new();
    for case in &cases {
        if let Some(diagnosis) = of_case(case) {
            diagnoses.push(diagnosis);
            told.push(case);
        }
    }
    diagnoses.sort_by(|(one, _), (other, _)| other.cmp(one));
    Document {
        schema: SCHEMA,
        diagnoses: diagnoses.into_iter().map(|(_, diagnosis)| diagnosis).collect(),
        kernel_kills: index.kills.iter().enumerate().map(|(number, (kill, _))| kill_report(number, kill)).collect(),
        sources,
        gaps: unique(gaps),
        named: (ask.pod.is_some() || ask.owner.is_some()).then(|| healthy(&index, &told, ask)),
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

/// Sources that gave no artifact, and by name those that did.
fn apart(
    sources: Vec<SourceReport>,
    artifacts: &[Artifact],
) -> (Vec<SourceReport>, HashMap<&str, VecDeque<SourceReport>>) {
    let mut given: HashMap<&str, VecDeque<SourceReport>> =
        artifacts.iter().map(|artifact| (artifact.name.as_str(), VecDeque::new())).collect();
    let mut others = Vec::new();
    for source in sources {
        match given.get_mut(source.name.as_str()) {
            Some(of_artifact) => of_artifact.push_back(source),
            None => others.push(source),
        }
    }
    (others, given)
}

/// Gaps of several pages of one source are often the same.
fn unique(gaps: Vec<GapReport>) -> Vec<GapReport> {
    let mut seen = HashSet::new();
    gaps.into_iter().filter(|gap| seen.insert(gap.clone())).collect()
}

/// One artifact and how it was captured, if that is known. What was read only in part stays so however well it decodes.
fn source_report(artifact: &Artifact, decoded: &Decoded, captured: Option<SourceReport>) -> SourceReport {
    let from = decoded.coverage.iter().filter_map(|coverage| coverage.from).min();
    let to = decoded.coverage.iter().filter_map(|coverage| coverage.to).max();
    let cut = captured.map(|captured| captured.because).filter(|because| !because.is_empty());
    let holes = decoded.coverage.iter().flat_map(|coverage| &coverage.holes).map(ToString::to_string);
    let holes = holes.chain(decoded.gaps.iter().map(|gap| gap.because.clone()));
    let because: Vec<String> = cut.into_iter().chain(holes).collect();
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::artifact::Kind;

    fn captured(name: &str, status: SourceState, because: &str) -> SourceReport {
        let (name, because) = (name.to_owned(), because.to_owned());
        SourceReport { name, kind: "pods".into(), status, from: None, to: None, because }
    }

    fn pods(name: &str) -> Artifact {
        Artifact { kind: Some(Kind::KubernetesJson), ..Artifact::new(name, r#"{"kind":"PodList","items":[]}"#) }
    }

    fn told(artifacts: &[Artifact], sources: Vec<SourceReport>) -> Vec<(String, SourceState, String)> {
        let sources = why(artifacts, sources, Vec::new(), &Ask::default()).sources;
        sources.into_iter().map(|it| (it.name, it.status, it.because)).collect()
    }

    #[test]
    fn an_artifact_and_how_it_was_captured_are_one_source() {
        let sources = vec![
            captured("events", SourceState::Forbidden, "permission denied"),
            captured("page 2", SourceState::Partial, "cut by the deadline"),
            captured("page 1", SourceState::Read, ""),
        ];
        let expected = [
            ("events", SourceState::Forbidden, "permission denied"),
            ("page 1", SourceState::Read, ""),
            ("page 2", SourceState::Partial, "cut by the deadline"),
            ("pasted", SourceState::Read, ""),
        ];
        let expected = expected.map(|(name, status, because)| (name.to_owned(), status, because.to_owned()));
        assert_eq!(told(&[pods("page 1"), pods("page 2"), pods("pasted")], sources), expected);
    }

    #[test]
    fn artifacts_of_one_name_keep_each_its_own_end() {
        let sources =
            vec![captured("pod", SourceState::Read, ""), captured("pod", SourceState::Partial, "cut by the deadline")];
        let told = told(&[pods("pod"), pods("pod")], sources);
        assert_eq!(told.iter().map(|it| it.1).collect::<Vec<_>>(), [SourceState::Read, SourceState::Partial]);
    }
}
