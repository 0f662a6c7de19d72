//! memcached with a memory that does not fit the limit.

use super::{Finding, Subject};
use crate::lint::runtime::cache::{Cache, option};
use crate::units::Bytes;

super::rule!("memcached-memory", Error, Program(judge));

fn judge<'a>(subject: &Subject<'_, 'a>) -> Vec<Finding<'a>> {
    if !subject.is(&["memcached"], &["memcached"]) {
        return Vec::new();
    }
    let program = subject.program;
    let written = option(subject, &["-m", "--memory-limit"], &["MEMCACHED_EXTRA_FLAGS"]);
    // Bitnami's image makes `-m` of it (`libmemcached.sh`).
    let by_variable =
        || program.variable("MEMCACHED_CACHE_SIZE").and_then(|set| Some((set.text()?.to_owned(), set.node.into())));
    let given = written.or_else(by_variable).and_then(|(text, place)| Some((text.trim().parse::<u32>().ok()?, place)));
    let cache = |(mib, place): (u32, _)| Cache {
        setting: "memcached's memory",
        bytes: Bytes::mib(mib.into()),
        place,
        // The hash table, buffers of connections and threads are not in its count (`memcached.c`, `-m`): assumed.
        beside: 5,
        itself: Bytes::mib(16),
        least: Bytes::mib(16),
        written: |bytes| format!("-m {}", bytes.0 >> 20),
    };
    given.map(cache).and_then(|cache| cache.look(subject)).into_iter().collect()
}
