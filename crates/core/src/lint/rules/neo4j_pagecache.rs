//! Neo4j with a page cache that does not fit beside its heap.

use super::{Finding, Level, Subject};
use crate::lint::runtime::cache::Cache;
use crate::lint::runtime::jvm::Room;
use crate::runtime::flags;
use crate::units::Bytes;

super::rule!("neo4j-pagecache", Error, Program(judge));

/// Neo4j 5's name, and Neo4j 4's (operations manual, "Docker: configuration"; a dot is `_`, a `_` is `__`).
const VARIABLES: [&str; 2] = ["NEO4J_server_memory_pagecache_size", "NEO4J_dbms_memory_pagecache_size"];

fn judge<'a>(subject: &Subject<'_, 'a>) -> Vec<Finding<'a>> {
    finding(subject).into_iter().collect()
}

fn finding<'a>(subject: &Subject<'_, 'a>) -> Option<Finding<'a>> {
    let set = VARIABLES.iter().find_map(|name| subject.program.variable(name))?;
    let (bytes, limit, jvm) = (Bytes(flags::size(set.text()?)?), subject.limit()?, subject.jvm()?);
    let room = Room::of(subject, jvm, limit.bytes)?;
    let cache = Cache {
        setting: "the page cache's size",
        bytes,
        place: set.node.into(),
        // Lists of pages and of who waits for them: assumed.
        beside: 2,
        // With its files in memory, which are counted there already.
        itself: Bytes(room.expected.0.saturating_sub(subject.tmpfs().0)),
        least: Bytes::mib(64),
        written: |bytes| format!("a page cache of {}M", bytes.0 >> 20),
    };
    let mut finding = cache.look(subject)?;
    let heap = jvm.heap(limit.bytes).0;
    let sum = Bytes(bytes.0.saturating_add(heap.0));
    if sum >= limit.bytes && finding.level != Level::Error {
        finding.level = Level::Error;
        finding.message =
            format!("a page cache of {bytes} and a heap of {heap} take {sum}, and the limit is {}", limit.bytes).into();
    }
    finding.assumed.push(room.assumed());
    Some(finding)
}

#[cfg(test)]
mod tests {
    use crate::lint::{Level, Source, lint};

    #[test]
    fn a_page_cache_counts_beside_the_heap() {
        let found = |heap: &str, cache: &str| {
            let text = format!(
                "services:\n  a:\n    image: neo4j:5\n    mem_limit: 4g\n    environment:\n      \
                 NEO4J_server_memory_heap_max__size: {heap}\n      NEO4J_server_memory_pagecache_size: {cache}\n"
            );
            let document = lint(&[Source { name: "compose.yaml".into(), text }]);
            let mut found = document.findings.into_iter();
            found.find(|it| it.rule == "neo4j-pagecache").map(|it| (it.level, it.region.line))
        };
        assert_eq!(found("2G", "3G"), Some((Level::Error, 7)));
        assert_eq!(found("1G", "5G"), Some((Level::Error, 7)));
        assert_eq!(found("2G", "1900m"), Some((Level::Warning, 7)));
        assert_eq!(found("1G", "1G"), None);
        // Of a heap that takes it all `jvm-heap-ge-limit` says it.
        assert_eq!(found("4G", "1G"), None);
    }
}
