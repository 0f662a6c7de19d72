//! Whether a history is long enough for a proposal.

use super::advice::time;
use super::workload::Workload;

/// Fewer samples are no history: an hour of them at five minutes apart, the usual step of a trace.
const SAMPLES_LEAST: usize = 12;

/// A shorter time, in seconds, is no history: twelve samples five minutes apart span so much.
const SECONDS_LEAST: u64 = 55 * 60;

/// Why a history is too short for a proposal; nothing where it is long enough. Recordings of whole runs are judged by
/// their waterfalls and may be as short as the run.
pub(super) fn too_little(workload: &Workload) -> Option<String> {
    if !workload.runs.is_empty() {
        return None;
    }
    let points = || workload.replicas.iter().flat_map(super::History::points);
    let (mut samples, mut first, mut last) = (0, i64::MAX, i64::MIN);
    for (at, _) in points() {
        samples += 1;
        first = first.min(at);
        last = last.max(at);
        if samples >= SAMPLES_LEAST && last.abs_diff(first) >= SECONDS_LEAST {
            break;
        }
    }
    if samples == 0 {
        return Some("nothing was measured".into());
    }
    if points().all(|(_, used)| used == 0) {
        return Some("nothing was used: every sample is 0".into());
    }
    let span = last.abs_diff(first);
    let found = match samples {
        1 => "one sample".to_owned(),
        _ => format!("{samples} samples in {}", time(span)),
    };
    (samples < SAMPLES_LEAST || span < SECONDS_LEAST).then(|| {
        format!("too little data: {found}; a proposal needs {SAMPLES_LEAST} samples and {}", time(SECONDS_LEAST))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::growth::Class;
    use crate::size::{History, MISSING, Subject, Wishes, size_one};
    use proptest::prelude::*;

    fn workload(used: &[u64], step: i64) -> Workload {
        let at = (0..used.len()).map(|index| i64::try_from(index).unwrap() * step).collect();
        let subject = Subject { name: "cart".into(), ..Subject::default() };
        let history = History { subject: subject.clone(), at, used: used.to_vec(), ..History::default() };
        Workload { subject, replicas: vec![history], ..Workload::default() }
    }

    #[test]
    fn one_sample_proposes_nothing_and_says_why() {
        let it = size_one(&workload(&[1000], 300), &Wishes::default());
        assert_eq!((it.class, it.proposed), (Class::TooLittleData, None));
        let why = it.proposed_missing.unwrap();
        assert_eq!(why, "too little data: one sample; a proposal needs 12 samples and 55 min");
    }

    #[test]
    fn an_hour_at_five_minutes_is_the_least() {
        assert_eq!(too_little(&workload(&[1 << 30; 12], 300)), None);
        assert!(too_little(&workload(&[1 << 30; 11], 300)).unwrap().contains("11 samples in 50 min"));
        // Many samples of a few minutes are no more than those minutes.
        assert!(too_little(&workload(&[1 << 30; 200], 10)).unwrap().contains("200 samples in 33 min"));
        // What was not measured does not count.
        let mut holes = vec![1 << 30; 10];
        holes.extend([MISSING; 10]);
        assert!(too_little(&workload(&holes, 300)).unwrap().contains("10 samples in 45 min"));
    }

    proptest! {
        #[test]
        fn there_is_a_proposal_or_a_reason_why_not(used in prop::collection::vec(1_u64..1 << 40, 0..40), step in 1_i64..600) {
            let it = size_one(&workload(&used, step), &Wishes::default());
            prop_assert_eq!(it.proposed.is_none(), it.proposed_missing.is_some());
            let long = used.len() >= 12 && step * (i64::try_from(used.len()).unwrap() - 1) >= 3300;
            prop_assert!(long || it.proposed.is_none());
        }
    }
}
