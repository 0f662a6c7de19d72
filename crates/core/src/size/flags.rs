//! Runtime flags by the manifest, where nobody has measured what is in the memory: a limit that its runtime does not know
//! of is met by a heap that was told it may grow further.

use super::limit::Amount;
use super::workload::Workload;
use crate::budget::told::{Given, Told};
use crate::budget::{FlagProposal, margin_within};
use crate::growth::Class;
use crate::units::Bytes;

const NO_MANIFEST: &str = "a history of amounts does not tell which runtime uses them; its manifest, given with -f, oomph run \
                           --record and oomph size --recording do";

const NOT_OF_WORKERS: &str = "most of what was used is page cache or tmpfs, which is not shared out among its workers";

const NO_RUNTIME: &str = "its manifest does not name a runtime that takes a limit of its own";

fn told(workload: &Workload) -> Option<&Told> {
    workload.set.as_ref()?.runtime.as_ref()
}

/// What was used in all at most: where peaks were cut off or are those of a checkpoint, what the limit leaves beside its
/// margin.
pub(super) fn peak(seen: Bytes, asked: Bytes) -> Bytes {
    seen.max(Bytes(asked.0.saturating_sub(margin_within(asked, Bytes(0)).0)))
}

/// The limit, raised where it would be below what the runtime is told it may use. One that only a lower flag fits is
/// proposed with that flag.
pub(super) fn hold(mut amount: Amount, peak: Bytes, workload: &Workload) -> Amount {
    let Some(told) = told(workload) else { return amount };
    let fitted = told.fit(amount.bytes, peak, workload.limit());
    amount.bytes = fitted.limit;
    amount.because.extend(fitted.because.map(|because| format!("limit: {because}")));
    if !told.assumed.is_empty() && amount.because.len() > 1 {
        amount
            .because
            .push(format!("limit: of the runtime it is taken for granted that {}", told.assumed.join(", and ")));
    }
    amount
}

/// The flags for a limit, or why there are none.
pub(super) fn flags(workload: &Workload, class: Class, limit: Bytes, peak: Bytes) -> Result<Vec<FlagProposal>, String> {
    let Some(set) = &workload.set else { return Err(NO_MANIFEST.into()) };
    let flag = match (&set.runtime, &set.workers) {
        (Some(told), _) => told.flag_for(limit, peak, workload.limit()),
        (None, Some(_)) if class == Class::Cache => Err(NOT_OF_WORKERS.into()),
        (None, Some(workers)) => workers.flag_for(limit, peak),
        (None, None) => Err(NO_RUNTIME.into()),
    };
    flag.map(|flag| vec![flag])
}

/// The flag that the manifest gives.
pub(super) fn now(workload: &Workload) -> Vec<FlagProposal> {
    let workers = || workload.set.as_ref()?.workers.as_ref().map(|it| it.flag.clone());
    let Some(Given { text, variable, .. }) = told(workload).map_or_else(workers, |told| told.flag.clone()) else {
        return Vec::new();
    };
    let from = if variable.is_some() { "the manifest's environment" } else { "the manifest's command line" };
    vec![FlagProposal {
        variable: variable.unwrap_or_else(|| "command line".into()),
        value: text,
        replaces: None,
        why: from.into(),
        within: None,
    }]
}
