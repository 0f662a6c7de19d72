//! Metaspace that nothing bounds.

use super::{Finding, Level, Subject};
use crate::budget::jvm::{CLASSES_ASSUMED, metaspace_of_classes};
use crate::lint::runtime::jvm::Room;

super::rule!("jvm-no-metaspace-cap", Warning, Program(judge));

fn judge<'a>(subject: &Subject<'_, 'a>) -> Vec<Finding<'a>> {
    let Some(limit) = subject.limit() else { return Vec::new() };
    let Some(it) = subject.jvm() else { return Vec::new() };
    let (_, Some(flag)) = it.heap(limit.bytes) else { return Vec::new() };
    if it.caps(limit.bytes).metaspace.is_some() {
        return Vec::new();
    }
    let Some(room) = Room::of(subject, it, limit.bytes).filter(|room| room.worst > limit.bytes) else {
        return Vec::new();
    };
    let level = if room.expected > limit.bytes { Level::Warning } else { Level::Info };
    let usual = metaspace_of_classes(CLASSES_ASSUMED);
    vec![
        Finding::new(level, flag.place, "nothing bounds metaspace, and the rest of the limit is spoken for")
            .label(format!("beside this heap, {CLASSES_ASSUMED} classes take about {usual}"))
            .related(limit.place, limit.says())
            .note("a leak of classes then ends in a kill that no heap dump explains, not in an OutOfMemoryError")
            .help("set -XX:MaxMetaspaceSize above what the program loads")
            .assume(format!("{CLASSES_ASSUMED} classes")),
    ]
}
