//! `memory.events`, `memory.oom_control` and `memory.stat`.

use super::{Decoded, Input};

/// Decodes a segment.
pub(super) fn memory_events(input: Input<'_>, out: &mut Decoded) {
    let _ = (input, out);
}

/// Decodes a segment.
pub(super) fn memory_stat(input: Input<'_>, out: &mut Decoded) {
    let _ = (input, out);
}
