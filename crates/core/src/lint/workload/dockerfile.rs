//! A Dockerfile: what its last stage starts, under no limit that anybody knows.

use super::container::{Variable, VariableSource, Word};
use super::{At, Container, ContainerKind, Object, Platform, Resources, Workload};
use crate::lint::runtime::image::Image;

/// The image that a Dockerfile makes; none where nothing begins a stage.
pub(super) fn image(root: At<'_>) -> Option<Workload<'_>> {
    let base = root.text_of("from")?;
    let object =
        Object { node: root, api_version: "dockerfile", kind: "Image", namespace: None, name: base, template: None };
    Some(Workload {
        platform: Platform::Dockerfile,
        object,
        spec: root,
        annotations: None,
        resources: Resources::default(),
        containers: vec![stage(root)?],
        volumes: Vec::new(),
        tmpfs: Vec::new(),
    })
}

/// What a stage starts.
pub(in crate::lint) fn stage(root: At<'_>) -> Option<Container<'_>> {
    let base = root.text_of("from")?;
    let words = |key: &str| {
        let items = root.get(key).into_iter().flat_map(At::items);
        items.filter_map(|node| Some(Word { node, text: node.text()? })).collect()
    };
    let entries = root.get("environment").map(At::entries).unwrap_or_default().into_iter();
    let variables = entries.filter_map(|(name, node)| {
        Some(Variable { name: name.text()?, node, source: VariableSource::Value(node.text()?) })
    });
    Some(Container {
        node: root,
        kind: ContainerKind::App,
        name: "",
        // A name with a variable in it says nothing of what is inside.
        image: Some(Image::read(if base.contains('$') { "" } else { base })),
        build: None,
        resources: Resources::default(),
        command: words("entrypoint"),
        arguments: words("command"),
        variables: variables.collect(),
        variable_lists: Vec::new(),
        is_open: false,
        defaults: Vec::new(),
        mounts: Vec::new(),
    })
}
