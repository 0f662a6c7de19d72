//! Whether a look at a cgroup is of one moment. Nothing is stopped while it is looked at, so pages, counters and what
//! runtimes say of themselves may be of different ones; then the look is torn, and another one may not be.

use super::Waterfall;
use crate::runtime::Tear;
use crate::units::Bytes;

/// What was noticed while one look was taken.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Moment {
    /// The charge before the first page was looked at; the waterfall's is read behind the last.
    pub charged_before: Option<Bytes>,
    /// What the kernel may have charged ahead of use: [`charged_ahead`].
    pub ahead: Bytes,
    /// Processes that ended or started another program before all of them was read.
    pub left: Vec<u32>,
    /// Processes whose runtimes or mallocs did not agree with themselves.
    pub tears: Vec<(u32, Tear)>,
}

/// Pages that a processor charges at once and then hands out (`MEMCG_CHARGE_BATCH`, include/linux/memcontrol.h, 6.18).
const CHARGED_AT_ONCE: u64 = 64;

/// What may be charged to some cgroups and not be used yet, on so many processors with pages of `page` bytes.
pub fn charged_ahead(cgroups: u64, processors: u64, page: u64) -> Bytes {
    Bytes(CHARGED_AT_ONCE.saturating_mul(page).saturating_mul(processors).saturating_mul(cgroups.max(1)))
}

/// Parts and charge of a program that runs differ by what it did between two reads; less than this part of the charge
/// changes no conclusion.
const CLOSE: u64 = 100;

impl Moment {
    /// Why the look is torn; `None` for one that is of one moment as far as can be told. `earlier` is the look before:
    /// what two looks in a row agree on is no matter of time, and another look would not mend it.
    pub fn torn(&self, waterfall: &Waterfall, earlier: Option<(&Self, &Waterfall)>) -> Option<String> {
        if let Some(pid) = self.left.first() {
            return Some(format!("process {pid} ended or started another program while it was read"));
        }
        if let Some((pid, tear)) = self.tears.iter().find(|tear| !is_lasting(tear, earlier)) {
            return Some(match tear {
                Tear::Moving(what) => format!("{what} of process {pid} changed faster than it could be read"),
                Tear::Contradiction(because) => format!("what was read of process {pid} contradicts itself: {because}"),
            });
        }
        let close = self.ahead.0.saturating_add(waterfall.charged_bytes.0 / CLOSE);
        let apart = waterfall.unexplained_bytes.unsigned_abs();
        let moved = self.charged_before.map_or(0, |before| before.0.abs_diff(waterfall.charged_bytes.0));
        let is_lasting = moved <= close
            && earlier.is_some_and(|(_, it)| it.unexplained_bytes.abs_diff(waterfall.unexplained_bytes) <= close);
        (apart > close && !is_lasting)
            .then(|| format!("its parts and its charge were {} apart when they were read", Bytes(apart)))
    }
}

/// Figures that contradict each other in the same way twice do not do so because they were read at different times.
fn is_lasting(tear: &(u32, Tear), earlier: Option<(&Moment, &Waterfall)>) -> bool {
    matches!(tear.1, Tear::Contradiction(_)) && earlier.is_some_and(|(moment, _)| moment.tears.contains(tear))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::waterfall::{Charge, Level, Measured, Source, Subject, Version, measure};

    /// A cgroup with this charge, of which anonymous memory is all that is explained.
    fn look(charged: u64, anon: u64) -> Waterfall {
        let charge = Charge { usage: Some(Bytes::mib(charged)), anon: Some(Bytes::mib(anon)), ..Charge::default() };
        measure(&Measured {
            subject: Subject::default(),
            at: None,
            version: Version::V2,
            source: Source::Node,
            levels: vec![Level { cgroup: "/a".into(), charge }],
            below: None,
            processes: Vec::new(),
            some_unread: false,
            swap_free: Bytes(0),
            gaps: Vec::new(),
        })
    }

    fn moment(charged_before: u64) -> Moment {
        Moment {
            charged_before: Some(Bytes::mib(charged_before)),
            ahead: charged_ahead(1, 4, 4096),
            ..Moment::default()
        }
    }

    #[test]
    fn a_look_whose_parts_make_the_charge_is_whole_also_when_the_kernel_charged_ahead() {
        assert_eq!(moment(50).ahead, Bytes::mib(1));
        assert_eq!(moment(50).torn(&look(51, 50), None), None);
        // One in a hundred more.
        assert_eq!(moment(1000).torn(&look(1000, 990), None), None);
    }

    #[test]
    fn parts_that_are_far_from_the_charge_are_looked_at_again_and_believed_when_they_stay_so() {
        let (first, again) = (look(100, 80), look(100, 80));
        let because = moment(100).torn(&first, None);
        assert_eq!(because.as_deref(), Some("its parts and its charge were 20 MiB apart when they were read"));
        assert_eq!(moment(100).torn(&again, Some((&moment(100), &first))), None);
    }

    #[test]
    fn what_grows_at_full_speed_is_torn_each_time_although_the_looks_are_alike() {
        let (first, again) = (look(100, 80), look(120, 100));
        assert!(moment(100).torn(&again, Some((&moment(80), &first))).is_some());
        // So is what came and went between two reads.
        assert!(moment(100).torn(&look(100, 130), Some((&moment(100), &first))).is_some());
    }

    #[test]
    fn a_process_that_left_or_changed_tears_and_the_same_contradiction_twice_does_not() {
        let whole = look(50, 50);
        let with = |left: &[u32], tear: Option<Tear>| Moment {
            left: left.to_vec(),
            tears: tear.map(|tear| (7, tear)).into_iter().collect(),
            ..moment(50)
        };
        let left = with(&[7], None);
        assert!(left.torn(&whole, Some((&left, &whole))).is_some_and(|because| because.starts_with("process 7 ended")));
        let moving = with(&[], Some(Tear::Moving("the heap")));
        assert!(moving.torn(&whole, Some((&moving, &whole))).is_some());
        let says = |text: &str| with(&[], Some(Tear::Contradiction(text.to_owned())));
        assert!(says("1 and 2").torn(&whole, None).is_some_and(|because| because.ends_with(": 1 and 2")));
        assert!(says("1 and 2").torn(&whole, Some((&says("1 and 3"), &whole))).is_some());
        assert_eq!(says("1 and 2").torn(&whole, Some((&says("1 and 2"), &whole))), None);
    }
}
