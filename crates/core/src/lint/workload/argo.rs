//! Argo Workflows: each template with a container is a pod of its own (argoproj.io/v1alpha1, `Template`).

use super::{At, Container, ContainerKind, Object, Resources};

/// Where a template holds its one container.
const STEPS: [&str; 2] = ["container", "script"];

/// The spec of a workflow; none of any other object. A CronWorkflow has it below its own.
pub(super) fn workflow<'a>(object: &Object<'a>) -> Option<At<'a>> {
    if object.group() != "argoproj.io" || !object.kind.contains("Workflow") {
        return None;
    }
    let spec = object.node.get("spec")?;
    Some(spec.get("workflowSpec").unwrap_or(spec))
}

/// A template with a container of its own.
pub(super) fn is_template(node: At<'_>) -> bool {
    main(node).is_some()
}

fn main(template: At<'_>) -> Option<At<'_>> {
    STEPS.iter().filter_map(|name| template.get(name)).find(|node| node.is_mapping() && node.text_of("image").is_some())
}

/// The containers of a template beside its init containers. What it does not say `templateDefaults` says; of what a
/// `podSpecPatch` says too nothing is known.
pub(super) fn step<'a>(workflow: At<'a>, template: At<'a>) -> Vec<Container<'a>> {
    let Some(main) = main(template) else { return Vec::new() };
    let sidecars = template.get("sidecars").into_iter().flat_map(At::items).filter(|node| node.is_mapping());
    let mut containers = vec![Container::read(main, ContainerKind::App)];
    let defaults = workflow.get("templateDefaults");
    let default = STEPS.iter().find_map(|name| defaults?.path(&[*name, "resources"]));
    containers[0].resources = containers[0].resources.or(Resources::read(default));
    containers.extend(sidecars.map(|node| Container::read(node, ContainerKind::App)));
    if [Some(template), Some(workflow), defaults].into_iter().flatten().any(|node| node.get("podSpecPatch").is_some()) {
        for container in &mut containers {
            container.is_open = true;
            container.resources = Resources::default();
        }
    }
    containers
}
