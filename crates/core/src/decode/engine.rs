//! What Docker and Podman say: inspect documents and events.

use super::{Decoded, Input};

/// Decodes a segment.
pub(super) fn inspect(input: Input<'_>, out: &mut Decoded) {
    let _ = (input, out);
}

/// Decodes a segment.
pub(super) fn events(input: Input<'_>, out: &mut Decoded) {
    let _ = (input, out);
}
