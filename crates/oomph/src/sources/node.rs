//! This node: its kernel log and the counters of its memory cgroups.

use jiff::Timestamp;
use oomph_core::artifact::Captured;
use oomph_core::fact::Gap;

/// Reads the node on a thread of its own: it is synchronous, and a journal may be long.
pub(super) async fn gather(now: Timestamp) -> Captured {
    let reading = tokio::task::spawn_blocking(move || oomph_node::capture(now));
    reading.await.unwrap_or_else(|error| Captured {
        gaps: vec![Gap { what: "this node".into(), because: error.to_string(), command: "dmesg".into() }],
        ..Captured::default()
    })
}
