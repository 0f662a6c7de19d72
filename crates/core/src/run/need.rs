//! How much a run needed at most: what the samples saw, and what the kernel counted between two of them.

use crate::recording::{End, Recording};
use crate::units::Bytes;

/// A look that comes so near to the kernel's own peak, in percent, saw it.
const SEEN_PERCENT: u128 = 95;

/// What a run needed at most.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Need {
    /// What the kernel could not take back. Of a peak that nobody saw, all: how much of it was page cache is not known.
    pub bytes: Bytes,
    /// The kernel's own peak where no look came near it.
    pub unseen: Option<Bytes>,
}

/// The most that a run needed.
pub fn need(recording: &Recording) -> Need {
    let samples = recording.samples.iter().map(|sample| (sample.usage, sample.unreclaimable));
    let waterfall = recording.peak.iter().map(|peak| (peak.charged_bytes, peak.unreclaimable_bytes));
    let looks: Vec<(Bytes, Bytes)> = samples.chain(waterfall).collect();
    let seen = looks.iter().map(|(_, kept)| *kept).max().unwrap_or_default();
    let Some(peak) = counted(recording) else { return Need { bytes: seen, unseen: None } };
    let is_near = |usage: Bytes| u128::from(usage.0) * 100 >= u128::from(peak.0) * SEEN_PERCENT;
    // The little that the peak was above the look may all have been kept.
    let at_peak = |(usage, kept): &(Bytes, Bytes)| Bytes(kept.0.saturating_add(peak.0.saturating_sub(usage.0)));
    match looks.iter().filter(|(usage, _)| is_near(*usage)).map(at_peak).max() {
        Some(at_peak) => Need { bytes: at_peak.max(seen), unseen: None },
        None => Need { bytes: peak.max(seen), unseen: Some(peak) },
    }
}

/// The peak by the kernel's own count.
pub fn counted(recording: &Recording) -> Option<Bytes> {
    recording.end.as_ref().and_then(|(_, End { peak_bytes, .. })| *peak_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recording::Sample;

    /// Samples of charged and unreclaimable MiB, and the kernel's peak.
    fn of(samples: &[(u64, u64)], peak: u64) -> Need {
        let samples = samples.iter().map(|(usage, kept)| Sample {
            usage: Bytes::mib(*usage),
            unreclaimable: Bytes::mib(*kept),
            ..Sample::default()
        });
        let end = End {
            at: "2026-11-25T22:00:02Z".parse().unwrap(),
            exit_code: Some(0),
            peak_bytes: Some(Bytes::mib(peak)),
            ..End::default()
        };
        need(&Recording { samples: samples.collect(), end: Some((1, end)), ..Recording::default() })
    }

    #[test]
    fn a_peak_between_two_samples_counts_as_a_whole() {
        assert_eq!(of(&[(5, 4), (5, 4)], 44), Need { bytes: Bytes::mib(44), unseen: Some(Bytes::mib(44)) });
    }

    #[test]
    fn of_a_peak_that_was_seen_the_page_cache_does_not_count() {
        assert_eq!(of(&[(20, 10), (98, 12)], 100), Need { bytes: Bytes::mib(14), unseen: None });
        assert_eq!(of(&[(60, 50), (98, 12)], 100).bytes, Bytes::mib(50));
    }
}
