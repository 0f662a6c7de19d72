//! This node: its kernel log and the counters of its memory cgroups.

use jiff::Timestamp;
use oomph_core::artifact::Captured;
use oomph_core::fact::Gap;

/// Everything that the node says.
pub(super) async fn gather(now: Timestamp) -> Captured {
    aside(move || oomph_node::capture(now)).await
}

/// Its kernel log alone.
pub(super) async fn kernel_log(now: Timestamp) -> Captured {
    aside(move || oomph_node::kernel_log(now)).await
}

/// Reads on a thread of its own: reading the node waits for disks and commands, and a journal may be long.
async fn aside(read: impl FnOnce() -> Captured + Send + 'static) -> Captured {
    tokio::task::spawn_blocking(read).await.unwrap_or_else(|error| Captured {
        gaps: vec![Gap { what: "this node".into(), because: error.to_string(), command: "dmesg".into() }],
        ..Captured::default()
    })
}
