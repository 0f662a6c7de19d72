//! The proposal that a run leads to, or why it leads to none.

use crate::budget::{Proposal, propose};
use crate::growth::Class;
use crate::recording::{End, Recording};
use crate::runtime::Name;
use crate::units::Bytes;
use crate::waterfall::{Part, PartKind, Waterfall};

/// An error before this may belong to the start of a program: milliseconds.
const START_UP: i128 = 5_000;

/// Signals by which others end a program: `SIGHUP`, `SIGINT`, `SIGKILL`, `SIGTERM`.
const FROM_OUTSIDE: [i32; 4] = [1, 2, 9, 15];

/// What is known of the end besides the recording.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ended {
    /// A process of it was killed for memory.
    pub killed: bool,
    /// The runtime's own limit ended it.
    pub by_own_limit: bool,
}

/// The proposal, or why there is none. What was killed at a limit was cut off by it: how much it would have come to is
/// known only where its runtime's own limits say so.
pub(super) fn proposal(recording: &Recording, class: Class, need: Bytes, ended: Ended) -> Result<Proposal, String> {
    if class == Class::Leak {
        return Err("it grows without end: any limit is only a time to the next kill; find what grows".into());
    }
    if ended.by_own_limit {
        return Err(
            "its runtime's own limit cut it off, and how much it would have come to is not known: run it again \
                    with a larger one, or look at what fills it"
                .into(),
        );
    }
    if recording.end.as_ref().is_some_and(|(_, end)| end.not_started.is_some() || end.before_exec) {
        return Err("the program never ran".into());
    }
    if let Some(because) = failed_to_start(recording).filter(|_| !ended.killed) {
        return Err(because);
    }
    let Some(peak) = &recording.peak else {
        return Err("no look at its memory could be taken; the peak alone does not tell what to plan for".into());
    };
    if !ended.killed {
        return Ok(propose(peak, Some(need)));
    }
    match bounded_need(peak) {
        Some(need) => Ok(propose(peak, Some(need))),
        None => Err(format!(
            "it was cut off by the limit, and how much it would have come to is not known: run it again with more, such \
             as --memory {}",
            doubled(peak)
        )),
    }
}

/// Why what was seen may be no more than a start that failed.
fn failed_to_start(recording: &Recording) -> Option<String> {
    let (run, (_, end)) = (recording.run.as_ref()?, recording.end.as_ref()?);
    let lived = end.at.duration_since(run.started_at).as_millis();
    let how = match (end.signal, end.exit_code) {
        (Some(signal), _) if !FROM_OUTSIDE.contains(&signal) => format!("signal {signal}"),
        (None, Some(code)) if code != 0 && !FROM_OUTSIDE.contains(&(code - 128)) => format!("exit code {code}"),
        _ => return None,
    };
    let End { at, .. } = end;
    (lived < START_UP && *at >= run.started_at).then(|| {
        format!(
            "it ended with an error ({how}) after {}.{} s: what it would have come to need is not known",
            lived / 1000,
            lived % 1000 / 100
        )
    })
}

/// What all processes may come to need where every large one has a runtime whose heap has a limit of its own. The limit
/// is known for certain also where the heap could not be read at the last moment; what it had come to is then counted
/// from its pages. Another process that holds a tenth of the memory or more may come to anything, and so may what is
/// beside the heaps where it is more than they are: native memory, and buffers, which leak up to any bound of theirs.
fn bounded_need(peak: &Waterfall) -> Option<Bytes> {
    let now = peak.unreclaimable_bytes.0;
    let is_large = |resident: Option<Bytes>| resident.is_none_or(|resident| resident.0 >= now / 10);
    let mut need = now;
    let mut in_heaps = 0;
    for process in &peak.processes {
        let heap = match process.runtime.name {
            Name::Hotspot => PartKind::JvmHeap,
            Name::V8 => PartKind::V8Heap,
            _ if is_large(process.rss_bytes) => return None,
            _ => continue,
        };
        let Some(most) = process.runtime.heap.max_bytes else {
            if is_large(process.rss_bytes) {
                return None;
            }
            continue;
        };
        let of_heap = |part: &&Part| part.kind == heap && part.pid == Some(process.pid);
        let heap_now: u64 = peak.parts.iter().filter(of_heap).map(|part| part.bytes.0).sum();
        in_heaps += heap_now;
        need = need.saturating_add(most.0.saturating_sub(heap_now));
    }
    (in_heaps > now / 2).then_some(Bytes(need))
}

/// Why a limit is too low whatever the program does: its runtime may take more than there is.
pub(super) fn outgrows(peak: &Waterfall) -> Option<String> {
    let (need, limit) = (bounded_need(peak)?, peak.limit_bytes?);
    (need > limit).then(|| format!("the runtime's own limit lets it need {need}, more than the limit of {limit}"))
}

fn doubled(peak: &Waterfall) -> String {
    let limit = peak.limit_bytes.unwrap_or(peak.charged_bytes);
    format!("{}Mi", (limit.0.saturating_mul(2)).div_ceil(1 << 20))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// A peak of 100 MiB: a Node process whose heap may become 256 MiB and is `heap` MiB now, and maybe another process.
    fn peak(heap: u64, other: Option<u64>) -> Waterfall {
        let process = |pid: u32, name: &str, resident: u64, most: Option<u64>| {
            json!({"pid": pid, "comm": "x", "rssBytes": resident << 20, "runtime": {"name": name, "resolved": true,
                "heap": {"maxBytes": most.map(|most| most << 20)}, "flags": []}})
        };
        let part = json!({"kind": "v8-heap", "name": "", "bytes": heap << 20, "exact": true,
            "reclaimable": false, "pid": 1, "from": "", "parts": []});
        let others = other.map(|resident| process(2, "native", resident, None));
        let processes: Vec<_> = [process(1, "v8", 100, Some(256))].into_iter().chain(others).collect();
        serde_json::from_value(json!({"subject": {}, "cgroupVersion": 2, "source": "node",
            "chargedBytes": 100 << 20, "unreclaimableBytes": 100 << 20, "limits": [], "events": {}, "pressure": {},
            "outside": {}, "views": [], "parts": [part], "unexplainedBytes": 0, "processes": processes, "gaps": []}))
        .unwrap()
    }

    #[test]
    fn a_heaps_limit_bounds_the_need_only_where_the_heap_is_what_grew() {
        assert_eq!(bounded_need(&peak(80, None)), Some(Bytes::mib(276)));
        assert_eq!(bounded_need(&peak(5, None)), None, "buffers grew, not the heap");
        assert_eq!(bounded_need(&peak(80, Some(15))), None, "a large process that nothing bounds");
        assert_eq!(bounded_need(&peak(80, Some(3))), Some(Bytes::mib(276)));
    }

    /// A recording that ended after so many milliseconds with this exit code or signal.
    fn ended(after: i64, exit_code: Option<i32>, signal: Option<i32>) -> Recording {
        let started: jiff::Timestamp = "2026-11-25T22:00:00Z".parse().unwrap();
        let at = started + jiff::SignedDuration::from_millis(after);
        let run = r#"{"schema":"oomph.dev/recording/v1","run":{"id":"ab","cgroup":"/x","cgroupVersion":2,"node":null,"bootedAt":null,"command":"java","startedAt":"2026-11-25T22:00:00Z","limitBytes":null,"swapBytes":null}}"#;
        let mut recording = crate::recording::read(run.as_bytes());
        recording.end = Some((2, End { at, exit_code, signal, ..End::default() }));
        recording.peak = Some(peak(80, None));
        recording
    }

    #[test]
    fn a_start_that_failed_proposes_nothing() {
        let of = |recording: &Recording| {
            let ended = Ended { killed: false, by_own_limit: false };
            proposal(recording, Class::TooLittleData, Bytes::mib(100), ended)
        };
        let because = of(&ended(312, Some(1), None)).unwrap_err();
        assert!(because.contains("(exit code 1) after 0.3 s"), "{because}");
        assert!(of(&ended(312, None, Some(11))).is_err());
        assert!(of(&ended(312, Some(0), None)).is_ok());
        assert!(of(&ended(60_000, Some(1), None)).is_ok(), "it ran before it failed");
        assert!(of(&ended(312, Some(143), None)).is_ok() && of(&ended(312, None, Some(2))).is_ok(), "it was stopped");
    }
}
