//! What is left to read when the command of a cgroup has ended.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;
use oomph_core::units::Bytes;

use crate::kmsg::Ring;

/// The kernel's report of a kill comes within this time of the kill.
const REPORT: Duration = Duration::from_millis(400);

/// The kernel log that is kept in a recording.
const LOG_MAX: usize = 1 << 20;

/// The most that was ever charged to it.
pub fn peak(folder: &Path) -> Option<Bytes> {
    let read = |name: &&str| fs::read_to_string(folder.join(name)).ok()?.trim().parse().ok().map(Bytes);
    ["memory.peak", "memory.max_usage_in_bytes"].iter().find_map(read)
}

/// The cgroup's files at the end, as `tail -n +1 memory.*` prints them.
pub fn counters(folder: &Path) -> String {
    let names = [
        "memory.events",
        "memory.events.local",
        "memory.oom_control",
        "memory.failcnt",
        "memory.current",
        "memory.max",
        "memory.usage_in_bytes",
        "memory.limit_in_bytes",
    ];
    let mut text = String::new();
    for name in names {
        if let Ok(content) = fs::read_to_string(folder.join(name)) {
            let _ = writeln!(text, "==> {name} <==\n{content}");
        }
    }
    text
}

/// What the kernel has said since the command was started. Where its ring may not be followed, all that can be had of
/// it, and only when something was killed.
pub fn kernel_log(ring: Option<Ring>, folder: &Path) -> Option<String> {
    let killed = ["memory.events", "memory.oom_control"].iter().any(|name| {
        let text = fs::read_to_string(folder.join(name)).unwrap_or_default();
        text.lines().any(|line| line.strip_prefix("oom_kill ").is_some_and(|count| count.trim() != "0"))
    });
    let bytes = match ring {
        Some(mut ring) => {
            let timeout = if killed { REPORT } else { Duration::ZERO };
            let mut bytes = Vec::new();
            let _ = ring.read(&mut bytes);
            bytes.extend(ring.next_burst(timeout).unwrap_or_default());
            bytes
        }
        None if killed => crate::kernel_log(Timestamp::now()).artifacts.into_iter().next()?.bytes,
        None => return None,
    };
    let from = bytes.len().saturating_sub(LOG_MAX);
    (!bytes.is_empty()).then(|| String::from_utf8_lossy(&bytes[from..]).into_owned())
}
