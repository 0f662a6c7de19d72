//! Which object something belongs to.

use super::At;

/// An object of the API, by its own word.
#[derive(Debug, Clone, Copy)]
pub struct Object<'a> {
    /// Its root.
    pub node: At<'a>,
    /// `apiVersion`.
    pub api_version: &'a str,
    /// `kind`.
    pub kind: &'a str,
    /// `metadata.namespace`.
    pub namespace: Option<&'a str>,
    /// `metadata.name`, or what `generateName` begins with.
    pub name: &'a str,
    /// The file that a template engine made it from, as `# Source: PATH` (Helm) or an annotation (Kustomize) says.
    pub template: Option<&'a str>,
}

impl<'a> Object<'a> {
    pub(super) fn read(node: At<'a>, template: Option<&'a str>) -> Self {
        let metadata = node.get("metadata");
        let of = |name: &str| metadata.and_then(|metadata| metadata.text_of(name));
        Self {
            node,
            api_version: node.text_of("apiVersion").unwrap_or(""),
            kind: node.text_of("kind").unwrap_or(""),
            namespace: of("namespace"),
            name: of("name").or_else(|| of("generateName")).unwrap_or(""),
            template: template.or_else(|| origin(metadata?)),
        }
    }

    /// `Deployment/prod/orders`; `Deployment/orders` where no namespace is given.
    pub fn title(&self) -> String {
        let kind = if self.kind.is_empty() { "object" } else { self.kind };
        match (self.namespace, self.name) {
            (Some(namespace), name) => format!("{kind}/{namespace}/{name}"),
            (None, "") => kind.to_owned(),
            (None, name) => format!("{kind}/{name}"),
        }
    }

    /// The API group: empty for the core's.
    pub fn group(&self) -> &'a str {
        self.api_version.split_once('/').map_or("", |(group, _)| group)
    }
}

/// Where Kustomize took an object from: `buildMetadata: [originAnnotations]` of a kustomization writes it, as YAML in the
/// annotation's value (sigs.k8s.io/kustomize/api, resource/origin.go, v0.21); kpt's functions write the path alone.
fn origin(metadata: At<'_>) -> Option<&str> {
    let annotations = metadata.get("annotations")?;
    let lines = || annotations.text_of("config.kubernetes.io/origin").into_iter().flat_map(str::lines);
    let of = |key: &str| lines().find_map(|line| line.strip_prefix(key)).map(str::trim);
    let path = of("path: ").or_else(|| of("configuredIn: "));
    path.or_else(|| annotations.text_of("config.kubernetes.io/path"))
}
