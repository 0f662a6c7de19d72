//! Tekton: each task is a pod, and each of its steps a container (tekton.dev/v1, `TaskSpec`).

use super::{At, Container, ContainerKind, Object, Resources};

/// Where a task holds its containers.
const STEPS: &str = "steps";

/// A task.
pub(super) fn is_task(object: &Object<'_>, node: At<'_>) -> bool {
    object.group() == "tekton.dev" && node.get(STEPS).is_some_and(|steps| steps.items().any(is_step))
}

fn is_step(node: At<'_>) -> bool {
    node.is_mapping() && node.text_of("image").is_some()
}

/// The containers of a task. What a step does not say of its resources `stepTemplate` says, field by field
/// (github.com/tektoncd/pipeline, pkg/apis/pipeline/v1/merge.go, `MergeStepsWithStepTemplate`).
pub(super) fn steps<'a>(object: &Object<'a>, spec: At<'a>) -> Vec<Container<'a>> {
    if !is_task(object, spec) {
        return Vec::new();
    }
    let template = spec.get("stepTemplate").map(|it| Container::read(it, ContainerKind::App).resources);
    let lists = [(STEPS, template.unwrap_or_default()), ("sidecars", Resources::default())];
    let read = |(name, default): (&str, Resources<'a>)| {
        let nodes = spec.get(name).into_iter().flat_map(At::items).filter(|node| is_step(*node));
        let containers = nodes.map(|node| Container::read(node, ContainerKind::App));
        containers.map(|it| Container { resources: it.resources.or(default), ..it }).collect::<Vec<_>>()
    };
    lists.into_iter().flat_map(read).collect()
}
