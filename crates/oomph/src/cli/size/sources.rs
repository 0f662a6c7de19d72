//! Where histories come from: traces, recordings, a Prometheus, and what a cluster's autoscalers and metrics-server know.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use oomph_cluster::prometheus::Read;
use oomph_core::artifact::{Captured, Status};
use oomph_core::diagnosis::{GapReport, SourceReport, SourceState};
use oomph_core::fact::Gap;
use oomph_core::lint::Source;
use oomph_core::size::autoscaler::{Objects, objects, texts};
use oomph_core::size::{History, Recorded, observed, recorded, usage};

use crate::ui::Ui;
use crate::{files, trace};

/// What was read.
#[derive(Debug, Default)]
pub(super) struct Sources {
    /// Histories of traces.
    pub(super) histories: Vec<History>,
    /// Recordings.
    pub(super) recorded: Vec<Recorded>,
    /// Objects of autoscalers, of files and of a cluster.
    pub(super) objects: Objects,
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
                    _ if path.is_dir() => {
                        (SourceState::Absent, "it is a folder; name the CSV files in it, each with --trace".to_owned())
                    }
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
        self.gaps.extend(trace.gaps.iter().chain(&trace.other_unit()).cloned().map(GapReport::from));
        if trace.histories.is_empty() {
            // Why the first row cannot be read says more than how many cannot.
            let row = trace.gaps.iter().find(|gap| gap.what.starts_with("line ")).filter(|_| trace.bad_rows > 0);
            let because = match (row, trace.gaps.last()) {
                (Some(row), _) => format!("{}: {}", row.what, row.because),
                (None, Some(gap)) => gap.because.clone(),
                (None, None) => "it has no rows".to_owned(),
            };
            self.fail(format!("{name} is no memory trace: {because}"));
        }
        self.histories.extend(trace.histories);
    }

    /// Objects of autoscalers in files, and the pod templates beside them. `beside`: a history comes from elsewhere, so that
    /// templates alone say something.
    pub(super) fn files(&mut self, paths: &[PathBuf], beside: bool) {
        if paths.is_empty() {
            return;
        }
        let found = files::read(paths);
        self.captured(&found.captured);
        self.failures.extend(found.failures);
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        for artifact in &found.captured.artifacts {
            let read = objects(&[Source { name: artifact.name.clone(), text: text(&artifact.bytes) }]);
            let because: Vec<&str> = read.broken.iter().chain(&read.gaps).map(|gap| gap.because.as_str()).collect();
            let status = match (read.any() || !read.set.is_empty(), because.is_empty()) {
                (false, _) => SourceState::Absent,
                (true, true) => SourceState::Read,
                (true, false) => SourceState::Partial,
            };
            self.report(&artifact.name, OBJECTS, status, &[], because.join("; "));
            for broken in &read.broken {
                // What lies in a folder need not be meant.
                if found.named.contains(&artifact.name) {
                    self.fail(format!("{}, {}", broken.what, broken.because));
                } else {
                    self.gaps.push(broken.clone().into());
                }
            }
            self.objects.append(read);
        }
        let found = self.objects.any() || (beside && !self.objects.set.is_empty());
        if !found && self.failures.is_empty() {
            let because = self.objects.gaps.first().map(|gap| format!(": {}: {}", gap.what, gap.because));
            self.fail(format!(
                "no VerticalPodAutoscaler and no checkpoint of one in what -f names{}; write them with: kubectl get \
                 vpacheckpoints,vpa -A -o yaml (a history as CSV is given with --trace, a recording with --recording, and a \
                 manifest with -f beside them)",
                because.unwrap_or_default()
            ));
        }
    }

    /// What a cluster's autoscalers know.
    pub(super) fn autoscalers(&mut self, captured: &Captured) {
        self.captured(captured);
        self.objects.append(objects(&texts(captured)));
    }

    /// What pods use right now.
    pub(super) fn usage(&mut self, captured: &Captured) {
        self.captured(captured);
        self.histories.extend(usage::histories(captured));
    }

    /// What was read of a cluster or of files, and what was not.
    fn captured(&mut self, captured: &Captured) {
        for source in &captured.sources {
            let status = match source.status {
                Status::Read => SourceState::Read,
                Status::Partial => SourceState::Partial,
                Status::Absent => SourceState::Absent,
                Status::Forbidden => SourceState::Forbidden,
            };
            self.report(&source.name, &source.kind, status, &[], source.because.clone());
        }
        self.gaps.extend(captured.gaps.iter().cloned().map(GapReport::from));
    }

    /// None was found in the cluster.
    pub(super) fn not_found(&mut self, because: &str, gaps: &[Gap]) {
        let status = if gaps.is_empty() { SourceState::Absent } else { SourceState::Forbidden };
        self.report("a Prometheus in the cluster", PROMETHEUS, status, &[], because.to_owned());
        self.gaps.extend(gaps.iter().cloned().map(GapReport::from));
    }

    /// What else there is does for a first word, and needs a history for a second.
    pub(super) fn no_history(&mut self, because: &str) {
        self.gaps.push(GapReport {
            what: "a history of memory".into(),
            because: format!("{because}; what metrics-server says is one moment, and a VPA keeps daily peaks alone"),
            command: "oomph size --prometheus URL".into(),
        });
    }

    /// What a Prometheus told.
    pub(super) fn prometheus(&mut self, url: &str, read: Read) {
        let histories = read.histories.histories;
        let because = read.histories.gaps.iter().map(|gap| gap.because.as_str()).collect::<Vec<_>>().join("; ");
        let status = match (histories.is_empty(), because.is_empty()) {
            (true, _) => SourceState::Absent,
            (false, true) => SourceState::Read,
            (false, false) => SourceState::Partial,
        };
        self.report(url, PROMETHEUS, status, &histories, because);
        self.gaps.extend(read.histories.gaps.iter().cloned().map(GapReport::from));
        if histories.is_empty() {
            self.fail(match read.histories.refused {
                Some(because) => format!("the Prometheus {url} does not tell of memory usage: {because}"),
                None => format!(
                    "the Prometheus {url} has no container_memory_working_set_bytes for this; check the namespace, the \
                     days and that it scrapes the kubelets' cAdvisor"
                ),
            });
        }
        self.histories.extend(histories);
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
        self.gaps.extend(found.captured.gaps.iter().cloned().map(GapReport::from));
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
const OBJECTS: &str = "autoscaler objects";
const PROMETHEUS: &str = "prometheus";
