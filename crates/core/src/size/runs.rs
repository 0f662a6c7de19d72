//! What recorded runs ask for: their waterfalls tell what a limit must hold and which flags belong to it.

use super::censor::Cut;
use super::limit::Amount;
use super::workload::Workload;
use crate::budget::{self, FlagProposal};
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

/// What the runs of a workload need. A run that was stopped by its limit has shown only that it needs more: where its
/// runtime bounds it, that is the need; else the limit doubles, for one death does not tell how far it would have gone.
pub fn needed(workload: &Workload, cut: Option<Cut>) -> Needed<'_> {
    let peak = workload.runs.iter().filter_map(|run| run.peak.as_ref()).max_by_key(|peak| peak.unreclaimable_bytes);
    let most = workload.replicas.iter().filter_map(super::History::peak).max().unwrap_or_default();
    let (limit, request) = match peak {
        Some(peak) => {
            let proposal = budget::propose(peak, Some(most));
            (proposal.limit_bytes, proposal.request_bytes)
        }
        None => (budget::limit_for_peak(most, Bytes(0), Bytes(0)), most),
    };
    let mut limit = Amount {
        bytes: limit,
        because: vec![format!("limit: the highest peak of {most} in the recordings, and a margin")],
    };
    if let Some(unseen) = workload.unseen {
        limit.raise(budget::limit_for_peak(unseen, Bytes(0), Bytes(0)), || {
            format!("limit: the samples have holes, so the kernel's own peak of {unseen} counts, page cache included")
        });
    }
    let bounded =
        workload.runs.iter().filter(|run| run.survived == Some(false)).filter_map(|run| run.proposal.as_ref());
    let bounded = bounded.map(|it| (it.limit_bytes, it.request_bytes)).max();
    let request = match (cut, bounded) {
        (Some(cut), Some((bound, need))) => {
            limit.raise(bound, || {
                format!("limit: it was stopped at {}; its runtime's own limit bounds it at {need}", cut.at)
            });
            request.max(need)
        }
        (Some(cut), None) if cut.kills > 0 => {
            limit.raise(Bytes(cut.at.0.saturating_mul(2)), || {
                format!("limit: it was killed at {}, and nothing bounds what it would have used: twice as much", cut.at)
            });
            request
        }
        _ => request,
    };
    Needed { limit, request, peak }
}

/// The flags for a limit, or why there are none.
pub fn flags(peak: Option<&Waterfall>, limit: Bytes) -> Result<Vec<FlagProposal>, String> {
    let Some(peak) = peak else {
        return Err("the run ended before its memory could be looked at".into());
    };
    let flags = budget::flags(peak, limit);
    if flags.is_empty() {
        return Err("no process was found whose runtime takes a limit of its own, or nothing is left for it".into());
    }
    Ok(flags)
}

/// Flags in force that were set by hand.
pub fn flags_now(peak: &Waterfall) -> Vec<FlagProposal> {
    let flags = peak.processes.iter().flat_map(|process| &process.runtime.flags);
    let set = flags.filter(|flag| flag.from.starts_with("command line") || flag.from.starts_with("environment"));
    set.map(|flag| FlagProposal { variable: flag.name.clone(), value: flag.value.clone(), why: flag.from.clone() })
        .collect()
}
