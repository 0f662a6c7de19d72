//! The manifest by which krew installs `kubectl oomph`.

use anyhow::{Context, Result};
use serde_json::json;

use super::{Archive, VERSION};

/// The manifest of these archives, which lie directly under `uri`.
pub(super) fn manifest(archives: &[Archive], uri: &str) -> Result<String> {
    let base = uri.trim_end_matches('/');
    let platforms: Vec<_> = archives
        .iter()
        .map(|archive| {
            json!({
                "selector": {"matchLabels": {"os": "linux", "arch": archive.architecture}},
                "uri": format!("{base}/{}", archive.name),
                "sha256": archive.sha256,
                "bin": "kubectl-oomph",
            })
        })
        .collect();
    let manifest = json!({
        "apiVersion": "krew.googlecontainertools.github.com/v1alpha2",
        "kind": "Plugin",
        "metadata": {"name": "oomph"},
        "spec": {
            "version": format!("v{VERSION}"),
            "homepage": base,
            "shortDescription": "Explain containers killed for memory",
            "description": "Explains why a container was killed for memory, with proof from the pod, the kubelet and \
                            the kernel, and says what would have prevented it.\n",
            "platforms": platforms,
        },
    });
    serde_saphyr::to_string(&manifest).context("cannot write the krew manifest")
}
