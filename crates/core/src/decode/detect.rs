//! What an artifact holds: kinds are told by content, never by file name; several may stand in one file.

use std::ops::Range;

use crate::artifact::{Artifact, Kind};

/// A stretch of an artifact that is of one kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segment {
    /// Its kind.
    pub kind: Kind,
    /// Its bytes within the artifact.
    pub bytes: Range<usize>,
    /// The line on which it begins, from 1.
    pub first_line: usize,
}

/// The segments of an artifact, in order. Segments may overlap: a syslog holds the kernel's lines and the kubelet's.
pub fn segments(artifact: &Artifact) -> Vec<Segment> {
    let Some(kind) = artifact.kind else { return Vec::new() };
    vec![Segment { kind, bytes: 0..artifact.bytes.len(), first_line: 1 }]
}
