//! What to do about a command that was killed, where its recording tells more than a death alone does.

use super::Document;
use crate::cause::WITHOUT_HISTORY;
use crate::diagnosis::Advice;
use crate::growth::Class;
use crate::waterfall::{Part, PartKind, Waterfall};

const HEAPS: [PartKind; 4] = [PartKind::JvmHeap, PartKind::V8Heap, PartKind::GoHeap, PartKind::Pymalloc];

/// Puts what the recording tells in the place of the advice to look for a history.
pub(super) fn fit(document: &mut Document) {
    let Some(diagnosis) = &mut document.diagnosis else { return };
    let Some(place) = diagnosis.advice.iter().position(|advice| advice.action == WITHOUT_HISTORY) else { return };
    let part = document.peak.as_ref().and_then(|peak| main_part(peak).map(|part| (peak, part)));
    let is_heap = part.is_some_and(|(_, part)| HEAPS.contains(&part.kind));
    // A heap that may become larger than the limit is no riddle.
    let by_part = part.filter(|_| !(is_heap && document.class == Class::LimitTooLow));
    let by_part = by_part.and_then(|(peak, part)| of_part(peak, part));
    let by_class = of_class(document.class, &document.class_evidence, is_heap);
    let told: Vec<Advice> = by_part.into_iter().chain(by_class).collect();
    if !told.is_empty() {
        diagnosis.advice.splice(place..=place, told);
    }
}

/// The part that holds half of the memory or more.
fn main_part(peak: &Waterfall) -> Option<&Part> {
    let largest = peak.parts.iter().max_by_key(|part| part.bytes)?;
    (largest.bytes.0 >= peak.charged_bytes.0.div_ceil(2)).then_some(largest)
}

/// What filled the limit, and what to do about that; `None` where the part says no more than that it is memory.
fn of_part(peak: &Waterfall, part: &Part) -> Option<Advice> {
    let of = format!("{} of {}", part.bytes, peak.charged_bytes);
    let (action, why, risk) = match part.kind {
        PartKind::Tmpfs | PartKind::SharedMemory => (
            format!("delete or bound its files in memory ({}): {of}", part.kind.title()),
            "a file in a tmpfs, such as /dev/shm, is charged until it is deleted, and the kernel cannot drop it",
            "writes beyond a bound fail",
        ),
        PartKind::PageCache | PartKind::MappedFiles => (
            format!("see why its {} could not be dropped in time: {of}", part.kind.title()),
            "the kernel takes back clean pages under pressure; dirty ones wait for the disk, locked ones stay",
            "none",
        ),
        kind if HEAPS.contains(&kind) => (
            format!("take a heap dump or profile: its {} held {of}", part.kind.title()),
            "what fills a heap is seen only inside of it",
            "a dump is as large as the heap",
        ),
        _ => return None,
    };
    Some(Advice { action, why: why.into(), risk: risk.into(), patch: None })
}

/// What its growth calls for; `None` where the recording does not tell.
fn of_class(class: Class, because: &str, is_heap: bool) -> Option<Advice> {
    let (action, why) = match class {
        Class::TooLittleData => return None,
        Class::Leak => ("find what grows; a higher limit only puts the kill off", "it grows without end"),
        Class::LimitTooLow if is_heap => {
            ("give it a higher limit, or its runtime a lower one", "the limit is too low for what it may need")
        }
        Class::LimitTooLow => ("give it a higher limit", "the limit is too low for what it needs"),
        Class::Cache => {
            ("bound what it keeps in files before touching the limit", "files filled it, not its own memory")
        }
        Class::Spike | Class::StartUpPeak => ("lower the peak, or give it a limit above that", "a peak met the limit"),
        Class::WarmUp | Class::Step | Class::Sawtooth | Class::Steady => {
            ("run it again with a higher limit, and see where it settles", "it does not grow without end")
        }
    };
    Some(Advice {
        action: action.into(),
        why: format!("{why} ({}): {because}", class.id()),
        risk: "none".into(),
        patch: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peak(kind: &str, mib: u64) -> Waterfall {
        let part = serde_json::json!({"kind": kind, "name": "", "bytes": mib << 20, "exact": true, "reclaimable": false,
            "pid": null, "from": "", "parts": []});
        serde_json::from_value(serde_json::json!({"subject": {}, "cgroupVersion": 2, "source": "node",
            "chargedBytes": 60 << 20, "unreclaimableBytes": 60 << 20, "limits": [], "events": {}, "pressure": {},
            "outside": {}, "views": [], "parts": [part], "unexplainedBytes": 0, "processes": [], "gaps": []}))
        .unwrap()
    }

    fn told(peak: &Waterfall) -> Option<String> {
        of_part(peak, main_part(peak)?).map(|advice| advice.action)
    }

    #[test]
    fn the_part_that_filled_the_limit_is_named() {
        assert!(
            told(&peak("tmpfs", 58))
                .is_some_and(|it| it.contains("files in memory") && it.contains("58 MiB of 60 MiB"))
        );
        assert!(told(&peak("v8-heap", 40)).is_some_and(|it| it.contains("V8 heap")));
        assert_eq!(told(&peak("tmpfs", 20)), None, "less than half");
    }

    #[test]
    fn a_known_growth_is_not_sent_to_look_for_a_history() {
        let leak = of_class(Class::Leak, "60 MiB a minute", true).unwrap();
        assert!(leak.action.contains("find what grows") && leak.why.contains("60 MiB a minute"), "{leak:?}");
        let bounded = of_class(Class::LimitTooLow, "it may need 319 MiB", true).unwrap();
        assert!(bounded.action.contains("its runtime a lower one"), "{bounded:?}");
        assert_eq!(of_class(Class::TooLittleData, "", false), None);
    }
}
