//! MySQL and MariaDB with a buffer pool that does not fit the limit.

use super::{Finding, Subject};
use crate::lint::runtime::cache::{Cache, line, option};
use crate::runtime::flags;
use crate::units::Bytes;

super::rule!("mysql-buffer-pool", Error, Program(judge));

fn judge<'a>(subject: &Subject<'_, 'a>) -> Vec<Finding<'a>> {
    let images = ["mysql", "mysql-server", "mariadb", "percona", "percona-server"];
    if !subject.is(&images, &["mysqld", "mariadbd"]) {
        return Vec::new();
    }
    let names = ["--innodb-buffer-pool-size", "--innodb_buffer_pool_size"];
    // Bitnami's images put these behind the command line (`libmysql.sh`, `libmariadb.sh`).
    let variables = ["MYSQL_EXTRA_FLAGS", "MARIADB_EXTRA_FLAGS"];
    let written = option(subject, &names, &variables).or_else(|| line(subject, "innodb_buffer_pool_size"));
    let given = written.and_then(|(text, place)| Some((Bytes(flags::size(&text)?), place)));
    let cache = |(bytes, place)| Cache {
        setting: "innodb_buffer_pool_size",
        bytes,
        place,
        // Each page has a control block of its own (`buf0buf.h`); what is outside of InnoDB is assumed.
        beside: 10,
        itself: Bytes::mib(128),
        least: Bytes::mib(16),
        written: |bytes| format!("innodb_buffer_pool_size={}M", whole(bytes).0 >> 20),
    };
    given.map(cache).and_then(|cache| cache.look(subject)).into_iter().collect()
}

/// As much of it as is not rounded up: MySQL makes whole chunks of 128 MiB, from 1 GiB on eight at a time (8.0 manual,
/// "Configuring InnoDB Buffer Pool Size").
fn whole(bytes: Bytes) -> Bytes {
    let unit = if bytes < Bytes::mib(1024) { Bytes::mib(128) } else { Bytes::mib(1024) };
    if bytes < unit { bytes } else { Bytes(bytes.0 - bytes.0 % unit.0) }
}
