//! Kubernetes objects, as JSON or YAML, whole or in fragments.

use super::{Decoded, Input};

/// Decodes a segment.
pub(super) fn json(input: Input<'_>, out: &mut Decoded) {
    let _ = (input, out);
}

/// Decodes a segment.
pub(super) fn yaml(input: Input<'_>, out: &mut Decoded) {
    let _ = (input, out);
}
