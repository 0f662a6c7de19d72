//! A kernel log, in every shape that people paste.

use super::{Decoded, Input};

/// Decodes a segment.
pub(super) fn decode(input: Input<'_>, out: &mut Decoded) {
    let _ = (input, out);
}
