//! What a checkpoint of the VPA's recommender asks for where there is no history: it keeps how high the daily peaks were,
//! not when, nor what was used between them.

use crate::budget::{limit_for_peak, margin};
use crate::size::enough::too_little;
use crate::size::limit::Amount;
use crate::size::vpa::{Checkpoint, Recommender};
use crate::size::workload::Workload;
use crate::units::{Bytes, DAY};

/// A checkpoint of fewer days is no source: the peak of the running day is not even in it.
const DAYS_LEAST: f64 = 1.0;

/// The weight of peaks below which the request lies.
const HALF: f64 = 0.5;

/// The checkpoint that a workload must be sized by, since its history is too short or not there.
pub(in super::super) fn knows(workload: &Workload) -> Option<&Checkpoint> {
    let saved = workload.autoscaler.as_ref()?.saved.as_ref()?;
    too_little(workload).is_some().then_some(saved)
}

/// Days of samples that a checkpoint counts.
pub(super) fn days(saved: &Checkpoint) -> Option<f64> {
    let (first, last) = (saved.first_sample?, saved.last_sample?);
    Some(last.saturating_sub(first).max(0) as f64 / DAY as f64)
}

/// Why it has no class.
pub(in super::super) fn class_evidence(saved: &Checkpoint) -> String {
    let days = days(saved).map(|days| format!(" of {days:.1} days")).unwrap_or_default();
    format!(
        "a VPA's checkpoint{days} keeps how high daily peaks were, not when: a leak, a wave and a steady program look the same"
    )
}

/// An amount of the model; it is never negative.
pub(super) fn bytes(amount: f64) -> Bytes {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and 1e14")]
    Bytes(amount.clamp(0.0, 1e14) as u64)
}

/// Limit and request, or why there are none.
pub(in super::super) fn from_peaks(saved: &Checkpoint) -> Result<(Amount, Amount), String> {
    let days = days(saved).unwrap_or(0.0);
    if days < DAYS_LEAST {
        return Err(format!(
            "too little data: the VPA's checkpoint counts {days:.1} days of samples; a proposal needs one"
        ));
    }
    let peaks = Recommender::load(saved)?.peaks();
    let Some((highest, _)) = peaks.last() else {
        return Err("the VPA's checkpoint remembers no peak of memory".into());
    };
    let highest = bytes(*highest);
    let mut below = 0.0;
    let half = peaks.iter().find(|(_, share)| {
        below += share;
        below >= HALF
    });
    let request = half.map_or(highest, |(end, _)| bytes(*end));
    let limit = Amount {
        bytes: limit_for_peak(highest, Bytes(0), Bytes(0)),
        because: vec![
            format!(
                "limit: the highest daily peak that the VPA's checkpoint remembers, {highest} at most, and a margin of {}",
                margin(highest, Bytes(0))
            ),
            "limit: peaks older than 14 days and that of the running day are not in a checkpoint, and one that the VPA \
             made up after a kill looks like any other"
                .into(),
        ],
    };
    let request = Amount {
        bytes: request,
        because: vec![format!(
            "request: half of the daily peaks, the younger counting more, were no higher than {request}; what is used \
             between peaks is not known"
        )],
    };
    Ok((limit, request))
}
