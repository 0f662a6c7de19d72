//! An OCI image layout (image-spec 1.0) of one file `FROM scratch`, for all architectures, as the tar that
//! `ctr images import`, `skopeo` and `podman load` take.

use std::collections::BTreeMap;
use std::fs;

use anyhow::Result;
use serde_json::{Value, json};

use super::{Binary, VERSION, gzip, pack, sha256};

const INDEX: &str = "application/vnd.oci.image.index.v1+json";

/// Blobs by their digest in hex.
type Blobs = BTreeMap<String, Vec<u8>>;

/// The layout's tar. The one entry of `index.json` is the index of the architectures, under the image's name.
pub(super) fn layout(binaries: &[Binary], image: &str) -> Result<Vec<u8>> {
    let mut blobs = Blobs::new();
    let manifests = binaries.iter().map(|binary| manifest(binary, &mut blobs)).collect::<Result<Vec<_>>>()?;
    let index = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": manifests});
    let mut entry = store(&mut blobs, INDEX, serde_json::to_vec(&index)?);
    // containerd takes the name from its own annotation, everybody else the tag from the standard one.
    entry["annotations"] = json!({"io.containerd.image.name": image, "org.opencontainers.image.ref.name": VERSION});
    let top = serde_json::to_vec(&json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": [entry]}))?;
    let version = br#"{"imageLayoutVersion":"1.0.0"}"#;
    let names: Vec<_> = blobs.keys().map(|digest| format!("blobs/sha256/{digest}")).collect();
    let mut files: Vec<(&str, u32, &[u8])> = vec![("oci-layout", 0o644, version), ("index.json", 0o644, &top)];
    files.extend(names.iter().zip(blobs.values()).map(|(name, bytes)| (name.as_str(), 0o644, &bytes[..])));
    pack(&files)
}

fn manifest(binary: &Binary, blobs: &mut Blobs) -> Result<Value> {
    // On the path, since `kubectl debug ... -- oomph ...` replaces the entrypoint.
    let layer = pack(&[("usr/bin/oomph", 0o755, &fs::read(&binary.path)?)])?;
    let config = json!({
        "architecture": binary.architecture,
        "os": "linux",
        "config": {"Entrypoint": ["/usr/bin/oomph"], "Env": ["PATH=/usr/bin"]},
        "rootfs": {"type": "layers", "diff_ids": [format!("sha256:{}", sha256(&layer))]},
    });
    let config = store(blobs, "application/vnd.oci.image.config.v1+json", serde_json::to_vec(&config)?);
    let layer = store(blobs, "application/vnd.oci.image.layer.v1.tar+gzip", gzip(&layer)?);
    let kind = "application/vnd.oci.image.manifest.v1+json";
    let manifest = json!({"schemaVersion": 2, "mediaType": kind, "config": config, "layers": [layer]});
    let mut entry = store(blobs, kind, serde_json::to_vec(&manifest)?);
    entry["platform"] = json!({"architecture": binary.architecture, "os": "linux"});
    Ok(entry)
}

/// Keeps a blob and says where it is.
fn store(blobs: &mut Blobs, kind: &str, bytes: Vec<u8>) -> Value {
    let digest = sha256(&bytes);
    let descriptor = json!({"mediaType": kind, "digest": format!("sha256:{digest}"), "size": bytes.len()});
    blobs.insert(digest, bytes);
    descriptor
}
