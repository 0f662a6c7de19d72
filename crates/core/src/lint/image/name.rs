//! Names of images, completed: `app` is `docker.io/library/app:latest` (distribution/reference, normalize.go).

/// What a manifest calls an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::lint) struct Name<'a> {
    /// Registry, path and tag.
    pub full: String,
    /// The digest, which decides where it is given.
    pub digest: Option<&'a str>,
    /// What Podman calls an image that was built there, where nothing names a registry.
    pub local: Option<String>,
}

impl<'a> Name<'a> {
    /// None of a name that is not filled in yet.
    pub(in crate::lint) fn read(text: &'a str) -> Option<Self> {
        let text = text.trim();
        if text.is_empty() || text.contains(['$', '{', '<']) || text.contains(char::is_whitespace) {
            return None;
        }
        let digest = text.split_once('@').map(|(_, digest)| digest);
        let full = full_name(text);
        let local = full.strip_prefix("docker.io/library/").map(|rest| format!("localhost/{rest}"));
        Some(Self { full, digest, local })
    }
}

/// Registry, path and tag, without a digest.
pub(in crate::lint) fn full_name(text: &str) -> String {
    let text = text.split('@').next().unwrap_or(text);
    let (path, tag) = match text.rsplit_once(':') {
        Some((path, tag)) if !tag.contains('/') => (path, tag),
        _ => (text, "latest"),
    };
    let (registry, rest) = match path.split_once('/') {
        Some((first, rest)) if first.contains(['.', ':']) || first == "localhost" => (first, rest),
        _ => ("docker.io", path),
    };
    let registry = if registry == "index.docker.io" { "docker.io" } else { registry };
    let library = if registry == "docker.io" && !rest.contains('/') { "library/" } else { "" };
    format!("{registry}/{library}{rest}:{tag}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_completed_as_an_engine_completes_it() {
        for (text, full) in [
            ("app", "docker.io/library/app:latest"),
            ("app:1.2", "docker.io/library/app:1.2"),
            ("team/app", "docker.io/team/app:latest"),
            ("docker.io/app:1", "docker.io/library/app:1"),
            ("index.docker.io/team/app:1", "docker.io/team/app:1"),
            ("registry:5000/app", "registry:5000/app:latest"),
            ("localhost/app:1", "localhost/app:1"),
            ("ghcr.io/team/app:1@sha256:00", "ghcr.io/team/app:1"),
        ] {
            assert_eq!(full_name(text), full, "{text}");
        }
        let name = Name::read("app:1@sha256:00").unwrap();
        assert_eq!((name.digest, name.local.as_deref()), (Some("sha256:00"), Some("localhost/app:1")));
        assert_eq!(Name::read("ghcr.io/app:1").unwrap().local, None);
        assert_eq!((Name::read("app:${TAG}"), Name::read(""), Name::read("{{ .image }}")), (None, None, None));
    }
}
