//! A limit in which no container starts.

use super::{Finding, Level, Subject};
use crate::units::Bytes;

super::rule!("limit-below-runtime-min", Error, Container(judge));

/// CRI-O refuses a lower limit (`internal/config/cgmgr`, `minMemoryLimit`, 12 MiB).
const CRIO: Bytes = Bytes::mib(12);

/// Under this the OCI runtime's own process, which starts the container inside of its cgroup, comes close to the limit.
const ANY: Bytes = Bytes::mib(16);

fn judge<'a>(subject: &Subject<'_, 'a>) -> Vec<Finding<'a>> {
    let Some(limit) = subject.limit().filter(|limit| limit.bytes < ANY) else { return Vec::new() };
    let bytes = limit.bytes;
    let finding = if bytes < CRIO {
        Finding::new(Level::Error, limit.place, format!("a limit of {bytes} is too small to start a container"))
            .note(format!("CRI-O refuses a limit under {CRIO}"))
    } else {
        Finding::new(Level::Warning, limit.place, format!("a limit of {bytes} leaves hardly room to start a container"))
    };
    vec![
        finding
            .label(format!("under {}", if bytes < CRIO { CRIO } else { ANY }))
            .note("the runtime's own process (runc init) starts inside of the container's cgroup and counts")
            .help(format!("set the limit to at least {ANY}, and more than the program needs")),
    ]
}
