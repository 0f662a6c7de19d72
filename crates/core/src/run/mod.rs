//! The document `oomph.dev/run/v1`: what became of a command under a limit.

mod need;
mod proposal;

pub use need::{Need, counted, need};

use schemars::JsonSchema;
use serde::Serialize;

use self::proposal::Ended;
use crate::artifact::{Artifact, Kind};
use crate::budget::Proposal;
use crate::diagnosis::{Diagnosis, GapReport, KillReport, Verdict};
use crate::growth::{self, Class};
use crate::recording::{Recording, read};
use crate::units::Bytes;
use crate::waterfall::Waterfall;
use crate::why::{Ask, why};

/// The name and version of the document's shape.
pub const SCHEMA: &str = "oomph.dev/run/v1";

/// The JSON Schema of [`Document`].
pub fn schema() -> schemars::Schema {
    schemars::schema_for!(Document)
}

/// What became of a command.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Document {
    /// Always `oomph.dev/run/v1`.
    pub schema: &'static str,
    /// As a shell says it: 128 and the signal where one ended it; null where the end was not recorded.
    pub exit_code: Option<i32>,
    /// The signal that ended it.
    pub signal: Option<i32>,
    /// No process of it was killed for memory.
    pub survived: bool,
    /// How it ended; its cgroup counts as the container. Null only where the recording does not tell whose it is.
    pub diagnosis: Option<Diagnosis>,
    /// The kernel's kills among its processes.
    pub kernel_kills: Vec<KillReport>,
    /// The most that was charged.
    pub peak_bytes: Option<Bytes>,
    /// Where the memory was when the most of it was out of the kernel's reach.
    pub peak: Option<Waterfall>,
    /// How its memory grew.
    pub class: Class,
    /// What that rests on.
    pub class_evidence: String,
    /// The limit and flags that it would take.
    pub proposal: Option<Proposal>,
    /// Why there is none.
    pub proposal_missing: Option<String>,
    /// What was not learned.
    pub gaps: Vec<GapReport>,
}

/// Explains a recording; `name` is what to call it as a source.
pub fn explain(name: &str, bytes: &[u8]) -> Document {
    let recording = read(bytes);
    let artifact = Artifact { kind: Some(Kind::Recording), ..Artifact::new(name, bytes) };
    let id = recording.run.as_ref().map(|run| run.id.clone());
    let ask = Ask { container: recording.run.as_ref().map(|run| run.command.clone()), ..Ask::default() };
    let answer = why(&[artifact], Vec::new(), Vec::new(), &ask);
    let own = |it: &Diagnosis| id.is_some() && it.subject.container_id == id;
    let diagnosis = answer.diagnoses.into_iter().find(own);
    let kernel_kills: Vec<KillReport> =
        answer.kernel_kills.into_iter().filter(|kill| id.is_some() && kill.container_id == id).collect();
    let killed = diagnosis.as_ref().is_some_and(|it| it.oom_kill == Some(true)) || !kernel_kills.is_empty();
    let end = recording.end.as_ref().map(|(_, end)| end);
    let need = need(&recording);
    let judgement = judge(&recording, need, killed);
    let by_own_limit = diagnosis.as_ref().is_some_and(|it| it.verdict == Verdict::RuntimeHeapOom);
    let ended = Ended { killed, by_own_limit };
    let (proposal, proposal_missing) = match proposal::proposal(&recording, judgement.class, need.bytes, ended) {
        Ok(proposal) => (Some(proposal), None),
        Err(because) => (None, Some(because)),
    };
    let most = recording.samples.iter().map(|sample| sample.usage).max();
    let peak_bytes = counted(&recording).max(most);
    Document {
        schema: SCHEMA,
        exit_code: end.map(crate::recording::End::code),
        signal: end.and_then(|end| end.signal),
        survived: end.is_some() && !killed,
        peak_bytes,
        class: judgement.class,
        class_evidence: judgement.because,
        peak: recording.peak.map(|peak| Waterfall { peak_bytes: peak_bytes.max(peak.peak_bytes), ..peak }),
        diagnosis,
        kernel_kills,
        proposal,
        proposal_missing,
        gaps: answer.gaps,
    }
}

fn judge(recording: &Recording, need: Need, killed: bool) -> growth::Judgement {
    if let Some(because) = recording.peak.as_ref().filter(|_| killed).and_then(proposal::outgrows) {
        return growth::Judgement::new(Class::LimitTooLow, because);
    }
    let mut points: Vec<_> = recording.samples.iter().map(|sample| (sample.at, sample.unreclaimable)).collect();
    if killed {
        // What the kill took back did not come down by itself.
        let top = points.iter().enumerate().max_by_key(|(_, (_, kept))| *kept).map_or(0, |(top, _)| top + 1);
        points.truncate(top);
    }
    let cache = recording
        .samples
        .iter()
        .max_by_key(|sample| sample.usage)
        .map(|sample| Bytes(sample.file.0.saturating_sub(sample.shmem.0)));
    let limit = recording.run.as_ref().and_then(|run| run.limit_bytes);
    // A peak that ended with a kill is no spike: nobody knows whether it would have come down.
    let unseen = need.unseen.filter(|_| !killed);
    growth::of_run(&points, limit, cache.unwrap_or_default(), unseen)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A user may not read the kernel's log: only the counters of the cgroup tell.
    #[test]
    fn the_counters_of_its_own_cgroup_prove_a_kill_and_nothing_else_makes_one_of_a_signal() {
        let run = r#"{"schema":"oomph.dev/recording/v1","run":{"id":"0a1b2c3d4e5f6071","cgroup":"/a/oomph-run-0a1b2c3d4e5f6071","cgroupVersion":2,"node":null,"bootedAt":null,"command":"python3","startedAt":"2026-11-25T22:00:00Z","limitBytes":134217728,"swapBytes":0}}"#;
        let end = r#"{"end":{"at":"2026-11-25T22:00:19Z","exitCode":null,"signal":9,"peakBytes":134217728}}"#;
        let of = |kills: u32| {
            let events = format!("==> memory.events <==\\nlow 0\\nhigh 0\\nmax 9\\noom {kills}\\noom_kill {kills}\\n");
            let text = format!("{run}\n{{\"counters\":\"{events}\"}}\n{end}\n");
            let document = explain("recording", text.as_bytes());
            let diagnosis = document.diagnosis.unwrap();
            (document.survived, diagnosis.oom_kill, diagnosis.verdict)
        };
        assert_eq!(of(1), (false, Some(true), Verdict::ContainerLimitOom));
        let (survived, oom_kill, verdict) = of(0);
        assert!(
            survived && oom_kill != Some(true) && verdict != Verdict::ContainerLimitOom,
            "{oom_kill:?} {verdict:?}"
        );
    }
}
