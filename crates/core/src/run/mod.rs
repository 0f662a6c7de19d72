//! The document `oomph.dev/run/v1`: what became of a command under a limit.

mod need;
mod proposal;
mod remedy;

pub use need::{Need, counted, need};

use schemars::JsonSchema;
use serde::Serialize;

use self::proposal::Ended;
use crate::artifact::{Artifact, Kind};
use crate::budget::Proposal;
use crate::diagnosis::{Diagnosis, GapReport, KillReport, Verdict};
use crate::growth::{self, Class};
use crate::recording::{End, Recording, read};
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
    /// No process of it was killed for memory; null where that cannot be told.
    pub survived: Option<bool>,
    /// How it ended; its cgroup counts as the container. Null only where the recording does not tell whose it is.
    pub diagnosis: Option<Diagnosis>,
    /// The kernel's kills among its processes.
    pub kernel_kills: Vec<KillReport>,
    /// The most that was charged.
    pub peak_bytes: Option<Bytes>,
    /// Processes that it left running, which were killed with its cgroup; null where they were not counted.
    pub left_running: Option<u32>,
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
    // Without a cgroup the id is the recording's own: nobody else knows it.
    let without_cgroup = recording.run.as_ref().is_some_and(|run| run.cgroup.is_empty());
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
    let mut diagnosis = diagnosis;
    if let Some(diagnosis) = diagnosis.as_mut().filter(|_| without_cgroup) {
        diagnosis.subject.container_id = None;
    }
    let mut document = Document {
        schema: SCHEMA,
        exit_code: end.map(End::code),
        signal: end.and_then(|end| end.signal),
        survived: survived(end, diagnosis.as_ref(), killed),
        left_running: end.and_then(|end| end.left_running),
        peak_bytes,
        class: judgement.class,
        class_evidence: judgement.because,
        peak: recording.peak.map(|peak| Waterfall { peak_bytes: peak_bytes.max(peak.peak_bytes), ..peak }),
        diagnosis,
        kernel_kills,
        proposal,
        proposal_missing,
        gaps: answer.gaps,
    };
    remedy::fit(&mut document);
    document
}

/// What the diagnosis says of kills; nothing where it does not know, or the end was not recorded.
fn survived(end: Option<&End>, diagnosis: Option<&Diagnosis>, killed: bool) -> Option<bool> {
    if killed {
        return Some(false);
    }
    let killed = diagnosis?.oom_kill?;
    end.map(|_| !killed)
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
        assert_eq!(of(1), (Some(false), Some(true), Verdict::ContainerLimitOom));
        assert_eq!(of(0), (Some(true), Some(false), Verdict::ExternalSigkill));
    }

    /// A run of `sleep` with these counters, that ended as `end` says.
    fn ended(kills: Option<u32>, end: &str) -> Document {
        let run = r#"{"schema":"oomph.dev/recording/v1","run":{"id":"0a1b2c3d4e5f6071","cgroup":"/a/oomph-run-0a1b2c3d4e5f6071","cgroupVersion":1,"node":null,"bootedAt":null,"command":"sleep","startedAt":"2026-11-25T22:00:00Z","limitBytes":134217728,"swapBytes":0}}"#;
        let counters = kills
            .map(|kills| {
                let events =
                    format!("==> memory.oom_control <==\\noom_kill_disable 0\\nunder_oom 0\\noom_kill {kills}\\n");
                format!("{{\"counters\":\"{events}\"}}\n")
            })
            .unwrap_or_default();
        let end = format!(r#"{{"end":{{"at":"2026-11-25T22:00:19Z","peakBytes":1048576,{end}}}}}"#);
        explain("recording", format!("{run}\n{counters}{end}\n").as_bytes())
    }

    #[test]
    fn a_command_without_a_cgroup_has_no_id() {
        let run = r#"{"schema":"oomph.dev/recording/v1","run":{"id":"00000000000013e7","cgroup":"","cgroupVersion":2,"node":null,"bootedAt":null,"command":"sleep","startedAt":"2026-11-25T22:00:00Z","limitBytes":null,"swapBytes":null}}"#;
        let end = r#"{"end":{"at":"2026-11-25T22:00:19Z","exitCode":0,"signal":null,"peakBytes":null}}"#;
        let document = explain("recording", format!("{run}\n{end}\n").as_bytes());
        let text = crate::report::run_text(&document, crate::report::Style::Plain, 100);
        assert!(!text.contains("000000000000"), "{text}");
        assert_eq!(document.diagnosis.unwrap().subject.container_id, None);
    }

    #[test]
    fn buffers_that_the_runtime_counts_are_told_beside_the_bars() {
        let run = r#"{"schema":"oomph.dev/recording/v1","run":{"id":"0a1b","cgroup":"/a/oomph-run-0a1b","cgroupVersion":2,"node":null,"bootedAt":null,"command":"java","startedAt":"2026-11-25T22:00:00Z","limitBytes":null,"swapBytes":null}}"#;
        let runtime = serde_json::json!({"name": "hotspot", "resolved": true, "heap": {}, "flags": [],
            "directBytes": 120 << 20});
        let waterfall = serde_json::json!({"waterfall": {"subject": {}, "cgroupVersion": 2, "source": "node",
            "chargedBytes": 141 << 20, "unreclaimableBytes": 141 << 20, "limits": [], "events": {}, "pressure": {},
            "outside": {}, "views": [], "parts": [], "unexplainedBytes": 141 << 20, "gaps": [],
            "processes": [{"pid": 7, "comm": "java", "runtime": runtime}]}});
        let document = explain("recording", format!("{run}\n{waterfall}\n").as_bytes());
        let text = crate::report::run_text(&document, crate::report::Style::Plain, 100);
        assert!(text.contains("of which direct buffers 120 MiB (java 7), by its runtime's count"), "{text}");
    }

    #[test]
    fn counters_at_zero_after_the_end_exclude_a_kill_whatever_ended_it() {
        for end in [
            r#""exitCode":1"#,
            r#""exitCode":42"#,
            r#""exitCode":137"#,
            r#""exitCode":143"#,
            r#""exitCode":0"#,
            r#""signal":2"#,
            r#""signal":6"#,
            r#""signal":8"#,
            r#""signal":9"#,
            r#""signal":11"#,
            r#""signal":15"#,
        ] {
            let document = ended(Some(0), end);
            let diagnosis = document.diagnosis.unwrap();
            assert_eq!((document.survived, diagnosis.oom_kill), (Some(true), Some(false)), "{end}");
        }
        let document = ended(None, r#""exitCode":1"#);
        assert_eq!((document.survived, document.diagnosis.unwrap().oom_kill), (None, None), "no counters, no answer");
    }

    #[test]
    fn the_wait_status_tells_a_signal_from_an_exit_code() {
        use Verdict::{AppError, BusError, Completed, ExternalSigkill, ExternalSigterm, NativeAbort, Segfault};
        for (end, verdict, says) in [
            (
                r#""exitCode":0,"received":[{"at":"2026-11-25T22:00:18Z","signal":15}]"#,
                Completed,
                "ended well (exit code 0)",
            ),
            (r#""signal":9"#, ExternalSigkill, "got SIGKILL from outside; the OOM killer did not do it"),
            (r#""exitCode":137"#, AppError, "by itself with exit code 137 (a code of its own, no signal)"),
            (r#""signal":15"#, ExternalSigterm, "ended on SIGTERM, which did not come through oomph"),
            (r#""exitCode":143"#, AppError, "by itself with exit code 143 (a code of its own, no signal)"),
            (r#""exitCode":134"#, AppError, "by itself with exit code 134"),
            (r#""signal":6"#, NativeAbort, "SIGABRT"),
            (r#""signal":7"#, BusError, "SIGBUS"),
            (r#""signal":8"#, AppError, "was ended by SIGFPE"),
            (r#""signal":11"#, Segfault, "SIGSEGV"),
            (r#""signal":2"#, ExternalSigterm, "ended on SIGINT, which did not come through oomph"),
            (
                r#""signal":2,"received":[{"at":"2026-11-25T22:00:19Z","signal":2}]"#,
                ExternalSigterm,
                "ended on SIGINT: oomph got it, and the command with it",
            ),
            (
                r#""exitCode":3,"received":[{"at":"2026-11-25T22:00:18Z","signal":15}]"#,
                ExternalSigterm,
                "asked to end by SIGTERM, which oomph got and passed on",
            ),
            (r#""exitCode":3,"received":[{"at":"2026-11-25T22:00:18Z","signal":10}]"#, AppError, "with exit code 3."),
        ] {
            let document = ended(Some(0), end);
            let diagnosis = document.diagnosis.unwrap();
            assert_eq!(diagnosis.verdict, verdict, "{end}: {}", diagnosis.summary);
            assert!(diagnosis.summary.contains(says), "{end}: {}", diagnosis.summary);
            assert!(diagnosis.missing.iter().all(|it| !it.command.contains("--docker")), "{end}");
            assert_eq!(
                diagnosis.termination.signal.is_some(),
                end.contains(r#""signal":"#) && !end.contains("exitCode")
            );
        }
        let child = ended(Some(1), r#""exitCode":137"#).diagnosis.unwrap();
        assert_eq!(
            (child.verdict, child.oom_kill),
            (Verdict::ChildOom, Some(true)),
            "a child was killed, it left itself"
        );
    }

    #[test]
    fn a_command_that_never_ran_has_a_verdict_too() {
        let killed = ended(Some(1), r#""signal":9,"beforeExec":true"#).diagnosis.unwrap();
        assert_eq!((killed.verdict, killed.oom_kill), (Verdict::StartOom, Some(true)));
        assert!(killed.summary.contains("before command sleep ran: its memory limit of 128 MiB"), "{}", killed.summary);
        let document = ended(None, r#""exitCode":127,"notStarted":"cannot run sleep: no such file or directory""#);
        let absent = document.diagnosis.unwrap();
        assert_eq!((document.exit_code, document.survived), (Some(127), Some(true)));
        assert_eq!((absent.verdict, absent.oom_kill), (Verdict::StartError, Some(false)));
    }
}
