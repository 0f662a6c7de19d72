//! Recordings of `oomph run` as histories.

use std::collections::BTreeMap;

use super::history::{History, Kill, Subject};
use crate::recording;
use crate::run;
use crate::units::Bytes;

/// One recording: its history, and what `oomph run` says of it.
#[derive(Debug, Clone)]
pub struct Recorded {
    /// The highest unreclaimable memory of each second.
    pub history: History,
    /// What became of the command.
    pub run: run::Document,
    /// The kernel's own peak, page cache included, where no sample came near it.
    pub unseen: Option<Bytes>,
}

/// Reads a recording; `name` is its file's name. Recordings that differ in a number at the end of their names alone
/// (`cart-1.oomph`, `cart-2.oomph`) and ran the same program are runs of one workload. None where it is no recording, or
/// not even its beginning is there.
pub fn read(name: &str, bytes: &[u8]) -> Option<Recorded> {
    if !recording::is_recording(bytes) {
        return None;
    }
    let recording = recording::read(bytes);
    let of = recording.run.as_ref()?;
    let start = of.started_at.as_second();
    // Time goes on from the start; what a file says beyond 2^40 s is no time.
    let second = |milliseconds: u64| start.saturating_add(i64::try_from(milliseconds / 1000 % (1 << 40)).unwrap_or(0));
    let mut peaks: BTreeMap<i64, [u64; 3]> = BTreeMap::new();
    for sample in &recording.samples {
        let peak = peaks.entry(second(sample.at)).or_default();
        for (highest, seen) in peak.iter_mut().zip([sample.unreclaimable, sample.anon, sample.file]) {
            *highest = seen.0.max(*highest);
        }
    }
    let column = |index: usize| peaks.values().map(|peak| peak[index]).collect::<Vec<_>>();
    let run = run::explain(name, bytes);
    let killed = !run.kernel_kills.is_empty() || run.diagnosis.as_ref().is_some_and(|it| it.oom_kill == Some(true));
    let end = recording.end.as_ref().map(|(_, end)| end.at.as_second());
    let kill = Kill { at: end.or(peaks.keys().last().copied()).unwrap_or(start), limit: of.limit_bytes };
    let history = History {
        subject: Subject {
            name: stem(name).to_owned(),
            container: of.command.clone(),
            replica: of.id.clone(),
            ..Subject::default()
        },
        at: peaks.keys().copied().collect(),
        used: column(0),
        limit: of.limit_bytes.map_or_else(Vec::new, |limit: Bytes| vec![limit.0; peaks.len()]),
        rss: column(1),
        cache: column(2),
        kills: if killed { vec![kill] } else { Vec::new() },
        ..History::default()
    };
    let unseen = run::need(&recording).unseen;
    Some(Recorded { history, run, unseen })
}

/// A file's name without folder, ending and the number of the run.
fn stem(name: &str) -> &str {
    let file = name.rsplit('/').next().unwrap_or(name);
    let stem = file.rsplit_once('.').map_or(file, |(stem, _)| stem);
    let bare = stem.trim_end_matches(|c: char| c.is_ascii_digit());
    let bare = bare.strip_suffix(['-', '.', '_']).filter(|_| bare.len() < stem.len()).unwrap_or(stem);
    if bare.is_empty() { stem } else { bare }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn runs_of_one_workload_differ_in_a_number() {
        assert_eq!(
            ["a/cart-1.oomph", "cart.2.oomph", "cart.oomph", "cart2.oomph", "7.oomph"].map(stem),
            ["cart", "cart", "cart", "cart2", "7"]
        );
    }

    #[test]
    fn a_recording_is_a_history_of_seconds() {
        let text = r#"{"schema":"oomph.dev/recording/v1","run":{"id":"ab","cgroup":"/x","cgroupVersion":2,"node":null,"bootedAt":null,"command":"java","startedAt":"2026-11-25T22:00:00Z","limitBytes":1000,"swapBytes":0}}
{"sample":{"at":100,"usage":9,"anon":5,"file":2,"shmem":0,"kernel":0,"unreclaimable":5}}
{"sample":{"at":900,"usage":9,"anon":7,"file":1,"shmem":0,"kernel":0,"unreclaimable":8}}
{"sample":{"at":1100,"usage":9,"anon":6,"file":1,"shmem":0,"kernel":0,"unreclaimable":6}}
{"end":{"at":"2026-11-25T22:00:02Z","exitCode":0,"signal":null,"peakBytes":9}}
"#;
        let it = read("x/cart-1.oomph", text.as_bytes()).unwrap();
        assert_eq!((it.history.used, it.history.rss, it.history.limit), (vec![8, 6], vec![7, 6], vec![1000, 1000]));
        assert_eq!((it.history.subject.name.as_str(), it.history.subject.container.as_str()), ("cart", "java"));
        assert!(it.history.kills.is_empty() && it.run.survived == Some(true));
        assert_eq!(it.unseen, None);
        let higher = text.replace("\"peakBytes\":9", "\"peakBytes\":90");
        assert_eq!(read("x", higher.as_bytes()).unwrap().unseen, Some(Bytes(90)), "no sample came near it");
        assert!(read("x", b"series,time_s,bytes\n").is_none());
    }

    proptest! {
        #[test]
        fn no_recording_panics(at: u64, usage: u64, name in "[-a-z0-9./]{0,12}") {
            let text = format!("{{\"schema\":\"oomph.dev/recording/v1\",\"run\":{{\"id\":\"ab\",\"cgroup\":\"/x\",\"cgroupVersion\":2,\"node\":null,\"bootedAt\":null,\"command\":\"java\",\"startedAt\":\"2026-11-25T22:00:00Z\",\"limitBytes\":{usage},\"swapBytes\":0}}}}\n{{\"sample\":{{\"at\":{at},\"usage\":{usage},\"anon\":5,\"file\":2,\"shmem\":0,\"kernel\":0,\"unreclaimable\":5}}}}\n");
            read(&name, text.as_bytes());
        }
    }
}
