//! What recorded runs ask for: their waterfalls tell what a limit must hold and which flags belong to it.

use super::limit::Amount;
use super::workload::Workload;
use crate::budget::{self, FlagProposal};
use crate::run;
use crate::runtime::Name;
use crate::units::Bytes;
use crate::waterfall::Waterfall;

/// A limit, a request and the waterfall that the flags are made from.
#[derive(Debug, Clone)]
pub struct Needed<'a> {
    /// The limit.
    pub limit: Amount,
    /// What was needed at most.
    pub request: Bytes,
    /// Where the memory was at its worst.
    pub peak: Option<&'a Waterfall>,
}

/// What the runs of a workload need: the most that any of them leads `oomph run` to propose, so that both say the same.
/// A run that its limit cut off has shown only that it needs more than that.
pub fn needed(workload: &Workload) -> Result<Needed<'_>, String> {
    let missing = |run: &run::Document| run.proposal_missing.clone().unwrap_or_default();
    let proposals = workload.runs.iter().filter_map(|run| Some((run, run.proposal.as_ref()?)));
    let Some((most, proposal)) = proposals.max_by_key(|(_, it)| (it.limit_bytes, it.request_bytes)) else {
        return Err(workload.runs.first().map_or_else(|| "nothing was recorded".to_owned(), missing));
    };
    let limits = workload.replicas.iter().map(|history| history.limit_at(0));
    let cut_off = workload.runs.iter().zip(limits).find(|(run, limit)| {
        run.proposal.is_none()
            && run.survived == Some(false)
            && limit.is_some_and(|limit| limit >= proposal.limit_bytes)
    });
    if let Some((run, _)) = cut_off {
        return Err(missing(run));
    }
    let need = proposal.request_bytes;
    let how = if most.survived == Some(true) {
        "the most that a run needed"
    } else {
        "which its runtime's own limits let it need"
    };
    let limit = Amount {
        bytes: proposal.limit_bytes,
        because: vec![format!("limit: {need}, {how}, programs and libraries, and a margin")],
    };
    Ok(Needed { limit, request: need, peak: most.peak.as_ref() })
}

/// The flags for a limit, or why there are none.
pub fn flags(peak: Option<&Waterfall>, limit: Bytes) -> Result<Vec<FlagProposal>, String> {
    let Some(peak) = peak else {
        return Err("the run ended before its memory could be looked at".into());
    };
    let flags = budget::flags(peak, limit);
    if flags.is_empty() {
        let takes_one = |name| matches!(name, Name::Hotspot | Name::V8 | Name::Go);
        let found = peak.processes.iter().any(|process| takes_one(process.runtime.name));
        return Err(if found {
            "beside the rest of its memory too little is left for the runtime's own limit, or its version is not known"
                .into()
        } else {
            "no process was found whose runtime takes a limit of its own".into()
        });
    }
    Ok(flags)
}

/// Flags in force that were set by hand.
pub fn flags_now(peak: &Waterfall) -> Vec<FlagProposal> {
    let flags = peak.processes.iter().flat_map(|process| &process.runtime.flags);
    let set = flags.filter(|flag| flag.from.starts_with("command line") || flag.from.starts_with("environment"));
    set.map(|flag| FlagProposal {
        variable: flag.name.clone(),
        value: as_written(&flag.name, &flag.value),
        replaces: None,
        why: flag.from.clone(),
        within: None,
    })
    .collect()
}

/// A flag's value in the unit that it is written in: V8's is MiB, and HotSpot's own names take bytes.
fn as_written(name: &str, value: &str) -> String {
    let bytes = value.parse::<u64>().ok().filter(|_| name == "--max-old-space-size" || name == "--max-semi-space-size");
    bytes.map_or_else(|| value.to_owned(), |bytes| (bytes >> 20).to_string())
}

#[cfg(test)]
mod tests {
    use crate::size::{Sizing, Wishes, recorded, size_one, workloads};
    use crate::units::Bytes;
    use serde_json::json;

    /// What is said of a run under 64 MiB that came to 10 MiB in the samples and to `peak` MiB by the kernel's own count.
    fn sized(peak: u64, kills: u32) -> (crate::run::Document, Sizing) {
        let run = r#"{"schema":"oomph.dev/recording/v1","run":{"id":"0a1b2c3d4e5f6071","cgroup":"/a/oomph-run-0a1b2c3d4e5f6071","cgroupVersion":2,"node":null,"bootedAt":null,"command":"cart","startedAt":"2026-11-25T22:00:00Z","limitBytes":67108864,"swapBytes":0}}"#;
        let sample = |at: u64| {
            json!({"sample": {"at": at * 100, "usage": 10 << 20, "anon": 10 << 20, "file": 0, "shmem": 0, "kernel": 0,
                "unreclaimable": 10 << 20}})
        };
        let waterfall = json!({"waterfall": {"subject": {}, "cgroupVersion": 2, "source": "node",
            "chargedBytes": 10 << 20, "unreclaimableBytes": 10 << 20, "limitBytes": 64 << 20, "limits": [],
            "events": {}, "pressure": {}, "outside": {}, "views": [], "parts": [], "unexplainedBytes": 10 << 20,
            "processes": [], "gaps": []}});
        let counters = format!("==> memory.events <==\noom {kills}\noom_kill {kills}\n");
        let signal = (kills > 0).then_some(9);
        let end = json!({"end": {"at": "2026-11-25T22:00:03Z", "exitCode": signal.is_none().then_some(0),
            "signal": signal, "peakBytes": peak << 20}});
        let lines = (0..30).map(sample).chain([waterfall, json!({"counters": counters}), end]);
        let lines: Vec<String> = lines.map(|line| line.to_string()).collect();
        let text = format!("{run}\n{}\n", lines.join("\n"));
        let recorded = recorded::read("cart.oomph", text.as_bytes()).unwrap();
        let run = recorded.run.clone();
        (run, size_one(&workloads(Vec::new(), vec![recorded])[0], &Wishes::default()))
    }

    #[test]
    fn a_flag_is_told_in_the_unit_that_it_is_written_in() {
        let of = |name| super::as_written(name, "536870912");
        assert_eq!(["--max-old-space-size", "MaxHeapSize"].map(of), ["512", "536870912"]);
    }

    #[test]
    fn a_recording_is_sized_as_its_run_was() {
        let (run, sizing) = sized(10, 0);
        let (proposal, proposed) = (run.proposal.unwrap(), sizing.proposed.unwrap());
        assert_eq!(Some(proposal.limit_bytes), proposed.limit_bytes);
        assert_eq!(Some(proposal.request_bytes), proposed.request_bytes);
    }

    #[test]
    fn a_limit_holds_the_peak_that_the_kernel_alone_saw() {
        let (run, sizing) = sized(44, 0);
        assert_eq!((run.class.id(), sizing.class.id()), ("spike", "spike"));
        assert_eq!(run.proposal.unwrap().limit_bytes, Bytes::mib(88));
        assert_eq!(sizing.proposed.unwrap().limit_bytes, Some(Bytes::mib(88)));
        assert_eq!(sizing.observed.max_bytes, Some(Bytes::mib(44)));
        assert_eq!(run.peak.unwrap().peak_bytes, Some(Bytes::mib(44)));
    }

    #[test]
    fn what_the_limit_cut_off_is_proposed_by_neither() {
        let (run, sizing) = sized(64, 1);
        assert!(run.survived == Some(false) && run.proposal.is_none());
        assert_eq!(sizing.proposed_missing, run.proposal_missing);
        assert!(run.proposal_missing.unwrap().contains("run it again with more, such as --memory 128Mi"));
    }
}
