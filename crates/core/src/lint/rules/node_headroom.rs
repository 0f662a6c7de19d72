//! A limit that leaves too little beside V8's heap.

use super::node_heap_ge_limit::{MAJOR, help};
use super::{Finding, Level, Subject};
use crate::budget::v8;
use crate::lint::runtime::node::Node;
use crate::units::Bytes;

super::rule!("node-headroom", Warning, Program(judge));

fn judge<'a>(subject: &Subject<'_, 'a>) -> Vec<Finding<'a>> {
    let (Some(limit), Some(it)) = (subject.limit(), Node::read(subject)) else { return Vec::new() };
    let major = it.major.unwrap_or(MAJOR);
    let tmpfs = subject.tmpfs();
    let (heap, place, label) = match it.heap(limit.bytes) {
        Some((heap, part)) => (heap, part.place, format!("the old generation may grow to {heap}")),
        // Node 20 and later size themselves by the limit, to half of it and at least 256 MiB.
        None if it.major.is_some_and(|major| major >= 20) => {
            let heap = v8::default_heap(major, limit.bytes);
            (heap, limit.place, format!("V8 takes {heap} of these for its heap by default"))
        }
        None => return Vec::new(),
    };
    let need = match it.heap(limit.bytes) {
        Some(_) => v8::need(major, heap, tmpfs),
        None => Bytes(heap.0 + v8::NATIVE_BASE.0 + tmpfs.0),
    };
    if heap.0.saturating_add(tmpfs.0) >= limit.bytes.0 && it.heap(limit.bytes).is_some() || need <= limit.bytes {
        return Vec::new();
    }
    let message = format!("a heap of {heap} leaves too little of the limit of {} for the rest of Node", limit.bytes);
    let mut finding = Finding::new(Level::Warning, place, message)
        .label(label)
        .note(format!("budget: heap {heap} + young generation + Node itself {} = {need}", v8::NATIVE_BASE))
        .assume(format!("Node {major}, no buffers outside of the heap"))
        .help(help(&it, limit.bytes));
    if it.heap(limit.bytes).is_some() {
        finding = finding.related(limit.place, limit.says());
    }
    vec![finding]
}
