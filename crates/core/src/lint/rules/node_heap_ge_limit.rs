//! A heap of V8 that alone takes the whole limit.

use super::{Finding, Level, Subject};
use crate::budget::v8;
use crate::lint::runtime::node::Node;
use crate::units::Bytes;

super::rule!("node-heap-ge-limit", Error, Program(judge));

fn judge<'a>(subject: &Subject<'_, 'a>) -> Vec<Finding<'a>> {
    let (Some(limit), Some(it)) = (subject.limit(), Node::read(subject)) else { return Vec::new() };
    let Some((heap, part)) = it.heap(limit.bytes) else { return Vec::new() };
    // Explicit parts: the old generation and files in memory.
    let given = Bytes(heap.0.saturating_add(subject.tmpfs().0));
    if given < limit.bytes {
        return Vec::new();
    }
    let message = format!("the old generation of {heap} reaches the limit of {}", limit.bytes);
    vec![
        Finding::new(Level::Error, part.place, message)
            .label(format!("V8 collects hard only near {heap}"))
            .related(limit.place, limit.says())
            .note("the young generation, buffers and Node's own memory come on top of the old generation")
            .help(help(&it, limit.bytes)),
    ]
}

/// Version where the image does not say it: the figures differ by some MiB.
pub(super) const MAJOR: u32 = 22;

pub(super) fn help(it: &Node<'_>, limit: Bytes) -> String {
    let major = it.major.unwrap_or(MAJOR);
    match v8::old_space_for_limit(major, limit, Bytes(0), Bytes(0), Bytes(0)) {
        Some(mib) => format!("--max-old-space-size={mib} for this limit, less what the program keeps in buffers"),
        None => "this limit leaves no room for a heap: raise it".to_owned(),
    }
}
