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

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    fn text<'a>(value: &'a Value, path: &str) -> &'a str {
        value.pointer(path).and_then(Value::as_str).unwrap_or_else(|| panic!("{path} in {value:#}"))
    }

    /// The rules of krew's own check (internal/index/validation/validate.go, krew 0.4.5) and of krew-index's guide.
    #[test]
    fn the_manifest_keeps_krews_rules() {
        let archive = |architecture, digit: &str| Archive {
            architecture,
            name: format!("oomph-v{VERSION}-linux-{architecture}.tar.gz"),
            sha256: digit.repeat(64),
        };
        let archives = [archive("amd64", "a"), archive("arm64", "0")];
        let written = manifest(&archives, "https://example.com/releases/").unwrap();
        let it: Value = serde_saphyr::from_str(&written).unwrap();
        assert_eq!(text(&it, "/apiVersion"), "krew.googlecontainertools.github.com/v1alpha2");
        assert_eq!(text(&it, "/kind"), "Plugin");
        let name = text(&it, "/metadata/name");
        let is_plain = |letter: char| letter.is_ascii_lowercase() || letter == '-';
        assert!(name.chars().all(is_plain) && !name.starts_with("kube"), "{name}");
        let version = text(&it, "/spec/version").strip_prefix('v').unwrap();
        assert_eq!(version.split('.').filter(|part| part.parse::<u32>().is_ok()).count(), 3, "{version}");
        let short = text(&it, "/spec/shortDescription");
        assert!(!short.is_empty() && short.len() <= 50 && !short.contains('\n') && !short.ends_with('.'), "{short}");
        assert!(!text(&it, "/spec/description").trim().is_empty());

        let platforms = it["spec"]["platforms"].as_array().unwrap();
        assert_eq!(platforms.len(), archives.len());
        for (platform, archive) in platforms.iter().zip(&archives) {
            let sha256 = text(platform, "/sha256");
            let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
            assert!(sha256.len() == 64 && sha256.bytes().all(is_digit), "{sha256}");
            assert_eq!(text(platform, "/uri"), format!("https://example.com/releases/{}", archive.name));
            assert!(archive.name.ends_with(".tar.gz"), "krew unpacks .zip and .tar.gz");
            // A path inside the archive, which has the program at its top; kubectl finds it by this name.
            assert_eq!(text(platform, "/bin"), format!("kubectl-{name}"));
            let labels = platform["selector"]["matchLabels"].as_object().unwrap();
            assert!(labels.keys().all(|key| matches!(key.as_str(), "os" | "arch")), "{labels:?}");
            let same = platforms.iter().filter(|other| other["selector"] == platform["selector"]);
            assert_eq!(same.count(), 1, "no two platforms may match one machine");
        }
    }
}
