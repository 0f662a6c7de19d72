//! Go: which `GOMEMLIMIT` fits a limit.

use super::{margin_within, round_down};
use crate::units::Bytes;

/// The share of the limit above which no `GOMEMLIMIT` should be: Go's guide asks for 5 to 10 % for what the runtime does
/// not know (go.dev/doc/gc-guide).
const MOST_PERCENT: u64 = 95;

/// The least room above what Go held: its heap is never smaller than this before it is collected
/// (`defaultHeapMinimum`, src/runtime/mgcpacer.go, Go 1.22).
pub const ROOM_LEAST: Bytes = Bytes::mib(4);

/// What of the heap's addresses Go does not count as heap, as its probe calls it.
pub const BESIDE_HEAP: [&str; 2] = ["stacks", "the collector's work buffers"];

/// `GOMEMLIMIT` for a limit. `outside` is what the runtime does not count: cgo's malloc, mapped files that stay, the
/// binary, tmpfs, kernel memory. `None` where nothing is left.
pub fn memory_limit(limit: Bytes, outside: Bytes, noise: Bytes) -> Option<Bytes> {
    let most = limit.0 / 100 * MOST_PERCENT;
    let room = limit.0.checked_sub(outside.0)?.checked_sub(margin_within(limit, noise).0)?;
    let memory_limit = round_down(Bytes(room.min(most)));
    (memory_limit.0 > 0).then_some(memory_limit)
}

/// The variable's value in whole MiB.
pub fn variable(memory_limit: Bytes) -> String {
    format!("{}MiB", memory_limit.0 >> 20)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_memory_limit_leaves_room_for_what_go_does_not_know() {
        assert_eq!(memory_limit(Bytes::mib(1100), Bytes::mib(100), Bytes(0)), Some(Bytes::mib(900)));
        assert_eq!(memory_limit(Bytes::mib(100), Bytes::mib(100), Bytes(0)), None);
        assert_eq!(variable(Bytes::mib(900)), "900MiB");
    }
}
