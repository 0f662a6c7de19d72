//! A limit that leaves too little beside V8's heap.

use super::{Finding, Level, Subject};
use crate::budget::v8;
use crate::lint::runtime::node::Node;

super::rule!("node-headroom", Warning, Program(judge));

fn judge<'a>(subject: &Subject<'_, 'a>) -> Vec<Finding<'a>> {
    let (Some(limit), Some(it)) = (subject.limit(), Node::read(subject)) else { return Vec::new() };
    let tmpfs = subject.tmpfs();
    let (Some(whole), Some(need)) = (it.whole_heap(limit.bytes), it.need(limit.bytes, tmpfs)) else {
        return Vec::new();
    };
    let given = it.heap(limit.bytes);
    let takes_all = given.as_ref().is_some_and(|(old, _)| old.0.saturating_add(tmpfs.0) >= limit.bytes.0);
    if takes_all || need <= limit.bytes {
        return Vec::new();
    }
    let young = it.young(limit.bytes);
    let (heap, place, label, parts) = if let Some((old, part)) = &given {
        let label = format!("the old generation may grow to {old}");
        (*old, part.place, label, format!("heap {old} + young generation {young}"))
    } else {
        let label = format!("V8 takes {whole} of these for its heap by default");
        (whole, limit.place, label, format!("heap {whole}, the young generation included"))
    };
    let message = format!("a heap of {heap} leaves too little of the limit of {} for the rest of Node", limit.bytes);
    let files = if tmpfs.0 > 0 { format!(" + files in memory {tmpfs}") } else { String::new() };
    let mut finding = Finding::new(Level::Warning, place, message)
        .label(label)
        .note(format!("budget: {parts} + Node itself {}{files} = {need}", v8::NATIVE_BASE))
        .assume(format!("Node {}, no buffers outside of the heap", it.assumed_major()))
        .help(it.help(limit.bytes, tmpfs));
    if given.is_some() {
        finding = finding.related(limit.place, limit.says());
    }
    vec![finding]
}
