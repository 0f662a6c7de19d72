//! The kubelet's, the runtime's and userspace killers' own log lines.

use super::{Decoded, Input};

/// Decodes a segment.
pub(super) fn decode(input: Input<'_>, out: &mut Decoded) {
    let _ = (input, out);
}
