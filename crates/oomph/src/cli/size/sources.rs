//! Where histories come from: traces and recordings.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use oomph_core::artifact::Status;
use oomph_core::diagnosis::{GapReport, SourceReport, SourceState};
use oomph_core::fact::Gap;
use oomph_core::size::{History, Recorded, observed, recorded};

use crate::ui::Ui;
use crate::{files, trace};

/// What was read.
#[derive(Debug, Default)]
pub(super) struct Sources {
    /// Histories of traces.
    pub(super) histories: Vec<History>,
    /// Recordings.
    pub(super) recorded: Vec<Recorded>,
    /// Every source, read or not.
    pub(super) reports: Vec<SourceReport>,
    /// What was not learned.
    pub(super) gaps: Vec<GapReport>,
    /// What was asked for and could not be had, each ending in the remedy.
    pub(super) failures: Vec<String>,
}

/// Reads traces and recordings.
pub(super) fn read(traces: &[PathBuf], recordings: &[PathBuf], ui: Ui) -> Sources {
    let mut sources = Sources::default();
    if traces.is_empty() && recordings.is_empty() {
        sources.fail("there is nothing to size: give --trace FILE or --recording PATH".into());
    }
    for path in traces {
        ui.detail(path.display());
        sources.trace(path);
    }
    for path in recordings {
        ui.detail(path.display());
        sources.recording(path);
    }
    sources
}

impl Sources {
    /// Something that was asked for could not be had.
    pub(super) fn fail(&mut self, because: String) {
        self.gaps.push(GapReport { what: "the sizing".into(), because: because.clone(), command: String::new() });
        self.failures.push(because);
    }

    fn trace(&mut self, path: &Path) {
        let name = if path.as_os_str() == "-" { "stdin".into() } else { path.to_string_lossy().into_owned() };
        let trace = match trace::read(path) {
            Ok(trace) => trace,
            Err(error) => {
                let (status, because) = match error.kind() {
                    ErrorKind::NotFound => (SourceState::Absent, "there is no such file; check the path".to_owned()),
                    ErrorKind::PermissionDenied => {
                        (SourceState::Forbidden, "permission denied; run as a user who may read it".to_owned())
                    }
                    _ => (SourceState::Absent, error.to_string()),
                };
                self.report(&name, TRACE, status, &[], because.clone());
                return self.fail(format!("cannot read {name}: {because}"));
            }
        };
        let because = trace.gaps.iter().map(|gap| gap.because.as_str()).collect::<Vec<_>>().join("; ");
        let status = match (trace.histories.is_empty(), trace.gaps.is_empty()) {
            (true, _) => SourceState::Absent,
            (false, true) => SourceState::Read,
            (false, false) => SourceState::Partial,
        };
        self.report(&name, TRACE, status, &trace.histories, because.clone());
        self.gaps.extend(trace.gaps.iter().map(gap));
        if trace.histories.is_empty() {
            let because = trace.gaps.last().map_or("it has no rows", |gap| gap.because.as_str());
            self.fail(format!("{name} is no memory trace: {because}"));
        }
        self.histories.extend(trace.histories);
    }

    /// A recording, or all of them in a folder.
    fn recording(&mut self, path: &PathBuf) {
        let found = files::read(std::slice::from_ref(path));
        for source in &found.captured.sources {
            let status = match source.status {
                Status::Forbidden => SourceState::Forbidden,
                Status::Partial => SourceState::Partial,
                _ => SourceState::Absent,
            };
            self.report(&source.name, RECORDING, status, &[], source.because.clone());
        }
        self.gaps.extend(found.captured.gaps.iter().map(gap));
        let mut number = 0;
        for artifact in &found.captured.artifacts {
            let Some(recorded) = recorded::read(&artifact.name, &artifact.bytes) else { continue };
            number += 1;
            self.report(
                &artifact.name,
                RECORDING,
                SourceState::Read,
                std::slice::from_ref(&recorded.history),
                String::new(),
            );
            self.recorded.push(recorded);
        }
        if found.failures.is_empty() && number == 0 {
            let name = path.display();
            let what = if path.is_dir() {
                format!("no file in {name} is a recording")
            } else {
                format!("{name} is no recording")
            };
            self.fail(format!("{what} of oomph run; make one with: oomph run --record FILE -- CMD"));
        }
        found.failures.into_iter().for_each(|failure| self.failures.push(failure));
    }

    fn report(&mut self, name: &str, kind: &str, status: SourceState, histories: &[History], because: String) {
        let first = histories.iter().filter_map(|it| it.at.first()).min();
        let last = histories.iter().filter_map(|it| it.at.last()).max();
        self.reports.push(SourceReport {
            name: name.to_owned(),
            kind: kind.to_owned(),
            status,
            from: first.and_then(|at| observed::date(*at)),
            to: last.and_then(|at| observed::date(*at)),
            because,
        });
    }
}

/// Kinds of sources.
const TRACE: &str = "memory trace";
const RECORDING: &str = "recording";

fn gap(gap: &Gap) -> GapReport {
    GapReport { what: gap.what.clone(), because: gap.because.clone(), command: gap.command.clone() }
}
