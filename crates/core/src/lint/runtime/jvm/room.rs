//! What a JVM comes to need, against what it may have.

use super::{Jvm, cpus};
use crate::budget::jvm::{
    CLASSES_ASSUMED, CODE_CACHE_USUAL, Caps, Collector, DIRECT_USUAL, THREADS_USUAL, metaspace_of_classes,
};
use crate::budget::scaled;
use crate::lint::subject::Subject;
use crate::units::Bytes;

/// What a JVM comes to need, against what it may have.
pub(crate) struct Room {
    /// Caps that are written down, and tmpfs.
    pub given: Bytes,
    /// With what had to be assumed.
    pub expected: Bytes,
    /// What its caps allow together.
    pub worst: Bytes,
    caps: Caps,
    collector: Collector,
    tmpfs: Bytes,
}

impl Room {
    /// `None` where the heap alone takes the limit, which is said elsewhere, and where the heap is not known.
    pub(crate) fn of(subject: &Subject<'_, '_>, it: &Jvm<'_>, limit: Bytes) -> Option<Self> {
        if it.is_heap_unknown() || it.takes_all(limit) {
            return None;
        }
        let is_given = it.heap(limit).1.is_some();
        // Of a default that may be none there is nothing to say.
        if !is_given && it.is_default_unknown() {
            return None;
        }
        let (caps, collector) = (it.caps(limit), it.collector(limit, cpus(subject)));
        let heap = if is_given { caps.heap } else { Bytes(0) };
        Some(Self::new(caps, collector, heap, subject.tmpfs()))
    }

    /// Of a heap and caps that are given, without files in memory.
    pub(crate) fn of_caps(caps: Caps, collector: Collector) -> Self {
        Self::new(caps, collector, caps.heap, Bytes(0))
    }

    fn new(caps: Caps, collector: Collector, given: Bytes, tmpfs: Bytes) -> Self {
        Self {
            given: Bytes(caps.written().0.saturating_add(given.0).saturating_add(tmpfs.0)),
            expected: Bytes(caps.expected(collector).0.saturating_add(tmpfs.0)),
            worst: Bytes(caps.worst_case(collector).0.saturating_add(tmpfs.0)),
            caps,
            collector,
            tmpfs,
        }
    }

    /// The sum, in words.
    pub(crate) fn budget(&self, limit: Bytes) -> String {
        let part = |name: &str, cap: Option<Bytes>, usual: Bytes| match cap {
            Some(cap) if cap <= usual => format!("{name} {cap}"),
            Some(cap) => format!("{name} ~{usual} (capped at {cap})"),
            None => format!("{name} ~{usual} (uncapped)"),
        };
        let caps = &self.caps;
        let mut sum = vec![
            format!("heap {}", caps.heap),
            format!("its collector {}", scaled(caps.heap, self.collector.overhead(), 1000)),
            part("metaspace", caps.metaspace, metaspace_of_classes(CLASSES_ASSUMED)),
            part("compiled code", caps.code_cache, CODE_CACHE_USUAL),
            part("direct buffers", caps.direct, DIRECT_USUAL),
            format!("{THREADS_USUAL} threads"),
        ];
        if self.tmpfs.0 > 0 {
            sum.push(format!("files in memory {}", self.tmpfs));
        }
        format!("budget: {} = {} of {limit}", sum.join(" + "), self.expected)
    }

    /// What had to be assumed.
    pub(crate) fn assumed(&self) -> String {
        format!("{CLASSES_ASSUMED} classes, {THREADS_USUAL} threads, {:?} collector", self.collector)
    }
}
