//! MongoDB with a cache of WiredTiger that does not fit the limit.

use super::{Finding, Subject};
use crate::lint::runtime::cache::{Cache, line, option};
use crate::units::Bytes;

super::rule!("mongo-cache", Error, Program(judge));

fn judge<'a>(subject: &Subject<'_, 'a>) -> Vec<Finding<'a>> {
    let images =
        ["mongo", "mongodb", "mongodb-community-server", "mongodb-enterprise-server", "percona-server-mongodb"];
    if !subject.is(&images, &["mongod"]) {
        return Vec::new();
    }
    let written = option(subject, &["--wiredTigerCacheSizeGB"], &["MONGODB_EXTRA_FLAGS"]);
    let written = written.or_else(|| line(subject, "cacheSizeGB"));
    let given = written.and_then(|(text, place)| Some((gibibytes(&text)?, place)));
    let cache = |(bytes, place)| Cache {
        setting: "WiredTiger's cache",
        bytes,
        place,
        // What is held outside of the cache: connections, sorts and aggregations are assumed.
        beside: 10,
        itself: Bytes::mib(128),
        // mongod refuses less than 0.25.
        least: Bytes::mib(264),
        written: |bytes| format!("--wiredTigerCacheSizeGB={:.2}", (bytes.0 >> 20) as f64 / 1024.0 - 0.005),
    };
    given.map(cache).and_then(|cache| cache.look(subject)).into_iter().collect()
}

/// `1.5`: units of 1024 MiB (`src/mongo/db/storage/wiredtiger/wiredtiger_util.cpp`, `getCacheSizeMB`, 7.0).
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked to be positive and to fit")]
fn gibibytes(text: &str) -> Option<Bytes> {
    let number = text.parse::<f64>().ok().filter(|number| (0.0..1e6).contains(number))?;
    Some(Bytes((number * (1_u64 << 30) as f64) as u64))
}
