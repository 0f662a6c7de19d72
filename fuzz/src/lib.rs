//! What the fuzz targets share.

use oomph_core::artifact::{Artifact, ArtifactId, Kind};
use oomph_core::decode::decode;

/// Decodes arbitrary bytes as this kind; the decoder must not panic.
pub fn decode_as(kind: Kind, bytes: &[u8]) {
    let artifact = Artifact { kind: Some(kind), ..Artifact::new("fuzz", bytes) };
    let _ = decode(ArtifactId(0), &artifact);
}
