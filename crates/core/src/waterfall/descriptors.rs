//! Programs that make a table with a place for every file that they may open, whether they open it or not. A soft limit
//! of 1,073,741,816 open files, which container runtimes passed on for years (containerd/containerd#8924), then costs
//! gigabytes at the start.
//!
//! Where it could be measured the tables are as large as the sources say: from limits of 1,024, 10,000 and 20,000 files
//! follow 666 B a file for slapd 2.5.13 and 65 B for HAProxy 2.6.12.

use super::DescriptorTable;
use crate::units::Bytes;

/// A program with such a table.
struct Program {
    /// Its name.
    comm: &'static str,
    /// Bytes of one place, all of which are written to at the start.
    each: u64,
    /// Fewer places are never made.
    least: u64,
    /// More are never made.
    most: u64,
    /// The number of places is a power of two.
    doubles: bool,
    /// Every version and every process of it has the table.
    always: bool,
    /// The table.
    table: &'static str,
    /// Where that is known from.
    from: &'static str,
    /// What bounds it.
    knob: &'static str,
}

const ANY: u64 = u64::MAX;

/// All that are known: where the soft limit of the running process tells how many places its table has.
#[rustfmt::skip]
const PROGRAMS: [Program; 5] = [
    // It raises its own soft limit to the number of its sockets (src/haproxy.c), which follows from the hard one.
    Program { comm: "haproxy", each: 64, least: 0, most: ANY, doubles: false, always: true, table: "fdtab", from: "src/fd.c, init_pollers (2.x); haproxy/haproxy#2043", knob: "`maxconn` or `fd-hard-limit` in the section `global`" },
    Program { comm: "slapd", each: 664, least: 0, most: ANY, doubles: false, always: true, table: "its connections", from: "servers/slapd/connection.c, connections_init (2.6; 704 B each in 2.4); moby/moby#8231", knob: "`ulimit -n 1024` in front of slapd" },
    // Of each place a pointer and the number of the next one: erl_ptab.c, erts_ptab_init_table.
    Program { comm: "beam.smp", each: 12, least: 1 << 16, most: 1 << 27, doubles: true, always: false, table: "its ports", from: "erts/emulator/beam/io.c, erts_init_io; erlang/otp#6217", knob: "`+Q 65536` for erl, ERL_MAX_PORTS=65536 for RabbitMQ" },
    Program { comm: "uwsgi", each: 8, least: 0, most: ANY, doubles: false, always: false, table: "the sessions of its router", from: "plugins/corerouter/corerouter.c, uwsgi_corerouter_loop; unbit/uwsgi#2299", knob: "`max-fd = 4096`, or UWSGI_MAX_FD=4096" },
    Program { comm: "mysqld", each: 16, least: 0, most: ANY, doubles: false, always: false, table: "my_file_info", from: "mysys/my_file.c, my_set_max_open_files (MySQL up to 5.7); docker-library/mysql#579", knob: "a limit of open files for the container, or MySQL 8.4" },
];

/// Smaller tables are nobody's trouble.
const WORTH_TELLING: u64 = 64 << 20;

/// The table of a program with a soft limit of so many open files: where it fits into what is resident, or, of programs
/// that always have it, where it does not fit into the `limit` either, so that the process is killed on its way there.
pub(super) fn table(comm: &str, soft: u64, resident: Bytes, limit: Option<Bytes>) -> Option<DescriptorTable> {
    let program = PROGRAMS.iter().find(|program| program.comm == comm)?;
    let places = soft.clamp(program.least, program.most);
    let places = if program.doubles { places.checked_next_power_of_two()? } else { places };
    let bytes = Bytes(places.saturating_mul(program.each));
    let is_there = bytes <= resident || program.always && limit.is_some_and(|limit| limit < bytes);
    (is_there && bytes.0 >= WORTH_TELLING).then(|| DescriptorTable {
        name: program.table.to_owned(),
        bytes,
        bytes_each: Bytes(program.each),
        from: program.from.to_owned(),
        knob: program.knob.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What `LimitNOFILE=infinity` comes to.
    const INFINITY: u64 = 1_073_741_816;

    fn bytes(comm: &str, soft: u64, resident: Bytes, limit: Option<Bytes>) -> Option<u64> {
        table(comm, soft, resident, limit).map(|table| table.bytes.0)
    }

    #[test]
    fn a_table_is_as_large_as_people_have_reported() {
        let all = Bytes(1 << 40);
        // unbit/uwsgi#2299 and others: 8.4 million kB.
        assert_eq!(bytes("uwsgi", INFINITY, all, None), Some(8_589_934_528));
        // dyrnq/install-docker#16: 16.22 GiB with everything else.
        assert_eq!(bytes("mysqld", INFINITY, all, None), Some(17_179_869_056));
        // erlang/otp#6217: 1.6 G.
        assert_eq!(bytes("beam.smp", INFINITY, all, None), Some(1_610_612_736));
        // nickstenning/docker-slapd#8: 738 MiB with everything else, at 704 B each.
        assert_eq!(bytes("slapd", 1 << 20, all, None), Some(664 << 20));
    }

    #[test]
    fn nothing_is_said_of_small_limits_of_other_programs_and_of_tables_that_cannot_be_there() {
        assert_eq!(bytes("slapd", 1024, Bytes(1 << 30), None), None);
        assert_eq!(bytes("nginx", INFINITY, Bytes(100 << 30), None), None);
        // A worker of uwsgi, a MySQL that has no such table any more.
        assert_eq!(bytes("uwsgi", INFINITY, Bytes::mib(60), Some(Bytes(1 << 30))), None);
        assert_eq!(bytes("mysqld", INFINITY, Bytes::mib(500), Some(Bytes(1 << 30))), None);
    }

    #[test]
    fn a_table_that_the_limit_does_not_hold_is_told_while_it_is_made() {
        assert_eq!(bytes("haproxy", INFINITY, Bytes::mib(500), Some(Bytes(1 << 30))), Some(68_719_476_224));
        assert_eq!(bytes("haproxy", INFINITY, Bytes::mib(500), None), None);
    }
}
