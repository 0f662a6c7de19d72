//! Direct buffers that nothing bounds but the size of the heap.

use super::{Finding, Level, Subject};
use crate::lint::runtime::jvm::Room;

super::rule!("jvm-no-direct-cap", Warning, Program(judge));

fn judge<'a>(subject: &Subject<'_, 'a>) -> Vec<Finding<'a>> {
    let Some(limit) = subject.limit() else { return Vec::new() };
    let Some(it) = subject.jvm() else { return Vec::new() };
    let (heap, Some(flag)) = it.heap(limit.bytes) else { return Vec::new() };
    // Their launchers cap it at half of the heap (`JvmErgonomics`, Elasticsearch since 7.0, OpenSearch).
    let is_capped = subject.is(&["elasticsearch", "opensearch"], &["elasticsearch", "opensearch"]);
    if is_capped || it.caps(limit.bytes).direct.is_some() {
        return Vec::new();
    }
    // Where everything fits even so, a cap would only turn spare memory into an OutOfMemoryError.
    let Some(room) = Room::of(subject, it, limit.bytes).filter(|room| room.worst > limit.bytes) else {
        return Vec::new();
    };
    let level = if room.expected > limit.bytes { Level::Warning } else { Level::Info };
    let message = format!("direct buffers may take as much again as the heap: {heap}");
    vec![
        Finding::new(level, flag.place, message)
            .label("without -XX:MaxDirectMemorySize this bounds direct buffers too")
            .related(limit.place, limit.says())
            .note("Netty, NIO and gRPC use direct buffers; with a cap they fail with an OutOfMemoryError that says so")
            .help("set -XX:MaxDirectMemorySize to what the program uses"),
    ]
}
