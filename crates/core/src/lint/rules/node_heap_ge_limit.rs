//! A heap of V8 that alone takes the whole limit.

use super::{Finding, Level, Subject};
use crate::lint::expansion::is_open;
use crate::lint::finding::Place;
use crate::lint::runtime::node::Node;
use crate::units::Bytes;

super::rule!("node-heap-ge-limit", Error, Program(judge));

fn judge<'a>(subject: &Subject<'_, 'a>) -> Vec<Finding<'a>> {
    let Some(it) = Node::read(subject) else { return Vec::new() };
    if let Some((size, part)) = &it.unread {
        return refused(size, part.place).into_iter().collect();
    }
    let Some(limit) = subject.limit() else { return Vec::new() };
    let Some((heap, part)) = it.heap(limit.bytes) else { return Vec::new() };
    // Explicit parts: the old generation and files in memory.
    let given = Bytes(heap.0.saturating_add(subject.tmpfs().0));
    if given < limit.bytes {
        return Vec::new();
    }
    let tmpfs = subject.tmpfs();
    let files = if tmpfs.0 > 0 { format!(", with files in memory of {tmpfs},") } else { String::new() };
    let message = format!("the old generation of {heap}{files} reaches the limit of {}", limit.bytes);
    vec![
        Finding::new(Level::Error, part.place, message)
            .label(format!("V8 collects hard only near {heap}"))
            .related(limit.place, limit.says())
            .note("the young generation, buffers and Node's own memory come on top of the old generation")
            .help(it.help(limit.bytes, tmpfs)),
    ]
}

/// `1Gi`, `400m`: V8 ends on what is no whole number ("illegal value for flag", `src/flags/flags.cc`).
fn refused<'a>(size: &str, place: Place) -> Option<Finding<'a>> {
    if is_open(size) {
        return None;
    }
    if size.is_empty() {
        return Some(
            Finding::new(
                Level::Error,
                place,
                "Node.js refuses `--max-old-space-size` with its value in a word of its own",
            )
            .label("Node.js ends as it starts: illegal value for flag")
            .help("write `=` between the two"),
        );
    }
    let finding = Finding::new(Level::Error, place, format!("V8 refuses `--max-old-space-size={size}`"))
        .label("Node.js ends as it starts")
        .note("the size is a whole number of MiB without a unit");
    let digits = size.trim_end_matches(|it: char| it.is_ascii_alphabetic());
    let factor = match size[digits.len()..].chars().next().map(|unit| unit.to_ascii_lowercase()) {
        Some('m') => 1,
        Some('g') => 1024,
        _ => return Some(finding),
    };
    let mib = digits.parse::<u64>().ok().and_then(|number| number.checked_mul(factor));
    Some(match mib {
        Some(mib) => finding.help(format!("write `--max-old-space-size={mib}`, if that is meant")),
        None => finding,
    })
}
