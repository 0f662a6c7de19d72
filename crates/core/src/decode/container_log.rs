//! The lines of a container that tell how it ended.

use super::{Decoded, Input};

/// Decodes a segment.
pub(super) fn decode(input: Input<'_>, out: &mut Decoded) {
    let _ = (input, out);
}
